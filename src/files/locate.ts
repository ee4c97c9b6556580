import { pathOf, removeDotSegments } from '#http/wire/path.ts'

/** The file that a target names. */
export type Place = {
  /** path below the root, without a slash at its begin or end */
  readonly path: string
  /** the target ends with a slash: a folder is meant, and `path` is that of its index */
  readonly isFolder: boolean
}

/** Why a target names no file. */
export type Nowhere = 'the path climbs above the root' | 'the path is malformed' | 'no file has such a name'

/**
 * Find the file that a target names below a root, without looking at the disk.
 *
 * Segments are decoded once and only then judged, so that no spelling of `..`, a slash or NUL comes through.
 * Names that begin with a dot are never served, but `/.well-known/` (RFC 8615).
 *
 * @param target origin-form; its query does not count
 * @param index name of the file that stands for its folder
 * @example locate('/a%20b/', 'index.html') // { path: 'a b/index.html', isFolder: true }
 */
export function locate(target: string, index: string): Place | Nowhere {
  const decoded = decode(pathOf(target))
  if (decoded === undefined) return 'the path is malformed'
  const segments = removeDotSegments(decoded.slice(1))
  if (segments === undefined) return 'the path climbs above the root'
  const isFolder = segments.at(-1) === ''
  const names = isFolder ? [...segments.slice(0, -1), index] : segments
  return names.every(isServedName) ? { path: names.join('/'), isFolder } : 'no file has such a name'
}

function decode(path: string): string[] | undefined {
  if (!path.startsWith('/')) return undefined
  try {
    return path.split('/').map(decodeURIComponent)
  } catch {
    return undefined
  }
}

/** An empty name would give one file several URLs, and `//host` in a redirect is another host. */
function isServedName(name: string, i: number): boolean {
  if (name === '' || /[/\\\0]/.test(name)) return false
  return !name.startsWith('.') || (name === '.well-known' && i === 0)
}
