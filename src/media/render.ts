import type { Handler, Request } from '#http/exchange.ts'
import { pathOf } from '#http/wire/path.ts'
import { encodeMovie } from '#media/movie/index-octets.ts'
import type { MediaFile, SegmentLayout, Track } from '#media/movie/movie.ts'
import { openMovie } from '#media/movie/open.ts'
import { readTextTrack, requireText } from '#media/offer/text-track.ts'
import { type Encryption, encrypted } from '#media/segment/encryption.ts'
import { readSegment } from '#media/segment/gather.ts'
import { initSegment } from '#media/segment/init.ts'
import { layKeySegment, laySegment } from '#media/segment/lay.ts'
import { cuesOf, readText, stretchOf } from '#media/segment/text.ts'
import { type Carriage, canTransport, transportSegment } from '#media/segment/transport.ts'
import { keySpansOf, requireCut, requireTrack } from './film.ts'
import type { Films, OpenFilm } from './films.ts'
import { type Content, respondContent, respondFault } from './respond.ts'
import type { MediaCounts } from './sessions.ts'
import { type Below, openSource } from './source-file.ts'
import type { Turns, Urgency } from './turns.ts'
import { cmsdStatic, readCmcd } from './wire/cmcd.ts'
import { MediaFault } from './wire/fault.ts'
import { folderOf, type MediaPart, nameOfPart, parseMediaTarget } from './wire/media-path.ts'
import { type Subtitles, writeWebVtt } from './wire/subtitles.ts'

export type RenderOptions = {
  readonly source: Handler
  readonly films: Films
  readonly segmentMs: number
  /** null: in the clear */
  readonly encryption: Encryption | null
  /** milliseconds since 1970 */
  readonly now: () => number
  /** milliseconds that never go back */
  readonly monotonic: () => number
  readonly turns: Turns
  readonly counts: MediaCounts
}

/**
 * Create the handler that makes what has a version in its URL and is kept: segments, subtitles, indexes.
 *
 * A cache stands before it, so that each is made once; it is asked for nothing else.
 */
export function createRender(options: RenderOptions): Handler {
  return (exchange) => {
    const { request } = exchange
    const { asset, part } = parseMediaTarget(request.target, false)!
    const startedMs = options.monotonic()
    const urgency = urgencyOf(request)
    options.counts.rendered++
    if (urgency === 'ahead') options.counts.ahead++
    exchange.note.answeredBy = 'media'
    contentOf(options, { handler: options.source, request, urgency }, asset, part).then(
      (content) => {
        exchange.note.reason = `rendered: ${part.kind}`
        respondContent(exchange, { ...content, madeMs: options.monotonic() - startedMs }, options.now())
      },
      (error: unknown) => respondFault(exchange, error),
    )
  }
}

/** Who is asked for a film, and how much it matters. */
type Asked = Below & { readonly urgency: Urgency }

/** By what the player says of its buffer. */
function urgencyOf({ target, fields }: Request): Urgency {
  if (fields.get('sec-purpose')?.startsWith('prefetch') === true) return 'ahead'
  const cmcd = readCmcd(target.slice(pathOf(target).length + 1), fields)
  return cmcd !== null && (cmcd.isStarved || cmcd.isStartup) ? 'starving' : 'usual'
}

async function contentOf(
  options: RenderOptions,
  below: Asked,
  asset: string,
  part: MediaPart,
): Promise<Content> {
  const { films, encryption, segmentMs } = options
  switch (part.kind) {
    case 'movie':
      return indexOf(films, below, asset, part)
    case 'subtitles':
    case 'cues': {
      const { subtitles, lastModified } = await textOf(options, below, asset, part)
      const text =
        part.kind === 'cues'
          ? cuesOf(subtitles, part.index, { ...part, segmentMs })
          : writeWebVtt(subtitles, null)
      return content(part, { path: asset, lastModified }, Buffer.from(text), 'text/vtt; charset=utf-8')
    }
    case 'init':
    case 'segment':
    case 'key frame': {
      const openAs = async (path: string, tag: string): Promise<OpenFilm> => {
        const { film, file } = await films.version(below, path, tag)
        const read: MediaFile['read'] = (range) => options.turns.run(below.urgency, () => file.read(range))
        return { film, file: { ...file, read } }
      }
      const open = await openAs(asset, part.tag)
      const { film } = open
      const sound = 'sound' in part ? part.sound?.of : null
      const beside = sound == null ? open : await openAs(folderOf(asset) + sound.name, sound.tag)
      const made = await mediaOf(open, part, beside)
      // The initialization section stands before the key in playlists: it is in the clear.
      if (encryption === null || part.kind === 'init') return made
      const { path, tag } = film
      return encrypted(made, encryption.keyOf(path, tag), encryption.ivOf(path, tag, nameOfPart(part)))
    }
    default:
      throw new MediaFault('Nothing of a film has this name', 404)
  }
}

