/** What is known of a film before renditions of it are made. */
export type FilmFacts = {
  /** pixels of the shorter side, as shown */
  readonly height: number
  /** frames a second */
  readonly frameRate: number
  /** mean bits a second of the pictures */
  readonly bitsPerSecond: number
  /** RFC 6381 */
  readonly codec: string
  readonly durationSeconds: number
  /** it has sound that the packager cannot offer */
  readonly hasOddSound: boolean
  readonly hasSound: boolean
}

export type LadderOptions = {
  /** tallest and smallest wanted, of the shorter side */
  readonly heights: readonly number[]
  /** constant quality, with the rate of the table as the most */
  readonly byComplexity: boolean
  /** make the sound anew, equally loud for all films */
  readonly loudness: boolean
  readonly storyboard: boolean
}

/** One file that is made beside a film. */
export type Rendition =
  | { readonly kind: 'video'; readonly height: number; readonly bitsPerSecond: number }
  | { readonly kind: 'audio'; readonly bitsPerSecond: number }
  | { readonly kind: 'storyboard'; readonly tiles: number; readonly everySeconds: number }

/** Bits a second for H.264 at up to 30 frames, between the tables of Apple's authoring specification and of film sites. */
const RATES: readonly (readonly [height: number, bitsPerSecond: number])[] = [
  [2160, 14_000_000],
  [1440, 8_500_000],
  [1080, 5_000_000],
  [720, 2_800_000],
  [480, 1_300_000],
  [360, 750_000],
  [240, 350_000],
]

/** Heights that there are rates for. */
export const HEIGHTS: readonly number[] = RATES.map(([height]) => height)

/** More frames need more bits, but not in proportion: they are more alike. */
const MANY_FRAMES = 1.5
/** A film that takes so many times what its height needs has a rendition of its own height. */
const WASTEFUL = 1.6
const SOUND_BITS = 160_000
const LIMIT_TILES = 300

/**
 * Decide which renditions of a film are made: none larger than the film, the smallest first, so that slow lines are
 * served first. The film itself is the best of its own ladder, unless it wastes bits or is of a codec that not every
 * browser plays.
 */
export function ladderOf(film: FilmFacts, options: LadderOptions): readonly Rendition[] {
  const factor = film.frameRate > 31 ? MANY_FRAMES : 1
  const videos = RATES.toReversed().flatMap(([height, rate]): Rendition[] => {
    const bitsPerSecond = Math.round(rate * factor)
    if (!options.heights.includes(height) || !isWanted(film, height, bitsPerSecond)) return []
    // More bits than the film has would show nothing more.
    return [{ kind: 'video', height, bitsPerSecond: Math.min(bitsPerSecond, ceilRate(film, height)) }]
  })
  const sound: Rendition[] =
    film.hasOddSound || (options.loudness && film.hasSound)
      ? [{ kind: 'audio', bitsPerSecond: SOUND_BITS }]
      : []
  return [...(options.storyboard ? [storyboardOf(film)] : []), ...sound, ...videos]
}

function isWanted(film: FilmFacts, height: number, bitsPerSecond: number): boolean {
  // A film of 1088 or 1078 lines is one of 1080.
  if (height > film.height * 1.02) return false
  if (height < film.height * 0.95) return true
  return film.bitsPerSecond > bitsPerSecond * WASTEFUL || !film.codec.startsWith('avc')
}

/** What the film spends on as many pixels; codecs newer than H.264 say the same in about half. */
function ceilRate(film: FilmFacts, height: number): number {
  const share = Math.min(1, (height / film.height) ** 1.5)
  const codecs = film.codec.startsWith('avc') ? 1 : 2
  return Math.max(100_000, Math.round(film.bitsPerSecond * share * codecs * 1.2))
}

function storyboardOf({ durationSeconds }: FilmFacts): Rendition {
  const everySeconds = Math.max(1, Math.ceil(durationSeconds / LIMIT_TILES))
  return { kind: 'storyboard', everySeconds, tiles: Math.max(1, Math.ceil(durationSeconds / everySeconds)) }
}

/** The name of a rendition beside its film, by which the packager finds it. */
export function nameOfRendition(film: string, rendition: Rendition): string {
  const stem = film.replace(/\.\w+$/, '')
  switch (rendition.kind) {
    case 'video':
      return `${stem}.${rendition.height}.mp4`
    case 'audio':
      return `${stem}.aac.m4a`
    case 'storyboard':
      return `${stem}.storyboard.jpg`
  }
}

const FILM = /\.(?:mp4|m4v|mov|webm|mkv)$/i
const MADE = new RegExp(`\\.(?:${HEIGHTS.join('|')})\\.mp4$|\\.aac\\.m4a$`)

/** Whether a file of a watched folder is a film of which renditions are made, and not one of them. */
export function isOriginal(name: string): boolean {
  return FILM.test(name) && !MADE.test(name) && !name.startsWith('.')
}
