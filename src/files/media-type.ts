import mime from 'mime'

/**
 * The media type of a file by the extension of its name, for Content-Type (RFC 9110 §8.3).
 *
 * Text is said to be UTF-8. What nothing is known about is `application/octet-stream`: with `nosniff`, no browser
 * guesses further.
 *
 * @example mediaTypeOf('css/site.css') // 'text/css; charset=utf-8'
 */
export function mediaTypeOf(name: string): string {
  const extension = /\.([^./]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''
  const type = OTHER_TYPES[extension] ?? mime.getType(extension) ?? 'application/octet-stream'
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type
}

/** Extensions that registries give to something else: source code is met more often than an MPEG transport stream. */
const OTHER_TYPES: Readonly<Record<string, string>> = {
  __proto__: null as never,
  cts: 'text/plain',
  jsonc: 'text/plain',
  mts: 'text/plain',
  ts: 'text/plain',
  tsx: 'text/plain',
}
