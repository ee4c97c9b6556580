import { type Film, keySpansOf, spansOf, targetSeconds } from '#media/film.ts'
import type { Track } from '#media/movie/movie.ts'
import type { MediaPlaylist, Segment, SegmentKey } from '#media/wire/m3u8.ts'
import { type MediaPart, nameOfPart } from '#media/wire/media-path.ts'
import { type AdaptationSet, type Mpd, type Representation, stretchesOf } from '#media/wire/mpd.ts'
import { areAligned, codecFamily, type Offer, type Offered, pictureOf, whichText } from './offer.ts'

/** How URLs of a playlist go on, and with what its segments are encrypted. */
export type How = {
  /** what is added to each URL, such as `?key=…`, or '' */
  readonly signature: string
  /** nothing where it is in the clear */
  keyFor(name: string): { readonly key?: SegmentKey }
}

type ListOfTrack = Extract<MediaPart, { readonly kind: 'playlist' }>

/** The Media Playlist of a track. */
export function mediaPlaylistOf(
  film: Film,
  track: Track,
  { segments, sound, signature, keyFor }: How & Pick<ListOfTrack, 'segments' | 'sound'>,
): MediaPlaylist {
  const { tag } = film
  const map = segments === 'ts' ? {} : { map: mapOf(film, track, signature) }
  return {
    kind: 'VOD',
    hasEnded: true,
    isIndependent: true,
    segments: spansOf(film, track).map(({ durationSeconds }, index) => {
      const beside = sound === undefined ? {} : { sound }
      const name = nameOfPart({ kind: 'segment', segments, track: track.id, index, tag, ...beside })
      return { uri: name + signature, durationSeconds, ...map, ...keyFor(name) }
    }),
  }
}

/** The I-frame playlist of a track of pictures: each key frame is a file of its own (RFC 8216bis §4.4.3.6). */
export function keyPlaylistOf(film: Film, track: Track, { signature, keyFor }: How): MediaPlaylist {
  const { tag } = film
  const map = mapOf(film, track, signature)
  return {
    kind: 'VOD',
    hasEnded: true,
    isIFramesOnly: true,
    segments: keySpansOf(film, track).map(({ durationSeconds }, index) => {
      const name = nameOfPart({ kind: 'key frame', track: track.id, index, tag })
      return { uri: name + signature, durationSeconds, map, ...keyFor(name) }
    }),
  }
}

function mapOf({ tag }: Film, { id }: Track, signature: string): NonNullable<Segment['map']> {
  return { uri: nameOfPart({ kind: 'init', track: id, tag }) + signature, isClear: true }
}

/** The MPD of a title: a set for each codec of pictures, for each kind of sound, for each file of subtitles. */
export function mpdOf({ videos, audios, subtitles }: Offer, signature: string): Mpd {
  const pictures = groupBy(videos, ({ track }) => codecFamily(track))
  const sounds = groupBy(audios, ({ track, name }) => `${codecFamily(track)} ${track.channels} ${name}`)
  const sets: AdaptationSet[] = [
    ...pictures.map((members) => setOf(members, 'main', signature)),
    ...sounds.map((members, i) => setOf(members, i === 0 ? 'main' : 'alternate', signature)),
    ...subtitles.map((text, i): AdaptationSet => {
      const { base, tag, language, name } = text
      const baseUrl = base + nameOfPart({ kind: 'subtitles', tag, ...whichText(text) }) + signature
      const representation = {
        id: `text-${i}`,
        bandwidth: 256,
        codecs: null,
        picture: null,
        sound: null,
        baseUrl,
        template: null,
      }
      const common = {
        contentType: 'text',
        mimeType: 'text/vtt',
        isAligned: false,
        role: 'subtitle',
      } as const
      return { ...common, language, label: name, representations: [representation] }
    }),
  ]
  const all = [...videos, ...audios]
  const durationSeconds = Math.max(0, ...all.map(({ film, track }) => endOf(film, track)))
  const longest = Math.max(1, ...all.map(({ film, track }) => targetSeconds(spansOf(film, track))))
  const periods = [{ id: '0', startSeconds: 0, adaptationSets: sets }]
  return { live: null, durationSeconds, minBufferSeconds: longest, periods }
}

function setOf(members: readonly Offered[], role: 'main' | 'alternate', signature: string): AdaptationSet {
  const [{ track, language, name }] = members as [Offered, ...Offered[]]
  const { kind } = track
  return {
    contentType: kind === 'video' ? 'video' : 'audio',
    mimeType: kind === 'video' ? 'video/mp4' : 'audio/mp4',
    language,
    label: kind === 'audio' ? name : null,
    isAligned: areAligned(members),
    role,
    representations: members.map((member) => representationOf(member, signature)),
  }
}

function representationOf({ film, track, base, rates }: Offered, signature: string): Representation {
  const { tag } = film
  const { timescale, channels, sampleRate } = track
  const media = nameOfPart({ kind: 'segment', segments: 'cmaf', track: track.id, index: 0, tag })
  return {
    // No template of ours has it in a URL.
    id: `${base.replace(/^\.\.\/|\/$/g, '')}${base === '' ? '' : '-'}${track.id}`,
    bandwidth: rates.peak,
    codecs: track.codec,
    picture: track.kind === 'video' ? pictureOf(track) : null,
    sound: track.kind === 'audio' ? { sampleRate, channels } : null,
    baseUrl: base,
    template: {
      timescale,
      initialization: nameOfPart({ kind: 'init', track: track.id, tag }) + signature,
      media: media.replace(/-0-/, '-$Number$-') + signature,
      startNumber: 0,
      offsetTicks: 0,
      timeline: stretchesOf(ticksOf(film, track)),
    },
  }
}

/** Beginnings in ticks; each lasts until the next begins, so that no rounding leaves a gap. */
function ticksOf(film: Film, track: Track): { startTicks: number; durationTicks: number }[] {
  const spans = spansOf(film, track)
  const starts = spans.map(({ startSeconds }) => Math.round(startSeconds * track.timescale))
  return starts.map((startTicks, i) => {
    const lastEnd = Math.round(endOf(film, track) * track.timescale)
    return { startTicks, durationTicks: Math.max(1, (starts[i + 1] ?? lastEnd) - startTicks) }
  })
}

function endOf(film: Film, track: Track): number {
  const last = spansOf(film, track).at(-1)
  return last === undefined ? 0 : last.startSeconds + last.durationSeconds
}

function groupBy<T>(list: readonly T[], keyOf: (item: T) => string): T[][] {
  return [...Map.groupBy(list, keyOf).values()]
}
