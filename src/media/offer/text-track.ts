import type { Film } from '#media/film.ts'
import type { MediaFile, Track } from '#media/movie/movie.ts'
import { lastPresentation, presentationTime } from '#media/movie/track.ts'
import { readSegment } from '#media/segment/gather.ts'
import { runsOf } from '#media/wire/chunks.ts'
import { valueAt } from '#media/wire/columns.ts'
import { MediaFault } from '#media/wire/fault.ts'
import { octetsOf, sampleFrom } from '#media/wire/samples.ts'
import { type Cue, readSubtitles, type Subtitles } from '#media/wire/subtitles.ts'
import { readTimedText, saidOf, textConfig } from '#media/wire/timed-text.ts'
import { readTtml } from '#media/wire/ttml.ts'
import { readBlockCues } from './matroska-text.ts'

/** More than anybody reads in a day of film. */
const LIMIT_SAMPLES = 100_000
const LIMIT_OCTETS = 16 * 2 ** 20
/** Lines of text lie far from each other, between pictures: what is near is read with them. */
const LIMITS = { gapOctets: 16 * 1024, readOctets: 2 ** 20 }
/** Parts of a whole film that are read side by side: each is many reads, one after the other. */
const PARTS = 8
/** Lines that stand at once. */
const OVERLAPPING = 8

/** The text of a number. @throws {MediaFault} 404 when there is none */
export function requireText({ movie }: Film, id: number): Track {
  const found = movie.tracks.find((track) => track.id === id && track.kind === 'text')
  if (found === undefined) throw new MediaFault(`The film has no subtitles ${id}`, 404)
  return found
}

/** When the last of a track of subtitles ends. */
export function endOfText(track: Track): number {
  return Math.round((1000 * lastPresentation(track)) / track.timescale)
}

/**
 * Read what a track of subtitles shows between two moments, by the ranges of those samples alone.
 *
 * @throws {MediaFault} when the film cannot be read, or has more than anybody reads
 */
export async function readTextTrack(
  file: MediaFile,
  track: Track,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Promise<Subtitles> {
  const { samples } = track
  const sampleAt = (ms: number): number =>
    sampleFrom(samples, (ms * track.timescale) / 1000 - track.offsetTicks)
  // Those before may still stand; in Matroska lines may overlap, each as long as it says.
  const first = Math.max(0, sampleAt(fromMs) - (track.blocks === undefined ? 1 : OVERLAPPING))
  const end = toMs === Number.POSITIVE_INFINITY ? samples.count : sampleAt(toMs)
  if (end - first > LIMIT_SAMPLES || octetsOf(samples, first, Math.max(first, end)) > LIMIT_OCTETS)
    throw new MediaFault(`The subtitles have more than ${LIMIT_SAMPLES} lines or ${LIMIT_OCTETS} octets`)
  const step = Math.max(16, Math.ceil((end - first) / PARTS))
  const parts: Promise<Cue[]>[] = []
  const read = track.blocks === undefined ? readCues : readBlockCues
  for (let at = first; at < end; at += step) parts.push(read(file, track, at, Math.min(end, at + step)))
  const config = textConfig(track.entries[0]!)
  const blocks = config === null ? [] : readSubtitles(config).blocks
  return { blocks, cues: joined((await Promise.all(parts)).flat()) }
}

async function readCues(file: MediaFile, track: Track, first: number, end: number): Promise<Cue[]> {
  const { samples, timescale } = track
  const pieces = runsOf(samples, first, end)
  const octets = Buffer.concat(await Array.fromAsync(readSegment(file, { pieces, octets: 0 }, LIMITS)))
  const cues: Cue[] = []
  const msOf = (ticks: number): number => Math.round((1000 * ticks) / timescale)
  for (let i = first, at = 0; i < end; i++) {
    const sample = octets.subarray(at, (at += valueAt(samples.sizes, i)))
    const ticks = presentationTime(track, i)
    const [startMs, endMs] = [Math.max(0, msOf(ticks)), msOf(ticks + valueAt(samples.durations, i))]
    if (endMs <= startMs) continue
    const within = { startMs, endMs }
    if (track.codec === 'stpp') cues.push(...readDocument(sample, msOf(track.offsetTicks), within))
    else cues.push(...readTimedText(track.codec, sample).map((said) => ({ ...said, ...within })))
  }
  return cues
}

/** A document of TTML counts from the beginning of its track, and holds as long as its sample (ISO 14496-30 §6.3). */
function readDocument(
  sample: Uint8Array,
  offsetMs: number,
  within: { readonly startMs: number; readonly endMs: number },
): Cue[] {
  return readTtml(new TextDecoder().decode(sample)).flatMap(({ settings, text, ...shown }) => {
    const startMs = Math.max(within.startMs, shown.startMs + offsetMs)
    const endMs = Math.min(within.endMs, shown.endMs + offsetMs)
    return endMs > startMs ? saidOf('', settings, text).map((said) => ({ ...said, startMs, endMs })) : []
  })
}

/** A cue that stands while others come and go is said again in each sample: it is one. */
function joined(cues: readonly Cue[]): Cue[] {
  const all: Cue[] = []
  const standing = new Map<string, number>()
  for (const cue of cues) {
    const key = `${cue.id}\n${cue.settings}\n${cue.text}`
    const place = standing.get(key)
    if (place !== undefined && all[place]!.endMs === cue.startMs) {
      all[place] = { ...all[place]!, endMs: cue.endMs }
      continue
    }
    standing.set(key, all.push(cue) - 1)
  }
  return all
}
