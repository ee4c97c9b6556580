/** One segment of a pattern; a literal is in the form of `canonicalPath`. */
export type PatternSegment = string | typeof ONE | typeof BELOW

/** `*`: one whole segment, not empty. */
export const ONE: unique symbol = Symbol('*')
/** A final `**`: everything below, and the folder itself. */
export const BELOW: unique symbol = Symbol('**')

/** Cut a pattern such as `/api/**` into its segments. */
export function patternSegments(pattern: string): PatternSegment[] {
  const segments = pattern.split('/').slice(1)
  return segments.map((segment, i) => {
    if (segment === '*') return ONE
    if (segment === '**' && i === segments.length - 1) return BELOW
    const octets = Buffer.from(segment, 'utf8').toString('latin1')
    return canonicalPath(octets) ?? octets
  })
}

/**
 * Whether two patterns match the same paths, so that nothing could choose between them.
 *
 * Of any other two that match one path, one is more specific: at the first segment in which they differ, a literal
 * goes before `*`, and `*` before `**`.
 *
 * @example ties('/caf%C3%A9', '/café') // true
 */
export function ties(a: string, b: string): boolean {
  const segmentsOfA = patternSegments(a)
  const segmentsOfB = patternSegments(b)
  return (
    segmentsOfA.length === segmentsOfB.length && segmentsOfA.every((segment, i) => segment === segmentsOfB[i])
  )
}

/**
 * The form in which paths are compared: every octet decoded (RFC 3986 §6.2.2.2) but the slash, which would become
 * another segment, and the percent sign itself.
 *
 * RFC 3986 would decode unreserved characters only; that `%40` names the same resource as `@` is what origins take it for.
 *
 * @param path Latin-1, one character an octet
 * @returns undefined when a `%` is not followed by two hex digits, or hides NUL, at which some programs stop reading
 */
export function canonicalPath(path: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})|%00/.test(path)) return undefined
  return path.replace(/%([0-9A-Fa-f]{2})/g, (escaped: string, hex: string) => {
    const octet = String.fromCharCode(Number.parseInt(hex, 16))
    return octet === '/' || octet === '%' ? escaped.toUpperCase() : octet
  })
}
