import { type Film, keySpansOf, type Rates, ratesOf, spansOf } from '#media/film.ts'
import type { Track } from '#media/movie/movie.ts'
import { canTransport } from '#media/segment/transport.ts'
import { folderOf, nameOfPart, type SoundBeside } from '#media/wire/media-path.ts'
import type {
  IFrameVariant,
  MultivariantPlaylist,
  Picture,
  Rendition,
  Variant,
} from '#media/wire/multivariant.ts'
import { isForcedText } from '#media/wire/timed-text.ts'
import { videoRangeOf } from '#media/wire/video-range.ts'

/** Films that are offered together, as one. */
export type Title = {
  readonly films: readonly TitleFilm[]
  readonly subtitles: readonly Subtitles[]
}

export type TitleFilm = {
  readonly film: Film
  /** what its own URLs begin with, relative to the playlist: '' or such as `../film.720.mp4/` */
  readonly base: string
  /** BCP 47, of its name; null when the file says it, or nobody */
  readonly language: string | null
}

export type Subtitles = {
  readonly base: string
  readonly tag: string
  /** of the film that holds them; absent: they are a file of their own */
  readonly track?: number
  /** what that film calls them */
  readonly name?: string
  /** BCP 47; null when the name does not say it */
  readonly language: string | null
  readonly isForced: boolean
}

/** A track that players may choose. */
export type Offered = {
  readonly film: Film
  readonly track: Track
  readonly base: string
  readonly language: string | null
  readonly name: string
  readonly rates: Rates
}

/** What a title has, each once: pictures from the best down, sound by language and codec. */
export type Offer = {
  readonly videos: readonly Offered[]
  readonly audios: readonly Offered[]
  readonly subtitles: readonly (Subtitles & { readonly name: string })[]
}

/** How a track's codec begins: players do not switch from one to another. */
export function codecFamily({ codec }: Track): string {
  return codec.split('.')[0]!
}

/** Find out what of a title is offered. The same sound in several renditions is offered once, from the best. */
export function offerOf({ films, subtitles }: Title): Offer {
  const all = films
    // Sound that comes with pictures is the film's own, and played unless another is chosen.
    .toSorted((a, b) => placeOf(a) - placeOf(b))
    .flatMap(({ film, base, language }) => {
      return film.movie.tracks
        .filter(({ kind }) => kind !== 'text')
        .map((track): Offered => {
          const said = language ?? (track.language === 'und' ? null : track.language)
          const name = track.name || (said === null ? '' : nameOfLanguage(said))
          return { film, track, base, language: said, name, rates: ratesOf(spansOf(film, track)) }
        })
    })
  const best = all.toSorted((a, b) => b.rates.average - a.rates.average)
  return {
    videos: inStep(best.filter(({ track }) => track.kind === 'video')),
    audios: withNames(uniqueSounds(all.filter(({ track }) => track.kind === 'audio')), 'Audio'),
    subtitles: withNames(
      [...subtitles, ...textsIn(films)].map((text) => {
        const name = text.name || (text.language === null ? '' : nameOfLanguage(text.language))
        return { ...text, name: text.isForced && name !== '' ? `${name} (forced)` : name }
      }),
      'Subtitles',
    ),
  }
}

/** The film that was asked for first, then its renditions, then sound by itself. */
function placeOf({ film, base }: Title['films'][number]): number {
  if (base === '') return 0
  return film.movie.tracks.some(({ kind }) => kind === 'video') ? 1 : 2
}

/**
 * The pictures that players can switch between: an original whose key frames are elsewhere than those of its renditions
 * is left to whoever asks for it alone.
 */
function inStep(videos: readonly Offered[]): readonly Offered[] {
  const renditions = videos.filter(({ base }) => base !== '')
  const [first] = renditions
  if (first === undefined) return videos
  return videos.filter((video) => video.base !== '' || areAligned([video, first]))
}

/** Whether segments begin together in all of them, to the millisecond. */
export function areAligned(members: readonly Offered[]): boolean {
  const [first, ...others] = members.map(({ film, track }) => spansOf(film, track))
  return others.every((spans) => {
    return (
      spans.length === first!.length &&
      spans.every(({ startSeconds }, i) => Math.abs(startSeconds - first![i]!.startSeconds) < 0.001)
    )
  })
}

