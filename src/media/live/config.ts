import type { Setting } from '#core/settings.ts'

/** `live` of a host or route, after reading: a folder, or one with options. Durations are milliseconds, sizes octets. */
export type LiveConfig = string | LiveOptions

export type LiveOptions = {
  readonly root: string
  readonly key?: string
  readonly segment?: number
  readonly part?: number
  readonly window?: number
  readonly space?: number
  readonly silence?: number
  readonly resume?: number
  readonly recording?: number
  readonly tracks?: number
  readonly buffer?: number
  readonly player?: 'hls' | 'dash' | 'browser' | 'none'
  readonly sources?: Readonly<Record<string, string>>
}

const options: Readonly<Record<keyof LiveOptions, Setting>> = {
  root: {
    type: 'text',
    doc: 'Folder of streams and recordings, relative to the file; it is made.',
    example: './live',
  },
  key: {
    type: 'text',
    doc: 'File with what encoders must say to publish, a key a line, at least 16 characters; `NAME KEY` is good for one stream. They say it as `Authorization: Bearer KEY`, as the password of Basic, or as `?key=KEY`. Without it, programs of this machine publish, or whoever `access` lets in.',
    example: './live.key',
  },
  segment: {
    type: 'duration',
    doc: 'Longest segment. One ends with the last key frame before, so the encoder should make one at least so often.',
    initial: 4000,
    min: 1000,
    max: 20_000,
    source: 'two groups of pictures of 2 s, as encoders are told for live',
  },
  part: {
    type: 'duration',
    doc: 'Wanted duration of a part: viewers are about four parts behind the encoder.',
    initial: 400,
    min: 300,
    max: 2000,
    source: 'RFC 8216bis §4.4.3.7; below 300 ms a frame of sound is too large a share of it',
  },
  window: {
    type: 'duration',
    doc: 'How far back viewers can go; what is older is deleted.',
    initial: 2 * 3_600_000,
    min: 10_000,
    max: 24 * 3_600_000,
    source: 'a match or a concert',
  },
  space: {
    type: 'size',
    doc: 'What one stream may hold on disk; what is older is deleted.',
    initial: 20e9,
    min: 1e6,
    max: 2 ** 44,
    source: 'two hours of 20 Mbit/s',
  },
  silence: {
    type: 'duration',
    doc: 'An encoder that sends nothing for so long is lost.',
    initial: 10_000,
    min: 1000,
    max: 60_000,
    source: 'an encoder that is well sends every part',
  },
  resume: {
    type: 'duration',
    doc: 'A stream whose encoder is gone waits for it for so long, then it ends. When the encoder comes back, the stream goes on after a discontinuity.',
    initial: 30_000,
    min: 0,
    max: 3_600_000,
    source: 'the restart of an encoder',
  },
  recording: {
    type: 'duration',
    doc: 'For how long what was live can be played after its end; 0 deletes it at once.',
    initial: 7 * 86_400_000,
    min: 0,
    max: 3650 * 86_400_000,
    source: 'a week to watch it',
  },
  tracks: {
    type: 'integer',
    doc: 'Tracks of one stream; an encoder with more is refused.',
    unit: 'tracks',
    initial: 16,
    min: 1,
    max: 64,
    source: 'eight renditions, eight languages',
  },
  buffer: {
    type: 'size',
    doc: 'What is held in memory of one stream: its unfinished part, and no sample, box or packet may be larger.',
    initial: 32 * 2 ** 20,
    min: 2 ** 20,
    max: 2 ** 30,
    source: 'a key frame and 2 s of 100 Mbit/s',
  },
  player: {
    type: 'choice',
    doc: 'What plays a stream on its page `/NAME/play`, until whoever looks at it chooses another: hls.js, dash.js, or the browser itself where it can; `none` for no page.',
    values: ['hls', 'dash', 'browser', 'none'],
    initial: 'hls',
  },
  sources: {
    type: 'map',
    doc: 'Streams that `ffmpeg` fetches or receives, by their name: `rtmp://0.0.0.0:1935/live/NAME?listen`, `srt://0.0.0.0:9000?mode=listener`, `rtsp://camera/…`. It is started, and started again when it ends; nothing is encoded anew.',
    keys: 'name of the stream',
    of: {
      type: 'text',
      doc: 'URL for ffmpeg; `?listen` at the end of one of RTMP waits for an encoder.',
      form: {
        pattern: '^(?:rtmps?|srt|rtsps?|udp|rtp|tcp|https?)://',
        say: 'a URL of rtmp, srt, rtsp, udp, rtp, tcp or http',
      },
      example: 'srt://0.0.0.0:9000?mode=listener',
    },
    example: { studio: 'srt://0.0.0.0:9000?mode=listener' },
  },
}

/** The kind of host or route that takes streams from encoders and gives them to viewers. */
export const liveSetting: Setting = {
  type: 'either',
  doc: 'Live streams: encoders send fragmented MP4 or MPEG-TS by `PUT /NAME`, viewers play `/NAME/index.m3u8` (low-latency HLS) or `/NAME/manifest.mpd` (DASH).',
  example: './live',
  of: [
    { type: 'text', doc: 'Folder, relative to the file.', example: './live' },
    { type: 'group', doc: 'Live streams with options.', required: ['root'], fields: options },
  ],
}
