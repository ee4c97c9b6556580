/** A box of ISO/IEC 14496-12: length, type, content. */
export function box(type: string, ...content: readonly Uint8Array[]): Buffer {
  const inside = Buffer.concat(content)
  const head = Buffer.alloc(8)
  head.writeUInt32BE(inside.length + 8)
  head.write(type, 4, 'latin1')
  return Buffer.concat([head, inside])
}

/** The movie header in version 0. */
export function movieHeader(timescale: number, duration: number): Buffer {
  const content = Buffer.alloc(100)
  content.writeUInt32BE(timescale, 12)
  content.writeUInt32BE(duration, 16)
  return box('mvhd', content)
}

/** The begin of a movie whose last box, `mdat`, fills the file. */
export function movieStart(fileOctets: number, seconds: number): Buffer {
  const start = Buffer.concat([
    box('ftyp', Buffer.from('isom\0\0\x02\0')),
    box('moov', movieHeader(1000, seconds * 1000)),
  ])
  const media = Buffer.alloc(8)
  media.writeUInt32BE(fileOctets - start.length)
  media.write('mdat', 4, 'latin1')
  return Buffer.concat([start, media])
}

/** An element of EBML: identifier as hexadecimal digits, length in eight octets, data. */
export function element(id: string, ...data: readonly Uint8Array[]): Buffer {
  const inside = Buffer.concat(data)
  const size = Buffer.alloc(8)
  size.writeBigUInt64BE(2n ** 56n + BigInt(inside.length))
  return Buffer.concat([Buffer.from(id, 'hex'), size, inside])
}

/** The begin of a Matroska file whose segment has no length, with a duration in milliseconds. */
export function matroskaStart(seconds: number): Buffer {
  const duration = Buffer.alloc(8)
  duration.writeDoubleBE(seconds * 1000)
  const info = element(
    '1549a966',
    element('2ad7b1', Buffer.from([0x0f, 0x42, 0x40])),
    element('4489', duration),
  )
  const segment = Buffer.from('1853806701ffffffffffffff', 'hex')
  return Buffer.concat([
    element('1a45dfa3', element('4282', Buffer.from('webm'))),
    segment,
    element('ec', Buffer.alloc(100)),
    info,
  ])
}
