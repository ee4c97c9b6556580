/** What a path below a film asks for. A tag is that of the version of the film and of how it is cut. */
export type MediaPart =
  | { readonly kind: 'multivariant'; readonly segments: 'cmaf' | 'ts' }
  | { readonly kind: 'mpd' }
  /** the player page, or what it loads */
  | { readonly kind: 'page'; readonly name: string }
  /** what players report of themselves */
  | { readonly kind: 'reports' }
  | { readonly kind: 'key'; readonly tag: string }
  | {
      readonly kind: 'playlist'
      readonly segments: 'cmaf' | 'ts'
      readonly track: number
      readonly tag: string
      readonly sound?: SoundBeside
    }
  | { readonly kind: 'key frames'; readonly track: number; readonly tag: string }
  | { readonly kind: 'init'; readonly track: number; readonly tag: string }
  | {
      readonly kind: 'segment'
      readonly segments: 'cmaf' | 'ts'
      readonly track: number
      readonly index: number
      readonly tag: string
      readonly sound?: SoundBeside
    }
  | { readonly kind: 'key frame'; readonly track: number; readonly index: number; readonly tag: string }
  | { readonly kind: 'subtitles'; readonly track?: number; readonly tag: string }
  | {
      readonly kind: 'cues'
      readonly segments: 'cmaf' | 'ts'
      /** of the film that holds them; absent: they are a file of their own */
      readonly track?: number
      readonly index: number
      readonly tag: string
    }
  | {
      readonly kind: 'cue playlist'
      readonly segments: 'cmaf' | 'ts'
      readonly track?: number
      readonly tag: string
    }
  /** the index of the film as it is kept: for ourselves, nobody outside is answered */
  | { readonly kind: 'movie'; readonly tag: string }

/** Sound that stands in the segments of a picture: MPEG-TS carries both, as old players want it. */
export type SoundBeside = {
  readonly track: number
  /** its version, and the name of its file as URLs have it; null where it is in the film itself */
  readonly of: { readonly tag: string; readonly name: string } | null
}

/** A request target that belongs to a film. */
export type MediaTarget = {
  /** path of the film (or of the folder of films) as sent, without query */
  readonly asset: string
  readonly part: MediaPart
  /** as sent, without its question mark */
  readonly query: string
}

/**
 * Find out what a request target asks of a film.
 *
 * @param inFolders playlists of whole folders are ours, too
 * @returns null for what is none of ours
 * @example parseMediaTarget('/a/film.mp4/seg-1-7-0123456789ab.m4s', false) // segment 7 of track 1
 */
export function parseMediaTarget(target: string, inFolders: boolean): MediaTarget | null {
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const page = PAGE.exec(path)
  if (page !== null) {
    const [, asset, name] = page as unknown as [string, string, string]
    if (!isFilm(asset) && !inFolders) return null
    return { asset, part: { kind: 'page', name }, query: mark < 0 ? '' : target.slice(mark + 1) }
  }
  const slash = path.lastIndexOf('/')
  const asset = path.slice(0, slash)
  const isOfFilm = isFilm(asset)
  if (!isOfFilm && !(inFolders && slash > 0)) return null
  const part = partOf(path.slice(slash + 1))
  if (part === null || (!isOfFilm && 'tag' in part)) return null
  return { asset, part, query: mark < 0 ? '' : target.slice(mark + 1) }
}

/** What stands before the name of a file, with its slash. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1)
}

/** Whether a path is that of a file which is streamed. */
export function isFilm(path: string): boolean {
  return FILM.test(path)
}

/** Whether a path is that of the small pictures of a film. */
export function isStoryboard(path: string): boolean {
  return /\.storyboard\.jpg$/i.test(path)
}

/** Whether a name is that of a film with a page of its own: pictures or sound, and no subtitles. */
export function isPlayed(name: string): boolean {
  return isFilm(name) && !isSubtitles(name)
}

const FILM = /\.(?:mp4|m4v|mov|m4a|webm|mkv|vtt|srt)$/i

/** Whether a name is that of subtitles. */
export function isSubtitles(name: string): boolean {
  return /\.(?:vtt|srt)$/i.test(name)
}

/** The last segment of the path of a part. */
export function nameOfPart(part: MediaPart): string {
  switch (part.kind) {
    case 'multivariant':
      return part.segments === 'ts' ? 'ts.m3u8' : 'index.m3u8'
    case 'mpd':
      return 'manifest.mpd'
    case 'page':
      return part.name
    case 'reports':
      return 'cmcd'
    case 'key':
      return `key-${part.tag}`
    case 'playlist':
      return `${part.segments === 'ts' ? 'ts' : 'list'}-${part.track}-${part.tag}${nameOfSound(part.sound)}.m3u8`
    case 'key frames':
      return `keys-${part.track}-${part.tag}.m3u8`
    case 'init':
      return `init-${part.track}-${part.tag}.mp4`
    case 'segment':
      return `seg-${part.track}-${part.index}-${part.tag}${nameOfSound(part.sound)}.${part.segments === 'ts' ? 'ts' : 'm4s'}`
    case 'key frame':
      return `key-${part.track}-${part.index}-${part.tag}.m4s`
    case 'subtitles':
      return `${nameOfText(part)}-${part.tag}.vtt`
    case 'cues':
      return `${nameOfText(part)}-${part.index}-${part.tag}.vtt`
    case 'cue playlist':
      return `${nameOfText(part)}-${part.tag}.m3u8`
    case 'movie':
      return `.movie-${part.tag}`
  }
}