function uniqueSounds(audios: readonly Offered[]): Offered[] {
  const known = new Map<string, Offered>()
  for (const audio of audios) {
    const { track, language } = audio
    const isAlone = !audio.film.movie.tracks.some(({ kind }) => kind === 'video')
    // Two tracks of one file are meant; the same track in each rendition is not.
    const nth = audio.film.movie.tracks.filter(({ kind }) => kind === 'audio').indexOf(track)
    const key = [language, codecFamily(track), track.channels, isAlone ? audio.base : nth].join(' ')
    const other = known.get(key)
    // Copies differ by a few bits: then the first will do.
    if (other === undefined || 1.1 * other.rates.average < audio.rates.average) known.set(key, audio)
  }
  return [...known.values()]
}

/** Subtitles that films hold themselves; renditions have the same ones again. */
function textsIn(films: readonly TitleFilm[]): Subtitles[] {
  const texts = new Map<string, Subtitles>()
  for (const { film, base } of films.toSorted((a, b) => placeOf(a) - placeOf(b))) {
    const tracks = film.movie.tracks.filter(({ kind }) => kind === 'text')
    for (const [nth, { id, language: said, name, entries }] of tracks.entries()) {
      const language = said === 'und' ? null : said
      const isForced = isForcedText(entries[0]!)
      const key = `${nth} ${language} ${isForced}`
      if (!texts.has(key)) texts.set(key, { base, tag: film.tag, track: id, name, language, isForced })
    }
  }
  return [...texts.values()]
}

/** What of a part says which subtitles of a film it is of; nothing where they are a file. */
export function whichText({ track }: Pick<Subtitles, 'track'>): { readonly track?: number } {
  return track === undefined ? {} : { track }
}

/** RFC 8216bis §4.4.6.1.1: names of a group differ. */
function withNames<T extends { readonly name: string }>(list: readonly T[], otherwise: string): T[] {
  const seen = new Map<string, number>()
  return list.map((item) => {
    const name = item.name === '' ? otherwise : item.name
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return { ...item, name: count === 1 ? name : `${name} ${count}` }
  })
}

function nameOfLanguage(language: string): string {
  try {
    return new Intl.DisplayNames([language], { type: 'language' }).of(language) ?? language
  } catch {
    // No language tag: as it is written.
    return language
  }
}

/** What players begin with when they know nothing of the line: the best below this. */
const FIRST_BITS = 3_000_000

/**
 * The Multivariant Playlist of a title: every picture with every group of sound; groups have one codec each.
 *
 * @param signature what is added to each URL, such as `?key=…`, or ''
 */
export function multivariantOf(
  offer: Offer,
  segments: 'cmaf' | 'ts',
  signature: string,
): MultivariantPlaylist {
  const { videos, audios, subtitles } = segments === 'ts' ? transportable(offer) : offer
  const uriOf = ({ film, track, base }: Offered, sound = {}): string =>
    base + nameOfPart({ kind: 'playlist', segments, track: track.id, tag: film.tag, ...sound }) + signature
  const families = [...new Set(audios.map(({ track }) => codecFamily(track)))]
  const groups = families.map((family) => ({
    id: `audio-${family}`,
    members: audios.filter(({ track }) => codecFamily(track) === family),
  }))
  // Sound alone, of one kind, is the variant itself.
  const isPlain = videos.length === 0 && audios.length === 1
  // The first sound of a group stands in the segments of the pictures then: it has no list of its own.
  const isInside = segments === 'ts' && videos.length > 0
  const isMuxed = isInside && audios.length === 1
  const subtitleGroup = subtitles.length === 0 ? null : 'subtitles'
  const ofVideos = videos.flatMap((video) => {
    const picture = pictureOf(video.track)
    if (groups.length === 0)
      return [variantOf([video], uriOf(video), picture, { audioGroup: null, subtitleGroup })]
    return groups.map(({ id, members }) => {
      if (segments === 'cmaf')
        return variantOf(
          [video, fullest(members)],
          uriOf(video),
          picture,
          { audioGroup: id, subtitleGroup },
          members,
        )
      // Who plays another sound fetches that of the picture's segments too.
      const [own, ...others] = members
      const played = others.length === 0 ? [video, own!] : [video, own!, fullest(others)]
      const audioGroup = isMuxed ? null : id
      return variantOf(
        played,
        uriOf(video, { sound: soundBeside(video, own!) }),
        picture,
        { audioGroup, subtitleGroup },
        members,
      )
    })
  })
  const ofAudios = groups.flatMap(({ id, members }) => {
    const audioGroup = isPlain ? null : id
    return [variantOf([members[0]!], uriOf(members[0]!), null, { audioGroup, subtitleGroup })]
  })
  return {
    renditions: [
      ...(isPlain || isMuxed
        ? []
        : groups.flatMap(({ id, members }) =>
            members.map((audio, i) => audioOf(audio, id, isInside && i === 0 ? null : uriOf(audio), i)),
          )),
      ...subtitles.map((text) => subtitlesOf(text, segments, signature)),
    ],
    variants: firstFirst(videos.length > 0 ? ofVideos : ofAudios),
    iFrames: segments === 'ts' ? [] : videos.map((video) => iFramesOf(video, signature)),
  }
}

