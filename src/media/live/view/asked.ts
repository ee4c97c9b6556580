import { isStreamName } from '#media/live/folder.ts'

/** What a viewer asks for. */
export type Viewed = {
  readonly stream: string
  /** of the broadcast; null: the one on air, or the last one */
  readonly id: string | null
  readonly what: ViewedThing
}

export type ViewedThing =
  | { readonly kind: 'multivariant' }
  | { readonly kind: 'mpd' }
  /** what time it is here */
  | { readonly kind: 'time' }
  /** all of it as one file */
  | { readonly kind: 'film' }
  | { readonly kind: 'playlist'; readonly track: string }
  | { readonly kind: 'init'; readonly track: string; readonly number: number }
  | { readonly kind: 'segment'; readonly track: string; readonly msn: number }
  | { readonly kind: 'part'; readonly track: string; readonly msn: number; readonly part: number }

/** The page of a stream, or what it loads: `/studio/play`, `/studio/play/hls.0a1b2c3d4e5f6071.js`. */
export function readPage(path: string): { readonly stream: string; readonly name: string } | null {
  const [, stream, name] = /^\/(.+?)\/(play(?:\/[\w.]+)?)$/.exec(path) ?? []
  return stream === undefined || name === undefined || !isStreamName(stream) ? null : { stream, name }
}

/** @param path without query, as sent @returns null when it is none of ours */
export function readViewed(path: string): Viewed | null {
  const [, stream, id, file] = /^\/(.+?)(?:\/(_[0-9a-z]{1,12}))?\/([\w.-]+)$/.exec(path) ?? []
  if (stream === undefined || file === undefined || !isStreamName(stream)) return null
  const what = readThing(file, id !== undefined)
  return what === null ? null : { stream, id: id ?? null, what }
}

function readThing(file: string, isInside: boolean): ViewedThing | null {
  if (file === 'index.m3u8') return { kind: 'multivariant' }
  if (file === 'manifest.mpd') return { kind: 'mpd' }
  if (file === 'time') return { kind: 'time' }
  if (file === 'film.mp4') return { kind: 'film' }
  const [, track, init, msn, part, type] = FILE.exec(file) ?? []
  if (!isInside || track === undefined) return null
  if (type === 'm3u8') return msn === undefined ? { kind: 'playlist', track } : null
  if (init !== undefined) return type === 'mp4' ? { kind: 'init', track, number: Number(init) } : null
  if (msn === undefined || type !== 'm4s') return null
  if (part === undefined) return { kind: 'segment', track, msn: Number(msn) }
  return { kind: 'part', track, msn: Number(msn), part: Number(part) }
}

const FILE = /^([va]\d{1,2})(?:-init-(\d{1,9})|-(\d{1,12})(?:\.(\d{1,6}))?)?\.(m3u8|mp4|m4s)$/

/** Where an encoder sends to: a stream as a whole, or a file of one, which it writes as if to a folder. */
export type Published = { readonly stream: string; readonly file: string | null }

/** @returns null when no stream can have that name */
export function readPublished(path: string): Published | null {
  const name = path.slice(1).replace(/\/$/, '')
  if (isStreamName(name)) return { stream: name, file: null }
  // DASH-IF live media ingest §6.2.1 puts the name of a track in words of its own.
  const [, stream, file] = /^(.+)\/(?:Streams\()?([\w.-]{1,128})\)?$/.exec(name) ?? []
  return stream === undefined || file === undefined || !isStreamName(stream) ? null : { stream, file }
}