function nameOfText({
  segments,
  track,
}: {
  readonly segments?: 'cmaf' | 'ts'
  readonly track?: number
}): string {
  const ts = segments === 'ts' ? 'ts' : ''
  return track === undefined ? `${ts}text` : `${ts}sub-${track}`
}

function nameOfSound(sound: SoundBeside | undefined): string {
  if (sound === undefined) return ''
  const { track, of } = sound
  return `-with-${track}${of === null ? '' : `-${of.tag}-${of.name}`}`
}

const PAGE = /^(.+)\/(play(?:\/[\w.]+)?)$/

/** As `nameOfPart` writes them; numbers without leading zeros, so that each part has one name. */
function partOf(name: string): MediaPart | null {
  const fixed = FIXED.get(name)
  if (fixed !== undefined) return fixed
  if (name.startsWith('.movie-')) return { kind: 'movie', tag: name.slice(7) }
  const match = NAME.exec(name)
  if (match === null) return partWithSound(name)
  const [, stem, first, second, tag = '', ending] = match
  const track = Number(first ?? Number.NaN)
  const index = Number(second ?? Number.NaN)
  const count = first === undefined ? 0 : second === undefined ? 1 : 2
  switch (`${stem} ${count} ${ending ?? ''}`) {
    case 'key 0 ':
      return { kind: 'key', tag }
    case 'list 1 .m3u8':
      return { kind: 'playlist', segments: 'cmaf', track, tag }
    case 'ts 1 .m3u8':
      return { kind: 'playlist', segments: 'ts', track, tag }
    case 'keys 1 .m3u8':
      return { kind: 'key frames', track, tag }
    case 'init 1 .mp4':
      return { kind: 'init', track, tag }
    case 'seg 2 .m4s':
      return { kind: 'segment', segments: 'cmaf', track, index, tag }
    case 'seg 2 .ts':
      return { kind: 'segment', segments: 'ts', track, index, tag }
    case 'key 2 .m4s':
      return { kind: 'key frame', track, index, tag }
    case 'text 0 .vtt':
      return { kind: 'subtitles', tag }
    case 'text 1 .vtt':
      return { kind: 'cues', segments: 'cmaf', index: track, tag }
    case 'tstext 1 .vtt':
      return { kind: 'cues', segments: 'ts', index: track, tag }
    case 'text 0 .m3u8':
      return { kind: 'cue playlist', segments: 'cmaf', tag }
    case 'tstext 0 .m3u8':
      return { kind: 'cue playlist', segments: 'ts', tag }
    case 'sub 1 .vtt':
      return { kind: 'subtitles', track, tag }
    case 'sub 2 .vtt':
      return { kind: 'cues', segments: 'cmaf', track, index, tag }
    case 'tssub 2 .vtt':
      return { kind: 'cues', segments: 'ts', track, index, tag }
    case 'sub 1 .m3u8':
      return { kind: 'cue playlist', segments: 'cmaf', track, tag }
    case 'tssub 1 .m3u8':
      return { kind: 'cue playlist', segments: 'ts', track, tag }
    default:
      return null
  }
}

function partWithSound(name: string): MediaPart | null {
  const [, stem, track, tag, ofName, ending] = WITH_SOUND.exec(name) ?? []
  const part = stem === undefined ? null : partOf(`${stem}.${ending}`)
  if (part === null || !('segments' in part) || part.segments !== 'ts') return null
  if (part.kind !== 'playlist' && part.kind !== 'segment') return null
  if (ofName !== undefined && !isFilm(ofName)) return null
  const of = ofName === undefined ? null : { tag: tag!, name: ofName }
  return { ...part, sound: { track: Number(track), of } }
}

const FIXED: ReadonlyMap<string, MediaPart> = new Map<string, MediaPart>([
  ['index.m3u8', { kind: 'multivariant', segments: 'cmaf' }],
  ['ts.m3u8', { kind: 'multivariant', segments: 'ts' }],
  ['manifest.mpd', { kind: 'mpd' }],
  ['cmcd', { kind: 'reports' }],
])

/** Stem, up to two numbers, the tag of 12 hexadecimal digits, and an ending. */
const NAME =
  /^(key|keys|list|ts|init|seg|text|tstext|sub|tssub)(?:-(0|[1-9]\d{0,8}))?(?:-(0|[1-9]\d{0,8}))?-([0-9a-f]{12})(\.\w+)?$/

const WITH_SOUND =
  /^((?:ts|seg)-[\d-]+-[0-9a-f]{12})-with-(0|[1-9]\d{0,8})(?:-([0-9a-f]{12})-(.+))?\.(m3u8|ts)$/
