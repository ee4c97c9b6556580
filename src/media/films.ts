import { createHash } from 'node:crypto'
import { cutsOf } from '#media/movie/cuts.ts'
import { decodeMovie } from '#media/movie/index-octets.ts'
import type { MediaFile } from '#media/movie/movie.ts'
import type { Film } from './film.ts'
import type { FilmMemory } from './film-memory.ts'
import { type Below, knownSource, openSource, type SourceFile } from './source-file.ts'
import { MediaFault } from './wire/fault.ts'

/** A film, and its octets as they are read for one request. */
export type OpenFilm = { readonly film: Film; readonly file: MediaFile }

/** The films that this worker has in memory. */
export type Films = {
  /** The film as it is now. @throws {MediaFault} */
  current(below: Below, path: string): Promise<OpenFilm>
  /** The version that a URL names. @throws {MediaFault} 404 when the film is another one now */
  version(below: Below, path: string, tag: string): Promise<OpenFilm>
  /** What is opened at the moment and has no index yet. */
  opening(below: Below, path: string, tag: string): SourceFile | undefined
}

export type FilmsOptions = {
  readonly segmentMs: number
  /** what else segments depend on, such as a key */
  readonly make: string
  /** Gives the index of a film, from the cache or made of what `opening` has. */
  readonly index: (below: Below, path: string, tag: string) => Promise<Uint8Array>
  /** milliseconds that never go back */
  readonly now: () => number
  /** of the whole worker */
  readonly memory: FilmMemory
}

/** For so long a film is taken to be as it was: who asks for playlists asks for several at once. */
const CHECK_MS = 1000
/** What could not be opened, and is not tried again for as long. */
const LIMIT_FAULTS = 1000
/** What a film takes beside the octets of its index, and each of its segments, as far as V8 tells. */
const ENTRY_OCTETS = 16_384
const CUT_OCTETS = 512
/** Segments of two makes of one film are never mixed: count up when what is cut, or what an index has, changes. */
const MAKE = 3

type Known = {
  readonly film: Film
  readonly source: Pick<SourceFile, 'octets' | 'tag' | 'etag'>
  checkedMs: number
}

/** Create the store of one route's open films. */
export function createFilms({ segmentMs, make, index, now, memory }: FilmsOptions): Films {
  const known = new Map<string, Known>()
  const pending = new Map<string, Promise<Known>>()
  const sources = new Map<string, SourceFile>()
  const faults = new Map<string, { readonly error: unknown; readonly untilMs: number }>()

  function keep(key: string, opened: Known, octets: number): void {
    const before = known.get(key)
    if (before !== undefined) memory.release(before)
    known.set(key, opened)
    memory.hold(opened, octets, () => known.delete(key))
  }

  async function look(below: Below, path: string, key: string): Promise<Known> {
    const source = await openSource(below, path)
    const held = known.get(key)
    if (held !== undefined && held.source.tag === source.tag) {
      held.checkedMs = now()
      return held
    }
    const tag = versionTag(source.tag, `${segmentMs} ${make}`)
    const sourceKey = `${key} ${tag}`
    sources.set(sourceKey, source)
    const octets = await index(below, path, tag).finally(() => sources.delete(sourceKey))
    const movie = decodeMovie(octets)
    if (movie === undefined) throw new MediaFault('The index of the film was kept by another version', 502)
    const cuts = cutsOf(movie, segmentMs / 1000)
    const film = { path, tag, movie, cuts, lastModified: source.lastModified }
    // Not the source itself: it has the first octets of the file in its hands.
    const { octets: length, tag: sourceTag, etag } = source
    const opened = { film, source: { octets: length, tag: sourceTag, etag }, checkedMs: now() }
    keep(key, opened, octets.length + ENTRY_OCTETS + cuts.length * CUT_OCTETS)
    return opened
  }

  async function current(below: Below, path: string): Promise<Known> {
    const key = keyOf(below, path)
    const held = known.get(key)
    if (held !== undefined) memory.use(held)
    if (held !== undefined && now() - held.checkedMs < CHECK_MS) return held
    const fault = faults.get(key)
    if (fault !== undefined && now() < fault.untilMs) throw fault.error
    let looking = pending.get(key)
    if (looking === undefined) {
      looking = look(below, path, key).finally(() => pending.delete(key))
      pending.set(key, looking)
      looking.then(
        () => faults.delete(key),
        (error: unknown) => {
          if (faults.size >= LIMIT_FAULTS) faults.clear()
          faults.set(key, { error, untilMs: now() + CHECK_MS })
        },
      )
    }
    return looking
  }

  function openFor(below: Below, path: string, { film, source }: Known): OpenFilm {
    return { film, file: knownSource(below, path, source) }
  }

  return {
    current: async (below, path) => openFor(below, path, await current(below, path)),
    async version(below, path, tag) {
      const key = keyOf(below, path)
      const held = known.get(key)
      if (held?.film.tag === tag) {
        memory.use(held)
        return openFor(below, path, held)
      }
      const now = await current(below, path)
      if (now.film.tag !== tag)
        throw new MediaFault('The film is another one now: ask for its playlist again', 404)
      return openFor(below, path, now)
    },
    opening: (below, path, tag) => sources.get(`${keyOf(below, path)} ${tag}`),
  }
}

function keyOf({ request: { authority, client } }: Below, path: string): string {
  return `${client.secure ? 'https' : 'http'}://${authority}${path}`
}

/** What a version is called in URLs: its content, and how it is cut. */
export function versionTag(version: string, make: string): string {
  return createHash('sha256').update(`${MAKE} ${make} ${version}`).digest('hex').slice(0, 12)
}
