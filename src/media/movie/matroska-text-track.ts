import { box, u16, u32, zeros } from '#media/wire/bmff-write.ts'
import { canonicalLanguage } from '#media/wire/language.ts'
import type { Cue } from '#media/wire/matroska-index.ts'
import type { TextEntry } from '#media/wire/matroska-text.ts'
import { createSampleList } from '#media/wire/sample-list.ts'
import type { MatroskaIndex } from './matroska-index.ts'
import type { Track } from './movie.ts'

/** RFC 9559 §5.1.4: what says nothing of its language is English. */
const DEFAULT_LANGUAGE = 'en'
/** The last line, where nothing says how long it stands. */
const LAST_SECONDS = 10

/** Text whose cues say where each line stands (RFC 9559 §5.1.5): any other would take the whole file to be found. */
export function textTracksOf({ texts, cues, scale }: MatroskaIndex): Track[] {
  return texts.flatMap((entry) => {
    const placed = cues.filter(({ track, place }) => track === entry.number && place !== undefined)
    return placed.length === 0 ? [] : [textTrackOf(entry, placed, 1e9 / scale)]
  })
}

function textTrackOf(entry: TextEntry, cues: readonly Cue[], timescale: number): Track {
  const { number, codec, language, name, isDeflated } = entry
  const ticksOf = (seconds: number): number => Math.round(seconds * timescale)
  const starts = cues.map(({ seconds }) => ticksOf(seconds))
  const list = createSampleList(cues.length)
  list.chunk(0, 0)
  cues.forEach(({ durationSeconds }, i) => {
    // A line stands as long as its block says; here is when the next one begins.
    list.add(
      0,
      (starts[i + 1] ?? starts[i]! + ticksOf(durationSeconds || LAST_SECONDS)) - starts[i]!,
      0,
      true,
    )
  })
  return {
    ...{ id: number, kind: 'text', codec, timescale, name, octets: 0 },
    language: canonicalLanguage(language || DEFAULT_LANGUAGE) ?? 'und',
    ...{ width: 0, height: 0, frameRate: 0, channels: 0, sampleRate: 0, matrix: new Uint8Array(36) },
    durationSeconds: cues.reduce((end, cue) => Math.max(end, cue.seconds + cue.durationSeconds), 0),
    entries: [entryOf(entry)],
    offsetTicks: starts[0]!,
    samples: list.finish(),
    blocks: {
      ...{ number, isDeflated },
      clusters: Float64Array.from(cues, ({ cluster }) => cluster),
      places: Float64Array.from(cues, ({ place }) => place!),
    },
  }
}

/** As the entries of MP4 are: styles of WebVTT, and whether all of it is shown to everyone. */
function entryOf({ config, isForced }: TextEntry): Uint8Array {
  const head = [zeros(6), u16(1)]
  if (config.length > 0) return box('wvtt', ...head, box('vttC', config))
  return box('tx3g', ...head, u32(isForced ? 0x80000000 : 0))
}