/** What of subtitles a part needs: all of a file, or what a film says meanwhile. */
async function textOf(
  { films, segmentMs }: RenderOptions,
  below: Asked,
  asset: string,
  part: Extract<MediaPart, { readonly kind: 'subtitles' | 'cues' }>,
): Promise<{ readonly subtitles: Subtitles; readonly lastModified: string | undefined }> {
  const { track, tag } = part
  if (track === undefined) {
    const { subtitles, source } = await readText(below, asset, { tag, segmentMs })
    return { subtitles, lastModified: source.lastModified }
  }
  const { film, file } = await films.version(below, asset, tag)
  const stretch = part.kind === 'cues' ? stretchOf(part.index, segmentMs) : { fromMs: 0, toMs: Infinity }
  const subtitles = await readTextTrack(file, requireText(film, track), stretch)
  return { subtitles, lastModified: film.lastModified }
}

type MediaKinds = Extract<MediaPart, { readonly kind: 'init' | 'segment' | 'key frame' }>

async function mediaOf(open: OpenFilm, part: MediaKinds, beside: OpenFilm): Promise<Content> {
  const { film, file } = open
  const { movie } = film
  const track = requireTrack(film, part.track)
  if (part.kind === 'init') return content(part, film, initSegment(movie, track.id), mediaTypeOf(track))
  if (part.kind === 'key frame') {
    const frame = keySpansOf(film, track)[part.index]
    if (frame === undefined) throw new MediaFault('The film has fewer key frames', 404)
    return laidContent(open, part, await layKeySegment(file, movie, track.id, frame.cut), mediaTypeOf(track))
  }
  const cut = requireCut(film, part.index)
  if (part.segments === 'ts') {
    const carried = [
      carriageOf(open, part.track),
      ...(part.sound === undefined ? [] : [carriageOf(beside, part.sound.track)]),
    ]
    return content(part, film, await transportSegment(carried, cut), 'video/mp2t')
  }
  const laid = laidContent(open, part, await laySegment(file, movie, track.id, cut), mediaTypeOf(track))
  const durationMs = 1000 * cut.durationSeconds
  const objectType = track.kind === 'video' ? 'v' : 'a'
  const bitrateKbps = (8 * laid.octets) / Math.max(1, durationMs)
  return { ...laid, cmsd: cmsdStatic({ objectType, durationMs, bitrateKbps }) }
}

function carriageOf({ film, file }: OpenFilm, id: number): Carriage {
  const track = requireTrack(film, id)
  if (!canTransport(track)) throw new MediaFault(`MPEG-TS has no place for ${track.codec}`, 404)
  return { file, movie: film.movie, trackId: id }
}

/** CMAF (ISO 23000-19): fragments are MP4, by what is in them. */
function mediaTypeOf({ kind }: Track): string {
  return kind === 'video' ? 'video/mp4' : 'audio/mp4'
}

type Versioned = Extract<MediaPart, { readonly tag: string }>
type Whose = { readonly path: string; readonly lastModified: string | undefined }

function content(
  part: Versioned,
  { path, lastModified }: Whose,
  octets: Uint8Array,
  mediaType: string,
): Content {
  const etag = `"${nameOfPart(part)}"`
  return { mediaType, etag, isImmutable: true, lastModified, path, octets: octets.length, body: octets }
}

/** Nothing is read before somebody takes it. */
function laidContent(
  { film, file }: OpenFilm,
  part: Versioned,
  layout: SegmentLayout,
  mediaType: string,
): Content {
  const body = () => readSegment(file, layout)
  return { ...content(part, film, NOTHING, mediaType), octets: layout.octets, body }
}

const NOTHING = new Uint8Array()

/** The index of a film as it is kept: read once, for all workers. */
async function indexOf(films: Films, below: Below, asset: string, part: Versioned): Promise<Content> {
  const source = films.opening(below, asset, part.tag) ?? (await openSource(below, asset))
  const octets = encodeMovie(await openMovie(source))
  return content(part, { path: asset, lastModified: undefined }, octets, 'application/octet-stream')
}
