import { join } from 'node:path'

/** Name of the folder of a broadcast: an underscore, which names of streams do not begin with, and when it began. */
export function broadcastId(startedMs: number): string {
  return `_${startedMs.toString(36)}`
}

/** Where a broadcast lies. */
export function broadcastFolder(root: string, stream: string, id: string): string {
  return join(root, ...stream.split('/'), id)
}

/** Its news, a line each. */
export const JOURNAL = 'journal.jsonl'

/** @param track its name, such as `v0` */
export function segmentFile(track: string, msn: number): string {
  return `${track}-${msn}.m4s`
}

/** A part is no file of its own: it lies in its segment. */
export function partFile(track: string, msn: number, part: number): string {
  return `${track}-${msn}.${part}.m4s`
}

/** @param number of the initialisation segment */
export function initFile(track: string, number: number): string {
  return `${track}-init-${number}.mp4`
}

const NAME = /^(?!_)[\w.-]{1,64}(?:\/(?!_)[\w.-]{1,64}){0,3}$/

/** Whether something may name a stream: up to four words, none of which leads elsewhere or looks like a file of ours. */
export function isStreamName(name: string): boolean {
  return NAME.test(name) && !/(?:^|\/)\.|\.(?:m3u8|mpd|m4s|mp4|ts)(?:\/|$)/.test(name)
}
