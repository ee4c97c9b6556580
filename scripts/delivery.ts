// Measure how one film reaches its viewer in four ways, and draw it: docs/delivery.svg and the table of docs/delivery.md.

import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import http, { type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { askPortico } from '#admin/client.ts'
import type { Transfers } from '#http/transfer.ts'
import { makeHeavyRenditions } from '../test/media/film.ts'
import { peer } from '../test/peers.ts'
import { startRunning } from '../test/running.ts'
import { drawPanels, type Panel, type Point } from './docs/panels.ts'

const FILM_SECONDS = 8
const WATCH_MS = 6000
const LOOK_MS = 50

const ffmpeg = peer('ffmpeg')
if (ffmpeg === undefined) throw new Error('Needs ffmpeg')
const portico = await startRunning({
  hosts: { films: { http: 'serve', files: './films', stream: { segment: '1s' } } },
})
const folder = join(portico.folder, 'films')
mkdirSync(folder)
// A high rate, so that what the kernel's buffers hold does not hide the picture.
await makeHeavyRenditions(ffmpeg, folder, FILM_SECONDS)
const FILM = '/film.720.mp4'
const FILM_OCTETS = statSync(join(folder, FILM)).size
const PLAYED_PER_MS = FILM_OCTETS / FILM_SECONDS / 1000
/** A player keeps so much ahead of what it plays, and reads on when it has less: a second. */
const AHEAD_OCTETS = 1000 * PLAYED_PER_MS

/** As `portico transfers` has them. */
async function transfers(): Promise<Transfers['list']> {
  const answer = (await askPortico(join(portico.folder, 'state'), 'GET /transfers')) as Transfers | null
  return answer?.list ?? []
}

/** What one way of delivery was seen to do. */
class Watch {
  readonly begun: number = performance.now()
  /** octets that the server's sockets have taken, and that the player has read */
  readonly sent: Point[] = []
  readonly read: Point[] = []
  requests = 0
  /** when the first octets of the film were at hand */
  startedMs = 0
  #readOctets = 0
  #sentOctets = 0
  /** sent in answer to earlier requests */
  #before = 0
  #current = 0
  #earlier = new Set<string>()
  readonly #timer = setInterval(() => void this.look(), LOOK_MS)

  async look(): Promise<void> {
    const transfer = (await transfers()).find(({ id }) => !this.#earlier.has(id))
    this.#current = Math.max(this.#current, transfer?.sentOctets ?? 0)
    const at = performance.now() - this.begun
    // What ended between two looks was sent as far as it was read.
    this.#sentOctets = Math.max(this.#before + this.#current, this.#readOctets)
    this.sent.push([at, this.#sentOctets])
    this.read.push([at, this.#readOctets])
  }

  take(octets: number): void {
    this.startedMs ||= performance.now() - this.begun
    this.#readOctets += octets
  }

  /** Ask for a file or a part of it. */
  async ask(path: string, range?: string): Promise<IncomingMessage> {
    this.requests++
    await this.look()
    this.#earlier = new Set((await transfers()).map(({ id }) => id))
    this.#before = this.#sentOctets
    this.#current = 0
    const headers = { Host: 'films.example.com', ...(range !== undefined && { Range: range }) }
    const options = { host: '127.0.0.1', port: portico.ports.http, path, headers, agent: false }
    return new Promise((resolve, reject) => http.get(options, resolve).on('error', reject))
  }

  async end(): Promise<Watch> {
    await pause(Math.max(0, WATCH_MS - (performance.now() - this.begun)))
    clearInterval(this.#timer)
    await this.look()
    return this
  }
}

async function fullDownload(): Promise<Watch> {
  const watch = new Watch()
  for await (const piece of await watch.ask(FILM)) watch.take(piece.length)
  return watch.end()
}

/** Read until so much is ahead of what is played, again and again. */
async function play(watch: Watch, response: IncomingMessage, untilMs: number): Promise<void> {
  const begun = performance.now()
  let octets = 0
  while (performance.now() - watch.begun < untilMs && !response.readableEnded) {
    const played = (performance.now() - begun) * PLAYED_PER_MS
    const piece: Buffer | null = octets - played < AHEAD_OCTETS ? response.read() : null
    octets += piece?.length ?? 0
    watch.take(piece?.length ?? 0)
    if (piece === null) await pause(5)
  }
}

async function progressive(): Promise<Watch> {
  const watch = new Watch()
  const response = await watch.ask(FILM)
  await play(watch, response, WATCH_MS)
  response.destroy()
  return watch.end()
}

async function ranges(): Promise<Watch> {
  const watch = new Watch()
  const first = await watch.ask(FILM, 'bytes=0-')
  await play(watch, first, WATCH_MS / 3)
  first.destroy()
  const second = await watch.ask(FILM, `bytes=${Math.floor(FILM_OCTETS / 2)}-`)
  await play(watch, second, WATCH_MS)
  second.destroy()
  return watch.end()
}

/** A playlist as its lines, and where it is. */
async function playlist(
  watch: Watch,
  path: string,
): Promise<{ lines: string[]; resolve(uri: string): string }> {
  let text = ''
  for await (const piece of await watch.ask(path)) {
    watch.take(piece.length)
    text += piece
  }
  const resolve = (uri: string): string => new URL(uri, `http://films.example.com${path}`).pathname
  return { lines: text.split('\n'), resolve }
}

/**
 * HLS as Portico cuts it, a second each: the first two segments of the low rendition, then those of the high one, each
 * when the one before is nearly played.
 */
async function adaptive(): Promise<Watch> {
  const watch = new Watch()
  const { lines, resolve } = await playlist(watch, '/film.mp4/index.m3u8')
  const variants = lines
    .flatMap((line, i) => {
      const bandwidth = /^#EXT-X-STREAM-INF:(?:.*,)?BANDWIDTH=(\d+)/.exec(line)?.[1]
      return bandwidth === undefined ? [] : [{ bandwidth: Number(bandwidth), path: resolve(lines[i + 1]!) }]
    })
    .sort((a, b) => a.bandwidth - b.bandwidth)
  const [low, high] = [variants[0]!, variants.at(-1)!]
  for (const { path, from, to } of [
    { path: low.path, from: 0, to: 2 },
    { path: high.path, from: 2, to: FILM_SECONDS },
  ]) {
    const media = await playlist(watch, path)
    const start = media.lines.flatMap((line) => /^#EXT-X-MAP:URI="([^"]+)"/.exec(line)?.[1] ?? [])
    const segments = media.lines.filter((line) => line !== '' && !line.startsWith('#'))
    for (const [i, uri] of [...start, ...segments.slice(from, to)].entries()) {
      const due = Math.min(WATCH_MS, Math.max(0, (from + i - start.length - 1) * 1000))
      await pause(Math.max(0, due - (performance.now() - watch.begun)))
      if (due === WATCH_MS) break
      for await (const piece of await watch.ask(media.resolve(uri))) watch.take(piece.length)
    }
  }
  return watch.end()
}

const ways: readonly (readonly [name: string, watch: () => Promise<Watch>])[] = [
  ['full download', fullDownload],
  ['progressive', progressive],
  ['range, with a seek', ranges],
  ['adaptive', adaptive],
]
const panels: Panel[] = []
const rows: string[] = []
for (const [name, measure] of ways) {
  const { sent, read, requests, startedMs } = await measure()
  panels.push({ name, sent, read })
  const last = (points: readonly Point[]): string => `${((points.at(-1)?.[1] ?? 0) / 1e6).toFixed(1)} MB`
  rows.push(`| ${name} | ${requests} | ${startedMs.toFixed(0)} ms | ${last(sent)} | ${last(read)} |`)
}
await portico.stop()

writeFileSync(
  'docs/delivery.svg',
  drawPanels(panels, { endMs: WATCH_MS, endOctets: Math.ceil(FILM_OCTETS / 1e6) * 1e6 }),
)
const table = [
  '| | requests | first octets | over the wire in 6 s | read by the player |',
  '|---|---|---|---|---|',
  ...rows,
]
const page = readFileSync('docs/delivery.md', 'utf8')
const measured = `<!-- measured by scripts/delivery.ts -->\n${table.join('\n')}\n<!-- end -->`
writeFileSync('docs/delivery.md', page.replace(/<!-- measured[\s\S]*<!-- end -->/, measured))
