/** The place of a part in the whole: both octets included; null when the length of the whole is not known. */
export type ContentRange = { readonly first: number; readonly last: number; readonly total: number | null }

/**
 * Read Content-Range (RFC 9110 §14.4).
 *
 * @returns undefined for other units, for `bytes * /N`, and for what is malformed
 * @example parseContentRange('bytes 0-4/10') // { first: 0, last: 4, total: 10 }
 */
export function parseContentRange(value: string): ContentRange | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(value)
  if (match === null) return undefined
  const [first, last] = [Number(match[1]), Number(match[2])]
  const total = match[3] === '*' ? null : Number(match[3])
  return last < first || (total !== null && last >= total) ? undefined : { first, last, total }
}
