import { decodeUtf8 } from './key.ts'

/** A value with parameters: `form-data; name="a"`, `text/html; charset=utf-8`. */
export type Parameters = { readonly value: string; readonly parameters: ReadonlyMap<string, string> }

/**
 * Read a Content-Disposition, of a part or of a request (RFC 6266 §4, RFC 7578 §4.2), or a media type.
 *
 * `filename*` (RFC 8187 §3.2) stands under `filename` and wins where it can be read. In quotes, `\"` and `\\` are escapes, and any other
 * backslash stands for itself: browsers do not escape it.
 *
 * @param text decoded as UTF-8
 * @returns undefined when it is malformed or a parameter stands twice
 */
export function parseParameters(text: string): Parameters | undefined {
  const value = /^[ \t]*([^\s;"]+)[ \t]*/.exec(text)
  if (value === null) return undefined
  const parameters = new Map<string, string>()
  PARAMETER.lastIndex = value[0].length
  while (PARAMETER.lastIndex < text.length) {
    const match = PARAMETER.exec(text)
    if (match === null) return undefined
    const [, name = '', quoted, token = ''] = match
    if (name === '') continue
    const lower = name.toLowerCase()
    if (parameters.has(lower)) return undefined
    parameters.set(lower, quoted === undefined ? token : quoted.replace(/\\(["\\])/g, '$1'))
  }
  const extended = parameters.get('filename*')
  if (extended !== undefined) {
    const name = decodeExtended(extended) ?? parameters.get('filename')
    if (name === undefined) return undefined
    parameters.set('filename', name)
  }
  return { value: value[1]!.toLowerCase(), parameters }
}

const PARAMETER = /;[ \t]*(?:([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\[\s\S])*)"|([^\s;"]*)))?[ \t]*/y

/** RFC 8187 §3.2: `UTF-8'en'…`; older senders may say ISO-8859-1 (RFC 5987 §3.2.1). */
function decodeExtended(value: string): string | undefined {
  const [, charset = '', text = ''] =
    /^(utf-8|iso-8859-1)'[\w-]*'((?:[\w!#$&+.^`|~-]|%[\da-f]{2})*)$/i.exec(value) ?? []
  if (charset.toLowerCase() === 'utf-8') return decodeUtf8(text)
  if (charset === '') return undefined
  return text.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** WHATWG form submission: quotes and line ends in names are percent escapes, and nothing else is. */
export function unescapeFormName(name: string): string {
  return name.replace(/%(22|0D|0A)/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** A Content-Disposition that names the file for every client (RFC 6266 §4.3, RFC 8187 §3.2). */
export function formatAttachment(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]/g, '_').replace(/["\\%]/g, '_')
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return ascii === name
    ? `attachment; filename="${ascii}"`
    : `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`
}
