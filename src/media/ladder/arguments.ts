import { DRAFT_BEGINS_SECONDS } from './draft.ts'
import type { Rendition } from './ladder.ts'

export type EncodeOptions = {
  readonly input: string
  /** where pictures begin that are made in pieces; 0 of all else */
  readonly fromSeconds: number
  /** a file; pictures go to a pipe, as pieces of MPEG-TS */
  readonly output: string
  readonly rendition: Rendition
  readonly byComplexity: boolean
  readonly loudness: boolean
  /** of x264: `ultrafast` to `veryslow` */
  readonly preset: string
  readonly frameRate: number
}

/** Where a film itself has no key frame for so long, its renditions have one. */
const KEY_FRAME_SECONDS = 12

/** Of the library of x264: 18 looks like the film, 28 does not. */
const QUALITY = 22

/** EBU R 128 for what is heard at home: mean, highest peak, range. */
const LOUDNESS = 'loudnorm=I=-16:TP=-1.5:LRA=11'

const TILE_WIDTH = 160
/** Tiles in a row of a storyboard. */
export const TILE_COLUMNS = 10

const QUIETLY = [
  '-hide_banner',
  '-nostdin',
  '-v',
  'error',
  '-progress',
  'pipe:1',
  '-stats_period',
  '0.5',
  '-y',
]

/** The descriptor that pictures are written to. */
export const PIECES_PIPE = 3
/** A frame is found by a time that lies before it, and behind the one before: more than this is between them. */
const BEFORE_SECONDS = 0.001

/** The words behind `ffmpeg` that make a rendition, or pictures of one from a second on. */
export function encodeArguments(options: EncodeOptions): readonly string[] {
  const { rendition, fromSeconds } = options
  return [
    ...QUIETLY,
    // Key frames are enough to look at, and many times as fast.
    ...(rendition.kind === 'storyboard' ? ['-skip_frame', 'nokey'] : []),
    // Times are those of the film, wherever it begins: each piece has its own.
    ...(rendition.kind === 'video' ? ['-copyts', '-start_at_zero'] : []),
    ...(fromSeconds > 0 ? ['-ss', (fromSeconds - BEFORE_SECONDS).toFixed(6)] : []),
    // A name with a colon is no protocol.
    ...['-i', `file:${options.input}`, '-map_chapters', '-1', '-dn', '-sn'],
    ...ofKind(options),
    rendition.kind === 'video' ? `pipe:${PIECES_PIPE}` : `file:${options.output}`,
  ]
}

/** The words that make a rendition of its draft, without coding anything again. */
export function joinArguments(draft: string, output: string): readonly string[] {
  return [
    ...[...QUIETLY, '-copyts', '-i', `file:${draft}`, '-map', '0:v:0', '-c', 'copy'],
    // Parameter sets stand in the sample entry (ISO 14496-15 §5.3.3), and delimiters are for MPEG-TS alone.
    ...['-bsf:v', 'filter_units=remove_types=7-9', '-output_ts_offset', `${-DRAFT_BEGINS_SECONDS}`],
    ...['-video_track_timescale', '90000', '-movflags', '+faststart', '-f', 'mp4', `file:${output}`],
  ]
}

function ofKind(options: EncodeOptions): readonly string[] {
  const { rendition } = options
  switch (rendition.kind) {
    case 'video':
      return ofVideo(rendition.height, rendition.bitsPerSecond, options)
    case 'audio': {
      const filter = options.loudness ? ['-af', LOUDNESS] : []
      const coding = ['-c:a', 'aac', '-b:a', `${rendition.bitsPerSecond}`, '-ar', '48000', '-ac', '2']
      return ['-map', '0:a', '-vn', ...filter, ...coding, '-movflags', '+faststart', '-f', 'mp4']
    }
    case 'storyboard': {
      const rows = Math.ceil(rendition.tiles / TILE_COLUMNS)
      const sheet = `fps=1/${rendition.everySeconds},scale=${TILE_WIDTH}:-2,tile=${TILE_COLUMNS}x${rows}`
      return ['-map', '0:v:0', '-an', '-vf', sheet, '-frames:v', '1', '-q:v', '4', '-f', 'mjpeg']
    }
  }
}

/** The sound stays in the film: players take it from there. */
function ofVideo(
  height: number,
  bitsPerSecond: number,
  { byComplexity, preset, frameRate }: EncodeOptions,
): readonly string[] {
  const rate = byComplexity ? ['-crf', `${QUALITY}`] : ['-b:v', `${bitsPerSecond}`]
  // A film that stands upright is as wide as others are high.
  const scale = `scale='if(gt(iw,ih),-2,${height})':'if(gt(iw,ih),${height},-2)'`
  return [
    ...['-map', '0:v:0', '-an', '-vf', scale, '-c:v', 'libx264', '-preset', preset, '-pix_fmt', 'yuv420p'],
    ...[...rate, '-maxrate', `${Math.round(bitsPerSecond * 1.2)}`, '-bufsize', `${bitsPerSecond * 2}`],
    // Segments of all renditions begin together where the film has its key frames, and only there.
    ...['-force_key_frames', 'source', '-sc_threshold', '0'],
    ...['-g', `${Math.ceil(frameRate * KEY_FRAME_SECONDS)}`],
    // Pieces of several runs have one head: it may not follow from what is in them.
    ...['-x264-params', 'stitchable=1', '-output_ts_offset', `${DRAFT_BEGINS_SECONDS}`],
    ...['-muxdelay', '0', '-muxpreload', '0', '-mpegts_flags', '+initial_discontinuity'],
    // What is made is in the file at once: a crash takes what is in the encoder's memory.
    ...['-flush_packets', '1', '-f', 'mpegts'],
  ]
}
