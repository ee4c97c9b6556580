import { isSubtitles } from '#media/wire/media-path.ts'

/** Files that are offered together. */
export type Group = {
  readonly films: readonly { readonly name: string; readonly language: string | null }[]
  readonly subtitles: readonly SubtitleFile[]
}

export type SubtitleFile = {
  readonly name: string
  readonly language: string | null
  readonly isForced: boolean
}

/** Files of one title: 8 renditions in three codecs would be 24. */
const LIMIT_FILES = 64

/**
 * Find the files that belong to a film by name: `film.mp4` with `film.1080.mp4`, `film.720p.h264.mp4`, `film.de.m4a`,
 * `film.en.vtt`, `film.en.forced.srt`. Between the name and its ending stand heights, codecs, bit rates, languages; a file
 * with another word there is another film.
 *
 * @param name of the film that is asked for, which need not be there
 * @param names of all files beside it
 */
export function groupOf(name: string, names: readonly string[]): Group {
  const stem = name.replace(/\.\w+$/, '')
  const members = names.flatMap((other) => {
    if (other === name) return [{ name: other, words: [] }]
    if (!other.startsWith(`${stem}.`)) return []
    const words = other
      .slice(stem.length + 1)
      .split('.')
      .slice(0, -1)
    // `film.mp4` and `film.mov` are two films; `film.vtt` belongs to both.
    if (words.length === 0 && !isSubtitles(other)) return []
    return words.every(isKnown) ? [{ name: other, words }] : []
  })
  return together(members)
}

/** All films and subtitles of a folder, as one title. */
export function folderGroupOf(names: readonly string[]): Group {
  return together(names.map((name) => ({ name, words: name.split('.').slice(0, -1) })))
}

function together(members: readonly { readonly name: string; readonly words: readonly string[] }[]): Group {
  const sorted = members
    .filter(({ name }) => MEDIA.test(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .slice(0, LIMIT_FILES)
  return {
    films: sorted
      .filter(({ name }) => !isSubtitles(name))
      .map(({ name, words }) => ({ name, language: languageOf(words) })),
    subtitles: sorted
      .filter(({ name }) => isSubtitles(name))
      .map(({ name, words }) => ({ name, language: languageOf(words), isForced: words.includes('forced') })),
  }
}

const MEDIA = /\.(?:mp4|m4v|mov|m4a|webm|mkv|vtt|srt)$/i
const HEIGHT_OR_RATE = /^(?:\d{3,4}p?\d{0,3}|\d{2,5}k)$/i
const CODEC = /^(?:h26[45]|x26[45]|avc|hevc|av1|vp9|aac|opus|ac3|eac3|sdr|hdr|hdr10)$/i
const ROLE = /^(?:forced|sdh|cc)$/i

function isKnown(word: string): boolean {
  return HEIGHT_OR_RATE.test(word) || CODEC.test(word) || ROLE.test(word) || isLanguage(word)
}

function languageOf(words: readonly string[]): string | null {
  return words.find((word) => !CODEC.test(word) && !ROLE.test(word) && isLanguage(word)) ?? null
}

const languages = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' })

/** Whether a word is the tag of a language that somebody speaks. */
function isLanguage(word: string): boolean {
  if (!/^[a-z]{2,3}(?:-[a-z0-9]{2,8}){0,3}$/i.test(word)) return false
  try {
    return languages.of(word) !== undefined
  } catch {
    return false
  }
}
