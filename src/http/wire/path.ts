/** The path of a request target, without its query. */
export function pathOf(target: string): string {
  const query = target.indexOf('?')
  return query === -1 ? target : target.slice(0, query)
}

/**
 * Resolve the segments `.` and `..` (RFC 3986 §5.2.4).
 *
 * @param segments of the path, without the empty text before its first slash
 * @returns undefined when the path climbs above the root: RFC 3986 would stay there, but only attackers ask for it
 * @example removeDotSegments(['a', '..', 'b', '.']) // ['b', '']
 */
export function removeDotSegments(segments: readonly string[]): string[] | undefined {
  const kept: string[] = []
  for (const segment of segments) {
    if (segment === '..' && kept.pop() === undefined) return undefined
    if (!isDotSegment(segment)) kept.push(segment)
  }
  // `/a/..` is the folder `/`, as `/a/../` is.
  if (isDotSegment(segments.at(-1))) kept.push('')
  return kept
}

/** Whether a decoded segment says where to go instead of naming something (RFC 3986 §3.3). */
export function isDotSegment(segment: string | undefined): boolean {
  return segment === '.' || segment === '..'
}
