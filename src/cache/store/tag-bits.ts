/**
 * 31 bits that say which tags an object may have: a purge looks at the tags themselves only where all its bits stand.
 *
 * @example (tagBits(object.tags) & tagBits(['a'])) === tagBits(['a'])
 */
export function tagBits(tags: readonly string[]): number {
  let bits = 0
  for (const tag of tags) {
    let hash = 0
    for (let at = 0; at < tag.length; at++) hash = Math.imul(hash ^ tag.charCodeAt(at), 0x01000193)
    hash ^= hash >>> 15
    bits |= (1 << (hash & 31)) | (1 << ((hash >>> 5) & 31))
  }
  return bits
}
