import { MediaFault } from '#media/wire/fault.ts'

/** An elementary stream of a program (ISO 13818-1 §2.4.4.8). */
export type ElementaryStream = { readonly pid: number; readonly type: number; readonly language: string }

/** A packet of an elementary stream, with what its header says (ISO 13818-1 §2.4.3.6). Times are 90 kHz, 33 bits. */
export type Pes = { readonly pts: number; readonly dts: number; readonly content: Buffer }

export type TsEvent =
  | { readonly kind: 'program'; readonly streams: readonly ElementaryStream[] }
  | { readonly kind: 'pes'; readonly pid: number; readonly pes: Pes }

const PACKET_OCTETS = 188
const SYNC = 0x47
/** A stream that is none has no sync octet for so long. */
const LIMIT_LOST_OCTETS = 64 * PACKET_OCTETS

type Collecting = { readonly pieces: Buffer[]; octets: number; wanted: number }

/** Takes packets of elementary streams out of a transport stream: the first program of it. */
export class TsPackets {
  readonly #limitOctets: number
  #rest: Buffer = Buffer.alloc(0)
  #lostOctets = 0
  #programPid = -1
  #streams: readonly ElementaryStream[] | null = null
  readonly #collecting = new Map<number, Collecting>()

  /** @param limitOctets of one packet of an elementary stream */
  constructor(limitOctets: number) {
    this.#limitOctets = limitOctets
  }

