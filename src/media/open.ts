import type { MediaFile, Movie } from './movie.ts'
import { type Found, settle, trackOf } from './settle.ts'
import { type Box, type BoxHeader, boxHeader, misfit, printable } from './wire/bmff.ts'
import { MediaFault } from './wire/fault.ts'
import { type FragmentedTrack, readFragment } from './wire/fragment.ts'
import { isMatroska } from './wire/matroska-index.ts'
import { type MovieBox, readMovieBox, type TrackDefaults } from './wire/movie-box.ts'
import { copySamples, createSampleList } from './wire/sample-list.ts'
import { samplesOf } from './wire/sample-tables.ts'

/** What a film may cost. */
export type OpenLimits = {
  /** Of moov, or of one moof. */
  readonly indexOctets: number
  /** Of one track. */
  readonly samples: number
  /** Boxes at the file's top level: two a fragment. */
  readonly boxes: number
}

const usualLimits: OpenLimits = { indexOctets: 64 * 1024 * 1024, samples: 8_000_000, boxes: 100_000 }

const mostSeconds = 7 * 86_400

// A moof of some seconds has less; a head of a file with ftyp, free and the beginning of mdat too.
const windowOctets = 32 * 1024

/**
 * Read what a film has: the index of an MP4 or MOV file, wherever it stands, its fragments, or the cues of a Matroska file.
 *
 * @throws {MediaFault} 422 with the place and what stands there, when the file cannot be offered
 */
export async function openMovie(file: MediaFile, limits: OpenLimits = usualLimits): Promise<Movie> {
  const head = await file.read({ from: 0, octets: Math.min(windowOctets, file.octets) })
  if (!isMatroska(head)) return openMp4(file, head, limits)
  const { openMatroska } = await import('./matroska-open.ts')
  return openMatroska(file, limits.indexOctets)
}

async function openMp4(file: MediaFile, head: Uint8Array, limits: OpenLimits): Promise<Movie> {
  const { movieBox, tracks } = await readBoxes(createWindow(file, head), file, limits)
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
  const settled = settle(offered)
  const played = settled.filter(({ kind }) => kind !== 'text')
  const durationSeconds = Math.max(...played.map((track) => track.durationSeconds))
  if (durationSeconds > mostSeconds) {
    throw new MediaFault(`The film lasts ${durationSeconds} seconds; ${mostSeconds} (a week) is the limit`)
  }
  return { container: 'mp4', tracks: settled, refused, durationSeconds, octets: file.octets, tag: file.tag }
}

type Boxes = { readonly movieBox: MovieBox; readonly tracks: readonly Found[] }

async function readBoxes(read: Window, file: MediaFile, limits: OpenLimits): Promise<Boxes> {
  let film: { movieBox: MovieBox; tracks: Map<number, FragmentedTrack> } | undefined
  for await (const { header, at, whole } of topBoxes(read, file, limits)) {
    if (header.type === 'moov' && !film) {
      const movieBox = readMovieBox(await whole())
      if (!movieBox.defaults) return { movieBox, tracks: tracksOf(movieBox, file, limits) }
      film = { movieBox, tracks: startFragments(movieBox, file, limits) }
    } else if (header.type === 'moof') {
      if (!film) throw new MediaFault(`The file has a fragment at octet ${at} and no moov before it`)
      readFragment(await whole(), { start: at, end: file.octets }, film.tracks)
    }
  }
  if (!film)
    throw new MediaFault(
      `The file has no index (moov) in its ${file.octets} octets: its recording did not end`,
    )
  return { movieBox: film.movieBox, tracks: endFragments(film.movieBox, film.tracks) }
}

type TopBox = { readonly header: BoxHeader; readonly at: number; whole(): Promise<Box> }

/** The boxes of the file, without their contents; what a recording left unfinished at the end is passed over. */
async function* topBoxes(read: Window, file: MediaFile, limits: OpenLimits): AsyncGenerator<TopBox> {
  let hasFragments = false
  for (let at = 0, boxes = 0; file.octets - at >= 8; boxes++) {
    if (boxes === limits.boxes)
      throw new MediaFault(`The file has more than ${limits.boxes} boxes, which is the limit`)
    const room = file.octets - at
    const header = boxHeader(await read(at, Math.min(16, room)), room)
    if (at === 0) refuseOther(header)
    if (!header || header.octets < header.headerOctets || header.octets > room) {
      if (hasFragments) return
      throw new MediaFault(misfit(header, at, room))
    }
    const from = at
    yield { header, at, whole: () => wholeBox(read, header, from, limits) }
    hasFragments ||= header.type === 'moof'
    at += header.octets
  }
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

async function wholeBox(read: Window, header: BoxHeader, at: number, limits: OpenLimits): Promise<Box> {
  const { type, headerOctets, octets } = header
  if (octets > limits.indexOctets) {
    throw new MediaFault(
      `${type} at octet ${at} has ${octets} octets; ${limits.indexOctets} is the limit of an index`,
    )
  }
  const content = await read(at + headerOctets, octets - headerOctets)
  return { type, content, at: at + headerOctets, size: octets }
}

type Window = (from: number, octets: number) => Promise<Uint8Array>

/** Reads a little more than is asked, because what is behind a header is asked next. */
function createWindow(file: MediaFile, head: Uint8Array): Window {
  let held = { from: 0, content: head }
  return async (from, octets) => {
    const isHeld = from >= held.from && from + octets <= held.from + held.content.length
    if (!isHeld) {
      const wanted = Math.min(Math.max(octets, windowOctets), file.octets - from)
      held = { from, content: await file.read({ from, octets: wanted }) }
      if (held.content.length < octets) {
        throw new MediaFault(
          `The file ended at octet ${from + held.content.length}; it has ${file.octets}`,
          502,
        )
      }
    }
    return held.content.subarray(from - held.from, from - held.from + octets)
  }
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
