import { versionTag } from '#media/films.ts'
import { type Below, openSource, type SourceFile } from '#media/source-file.ts'
import { MediaFault } from '#media/wire/fault.ts'
import type { MediaPlaylist } from '#media/wire/m3u8.ts'
import { type MediaPart, nameOfPart } from '#media/wire/media-path.ts'
import { readSubtitles, type Subtitles, writeWebVtt } from '#media/wire/subtitles.ts'
import { TRANSPORT_START } from './transport-units.ts'

/** A file of subtitles as it is now. */
export type TextFile = { readonly source: SourceFile; readonly tag: string }

/** More than the subtitles of a day of film have. */
const LIMIT_OCTETS = 8 * 2 ** 20
/** Segments of text are small: longer ones cost a player fewer requests. */
const LEAST_MS = 30_000

/** Open a file of subtitles. @throws {MediaFault} when there is none */
export async function openText(below: Below, path: string, segmentMs: number): Promise<TextFile> {
  const source = await openSource(below, path)
  return { source, tag: versionTag(source.tag, `${segmentMs}`) }
}

/** Read the subtitles of a version. @throws {MediaFault} 404 when they are others now */
export async function readText(
  below: Below,
  path: string,
  { tag, segmentMs }: { readonly tag: string; readonly segmentMs: number },
): Promise<{ subtitles: Subtitles; source: SourceFile }> {
  const { source, tag: now } = await openText(below, path, segmentMs)
  if (now !== tag) throw new MediaFault('The subtitles are others now: ask for the playlist again', 404)
  if (source.octets > LIMIT_OCTETS) throw new MediaFault('The subtitles have more than 8 MiB')
  return { subtitles: readSubtitles(await source.read({ from: 0, octets: source.octets })), source }
}

/** When the last one of them ends. */
export function endOfCues({ cues }: Subtitles): number {
  return cues.reduce((end, cue) => Math.max(end, cue.endMs), 0)
}

/** What a segment of subtitles is of, and the stretch of time it takes. */
export function stretchOf(
  index: number,
  segmentMs: number,
): { readonly fromMs: number; readonly toMs: number } {
  const stepMs = Math.max(LEAST_MS, segmentMs)
  return { fromMs: index * stepMs, toMs: (index + 1) * stepMs }
}

/** The playlist of subtitles: as long as somebody speaks. */
export function textPlaylistOf(
  lastMs: number,
  part: Extract<MediaPart, { readonly kind: 'cue playlist' }>,
  { segmentMs, signature }: { readonly segmentMs: number; readonly signature: string },
): MediaPlaylist {
  const endMs = Math.max(1000, lastMs)
  const stepMs = Math.max(LEAST_MS, segmentMs)
  const count = Math.ceil(endMs / stepMs)
  return {
    kind: 'VOD',
    hasEnded: true,
    segments: Array.from({ length: count }, (_, index) => ({
      uri: nameOfPart({ ...part, kind: 'cues', index }) + signature,
      durationSeconds: Math.min(stepMs, endMs - index * stepMs) / 1000,
    })),
  }
}

/** The cues of one segment; their clock is that of the film's segments (RFC 8216bis §3.1.4). */
export function cuesOf(
  subtitles: Subtitles,
  index: number,
  { segmentMs, segments }: { segmentMs: number; segments: 'cmaf' | 'ts' },
): string {
  const mpegTs = segments === 'ts' ? TRANSPORT_START : 0
  return writeWebVtt(subtitles, { ...stretchOf(index, segmentMs), mpegTs })
}
