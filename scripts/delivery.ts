// Measure how one film reaches its viewer in four ways, and draw it: docs/delivery.svg and the table of docs/delivery.md.

import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import http, { type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { silent } from '#core/log.ts'
import { planFiles } from '#files/plan.ts'
import { createFiles } from '#files/serve.ts'
import { httpLimits } from '#http/config.ts'
import { createHttpServer } from '#http/server.ts'
import { drawPanels, type Panel, type Point } from './docs/panels.ts'

/** A film of 8 s at 6 MB a second: a high rate, so that what the kernel's buffers hold does not hide the picture. */
const FILM_OCTETS = 48_000_000
const PLAYED_PER_MS = 6000
/** A player keeps so much ahead of what it plays, and reads on when it has less. */
const AHEAD_OCTETS = 6_000_000
const SEGMENT_OCTETS = 6_000_000
const WATCH_MS = 6000
const LOOK_MS = 20

const folder = mkdtempSync(join(tmpdir(), 'portico-delivery-'))
writeFileSync(join(folder, 'film.mp4'), '')
truncateSync(join(folder, 'film.mp4'), FILM_OCTETS)
for (const [name, share] of [
  ['low', 0.25],
  ['high', 1],
] as const) {
  for (let i = 0; i < FILM_OCTETS / SEGMENT_OCTETS; i++) {
    writeFileSync(join(folder, `${name}-${i}.m4s`), '')
    truncateSync(join(folder, `${name}-${i}.m4s`), SEGMENT_OCTETS * share)
  }
}
const handler = createFiles(planFiles({ root: folder }), { log: silent })
const server = createHttpServer({ limits: httpLimits(), handler, log: silent })
const listener = await server.prepare({ address: '127.0.0.1', port: 0 })
listener.commit()

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
  readonly #timer = setInterval(() => this.look(), LOOK_MS)

  look(): void {
    const transfer = server.transfers().find(({ id }) => !this.#earlier.has(id))
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
    this.look()
    this.#earlier = new Set(server.transfers().map(({ id }) => id))
    this.#before = this.#sentOctets
    this.#current = 0
    const headers = range === undefined ? {} : { Range: range }
    const options = { host: '127.0.0.1', port: listener.port, path, headers, agent: false }
    return new Promise((resolve, reject) => http.get(options, resolve).on('error', reject))
  }

  async end(): Promise<Watch> {
    await pause(WATCH_MS - (performance.now() - this.begun))
    this.look()
    clearInterval(this.#timer)
    return this
  }
}

async function fullDownload(): Promise<Watch> {
  const watch = new Watch()
  for await (const piece of await watch.ask('/film.mp4')) watch.take(piece.length)
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
  const response = await watch.ask('/film.mp4')
  await play(watch, response, WATCH_MS)
  response.destroy()
  return watch.end()
}

async function ranges(): Promise<Watch> {
  const watch = new Watch()
  const first = await watch.ask('/film.mp4', 'bytes=0-')
  await play(watch, first, WATCH_MS / 3)
  first.destroy()
  const second = await watch.ask('/film.mp4', `bytes=${FILM_OCTETS / 2}-`)
  await play(watch, second, WATCH_MS)
  second.destroy()
  return watch.end()
}

/** The first two segments in a low rendition, then the high one, each when the one before is nearly played. */
async function adaptive(): Promise<Watch> {
  const watch = new Watch()
  const segmentMs = SEGMENT_OCTETS / PLAYED_PER_MS
  for (let i = 0; i * segmentMs < WATCH_MS + segmentMs; i++) {
    const due = Math.min(WATCH_MS, Math.max(0, (i - 1) * segmentMs))
    await pause(Math.max(0, due - (performance.now() - watch.begun)))
    if (due === WATCH_MS) break
    for await (const piece of await watch.ask(`/${i < 2 ? 'low' : 'high'}-${i}.m4s`)) watch.take(piece.length)
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
await server.close(0)
rmSync(folder, { recursive: true })

writeFileSync('docs/delivery.svg', drawPanels(panels, { endMs: WATCH_MS, endOctets: FILM_OCTETS }))
const table = [
  '| | requests | first octets | over the wire in 6 s | read by the player |',
  '|---|---|---|---|---|',
  ...rows,
]
const page = readFileSync('docs/delivery.md', 'utf8')
const measured = `<!-- measured by scripts/delivery.ts -->\n${table.join('\n')}\n<!-- end -->`
writeFileSync('docs/delivery.md', page.replace(/<!-- measured[\s\S]*<!-- end -->/, measured))
