import { keyOf } from '#cache/key.ts'
import type { CachedObject } from '#cache/store/store.ts'
import { ageMs, storedOf } from '#cache/stored.ts'
import type { Position } from '#core/problem.ts'
import { formatSize } from '#core/units.ts'
import { noFields } from '#http/wire/fields.ts'
import { cutsOf } from '#media/movie/cuts.ts'
import { decodeMovie } from '#media/movie/index-octets.ts'
import type { Movie, OctetRange } from '#media/movie/movie.ts'
import type { StreamPlan } from '#media/plan.ts'
import { mediaSegment, segmentSpan } from '#media/segment/segment.ts'
import { isFilm, type MediaPart, nameOfPart, parseMediaTarget } from '#media/wire/media-path.ts'
import { KEPT } from '#run/streams.ts'
import type { LiveCache } from './cache.ts'
import { fault, type Step, step } from './step.ts'

/** What a URL below a film asks for: which film and segment, of which ranges it is made, and whether it is kept. */
export function explainStream(plan: StreamPlan, url: URL, at: Position, live: LiveCache): Step[] {
  const target = parseMediaTarget(url.pathname, plan.group === 'folder')
  const say = (says: string, reason: string): Step => step('stream', says, reason, at)
  if (target === null) {
    if (!isFilm(url.pathname)) return []
    const offered = [...(plan.hls ? ['index.m3u8'] : []), ...(plan.dash ? ['manifest.mpd'] : [])]
    return [say(`passes as it is; it is played as ${url.pathname}/${offered.join(' and ')}`, 'stream')]
  }
  const { asset, part } = target
  const gate = plan.signKeys.length === 0 ? [] : [say('403 unless the URL is signed', 'sign')]
  if (!('tag' in part)) return [...gate, say(...explainList(part, asset, plan))]
  const find = (name: string): CachedObject | null => findKept(url, `${asset}/${name}`, live)
  const index = find(nameOfPart({ kind: 'movie', tag: part.tag }))
  const movie = index === null ? null : movieOf(index)
  const steps = [...gate]
  if (movie === null) {
    const says = `${part.kind} of version ${part.tag} of ${asset}`
    steps.push(
      say(
        says,
        live === null
          ? 'not running: a file alone'
          : 'its index is not in memory: it is read when it is asked for',
      ),
    )
  } else steps.push(...explainPart(movie, part, { asset, segmentMs: plan.segmentMs, at }))
  if (live === null) return steps
  return [...steps, say(...explainKept(part, find(nameOfPart(part)), live.nowMs))]
}

function explainList(part: MediaPart, asset: string, plan: StreamPlan): [string, string] {
  if (part.kind === 'page') return [`the page that plays ${asset}`, 'play']
  const groups = {
    name: `what is named like ${asset.slice(asset.lastIndexOf('/') + 1)} beside it`,
    folder: `all films of ${asset}`,
    none: `${asset} alone`,
  }
  const what = part.kind === 'mpd' ? 'an MPD' : 'a multivariant playlist'
  return [`${what} of ${groups[plan.group]}, written for each request`, `group: ${plan.group}`]
}

function explainPart(
  movie: Movie,
  part: Extract<MediaPart, { readonly tag: string }>,
  { asset, segmentMs, at }: { readonly asset: string; readonly segmentMs: number; readonly at: Position },
): Step[] {
  const cuts = cutsOf(movie, segmentMs / 1000)
  const film = `${asset}: ${movie.tracks.map(({ id, kind, codec }) => `track ${id} ${kind} ${codec}`).join(', ')}`
  const steps = [step('stream', film, `${movie.durationSeconds.toFixed(1)} s in ${cuts.length} segments`, at)]
  if (part.kind !== 'segment') return [...steps, step('stream', `${part.kind}`, `version ${part.tag}`, at)]
  const cut = cuts[part.index]
  const track = movie.tracks.find(({ id }) => id === part.track)
  if (cut === undefined || track === undefined) {
    const what = track === undefined ? `no track ${part.track}` : `no segment ${part.index}`
    return [...steps, fault('stream', `404: the film has ${what}`, 'its index', at)]
  }
  const { startSeconds, durationSeconds, octets } = segmentSpan(movie, track.id, cut)
  const span = `${startSeconds.toFixed(3)} s to ${(startSeconds + durationSeconds).toFixed(3)} s`
  const says = `segment ${part.index} of track ${track.id}: ${span}, ${formatSize(octets)}`
  if (movie.container !== 'mp4') {
    const parts = movie.container === 'matroska' ? 'clusters' : 'fragments'
    return [...steps, step('stream', says, `of ${parts} that are read to know`, at)]
  }
  return [...steps, step('stream', says, rangesInWords(mediaSegment(movie, track.id, cut).pieces), at)]
}

function rangesInWords(pieces: readonly (Uint8Array | OctetRange)[]): string {
  const ranges = pieces.filter((piece): piece is OctetRange => !(piece instanceof Uint8Array))
  const [first, last] = [ranges[0], ranges.at(-1)]
  if (first === undefined || last === undefined) return 'nothing of the file'
  const octets = ranges.reduce((sum, range) => sum + range.octets, 0)
  const where = `octets ${first.from} to ${last.from + last.octets - 1} of the file`
  return `${formatSize(octets)} of ${ranges.length} ranges in ${where}`
}

function explainKept(part: MediaPart, kept: CachedObject | null, nowMs: number): [string, string] {
  if (['playlist', 'key frames', 'cue playlist', 'key'].includes(part.kind))
    return ['written for each request', 'from the index']
  if (kept === null) return ['rendered when it is asked for next, once for all who ask', 'not kept']
  const stored = storedOf(kept)
  const made = /dur=([\d.]+)/.exec(stored.fields.get('server-timing') ?? '')?.[1]
  const took = made === undefined ? '' : `; its head was ready in ${made} ms`
  const age = Math.floor(ageMs(stored, nowMs) / 1000)
  return [`kept: ${formatSize(kept.storedOctets)}, rendered ${age} s ago${took}`, kept.state]
}

function findKept(url: URL, target: string, live: LiveCache): CachedObject | null {
  if (live === null || live.store === null) return null
  const client = { secure: url.protocol === 'https:' }
  const key = keyOf(KEPT.key, { authority: url.host, target, fields: noFields, client })
  return live.store.find(key)[0] ?? null
}

/** The index of a film, where it is kept in memory. */
function movieOf(index: CachedObject): Movie | null {
  const source = index.read(0, null)
  const pieces: Uint8Array[] = []
  while (source !== null) {
    const piece = source.read(2 ** 20)
    if (piece instanceof Promise) {
      piece.catch(() => {})
      source.cancel('finished')
      return null
    }
    if (piece === null) break
    pieces.push(Buffer.from(piece))
  }
  return decodeMovie(Buffer.concat(pieces)) ?? null
}
