import { type Box, type BoxHeader, boxHeader, printable } from '#media/wire/bmff.ts'
import { MediaFault } from '#media/wire/fault.ts'
import { type FragmentedTrack, readFragment } from '#media/wire/fragment.ts'
import type { FragmentIndex } from '#media/wire/fragment-index.ts'
import { isMatroska } from '#media/wire/matroska-index.ts'
import { type MovieBox, readMovieBox, type TrackDefaults } from '#media/wire/movie-box.ts'
import { copySamples, createSampleList } from '#media/wire/sample-list.ts'
import { samplesOf } from '#media/wire/sample-tables.ts'
import { findIndex, stretchTracks } from './fragments.ts'
import type { MediaFile, Movie } from './movie.ts'
import { type Found, settle, trackOf } from './settle.ts'
import { type BoxLimits, createWindow, topBoxes, WINDOW_OCTETS, type Window } from './top-boxes.ts'

/** What a film may cost. */
export type OpenLimits = BoxLimits & {
  /** Of one track. */
  readonly samples: number
}

const usualLimits: OpenLimits = { indexOctets: 64 * 1024 * 1024, samples: 8_000_000, boxes: 100_000 }

const mostSeconds = 7 * 86_400

/**
 * Read what a film has: the index of an MP4 or MOV file, wherever it stands, its fragments, or the cues of a Matroska file.
 *
 * @throws {MediaFault} 422 with the place and what stands there, when the file cannot be offered
 */
export async function openMovie(file: MediaFile, limits: OpenLimits = usualLimits): Promise<Movie> {
  const head = await file.read({ from: 0, octets: Math.min(WINDOW_OCTETS, file.octets) })
  if (!isMatroska(head)) return openMp4(file, head, limits)
  const { openMatroska } = await import('./matroska-open.ts')
  return openMatroska(file, limits.indexOctets)
}

async function openMp4(
  file: MediaFile,
  head: Uint8Array,
  limits: OpenLimits,
  mayStretch = true,
): Promise<Movie> {
  if (file.octets >= 8) refuseOther(boxHeader(head, file.octets))
  const boxes = await readBoxes(createWindow(file, head), file, { ...limits, mayStretch })
  const { movieBox, tracks, index } = boxes
  const refused = [...movieBox.refused]
  const offered = tracks.flatMap((found) => {
    const track = trackOf(found, movieBox.timescale, movieBox.defaults === undefined)
    if (typeof track !== 'string') return [track]
    if (found.box.kind === 'text') return []
    refused.push({ id: found.box.id, reason: track })
    return []
  })
  if (offered.every(({ kind }) => kind === 'text')) {
    throw new MediaFault(
      refused.map(({ reason }) => reason).join('; ') || 'The film has neither video nor audio',
    )
  }
  const stretched =
    index && stretchTracks(offered, { index, movieBox, found: tracks, fileOctets: file.octets })
  // What its index cannot say of a film is found by looking at every fragment.
  if (index && !stretched) return openMp4(file, head, limits, false)
  const settled = stretched ?? settle(offered)
  const played = settled.filter(({ kind }) => kind !== 'text')
  const durationSeconds = Math.max(...played.map((track) => track.durationSeconds))
  if (durationSeconds > mostSeconds) {
    throw new MediaFault(`The film lasts ${durationSeconds} seconds; ${mostSeconds} (a week) is the limit`)
  }
  const container = stretched ? 'fragments' : 'mp4'
  return { container, tracks: settled, refused, durationSeconds, octets: file.octets, tag: file.tag }
}

type Boxes = {
  readonly movieBox: MovieBox
  /** of the first fragments alone, where there is an index of all */
  readonly tracks: readonly Found[]
  readonly index?: FragmentIndex
}

async function readBoxes(
  read: Window,
  file: MediaFile,
  limits: OpenLimits & { readonly mayStretch: boolean },
): Promise<Boxes> {
  const sidxes: Box[] = []
  let firstAt: number | undefined
  let { mayStretch } = limits
  let film: { movieBox: MovieBox; tracks: Map<number, FragmentedTrack> } | undefined
  for await (const { header, at, whole } of topBoxes(read, file, limits)) {
    if (header.type === 'moov' && !film) {
      const movieBox = readMovieBox(await whole())
      if (!movieBox.defaults) return { movieBox, tracks: tracksOf(movieBox, file, limits) }
      film = { movieBox, tracks: startFragments(movieBox, file, limits) }
    } else if (header.type === 'sidx' && film && firstAt === undefined) {
      sidxes.push(await whole())
    } else if (header.type === 'moof') {
      if (!film) throw new MediaFault(`The file has a fragment at octet ${at} and no moov before it`)
      readFragment(await whole(), { start: at, end: file.octets }, film.tracks)
      firstAt ??= at
      if (!mayStretch || !haveBegun(film)) continue
      mayStretch = false
      const index = await findIndex({ read, file, limits, movieBox: film.movieBox }, { sidxes, firstAt })
      if (index) return { movieBox: film.movieBox, tracks: endFragments(film.movieBox, film.tracks), index }
    }
  }
  if (!film)
    throw new MediaFault(
      `The file has no index (moov) in its ${file.octets} octets: its recording did not end`,
    )
  return { movieBox: film.movieBox, tracks: endFragments(film.movieBox, film.tracks) }
}

const firstBoxes = [
  'ftyp',
  'styp',
  'moov',
  'mdat',
  'free',
  'skip',
  'wide',
  'pnot',
  'uuid',
  'sidx',
  'moof',
  'pdin',
]

function refuseOther(header: BoxHeader | undefined): void {
  if (header && firstBoxes.includes(header.type)) return
  throw new MediaFault(
    `The file begins with ${printable(header?.type ?? '')} where MP4 and MOV begin with ftyp`,
  )
}

function tracksOf({ tracks }: MovieBox, file: MediaFile, limits: OpenLimits): Found[] {
  const bounds = { samples: limits.samples, fileOctets: file.octets }
  return tracks.flatMap((box): Found[] => {
    try {
      return [{ box, samples: samplesOf(box.tables, box.entries.length, bounds), startTicks: 0 }]
    } catch (error) {
      if (box.kind === 'text') return []
      throw error
    }
  })
}

const noDefaults: TrackDefaults = { entry: 1, duration: 0, size: 0, flags: 0 }

/** Whether there are samples of everything that is played. */
function haveBegun({
  movieBox,
  tracks,
}: {
  movieBox: MovieBox
  tracks: Map<number, FragmentedTrack>
}): boolean {
  return movieBox.tracks.every(({ id, kind }) => kind === 'text' || tracks.get(id)?.startTicks !== undefined)
}

/** Samples that stand in moov come first: some writers keep the first fragment there. */
function startFragments(
  movieBox: MovieBox,
  file: MediaFile,
  limits: OpenLimits,
): Map<number, FragmentedTrack> {
  const begun = new Map<number, FragmentedTrack>()
  for (const { box, samples } of tracksOf(movieBox, file, limits)) {
    const list = createSampleList(limits.samples)
    copySamples(samples, list)
    begun.set(box.id, {
      defaults: movieBox.defaults?.get(box.id) ?? noDefaults,
      samples: list,
      entryCount: box.entries.length,
      startTicks: samples.count > 0 ? 0 : undefined,
    })
  }
  return begun
}

function endFragments({ tracks }: MovieBox, begun: ReadonlyMap<number, FragmentedTrack>): Found[] {
  return tracks.flatMap((box) => {
    const track = begun.get(box.id)
    return track === undefined
      ? []
      : [{ box, samples: track.samples.finish(), startTicks: track.startTicks ?? 0 }]
  })
}
