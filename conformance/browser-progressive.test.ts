import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { TransfersView } from '../src/cli/transfers-view.ts'
import { picture, startBrowser, type TestBrowser } from '../test/browser.ts'
import { makeLargeFilm } from '../test/media/film.ts'
import { peer } from '../test/peers.ts'
import { type Running, startRunning, until } from '../test/running.ts'
import { shown, untilShown } from '../test/watch.ts'

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
  await untilShown(page, ({ at }) => at > 0.5)
  let paused: TransfersView['list'][number] | undefined
  await until(async () => {
    await page.evaluate("document.querySelector('video').pause()")
    paused = await transfer()
    // On a slow machine Chromium may have given its connection up by now, which it does some seconds after a pause.
    if (paused === undefined) await page.evaluate("document.querySelector('video').play()")
    return (paused?.pausedMs ?? 0) > 0 && paused!.sentPerSecond === 0
  }, 90_000)
  const { sentOctets, lengthOctets } = paused!
  assert.ok(sentOctets < lengthOctets! * 0.8, `${sentOctets} octets were sent`)
  await picture(page, 'progressive')
  const stood = (await shown(page)).at
  await page.evaluate("document.querySelector('video').play()")
  await untilShown(page, ({ at }) => at > stood + 1)
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
  await untilShown(page, ({ ahead }) => ahead > 1)
  await page.evaluate("Object.assign(document.querySelector('video'), { currentTime: 20 }).play()")
  await untilShown(page, ({ at }) => at > 20.5)
  const last = /^bytes=(\d+)-$/.exec(ranges.at(-1)!)
  assert.ok(Number(last?.[1]) > 100_000_000, `the last range was ${ranges.at(-1)}`)
  assert.ok(
    statuses.every((status) => status === 206),
    `${statuses}`,
  )
  await page.evaluate("document.querySelector('video').currentTime = 1")
  await untilShown(page, ({ at }) => at > 1.2 && at < 10)
  assert.deepEqual(browser.complaints(), [])
})
