import { countFilm, type Film, requireTrack } from '#media/film.ts'
import type { StreamPlan } from '#media/plan.ts'
import { type Content, etagOf } from '#media/respond.ts'
import type { Encryption } from '#media/segment/encryption.ts'
import { endOfCues, readText, textPlaylistOf } from '#media/segment/text.ts'
import type { Below } from '#media/source-file.ts'
import { MediaFault } from '#media/wire/fault.ts'
import { type MediaPlaylist, writeMediaPlaylist } from '#media/wire/m3u8.ts'
import { type MediaPart, type MediaTarget, nameOfPart } from '#media/wire/media-path.ts'
import { writeMpd } from '#media/wire/mpd.ts'
import { writeMultivariant } from '#media/wire/multivariant.ts'
import { keyPlaylistOf, mediaPlaylistOf, mpdOf } from './describe.ts'
import { multivariantOf, offerOf } from './offer.ts'
import { openTitle, type TitleOptions } from './open-title.ts'
import { endOfText, requireText } from './text-track.ts'

/** Parts that are lists of others: they are written anew for each request, out of what is in memory. */
export type ListPart = Extract<
  MediaPart,
  { readonly kind: 'multivariant' | 'mpd' | 'playlist' | 'key frames' | 'cue playlist' }
>

export type PlaylistOptions = TitleOptions & {
  /** null: in the clear */
  readonly encryption: Encryption | null
}

/** Whether a part is a list of others. */
export function isList(part: MediaPart): part is ListPart {
  return LISTS.has(part.kind)
}

const LISTS: ReadonlySet<string> = new Set(['multivariant', 'mpd', 'playlist', 'key frames', 'cue playlist'])

/**
 * Write a playlist or MPD.
 *
 * @param signature what is added to each URL in it, such as `?key=…`, or ''
 * @throws {MediaFault}
 */
export async function listOf(
  options: PlaylistOptions,
  below: Below,
  target: MediaTarget & { readonly part: ListPart },
  signature: string,
): Promise<Content> {
  const text = Buffer.from(await textOf(options, below, target, signature))
  const { asset, part } = target
  return {
    mediaType: part.kind === 'mpd' ? 'application/dash+xml' : 'application/vnd.apple.mpegurl',
    etag: etagOf(text),
    // A signature ends: what has it is not the same for ever.
    isImmutable: 'tag' in part && signature === '',
    lastModified: undefined,
    path: asset,
    octets: text.length,
    body: text,
  }
}

async function textOf(
  options: PlaylistOptions,
  below: Below,
  { asset, part }: MediaTarget & { readonly part: ListPart },
  signature: string,
): Promise<string> {
  const { plan } = options
  if (!isOffered(part, options))
    throw new MediaFault('This is not offered here: "stream" of the file says what is', 404)
  switch (part.kind) {
    case 'mpd':
      return writeMpd(mpdOf(offerOf(await openTitle(options, below, asset)), signature))
    case 'multivariant': {
      const offer = offerOf(await openTitle(options, below, asset))
      const playlist = multivariantOf(offer, part.segments, signature)
      if (playlist.variants.length > 0) return writeMultivariant(playlist)
      const codecs = [...offer.videos, ...offer.audios].map(({ track }) => track.codec)
      throw new MediaFault(`MPEG-TS has no place for ${codecs.join(' and ')}: play index.m3u8`, 404)
    }
    case 'cue playlist': {
      const { segmentMs } = plan
      const endMs = await endOf(options, below, { asset, part })
      return writeMediaPlaylist(textPlaylistOf(endMs, part, { segmentMs, signature }))
    }
    case 'playlist':
    case 'key frames':
      return writeMediaPlaylist(await trackList(options, below, { asset, part }, signature))
  }
}

/** When the last of subtitles ends. */
async function endOf(
  { plan, films }: PlaylistOptions,
  below: Below,
  {
    asset,
    part: { track, tag },
  }: { readonly asset: string; readonly part: Extract<MediaPart, { kind: 'cue playlist' }> },
): Promise<number> {
  if (track === undefined)
    return endOfCues((await readText(below, asset, { tag, segmentMs: plan.segmentMs })).subtitles)
  const { film } = await films.version(below, asset, tag)
  return endOfText(requireText(film, track))
}

async function trackList(
  { plan, films, encryption }: PlaylistOptions,
  below: Below,
  {
    asset,
    part,
  }: { readonly asset: string; readonly part: Extract<MediaPart, { kind: 'playlist' | 'key frames' }> },
  signature: string,
): Promise<MediaPlaylist> {
  const { film } = await films.version(below, asset, part.tag)
  await countFilm(film)
  const track = requireTrack(film, part.track)
  const { tag, path } = film
  const how = {
    signature,
    keyFor(name: string) {
      if (encryption === null) return {}
      const uri = keyUriOf(plan, film, signature)
      return { key: { uri, iv: encryption.ivOf(path, tag, name) } }
    },
  }
  return part.kind === 'playlist'
    ? mediaPlaylistOf(film, track, { ...part, ...how })
    : keyPlaylistOf(film, track, how)
}

/** Where players get the key of a film. */
function keyUriOf({ keyUrl }: StreamPlan, { path, tag }: Film, signature: string): string {
  if (keyUrl === null) return nameOfPart({ kind: 'key', tag }) + signature
  return keyUrl
    .replace('{film}', () => encodeURIComponent(path))
    .replace('{version}', tag)
    .replace('{signature}', () => signature.slice(1))
}

function isOffered(part: ListPart, { plan }: PlaylistOptions): boolean {
  const isTs = 'segments' in part && part.segments === 'ts'
  return part.kind === 'mpd' ? plan.dash : plan.hls && (!isTs || plan.ts)
}
