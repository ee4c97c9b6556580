import { formatContentRange, type OctetRange, totalOctets } from './range.ts'

/** A multipart/byteranges content before its octets (RFC 9110 §14.6): what stands before, between and after the parts. */
export type Byteranges = {
  readonly contentType: string
  readonly lengthOctets: number
  readonly parts: readonly { readonly head: string; readonly range: OctetRange }[]
  /** after the last part */
  readonly tail: string
}

/**
 * Lay out several ranges of one representation.
 *
 * @param mediaType of the representation; each part says it
 * @param boundary a token of up to 70 characters that the content does not hold (RFC 2046 §5.1.1): random
 */
export function layOutByteranges(
  ranges: readonly OctetRange[],
  lengthOctets: number,
  mediaType: string | undefined,
  boundary: string,
): Byteranges {
  const type = mediaType === undefined ? '' : `Content-Type: ${mediaType}\r\n`
  const parts = ranges.map((range) => ({
    head: `\r\n--${boundary}\r\n${type}Content-Range: ${formatContentRange(range, lengthOctets)}\r\n\r\n`,
    range,
  }))
  const tail = `\r\n--${boundary}--\r\n`
  const headOctets = parts.reduce((total, { head }) => total + head.length, tail.length)
  return {
    contentType: `multipart/byteranges; boundary=${boundary}`,
    lengthOctets: headOctets + totalOctets(ranges),
    parts,
    tail,
  }
}
