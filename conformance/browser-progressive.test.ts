import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import type { TransfersView } from '../src/cli/transfers-view.ts'
import { picture, startBrowser, type TestBrowser } from '../test/browser.ts'
import { makeLargeFilm } from '../test/film.ts'
import { peer } from '../test/peers.ts'
import { type Running, startRunning, until } from '../test/running.ts'

const chromium = peer('chromium')
const ffmpeg = peer('ffmpeg')
const skip = (chromium === undefined || ffmpeg === undefined) && 'needs chromium and ffmpeg'

let running: Running
let browser: TestBrowser
before(async () => {
  if (chromium === undefined || ffmpeg === undefined) return
  running = await startRunning({ hosts: { films: { http: 'serve', files: './films' } } })
  const folder = join(running.folder, 'films')
  await mkdir(folder)
  await makeLargeFilm(ffmpeg, folder)
  await writeFile(
    join(folder, 'page.html'),
    '<!doctype html><title>Film</title><video src="film.mp4" controls muted preload="auto"></video>',
  )
  browser = await startBrowser(chromium)
})
after(async () => {
  await browser?.close()
  await running?.stop()
})

type Shown = {
  readonly at: number
  readonly ahead: number
  readonly isPaused: boolean
  readonly error: string
}

function shown(page: Page): Promise<Shown> {
  return page.evaluate<Shown>(`(() => {
    const { currentTime: at, buffered, paused: isPaused, error } = document.querySelector('video')
    const ahead = buffered.length === 0 ? 0 : buffered.end(buffered.length - 1) - at
    return { at, ahead, isPaused, error: error === null ? '' : error.message }
  })()`)
}

/** The response that has most left to go, as `portico transfers` says it. */
async function transfer(): Promise<TransfersView['list'][number] | undefined> {
  const { list } = JSON.parse((await running.command('transfers', '--json')).stdout) as TransfersView
  return list.find(({ url }) => url.endsWith('/film.mp4'))
}

test('a film in <video> pauses on the wire when its player has enough, and goes on when it plays on', {
  skip,
}, async () => {
  const page = await browser.open(`http://films.example.com:${running.ports.http}/page.html`)
  await page.evaluate("document.querySelector('video').play()")
  await until(async () => (await shown(page)).at > 0.5, 20_000)
  await page.evaluate("document.querySelector('video').pause()")
  await until(async () => ((await transfer())?.pausedMs ?? 0) > 0, 20_000)
  const paused = (await transfer())!
  assert.ok(paused.sentOctets < paused.lengthOctets! * 0.8, `${paused.sentOctets} octets were sent`)
  const later = (await transfer())!
  assert.deepEqual([later.id, later.sentOctets, later.sentPerSecond], [paused.id, paused.sentOctets, 0])
  assert.match((await running.command('transfers', '--once')).stdout, /1 paused[\s\S]*\/film\.mp4/)
  await picture(page, 'progressive')
  await page.evaluate("document.querySelector('video').play()")
  await until(async () => ((await transfer())?.sentOctets ?? 0) > paused.sentOctets, 20_000)
  assert.equal((await shown(page)).error, '')
})

test('a seek asks for the octets from there, and plays on (RFC 9110 §14.2)', { skip }, async () => {
  const page = await browser.open('about:blank')
  const ranges: string[] = []
  page.on('request', (request) => {
    if (request.url().endsWith('/film.mp4')) ranges.push(request.headers()['range'] ?? '')
  })
  const statuses: number[] = []
  page.on('response', (response) => {
    if (response.url().endsWith('/film.mp4')) statuses.push(response.status())
  })
  await page.goto(`http://films.example.com:${running.ports.http}/page.html`)
  await until(async () => (await shown(page)).ahead > 1, 20_000)
  await page.evaluate("Object.assign(document.querySelector('video'), { currentTime: 20 }).play()")
  await until(async () => (await shown(page)).at > 20.5, 20_000)
  const last = /^bytes=(\d+)-$/.exec(ranges.at(-1)!)
  assert.ok(Number(last?.[1]) > 100_000_000, `the last range was ${ranges.at(-1)}`)
  assert.ok(
    statuses.every((status) => status === 206),
    `${statuses}`,
  )
  await page.evaluate("document.querySelector('video').currentTime = 1")
  await until(async () => {
    const { at } = await shown(page)
    return at > 1.2 && at < 10
  }, 20_000)
  assert.deepEqual(browser.complaints(), [])
})
