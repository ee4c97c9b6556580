/** An elementary stream in a transport stream (ISO 13818-1 §2.4). */
export type Stream = {
  readonly pid: number
  /** stream_type of the program map. */
  readonly type: number
  /** stream_id of its PES packets: 0xe0 video, 0xc0 audio, 0xbd private as AC-3. */
  readonly id: number
  /** Descriptors of the program map, ready-made. */
  readonly descriptors: Uint8Array
}

/** A section, with the octet before it that says where it begins. */
export type Table = { readonly pid: number; readonly section: Uint8Array }

const program = 1
const mapPid = 0x1000

/** Which program there is (ISO 13818-1 §2.4.4.3). */
export function programSection(): Table {
  return { pid: 0, section: sectionOf(0, Uint8Array.of(0, program, 0xe0 | (mapPid >> 8), mapPid & 0xff)) }
}

/** Which streams the program has (ISO 13818-1 §2.4.4.8). */
export function mapSection(streams: readonly Stream[], clock: Stream): Table {
  const listed = streams.map(({ type, pid, descriptors }) =>
    Buffer.concat([
      Uint8Array.of(
        type,
        0xe0 | (pid >> 8),
        pid & 0xff,
        0xf0 | (descriptors.length >> 8),
        descriptors.length & 0xff,
      ),
      descriptors,
    ]),
  )
  const head = Uint8Array.of(0xe0 | (clock.pid >> 8), clock.pid & 0xff, 0xf0, 0)
  return { pid: mapPid, section: sectionOf(2, Buffer.concat([head, ...listed])) }
}

function sectionOf(tableId: number, content: Uint8Array): Uint8Array {
  const length = content.length + 9
  const head = [tableId, 0xb0 | (length >> 8), length & 0xff, 0, 1, 0xc1, 0, 0]
  const body = Buffer.concat([Uint8Array.from(head), content])
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc(body))
  return Buffer.concat([Uint8Array.of(0), body, checksum])
}

/** CRC of ISO 13818-1 Annex A: bits from the left, not turned, unlike zlib's. */
function crc(octets: Uint8Array): number {
  let sum = 0xffffffff
  for (const octet of octets) {
    sum ^= octet << 24
    for (let bit = 0; bit < 8; bit++) sum = sum & 0x80000000 ? (sum << 1) ^ 0x04c11db7 : sum << 1
  }
  return sum >>> 0
}
