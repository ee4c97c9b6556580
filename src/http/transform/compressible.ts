/**
 * Whether content of a media type gets shorter when it is compressed (RFC 9110 §8.3.1).
 *
 * @param contentType with or without parameters
 * @example isCompressible('text/html; charset=utf-8') // true
 */
export function isCompressible(contentType: string | undefined): boolean {
  const type = (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase()
  return type.startsWith('text/') || /\+(?:json|xml|text|yaml)$/.test(type) || TYPES.has(type)
}

/** Beside text and what is named after JSON and XML: pictures, sound, video and archives are compressed already. */
const TYPES: ReadonlySet<string> = new Set([
  'application/ecmascript',
  'application/geo+json-seq',
  'application/graphql',
  'application/javascript',
  'application/json',
  'application/json-seq',
  'application/jsonl',
  'application/n-quads',
  'application/n-triples',
  'application/rtf',
  'application/sql',
  'application/toml',
  'application/vnd.apple.mpegurl',
  'application/vnd.ms-fontobject',
  'application/wasm',
  'application/x-javascript',
  'application/x-mpegurl',
  'application/x-ndjson',
  'application/x-sh',
  'application/x-yaml',
  'application/xml',
  'application/xml-dtd',
  'application/yaml',
  'font/otf',
  'font/ttf',
  'image/bmp',
  'image/vnd.microsoft.icon',
  'image/x-icon',
])
