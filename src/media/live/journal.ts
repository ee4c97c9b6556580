import { appendFile, mkdir, readdir, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '#core/state-file.ts'
import { Broadcast } from './broadcast.ts'
import { broadcastFolder, isStreamName, JOURNAL } from './folder.ts'
import type { News } from './news.ts'

/** Beyond so many lines a journal is written anew, when that makes it shorter by half. */
const LONG_LINES = 20_000

/** The news of one broadcast on disk, so that a process that starts after a crash knows what this one knew. */
export class Journal {
  readonly #path: string
  #lines: number

  constructor(folder: string, lines: number) {
    this.#path = join(folder, JOURNAL)
    this.#lines = lines
  }

  async add(news: News): Promise<void> {
    this.#lines++
    await appendFile(this.#path, lineOf(news))
  }

  /** Leave out what no longer matters. */
  async tidy(broadcast: Broadcast): Promise<void> {
    if (this.#lines < LONG_LINES) return
    const news = broadcast.retell()
    if (news.length * 2 > this.#lines) return
    await replaceFile(this.#path, news.map(lineOf).join(''), 0o644)
    this.#lines = news.length
  }
}

/** Begin the folder and journal of a broadcast. */
export async function beginJournal(root: string, { stream, id }: Broadcast): Promise<Journal> {
  const folder = broadcastFolder(root, stream, id)
  await mkdir(folder, { recursive: true })
  return new Journal(folder, 0)
}

/**
 * Read a broadcast from its folder; what a crash has left half written is left out.
 *
 * @returns null when there is none
 */
export async function readBroadcast(
  root: string,
  stream: string,
  id: string,
): Promise<{ broadcast: Broadcast; journal: Journal } | null> {
  const folder = broadcastFolder(root, stream, id)
  const text = await readFile(join(folder, JOURNAL), 'utf8').catch(() => null)
  if (text === null) return null
  const broadcast = new Broadcast(stream, id)
  const lines = text.split('\n')
  let count = 0
  for (const line of lines) {
    const news = newsOf(line)
    if (news === null) break
    broadcast.apply(news)
    count++
  }
  const journal = new Journal(folder, count)
  // The rest of a torn line would be read with the next one.
  if (text !== '' && !text.endsWith('\n')) {
    await replaceFile(join(folder, JOURNAL), broadcast.retell().map(lineOf).join(''), 0o644)
  }
  return count === 0 ? null : { broadcast, journal }
}

/** Delete what had left the window when the process ended, and was still on disk. */
export async function unlinkBefore(root: string, { stream, id, firstMsn }: Broadcast): Promise<void> {
  const folder = broadcastFolder(root, stream, id)
  const names = await readdir(folder).catch(() => [])
  const old = names.filter((name) => Number(/-(\d+)\.m4s$/.exec(name)?.[1] ?? Infinity) < firstMsn)
  await Promise.all(old.map((name) => unlink(join(folder, name)).catch(() => {})))
}

/** Names of the streams in a folder, each with the ids of its broadcasts, the oldest first. */
export async function listStreams(root: string): Promise<Map<string, string[]>> {
  const streams = new Map<string, string[]>()
  await look('', 0)
  return streams

  async function look(name: string, depth: number): Promise<void> {
    const entries = await readdir(join(root, name), { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      if (!entry.isDirectory()) continue
      const inner = name === '' ? entry.name : `${name}/${entry.name}`
      if (name !== '' && /^_[0-9a-z]+$/.test(entry.name)) {
        streams.set(name, [...(streams.get(name) ?? []), entry.name].toSorted(byAge))
      } else if (depth < 4 && isStreamName(inner)) {
        await look(inner, depth + 1)
      }
    }
  }
}

function byAge(a: string, b: string): number {
  return Number.parseInt(a.slice(1), 36) - Number.parseInt(b.slice(1), 36)
}

function lineOf(news: News): string {
  return `${JSON.stringify(news)}\n`
}

function newsOf(line: string): News | null {
  try {
    return JSON.parse(line) as News
  } catch {
    return null
  }
}
