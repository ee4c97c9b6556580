import type { GroupSetting, Setting } from '#core/settings.ts'

/** What may be written under `stream` of a host or route. Durations are milliseconds. */
export type StreamConfig =
  | boolean
  | {
      readonly segment?: number
      readonly formats?: readonly ('hls' | 'dash')[]
      readonly ts?: boolean
      readonly player?: 'hls' | 'dash' | 'browser' | 'none'
      readonly group?: 'name' | 'folder' | 'none'
      readonly names?: readonly string[]
      readonly cors?: string
      readonly sign?: Readonly<Record<string, string>>
      readonly encrypt?: string | EncryptConfig
      readonly prefetch?: boolean
    }

/** AES-128 whose keys a server of the owner gives. */
export type EncryptConfig = { readonly secret: string; readonly url?: string }

const encrypt: Setting = {
  type: 'either',
  doc: 'Segments of HLS are encrypted with AES-128, each version of a film with a key of its own, which follows from a secret of at least 16 characters. Put `sign` or `access` before it.',
  example: './film.secret',
  source: 'RFC 8216bis §4.4.4.4',
  of: [
    {
      type: 'text',
      doc: 'File whose first line is the secret; `key` beside the playlist gives the key.',
      example: './film.secret',
    },
    {
      type: 'group',
      doc: 'Encryption with options.',
      required: ['secret'],
      fields: {
        secret: { type: 'text', doc: 'File whose first line is the secret.', example: './film.secret' },
        url: {
          type: 'text',
          doc: 'Where players get the key, when a server of yours gives it: `{film}` becomes the path of the film, percent-encoded, `{version}` its version, `{signature}` what signed URLs end with. The key is the first 16 octets of HMAC-SHA-256, keyed with the secret, of `portico-film`, `key`, the path and the version, with a line feed between each.',
          form: {
            pattern: '^(?=.*\\{film\\})(?=.*\\{version\\})(?:https?://[^\\s"/]+)?/[^\\s"]+$',
            say: 'a URL or path with {film} and {version} in it',
          },
          example: 'https://keys.example.com/?film={film}&version={version}',
        },
      },
    },
  ],
}

const full: GroupSetting = {
  type: 'group',
  doc: 'Streaming with options.',
  fields: {
    segment: {
      type: 'duration',
      doc: 'Wanted duration of a segment; it begins at the key frame nearest to a multiple of this.',
      initial: 6000,
      min: 1000,
      max: 30_000,
      source: 'RFC 8216bis, and what players buffer by',
    },
    formats: {
      type: 'list',
      doc: 'What is offered: HLS (`index.m3u8`), DASH (`manifest.mpd`), or both.',
      of: { type: 'choice', doc: 'Format.', values: ['hls', 'dash'] },
      single: true,
      max: 2,
      initial: ['hls', 'dash'],
      example: 'hls',
    },
    ts: {
      type: 'flag',
      doc: 'Offer HLS with MPEG-TS segments too, for old devices, as `ts.m3u8`.',
      initial: false,
    },
    player: {
      type: 'choice',
      doc: 'What plays a film on its page `…/film.mp4/play`, until whoever looks at it chooses another: hls.js, dash.js, or the browser itself where it can; `none` for no page.',
      values: ['hls', 'dash', 'browser', 'none'],
      initial: 'hls',
    },
    group: {
      type: 'choice',
      doc: 'Which files are offered together: those of one name (`film.1080.mp4`, `film.720.mp4`, `film.de.m4a`, `film.en.vtt` as `film.mp4`), all of a folder (as the folder), or each by itself.',
      values: ['name', 'folder', 'none'],
      initial: 'name',
    },
    names: {
      type: 'list',
      doc: 'What may stand after the name of a film behind a service, which cannot be listed; each is asked for.',
      of: {
        type: 'text',
        doc: 'Name and ending.',
        form: {
          pattern: '^[\\w-]+(?:\\.[\\w-]+)*\\.(?:mp4|m4v|mov|m4a|webm|mkv|vtt|srt)$',
          say: 'such as 720.mp4',
        },
        example: '720.mp4',
      },
      max: 32,
      example: ['1080.mp4', '720.mp4', 'en.vtt'],
    },
    cors: {
      type: 'text',
      doc: 'Origin of pages that may play (Access-Control-Allow-Origin), `*` for all, `none` for those of this host alone.',
      initial: '*',
      form: {
        pattern: '^(?:\\*|none|https?://[^/\\s]+)$',
        say: '*, none, or an origin such as https://example.com',
      },
      example: 'https://www.example.com',
    },
    sign: {
      type: 'map',
      doc: 'Only signed URLs are answered; a signed playlist has signed segments, for as long as itself. Keys by their id: a file whose first line is the secret, at least 16 characters.',
      keys: 'id of the key',
      of: { type: 'text', doc: 'File with the secret, relative to the file.', example: './stream.secret' },
      example: { site: './stream.secret' },
    },
    encrypt,
    prefetch: {
      type: 'flag',
      doc: 'Make the segment that a player says it wants next (CMCD `nor`) before it asks.',
      initial: true,
    },
  },
}

/** The option `stream` of hosts and routes. */
export const streamSetting: Setting = {
  type: 'either',
  doc: 'Films (MP4, MOV, WebM, Matroska) are played adaptively: `…/film.mp4/index.m3u8` is HLS, `…/film.mp4/manifest.mpd` DASH, cut as they are asked for; the file itself stays as it is.',
  example: true,
  of: [{ type: 'flag', doc: 'With the defaults.' }, full],
}