  /** @throws {MediaFault} when these are no packets, or one is too large */
  take(octets: Uint8Array): TsEvent[] {
    const all = Buffer.concat([this.#rest, octets])
    const events: TsEvent[] = []
    let at = 0
    while (all.length - at >= PACKET_OCTETS) {
      if (all[at] !== SYNC) {
        at++
        if (++this.#lostOctets > LIMIT_LOST_OCTETS)
          throw new MediaFault('This is no MPEG-TS: packets of 188 octets begin with 0x47')
        continue
      }
      this.#lostOctets = 0
      this.#readPacket(all.subarray(at, at + PACKET_OCTETS), events)
      at += PACKET_OCTETS
    }
    this.#rest = Buffer.from(all.subarray(at))
    return events
  }

  /** Packets begin anew with the next octet. */
  restart(): void {
    this.#rest = Buffer.alloc(0)
  }

  /** What has begun and has no length of its own ends with the stream. */
  finish(): TsEvent[] {
    const events: TsEvent[] = []
    for (const pid of this.#collecting.keys()) this.#complete(pid, events)
    return events
  }

  #readPacket(packet: Buffer, events: TsEvent[]): void {
    const begins = (packet[1]! & 0x40) !== 0
    const pid = packet.readUInt16BE(1) & 0x1fff
    const control = (packet[3]! >> 4) & 3
    const from = control & 2 ? 5 + packet[4]! : 4
    // A packet that is damaged, scrambled, or has no content.
    if ((packet[1]! & 0x80) !== 0 || (packet[3]! & 0xc0) !== 0 || !(control & 1) || from >= PACKET_OCTETS)
      return
    const content = packet.subarray(from)
    if (pid === 0) {
      if (begins) this.#programPid = readProgramPid(content) ?? this.#programPid
    } else if (pid === this.#programPid) {
      if (begins && this.#streams === null) this.#begin(content, events)
    } else if (this.#streams?.some((stream) => stream.pid === pid) === true) {
      this.#collect(pid, content, begins, events)
    }
  }

  #begin(content: Buffer, events: TsEvent[]): void {
    const streams = readProgram(content)
    if (streams === null) return
    this.#streams = streams
    events.push({ kind: 'program', streams })
  }

  #collect(pid: number, content: Buffer, begins: boolean, events: TsEvent[]): void {
    if (begins) {
      this.#complete(pid, events)
      if (content.length < 9 || content.readUIntBE(0, 3) !== 1) return
      const stated = content.readUInt16BE(4)
      this.#collecting.set(pid, { pieces: [], octets: 0, wanted: stated === 0 ? Infinity : stated + 6 })
    }
    const collecting = this.#collecting.get(pid)
    if (collecting === undefined) return
    collecting.pieces.push(Buffer.from(content))
    collecting.octets += content.length
    if (collecting.octets > this.#limitOctets) {
      throw new MediaFault(`A packet of stream ${pid} has more than ${this.#limitOctets} octets ("buffer")`)
    }
    if (collecting.octets >= collecting.wanted) this.#complete(pid, events)
  }

  #complete(pid: number, events: TsEvent[]): void {
    const collecting = this.#collecting.get(pid)
    this.#collecting.delete(pid)
    if (collecting === undefined) return
    const pes = readPes(
      Buffer.concat(collecting.pieces).subarray(0, Math.min(collecting.octets, collecting.wanted)),
    )
    if (pes !== null) events.push({ kind: 'pes', pid, pes })
  }
}

/** The section behind the pointer field, without its check sum; null when it goes on in the next packet. */
function sectionOf(content: Buffer, tableId: number): Buffer | null {
  const from = 1 + content[0]!
  if (from + 3 > content.length || content[from] !== tableId) return null
  const end = from + 3 + (content.readUInt16BE(from + 1) & 0xfff) - 4
  return end > content.length || end < from + 8 ? null : content.subarray(from, end)
}

/** ISO 13818-1 §2.4.4.3: the first program; number 0 is the network. */
function readProgramPid(content: Buffer): number | undefined {
  const section = sectionOf(content, 0)
  if (section === null) return undefined
  for (let at = 8; at + 4 <= section.length; at += 4) {
    if (section.readUInt16BE(at) !== 0) return section.readUInt16BE(at + 2) & 0x1fff
  }
  return undefined
}

/** ISO 13818-1 §2.4.4.8. */
function readProgram(content: Buffer): ElementaryStream[] | null {
  const section = sectionOf(content, 2)
  if (section === null || section.length < 12) return null
  const streams: ElementaryStream[] = []
  let at = 12 + (section.readUInt16BE(10) & 0xfff)
  while (at + 5 <= section.length) {
    const about = section.readUInt16BE(at + 3) & 0xfff
    const descriptors = section.subarray(at + 5, at + 5 + about)
    streams.push({
      type: typeOf(section[at]!, descriptors),
      pid: section.readUInt16BE(at + 1) & 0x1fff,
      language: languageOf(descriptors),
    })
    at += 5 + about
  }
  return streams
}

/** DVB says of private data in a descriptor that it is AC-3 or E-AC-3 (ETSI EN 300 468 §D.2). */
function typeOf(type: number, descriptors: Buffer): number {
  if (type !== 6) return type
  for (let at = 0; at + 2 <= descriptors.length; at += 2 + descriptors[at + 1]!) {
    if (descriptors[at] === 0x6a) return 129
    if (descriptors[at] === 0x7a) return 135
  }
  return type
}

/** ISO 13818-1 §2.6.18. */
function languageOf(descriptors: Buffer): string {
  for (let at = 0; at + 2 <= descriptors.length; at += 2 + descriptors[at + 1]!) {
    const text = descriptors.toString('latin1', at + 2, at + 5)
    if (descriptors[at] === 0x0a && /^[a-z]{3}$/.test(text)) return text
  }
  return 'und'
}

/** @returns null for a packet without a time */
function readPes(octets: Buffer): Pes | null {
  if (octets.length < 9) return null
  const from = 9 + octets[8]!
  const flags = octets[7]! >> 6
  if ((flags & 2) === 0 || from > octets.length || octets.length < (flags === 3 ? 19 : 14)) return null
  const pts = readTime(octets, 9)
  return { pts, dts: flags === 3 ? readTime(octets, 14) : pts, content: octets.subarray(from) }
}

function readTime(octets: Buffer, at: number): number {
  const high = (octets[at]! >> 1) & 7
  return high * 2 ** 30 + ((octets.readUInt16BE(at + 1) >> 1) << 15) + (octets.readUInt16BE(at + 3) >> 1)
}
