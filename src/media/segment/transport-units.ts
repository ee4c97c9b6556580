import type { Track } from '#media/movie/movie.ts'
import { adtsConfig, adtsHeader } from '#media/wire/adts.ts'
import { accessUnit, byteStreamOf } from '#media/wire/annex-b.ts'
import { runsOf } from '#media/wire/chunks.ts'
import { valueAt } from '#media/wire/columns.ts'
import { isSync, type Samples } from '#media/wire/samples.ts'
import type { Pes } from '#media/wire/ts.ts'
import type { Stream } from '#media/wire/ts-tables.ts'

/** Presentation time 0 in a transport stream, in ticks of 90 000: what is decoded before it must not be below 0. */
export const TRANSPORT_START = 900_000

// A PES packet of audio holds what fits in 16 transport packets, as ffmpeg does: less would be stuffing.
const soundOctets = 2930

/** The samples of a track that a segment takes, with their octets one behind the other. */
export type Taken = {
  readonly track: Track
  readonly stream: Stream
  readonly samples: Samples
  readonly first: number
  readonly end: number
  /** Decode time of the first, in the track's ticks. */
  readonly time: number
  readonly octets: Uint8Array
}

/**
 * Video and audio as they stand in a transport stream, in order of decoding.
 *
 * @throws {MediaFault} when the lengths in a picture do not fill it
 */
export function unitsOf(taken: Taken): Pes[] {
  return taken.track.kind === 'video' ? pictures(taken) : sound(taken)
}

function pictures({ track, stream, samples, first, end, time, octets }: Taken): Pes[] {
  const units: Pes[] = []
  let at = 0
  for (const run of runsOf(samples, first, end)) {
    const byteStream = byteStreamOf(track.entries[run.entry]!)!
    for (let i = run.first; i < run.first + run.count; i++) {
      const sample = octets.subarray(at, (at += valueAt(samples.sizes, i)))
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

function sound({ track, stream, samples, first, end, time, octets }: Taken): Pes[] {
  const adts = adtsConfig(track.entries[0]!)
  const units: Pes[] = []
  let [at, held, heldOctets, begun] = [0, [] as Uint8Array[], 0, time]
  const flush = () => {
    const pts = ticksOf(track, begun)
    if (held.length > 0) units.push({ stream, pts, dts: pts, content: Buffer.concat(held), isSync: true })
    held = []
    heldOctets = 0
  }
  for (let i = first; i < end; i++) {
    const frame = octets.subarray(at, (at += valueAt(samples.sizes, i)))
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
