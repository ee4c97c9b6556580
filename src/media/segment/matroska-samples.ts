import type { EncodedPacket } from 'mediabunny'
import { type PacketReader, readMatroska } from '#media/movie/matroska-file.ts'
import type { Cut, MediaFile, Movie, Track } from '#media/movie/movie.ts'
import { MediaFault } from '#media/wire/fault.ts'
import { createSampleList } from '#media/wire/sample-list.ts'
import type { Samples } from '#media/wire/samples.ts'
import { trackById } from './init.ts'

/** The samples of a segment with their octets; decode times count from `decodeTime`. */
export type Gathered = {
  readonly samples: Samples
  readonly contents: readonly Uint8Array[]
  readonly decodeTime: number
}

const mostOctets = 128 * 1024 * 1024
// Seeking reads whole clusters, and the cluster behind the end is looked into.
const mostRead = 2 * mostOctets
const mostPackets = 100_000

// Matroska's clock is a millisecond mostly: a key frame may be written as up to half of one earlier or later.
const clockSeconds = 0.0006

/** Pictures that may be shown before a key frame although they come behind it. */
const leadingPackets = 8

/** Samples a frame has, where all frames have as many. */
const frameTicks: Record<string, number> = { 'mp4a.40.2': 1024, 'mp4a.6B': 1152, 'ac-3': 1536, 'ec-3': 1536 }

/**
 * Read the samples of a track that a cut takes.
 *
 * @throws {MediaFault} when they cannot be read, or are more than a segment may have
 */
export function gatherMatroska(file: MediaFile, movie: Movie, trackId: number, cut: Cut): Promise<Gathered> {
  const track = trackById(movie, trackId)
  return readMatroska(file, mostRead, async ({ tracks, packets }) => {
    const input = tracks.find(({ id }) => id === trackId)
    if (!input) throw new MediaFault(`The film has no track ${trackId} any more: it was changed`, 502)
    const reader = packets(input)
    const taken = await packetsOfCut(reader, track.kind, cut)
    return track.kind === 'video' ? pictures(track, taken, reader) : sound(track, taken)
  })
}

type Taken = { readonly packets: readonly EncodedPacket[]; readonly next: EncodedPacket | undefined }

/** Packets from the cut's begin to the next one's; a time always leads to the same packet, so that none is taken twice. */
async function packetsOfCut(reader: PacketReader, kind: Track['kind'], cut: Cut): Promise<Taken> {
  const at = (ticks: number) => {
    const seconds = ticks / cut.timescale + clockSeconds
    return kind === 'video' ? reader.getKeyPacket(seconds) : reader.getPacket(seconds)
  }
  const first = (cut.index === 0 ? null : await at(cut.startTicks)) ?? (await reader.getFirstPacket())
  const next = (cut.endTicks === undefined ? null : await at(cut.endTicks)) ?? undefined
  const packets: EncodedPacket[] = []
  let octets = 0
  if (!first || (next && next.sequenceNumber <= first.sequenceNumber)) return { packets, next }
  for await (const packet of reader.packets(first, next)) {
    octets += packet.byteLength
    if (packets.push(packet) > mostPackets || octets > mostOctets) {
      throw new MediaFault(
        `A segment has more than ${mostPackets} packets or ${mostOctets} octets: cut shorter`,
      )
    }
  }
  return { packets, next }
}

/** Decode times are the times of showing in ascending order: Matroska has no others. */
async function pictures(track: Track, { packets, next }: Taken, reader: PacketReader): Promise<Gathered> {
  const ticks = packets.map(({ timestamp }) => Math.round(timestamp * track.timescale))
  const decoded = ticks.toSorted((a, b) => a - b)
  const last = packets.at(-1)
  const end = next
    ? Math.round((await firstShown(reader, next)) * track.timescale)
    : (decoded.at(-1) ?? 0) + Math.round((last?.duration ?? 0) * track.timescale)
  const list = createSampleList(packets.length)
  list.chunk(0, 0)
  packets.forEach(({ data, type }, i) => {
    const duration = Math.max(0, (decoded[i + 1] ?? end) - decoded[i]!)
    list.add(data.length, duration, ticks[i]! - decoded[i]! - track.offsetTicks, type === 'key')
  })
  return { samples: list.finish(), contents: packets.map(({ data }) => data), decodeTime: decoded[0] ?? 0 }
}

/** The earliest time shown from a key frame on: pictures behind it may come before it. */
async function firstShown(reader: PacketReader, key: EncodedPacket): Promise<number> {
  let earliest = key.timestamp
  let read = 0
  for await (const { timestamp } of reader.packets(key, undefined, { metadataOnly: true })) {
    earliest = Math.min(earliest, timestamp)
    if (++read === leadingPackets) break
  }
  return earliest
}

function sound(track: Track, { packets, next }: Taken): Gathered {
  const ticksOf = ({ timestamp }: EncodedPacket) => onFrames(track, Math.max(0, timestamp) * track.timescale)
  const ticks = packets.map(ticksOf)
  const last = packets.at(-1)
  const end = next ? ticksOf(next) : (ticks.at(-1) ?? 0) + Math.round((last?.duration ?? 0) * track.timescale)
  const list = createSampleList(packets.length)
  list.chunk(0, 0)
  packets.forEach(({ data }, i) => {
    list.add(data.length, Math.max(0, (ticks[i + 1] ?? end) - ticks[i]!), 0, true)
  })
  return { samples: list.finish(), contents: packets.map(({ data }) => data), decodeTime: ticks[0] ?? 0 }
}

/** The nearest multiple of a frame, where the clock's rounding explains the difference. */
function onFrames({ codec, timescale }: Track, ticks: number): number {
  const frame = frameTicks[codec]
  const nearest = frame ? Math.round(ticks / frame) * frame : ticks
  return Math.abs(nearest - ticks) <= timescale * clockSeconds ? nearest : Math.round(ticks)
}
