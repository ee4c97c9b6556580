import { mapSection, programSection, type Stream } from './ts-tables.ts'

/** What a PES packet carries: an access unit, or some frames of audio. Times in ticks of 90 000. */
export type Pes = {
  readonly stream: Stream
  readonly pts: number
  readonly dts: number
  /** 8 octets at least. */
  readonly content: Uint8Array
  readonly isSync: boolean
}

const packetOctets = 188
const bodyOctets = 184
const tableTimes = 16
/** Counters have four bits: streams with a multiple of 16 packets leave them where they found them. */
const turn = 16
/** PCR stands this far before decoding, in ticks: 0.7 s, as ffmpeg has it. */
const pcrAhead = 63_000

/**
 * A transport stream of one program that goes on where any other of the same streams ends.
 *
 * Each stream has a multiple of 16 packets, so its continuity counter (ISO 13818-1 §2.4.3.3) begins every segment at 0, in
 * whatever order segments are joined. So have the tables: their 16 copies are spread over the segment.
 *
 * @param units in order of dts, one at least
 * @param clock the stream whose packets carry PCR
 */
export function transportStream(
  units: readonly Pes[],
  streams: readonly Stream[],
  clock: Stream,
): Uint8Array {
  const counts = packetCounts(units, clock)
  const total = counts.reduce((sum, count) => sum + count, 2 * tableTimes)
  const octets = Buffer.alloc(total * packetOctets, 0xff)
  const counters = new Map<number, number>()
  const tables = [programSection(), mapSection(streams, clock)]
  let [at, copies] = [0, 0]
  const next = (pid: number, isStart: boolean) => {
    const counter = counters.get(pid) ?? 0
    counters.set(pid, (counter + 1) % turn)
    octets[at] = 0x47
    octets[at + 1] = (isStart ? 0x40 : 0) | (pid >> 8)
    octets[at + 2] = pid & 0xff
    octets[at + 3] = 0x10 | counter
    return (at += packetOctets) - packetOctets
  }
  const writeTables = (until: number) => {
    for (; copies < until; copies++)
      for (const { pid, section } of tables) octets.set(section, next(pid, true) + 4)
  }
  units.forEach((unit, i) => {
    writeTables(Math.min(tableTimes, Math.floor((i * tableTimes) / units.length) + 1))
    writePes(unit, { octets, count: counts[i]!, isClock: unit.stream === clock, next })
  })
  writeTables(tableTimes)
  return octets
}

/** Packets of each unit; a stream's last one has as many more as make the turn full. */
function packetCounts(units: readonly Pes[], clock: Stream): number[] {
  const sums = new Map<Stream, { sum: number; last: number }>()
  const counts = units.map((unit, i) => {
    const octets = headerOctets(unit) + unit.content.length + adaptationOctets(unit, unit.stream === clock)
    const count = Math.ceil(octets / bodyOctets)
    sums.set(unit.stream, { sum: (sums.get(unit.stream)?.sum ?? 0) + count, last: i })
    return count
  })
  for (const { sum, last } of sums.values()) counts[last]! += (turn - (sum % turn)) % turn
  return counts
}

type PesPlace = {
  readonly octets: Buffer
  readonly count: number
  readonly isClock: boolean
  /** Where the next packet begins, its four octets of header written. */
  readonly next: (pid: number, isStart: boolean) => number
}

function writePes(unit: Pes, { octets, count, isClock, next }: PesPlace): void {
  const whole = Buffer.concat([pesHeader(unit), unit.content])
  let from = 0
  for (let i = 0; i < count; i++) {
    const at = next(unit.stream.pid, i === 0)
    const fixed = i === 0 ? adaptationOctets(unit, isClock) : 0
    // Every packet that follows needs an octet: without one, its counter would not count.
    const taken = Math.min(bodyOctets - fixed, whole.length - from - (count - 1 - i))
    const adaptation = bodyOctets - taken
    if (adaptation > 0) {
      writeAdaptation(octets.subarray(at, at + packetOctets), adaptation, i === 0 ? unit : undefined, isClock)
    }
    whole.copy(octets, at + 4 + adaptation, from, from + taken)
    from += taken
  }
}

/** Length, flags and PCR (ISO 13818-1 §2.4.3.4) before the first packet's octets. */
function adaptationOctets({ isSync }: Pes, isClock: boolean): number {
  return isClock ? 8 : isSync ? 2 : 0
}

/** The field is as long as the payload is short; what it does not need is stuffing, and there already. */
function writeAdaptation(packet: Uint8Array, octets: number, unit: Pes | undefined, isClock: boolean): void {
  packet[3]! |= 0x20
  packet[4] = octets - 1
  if (octets === 1) return
  const hasPcr = unit !== undefined && isClock
  packet[5] = (unit?.isSync ? 0x40 : 0) | (hasPcr ? 0x10 : 0)
  if (!hasPcr) return
  const base = wrap(unit.dts - pcrAhead)
  packet[6] = Math.floor(base / 2 ** 25)
  packet[7] = (base / 2 ** 17) & 0xff
  packet[8] = (base / 2 ** 9) & 0xff
  packet[9] = (base / 2) & 0xff
  packet[10] = ((base & 1) << 7) | 0x7e
  packet[11] = 0
}

function headerOctets({ pts, dts }: Pes): number {
  return pts === dts ? 14 : 19
}

/** The head of a PES packet (ISO 13818-1 §2.4.3.6); video's length is not said, it may have more than 16 bits hold. */
function pesHeader(unit: Pes): Uint8Array {
  const { stream, pts, dts, content } = unit
  const header = new Uint8Array(headerOctets(unit))
  const length = header.length - 6 + content.length
  const said = length > 0xffff || stream.id === 0xe0 ? 0 : length
  const hasDts = pts !== dts
  header.set([0, 0, 1, stream.id, said >> 8, said & 0xff, 0x84, hasDts ? 0xc0 : 0x80, header.length - 9])
  writeTime(header, 9, hasDts ? 3 : 2, pts)
  if (hasDts) writeTime(header, 14, 1, dts)
  return header
}

function writeTime(header: Uint8Array, at: number, mark: number, ticks: number): void {
  const time = wrap(ticks)
  header[at] = (mark << 4) | (Math.floor(time / 2 ** 30) << 1) | 1
  header[at + 1] = (time / 2 ** 22) & 0xff
  header[at + 2] = ((time / 2 ** 14) & 0xfe) | 1
  header[at + 3] = (time / 2 ** 7) & 0xff
  header[at + 4] = ((time << 1) & 0xfe) | 1
}

/** Times have 33 bits and begin again after 26.5 hours. */
function wrap(ticks: number): number {
  const turned = ticks % 2 ** 33
  return turned < 0 ? turned + 2 ** 33 : turned
}