function soundBeside(video: Offered, { film, track }: Offered): SoundBeside {
  const isOwn = film === video.film
  return { track: track.id, of: isOwn ? null : { tag: film.tag, name: fileOf(film) } }
}

/** The name of a film's file, as URLs have it. */
function fileOf({ path }: Film): string {
  return path.slice(folderOf(path).length)
}

/** What MPEG-TS can carry, at the rates that it needs: 188 octets a packet, begun anew for each picture. */
function transportable({ videos, audios, subtitles }: Offer): Offer {
  const carried = (list: readonly Offered[]): Offered[] =>
    list
      .filter(({ track }) => canTransport(track))
      .map((offered) => {
        const { peak, average } = offered.rates
        return { ...offered, rates: { peak: 1.05 * peak + 40_000, average: 1.05 * average + 40_000 } }
      })
  return { videos: carried(videos), audios: carried(audios), subtitles }
}

function iFramesOf({ film, track, base }: Offered, signature: string): IFrameVariant {
  const { peak, average } = ratesOf(keySpansOf(film, track))
  const uri = base + nameOfPart({ kind: 'key frames', track: track.id, tag: film.tag }) + signature
  return { uri, bandwidth: peak, averageBandwidth: average, codecs: [track.codec], picture: pictureOf(track) }
}

function variantOf(
  played: readonly Offered[],
  uri: string,
  picture: Picture | null,
  groups: Pick<Variant, 'audioGroup' | 'subtitleGroup'>,
  alternatives: readonly Offered[] = [],
): Variant {
  const codecs = [...played, ...alternatives].map(({ track }) => track.codec)
  return {
    uri,
    picture,
    ...groups,
    bandwidth: played.reduce((sum, { rates }) => sum + rates.peak, 0),
    averageBandwidth: played.reduce((sum, { rates }) => sum + rates.average, 0),
    codecs: [...new Set(codecs)],
  }
}

function fullest(members: readonly Offered[]): Offered {
  return members.reduce((most, audio) => (audio.rates.peak > most.rates.peak ? audio : most))
}

/** What playlists and MPDs say of the pictures of a track. */
export function pictureOf({ width, height, frameRate, entries }: Track): Picture {
  return { width, height, frameRate, ...videoRangeOf(entries[0]!) }
}

function audioOf(
  { track, language, name }: Offered,
  groupId: string,
  uri: string | null,
  index: number,
): Rendition {
  const { channels } = track
  const isDefault = index === 0
  return {
    type: 'AUDIO',
    groupId,
    name,
    language,
    isDefault,
    isAutoselect: true,
    uri,
    channels: channels || null,
  }
}

function subtitlesOf(
  text: Offer['subtitles'][number],
  segments: 'cmaf' | 'ts',
  signature: string,
): Rendition {
  const { base, tag, name, language, isForced } = text
  const uri = base + nameOfPart({ kind: 'cue playlist', segments, tag, ...whichText(text) }) + signature
  const common = {
    type: 'SUBTITLES',
    groupId: 'subtitles',
    isDefault: false,
    isAutoselect: true,
    channels: null,
  } as const
  return { ...common, name, language, isForced, uri }
}

function firstFirst(variants: readonly Variant[]): Variant[] {
  const first = variants.find(({ bandwidth }) => bandwidth <= FIRST_BITS) ?? variants.at(-1)
  return first === undefined ? [] : [first, ...variants.filter((variant) => variant !== first)]
}
