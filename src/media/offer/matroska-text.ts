import type { MediaFile, Track } from '#media/movie/movie.ts'
import { presentationTime } from '#media/movie/track.ts'
import { type Element, elementAt, HEADER_OCTETS } from '#media/wire/ebml.ts'
import { readMatroskaText, readTextBlock, type TextBlock } from '#media/wire/matroska-text.ts'
import type { Cue } from '#media/wire/subtitles.ts'

/** A line with all that stands around it; more is read when its block says so. */
const WINDOW_OCTETS = 2048
const LIMIT_BLOCK_OCTETS = 65_536

/** Read what blocks `first` up to, not including, `end` say. What is malformed is left out: the film goes on without it. */
export async function readBlockCues(
  file: MediaFile,
  track: Track,
  first: number,
  end: number,
): Promise<Cue[]> {
  const cues: Cue[] = []
  const msOf = (ticks: number): number => Math.round((1000 * ticks) / track.timescale)
  for (let i = first; i < end; i++) {
    const block = await readBlock(file, track, i)
    if (block === undefined) continue
    const startMs = msOf(presentationTime(track, i))
    const endMs = startMs + msOf(block.durationTicks)
    if (endMs > startMs)
      cues.push(...readMatroskaText(track.codec, block).map((said) => ({ ...said, startMs, endMs })))
  }
  return cues
}

/** The block lies behind the header of its cluster, whose length is not known: both are read at once. */
async function readBlock(file: MediaFile, { blocks }: Track, i: number): Promise<TextBlock | undefined> {
  const { clusters, places, ...track } = blocks!
  const cluster = clusters[i]!
  const near = cluster + places[i]!
  const read = (from: number, octets: number): Promise<Uint8Array> =>
    file.read({ from, octets: Math.max(0, Math.min(octets, file.octets - from)) })
  const [head, window] = await Promise.all([
    read(cluster, HEADER_OCTETS),
    read(near, HEADER_OCTETS + WINDOW_OCTETS),
  ])
  const header = headerIn(head, cluster)
  if (header === undefined) return undefined
  const at = near + header.at - cluster
  const element = headerIn(window.subarray(at - near), at)
  if (element?.octets === undefined || element.octets > LIMIT_BLOCK_OCTETS) return undefined
  const within = window.subarray(element.at - near, element.at - near + element.octets)
  const data = within.length < element.octets ? await read(element.at, element.octets) : within
  return readTextBlock(element, data, track)
}

function headerIn(octets: Uint8Array, at: number): Element | undefined {
  try {
    return elementAt(octets, at)
  } catch {
    return undefined
  }
}
