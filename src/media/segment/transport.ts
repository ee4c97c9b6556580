import type { Cut, MediaFile, Movie, OctetRange, Track } from '#media/movie/movie.ts'
import { adtsConfig } from '#media/wire/adts.ts'
import { byteStreamOf } from '#media/wire/annex-b.ts'
import { runsOf } from '#media/wire/chunks.ts'
import { MediaFault } from '#media/wire/fault.ts'
import { decodeTime } from '#media/wire/samples.ts'
import { transportStream } from '#media/wire/ts.ts'
import type { Stream } from '#media/wire/ts-tables.ts'
import { readSegment } from './gather.ts'
import { trackById } from './init.ts'
import { gatherSamples } from './lay.ts'
import { samplesOfFragments } from './lay-fragments.ts'
import { samplesOfCut } from './segment.ts'
import { type Taken, unitsOf } from './transport-units.ts'

/** A segment is held in memory, because lengths become start codes. */
const mostOctets = 128 * 1024 * 1024

/** A track that goes into a transport stream, and where it is read. */
export type Carriage = { readonly file: MediaFile; readonly movie: Movie; readonly trackId: number }

/**
 * A segment in an MPEG transport stream (RFC 8216 §3.2), of one track or of video and audio together.
 *
 * @param carriages at most one of video; sound may lie in a film of its own
 * @throws {MediaFault} 422 when a codec has no place in a transport stream, or lengths in the film are wrong
 */
export async function transportSegment(carriages: readonly Carriage[], cut: Cut): Promise<Uint8Array> {
  const carried = carriages.map(({ file, movie, trackId }, i) => {
    const track = trackById(movie, trackId)
    return { file, movie, track, stream: streamOf(track, i) }
  })
  const taken = await Promise.all(carried.map((part) => take(part, cut)))
  const units = taken.flatMap(unitsOf)
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

type Carried = Omit<Carriage, 'trackId'> & { readonly track: Track; readonly stream: Stream }

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

async function take({ file, movie, track, stream }: Carried, cut: Cut): Promise<Taken> {
  if (movie.container === 'matroska') {
    const { samples, contents, decodeTime } = await gatherSamples(file, movie, track.id, cut)
    const octets = Buffer.concat(contents)
    return { track, stream, samples, first: 0, end: samples.count, time: decodeTime, octets }
  }
  if (movie.container === 'fragments') {
    const { samples, time } = await samplesOfFragments(file, movie, track.id, cut)
    const end = samples.count
    return {
      track,
      stream,
      samples,
      first: 0,
      end,
      time,
      octets: await readAll(file, runsOf(samples, 0, end)),
    }
  }
  const { samples } = track
  const { first, end } = samplesOfCut(track, cut)
  const octets = await readAll(file, runsOf(samples, first, end))
  return { track, stream, samples, first, end, time: decodeTime(samples, first), octets }
}

/** The octets of ranges, joined. */
async function readAll(file: MediaFile, runs: readonly OctetRange[]): Promise<Uint8Array> {
  const octets = runs.reduce((sum, run) => sum + run.octets, 0)
  if (octets > mostOctets) {
    throw new MediaFault(
      `A segment has ${octets} octets; ${mostOctets} is the most of a transport stream: cut shorter`,
    )
  }
  return Buffer.concat(await Array.fromAsync(readSegment(file, { pieces: runs, octets })))
}
