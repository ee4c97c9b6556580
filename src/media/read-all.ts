import type { Source } from '#http/exchange.ts'
import { MediaFault } from './wire/fault.ts'

/** All octets of a body, copied. @throws {MediaFault} 413 when there are more than `limitOctets` */
export async function readAll(body: Source, limitOctets: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let octets = 0
  for (;;) {
    const piece = await body.read(limitOctets)
    if (piece === null) return Buffer.concat(pieces)
    octets += piece.length
    if (octets > limitOctets) {
      body.cancel('limit')
      throw new MediaFault(`More than ${limitOctets} octets are not read`, 413)
    }
    pieces.push(Buffer.from(piece))
  }
}
