import type { Handler } from '#http/exchange.ts'
import { keyPlaylistOf, mediaPlaylistOf } from './describe.ts'
import { keySpansOf, trackOf } from './film.ts'
import type { Films, OpenFilm } from './films.ts'
import { readSegment } from './gather.ts'
import { encodeMovie } from './index-octets.ts'
import { initSegment } from './init.ts'
import { layKeySegment, laySegment } from './lay.ts'
import type { Cut, Track } from './movie.ts'
import { openMovie } from './open.ts'
import { type Content, etagOf, respondContent, respondFault, sourceOfPieces } from './respond.ts'
import { type Below, openSource } from './source-file.ts'
import { canTransport, transportSegment } from './transport.ts'
import { MediaFault } from './wire/fault.ts'
import { writeMediaPlaylist } from './wire/m3u8.ts'
import { type MediaPart, type MediaTarget, nameOfPart, parseMediaTarget } from './wire/media-path.ts'

export type RenderOptions = {
  readonly below: Handler
  readonly films: Films
  /** milliseconds since 1970 */
  readonly now: () => number
}

/**
 * Create the handler that makes what has a version in its URL: playlists of tracks, segments, indexes.
 *
 * A cache stands before it, so each is made once; it is asked for nothing else.
 */
export function createRender({ below, films, now }: RenderOptions): Handler {
  return (exchange) => {
    const { request } = exchange
    const target = parseMediaTarget(request.target, false)!
    exchange.note.answeredBy = 'media'
    contentOf(films, { handler: below, request }, target).then(
      (content) => {
        exchange.note.reason = `rendered: ${target.part.kind}`
        respondContent(exchange, content, now())
      },
      (error: unknown) => respondFault(exchange, error),
    )
  }
}

type Versioned = Extract<MediaPart, { readonly tag: string }>

async function contentOf(films: Films, below: Below, { asset, part }: MediaTarget): Promise<Content> {
  if (!('tag' in part)) throw new MediaFault('Nothing of a film has this name', 404)
  if (part.kind === 'movie') return indexOf(films, below, asset, part)
  const open = await films.version(below, asset, part.tag)
  const octetsOf = (octets: Uint8Array, mediaType: string): Content =>
    wholeContent(open, part, octets, mediaType)
  switch (part.kind) {
    case 'playlist': {
      const options = { segments: part.segments, signature: '', encryption: null }
      const text = writeMediaPlaylist(mediaPlaylistOf(open.film, requireTrack(open, part.track), options))
      return octetsOf(Buffer.from(text), HLS_TYPE)
    }
    case 'init':
      return octetsOf(initSegment(open.film.movie, part.track), mediaTypeOf(requireTrack(open, part.track)))
    case 'segment':
      return segmentOf(open, part)
    case 'key frames': {
      const text = writeMediaPlaylist(keyPlaylistOf(open.film, requireTrack(open, part.track), ''))
      return octetsOf(Buffer.from(text), HLS_TYPE)
    }
    case 'key frame':
      return keyFrameOf(open, part)
    default:
      throw new MediaFault('Nothing of a film has this name', 404)
  }
}

/** RFC 8216bis §4: the type of playlists. */
export const HLS_TYPE = 'application/vnd.apple.mpegurl'

/** The index of a film as it is kept: read once, for all workers. */
async function indexOf(films: Films, below: Below, asset: string, part: Versioned): Promise<Content> {
  const source = films.opening(below, asset, part.tag) ?? (await openSource(below, asset))
  const octets = encodeMovie(await openMovie(source))
  const common = {
    isImmutable: true,
    lastModified: undefined,
    path: asset,
    octets: octets.length,
    body: octets,
  }
  return { mediaType: 'application/octet-stream', etag: `"${part.tag}-index"`, ...common }
}

async function segmentOf(open: OpenFilm, part: Extract<MediaPart, { kind: 'segment' }>): Promise<Content> {
  const track = requireTrack(open, part.track)
  const cut = requireCut(open, part.index)
  const { movie } = open.film
  if (part.segments === 'ts') {
    if (!canTransport(track)) throw new MediaFault(`MPEG-TS has no place for ${track.codec}`, 404)
    const octets = await transportSegment(open.file, movie, [track.id], cut)
    return wholeContent(open, part, octets, 'video/mp2t')
  }
  const layout = await laySegment(open.file, movie, track.id, cut)
  const body = () => sourceOfPieces(readSegment(open.file, layout))
  return { ...wholeContent(open, part, EMPTY, mediaTypeOf(track)), octets: layout.octets, body }
}

async function keyFrameOf(open: OpenFilm, part: Extract<MediaPart, { kind: 'key frame' }>): Promise<Content> {
  const track = requireTrack(open, part.track)
  const frame = keySpansOf(open.film, track)[part.index]
  if (frame === undefined) throw new MediaFault('The film has fewer key frames', 404)
  const layout = await layKeySegment(open.file, open.film.movie, track.id, frame.cut)
  const body = () => sourceOfPieces(readSegment(open.file, layout))
  return { ...wholeContent(open, part, EMPTY, mediaTypeOf(track)), octets: layout.octets, body }
}

const EMPTY = new Uint8Array()

/** CMAF (ISO 23000-19): fragments are MP4, by what is in them. */
function mediaTypeOf({ kind }: Track): string {
  return kind === 'video' ? 'video/mp4' : 'audio/mp4'
}

function wholeContent({ film }: OpenFilm, part: Versioned, octets: Uint8Array, mediaType: string): Content {
  const { path, lastModified } = film
  const etag =
    part.kind === 'playlist' || part.kind === 'key frames' ? etagOf(octets) : `"${nameOfPart(part)}"`
  return { mediaType, etag, isImmutable: true, lastModified, path, octets: octets.length, body: octets }
}

function requireTrack({ film }: OpenFilm, id: number): Track {
  const track = trackOf(film, id)
  if (track === undefined) throw new MediaFault(`The film has no track ${id}`, 404)
  return track
}

function requireCut({ film }: OpenFilm, index: number): Cut {
  const cut = film.cuts[index]
  if (cut === undefined)
    throw new MediaFault(`The film has ${film.cuts.length} segments, counted from 0`, 404)
  return cut
}
