// Measure what docs/streaming.md shows: a film in Chromium over a line that slows down, and who stops when a player does.

import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import http, { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { askPortico } from '#admin/client.ts'
import type { Transfers } from '#http/transfer.ts'
import { startBrowser } from '../test/browser.ts'
import { loopRenditions, makeRenditions } from '../test/media/film.ts'
import { peer } from '../test/peers.ts'
import { type Running, startRunning } from '../test/running.ts'
import { untilShown } from '../test/watch.ts'
import { type Chart, drawCharts, type Reading } from './docs/curves.ts'

const LOOK_MS = 250
/** the line: octets a second from a second on */
const LINE = [
  { from: 0, to: 12, octetsPerSecond: 400_000, name: '3.2 Mb/s' },
  { from: 12, to: 32, octetsPerSecond: 45_000, name: '0.36 Mb/s' },
  { from: 32, to: 50, octetsPerSecond: 400_000, name: '3.2 Mb/s' },
] as const
/** a player reads what has come, a hundred times a second; pauses; and reads on */
const PAUSES = [
  { from: 0, to: 4, name: 'plays' },
  { from: 4, to: 11, name: 'pauses' },
  { from: 11, to: 15, name: 'plays' },
] as const

const chromium = peer('chromium')
const ffmpeg = peer('ffmpeg')
if (chromium === undefined || ffmpeg === undefined) throw new Error('Needs chromium and ffmpeg')

/** Octets that the origin has been able to hand to its socket. */
let originOctets = 0
const origin = createServer((_request, response) => {
  const piece = Buffer.alloc(65_536)
  const write = (): void => {
    let wantsMore = !response.destroyed
    while (wantsMore) {
      wantsMore = response.write(piece)
      originOctets += piece.length
    }
    response.once('drain', write)
  }
  write()
})
await once(origin.listen(0, '127.0.0.1'), 'listening')
const { port } = origin.address() as AddressInfo
const running = await startRunning({
  hosts: {
    films: { http: 'serve', files: './films', stream: { segment: '2s' } },
    service: { http: 'serve', service: port },
  },
})
try {
  const films = join(running.folder, 'films')
  mkdirSync(films)
  await makeRenditions(ffmpeg, films)
  await loopRenditions(ffmpeg, films, 4)
  const charts = [await watchAdaptive(running, chromium), await watchPause(running)]
  writeFileSync('docs/streaming.svg', drawCharts(charts.map(({ chart }) => chart)))
  const page = readFileSync('docs/streaming.md', 'utf8')
  const rows = charts.flatMap(({ rows: said }) => said)
  const measured = `<!-- measured by scripts/streaming.ts -->\n${rows.join('\n')}\n<!-- end -->`
  writeFileSync('docs/streaming.md', page.replace(/<!-- measured[\s\S]*<!-- end -->/, measured))
} finally {
  await running.stop()
  origin.closeAllConnections()
  origin.close()
}

type Measured = { readonly chart: Chart; readonly rows: readonly string[] }

/** hls.js on the player page, over a line that slows down and recovers. */
async function watchAdaptive({ ports }: Running, path: string): Promise<Measured> {
  const browser = await startBrowser(path)
  const page = await browser.open('about:blank', { viewport: { width: 1280, height: 720 } })
  const line = await page.context().newCDPSession(page)
  await line.send('Network.enable')
  await page.goto(`http://films.example.com:${ports.http}/long.mp4/play`)
  const ahead: Reading[] = []
  const heights: string[] = []
  const begun = performance.now()
  const seconds = (): number => (performance.now() - begun) / 1000
  for (const { to, octetsPerSecond } of LINE) {
    const conditions = {
      offline: false,
      latency: 20,
      downloadThroughput: octetsPerSecond,
      uploadThroughput: -1,
    }
    await line.send('Network.emulateNetworkConditions', conditions)
    if (ahead.length === 0)
      await page.evaluate("Object.assign(document.querySelector('video'), { muted: true }).play()")
    while (seconds() < to) {
      const now = await untilShown(page, () => true)
      ahead.push([seconds(), now.ahead])
      const height = `${now.height}p`
      if (now.height > 0 && heights.at(-1)?.startsWith(height) !== true)
        heights.push(`${height} at ${seconds().toFixed(0)} s`)
      await pause(LOOK_MS)
    }
  }
  await page.screenshot({ path: 'docs/player.png' })
  const stalls = await page.locator('#stalls').innerText()
  await browser.close()
  const chart: Chart = {
    name: 'Seconds ahead of the picture, in a player that adapts',
    unit: 's',
    endSeconds: LINE.at(-1)!.to,
    curves: [{ name: 'ahead of the picture', readings: ahead }],
    spans: LINE,
  }
  const least = Math.min(...ahead.filter(([at]) => at > LINE[1].from).map(([, value]) => value))
  return {
    chart,
    rows: [
      `- The player: ${heights.join(', ')}; ${least.toFixed(1)} s ahead at the least, stalls: ${stalls}.`,
    ],
  }
}

/** A client of a service that stops reading: what each of the three has passed on. */
async function watchPause(portico: Running): Promise<Measured> {
  const response = await ask(portico.ports.http)
  const begun = performance.now()
  const seconds = (): number => (performance.now() - begun) / 1000
  const read: Reading[] = []
  const sent: Reading[] = []
  let readOctets = 0
  const fromOrigin: Reading[] = []
  let lookedAt = 0
  for (const { to, name } of PAUSES) {
    while (seconds() < to) {
      if (name === 'plays') {
        const piece = response.read() as Buffer | null
        readOctets += piece?.length ?? 0
      }
      if (seconds() - lookedAt > LOOK_MS / 1000) {
        lookedAt = seconds()
        read.push([lookedAt, readOctets / 1e6])
        fromOrigin.push([lookedAt, originOctets / 1e6])
        sent.push([lookedAt, (await sentOctets(portico)) / 1e6])
      }
      await pause(10)
    }
  }
  response.destroy()
  const during = (readings: readonly Reading[]): string => {
    const [, paused] = readings.findLast(([at]) => at < PAUSES[1].to)!
    const [, reader] = read.findLast(([at]) => at < PAUSES[1].to)!
    return `${(paused - reader).toFixed(1)} MB`
  }
  const chart: Chart = {
    name: 'Octets passed on, while a player pauses',
    unit: 'MB',
    endSeconds: PAUSES.at(-1)!.to,
    curves: [
      { name: 'read by the player', readings: read },
      { name: 'sent by Portico', readings: sent },
      { name: 'sent by the origin', readings: fromOrigin },
    ],
    spans: PAUSES,
  }
  return {
    chart,
    rows: [
      `- The pause: Portico stands ${during(sent)} ahead of the player, the origin ${during(fromOrigin)}.`,
    ],
  }
}

function ask(httpPort: number): Promise<IncomingMessage> {
  const headers = { host: 'service.example.com' }
  const options = { host: '127.0.0.1', port: httpPort, path: '/film', headers, agent: false }
  return new Promise((resolve, reject) => http.get(options, resolve).on('error', reject))
}

/** As `portico transfers` says it. */
async function sentOctets({ folder }: Running): Promise<number> {
  const answer = (await askPortico(join(folder, 'state'), 'GET /transfers')) as Transfers | null
  return answer?.list.find(({ url }) => url.startsWith('service.'))?.sentOctets ?? 0
}
