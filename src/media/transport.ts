import { readSegment } from './gather.ts'
import { trackById } from './init.ts'
import type { Cut, MediaFile, Movie, OctetRange, Track } from './movie.ts'
import { samplesOfCut } from './segment.ts'
import { adtsConfig, adtsHeader } from './wire/adts.ts'
import { accessUnit, byteStreamOf } from './wire/annex-b.ts'
import { MediaFault } from './wire/fault.ts'
import { decodeTime, isSync, runsOf, valueAt } from './wire/samples.ts'
import { type Pes, transportStream } from './wire/ts.ts'
import type { Stream } from './wire/ts-tables.ts'

/** Presentation time 0 in a transport stream, in ticks of 90 000: what is decoded before it must not be below 0. */
export const TRANSPORT_START = 900_000

/** A segment is held in memory, because lengths become start codes. */
const mostOctets = 128 * 1024 * 1024

// A PES packet of audio holds what fits in 16 transport packets, as ffmpeg does: less would be stuffing.
const soundOctets = 2930

/**
 * A segment in an MPEG transport stream (RFC 8216 §3.2), of one track or of video and audio together.
 *
 * @param trackIds at most one video
 * @throws {MediaFault} 422 when a codec has no place in a transport stream, or lengths in the film are wrong
 */
export async function transportSegment(
  file: MediaFile,
  movie: Movie,
  trackIds: readonly number[],
  cut: Cut,
): Promise<Uint8Array> {
  const tracks = trackIds.map((id) => trackById(movie, id))
  const carried = tracks.map((track, i) => ({
    track,
    stream: streamOf(track, i),
    ...samplesOfCut(track, cut),
  }))
  const units = (await Promise.all(carried.map((part) => unitsOf(file, part)))).flat()
  const streams = carried.map(({ stream }) => stream)
  const clock = streams.find(({ id }) => id === 0xe0) ?? streams[0]!
  return transportStream(
    units.sort((a, b) => a.dts - b.dts),
    streams,
    clock,
  )
}

/** Whether a transport stream can carry a track. */
export function canTransport(track: Track): boolean {
  return kindOf(track) !== undefined
}

type StreamKind = { readonly type: number; readonly id: number; readonly registration: string }

const sounds: Record<string, StreamKind> = {
  'mp4a.6B': { type: 3, id: 0xc0, registration: '' },
  'ac-3': { type: 0x81, id: 0xbd, registration: 'AC-3' },
  'ec-3': { type: 0x87, id: 0xbd, registration: 'EAC3' },
}

function kindOf({ codec, entries }: Track): StreamKind | undefined {
  const stream = byteStreamIn(entries[0]!, codec)
  if (stream === 'avc') return { type: 0x1b, id: 0xe0, registration: '' }
  if (stream === 'hevc') return { type: 0x24, id: 0xe0, registration: 'HEVC' }
  return adtsConfig(entries[0]!) ? { type: 0x0f, id: 0xc0, registration: '' } : sounds[codec]
}

function byteStreamIn(entry: Uint8Array, codec: string): 'avc' | 'hevc' | undefined {
  return /^(avc|hvc|hev)/.test(codec) ? byteStreamOf(entry)?.codec : undefined
}

function streamOf(track: Track, index: number): Stream {
  const kind = kindOf(track)
  if (!kind)
    throw new MediaFault(
      `Track ${track.id} has ${track.codec}, which a transport stream cannot carry: use CMAF`,
    )
  const { type, id, registration } = kind
  const descriptors = registration
    ? Buffer.concat([Uint8Array.of(5, 4), Buffer.from(registration)])
    : new Uint8Array()
  return { pid: 0x100 + index, type, id, descriptors }
}

type Part = { readonly track: Track; readonly stream: Stream; readonly first: number; readonly end: number }

async function unitsOf(file: MediaFile, part: Part): Promise<Pes[]> {
  const { track, first, end } = part
  const runs = runsOf(track.samples, first, end)
  const octets = runs.reduce((sum, run) => sum + run.octets, 0)
  if (octets > mostOctets) {
    throw new MediaFault(
      `A segment has ${octets} octets; ${mostOctets} is the most of a transport stream: cut shorter`,
    )
  }
  const content = await readAll(file, runs)
  return track.kind === 'video' ? pictures(part, content) : sound(part, content)
}

/** The octets of ranges, joined. */
async function readAll(file: MediaFile, ranges: readonly OctetRange[]): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  const pieces = ranges.map(({ from, octets }) => ({ from, octets }))
  for await (const part of readSegment(file, { pieces, octets: 0 })) parts.push(part)
  return Buffer.concat(parts)
}

function pictures({ track, stream, first, end }: Part, content: Uint8Array): Pes[] {
  const { samples } = track
  const units: Pes[] = []
  let at = 0
  let time = decodeTime(samples, first)
  const runs = runsOf(samples, first, end)
  for (const run of runs) {
    const byteStream = byteStreamOf(track.entries[run.entry]!)!
    for (let i = run.first; i < run.first + run.count; i++) {
      const sample = content.subarray(at, (at += valueAt(samples.sizes, i)))
      const pts = ticksOf(track, time + valueAt(samples.compositions, i))
      const dts = ticksOf(track, time)
      const sync = isSync(samples, i)
      units.push({ stream, pts, dts, content: accessUnit(sample, byteStream, sync), isSync: sync })
      time += valueAt(samples.durations, i)
    }
  }
  return units
}

function ticksOf({ timescale, offsetTicks }: Track, ticks: number): number {
  return Math.round(((ticks + offsetTicks) * 90_000) / timescale) + TRANSPORT_START
}

function sound({ track, stream, first, end }: Part, content: Uint8Array): Pes[] {
  const { samples } = track
  const adts = adtsConfig(track.entries[0]!)
  const units: Pes[] = []
  let [at, held, heldOctets] = [0, [] as Uint8Array[], 0]
  let time = decodeTime(samples, first)
  let begun = time
  const flush = () => {
    const pts = ticksOf(track, begun)
    if (held.length > 0) units.push({ stream, pts, dts: pts, content: Buffer.concat(held), isSync: true })
    held = []
    heldOctets = 0
  }
  for (let i = first; i < end; i++) {
    const frame = content.subarray(at, (at += valueAt(samples.sizes, i)))
    if (heldOctets + frame.length > soundOctets) flush()
    if (held.length === 0) begun = time
    if (adts) held.push(adtsHeader(adts, frame.length))
    held.push(frame)
    heldOctets += frame.length + 7
    time += valueAt(samples.durations, i)
  }
  flush()
  return units
}
