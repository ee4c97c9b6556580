import assert from 'node:assert/strict'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { PHONE, picture, startBrowser, type TestBrowser } from '../test/browser.ts'
import { type ClockEncoder, READ_CLOCK, startClock } from '../test/media/live-clock.ts'
import { peer } from '../test/peers.ts'
import { type Running, startRunning, until } from '../test/running.ts'
import { figure } from '../test/watch.ts'

const chromium = peer('chromium')
const ffmpeg = peer('ffmpeg')
const skip = (chromium === undefined || ffmpeg === undefined) && 'needs chromium and ffmpeg'

const PAGE = `<!doctype html><meta charset="utf-8"><title>live</title><video muted playsinline width="320" height="160"></video>
<script src="hls.js"></script><script src="dash.js"></script><script src="shaka.js"></script><script>
const query = new URLSearchParams(location.search)
const video = document.querySelector('video')
window.errors = []
if (query.get('player') === 'hls') {
  // What a busy machine has stalled is caught up: by playing faster, and beyond a target duration by a leap.
  window.hls = new Hls({ lowLatencyMode: true, maxLiveSyncPlaybackRate: 1.5, liveSyncOnStallIncrease: 0 })
  if (!query.has('back'))
    setInterval(() => { if (hls.latency > 6 && hls.liveSyncPosition) video.currentTime = hls.liveSyncPosition }, 1000)
  hls.on(Hls.Events.ERROR, (_, data) => { if (data.fatal) errors.push(data.details) })
  hls.loadSource(query.get('url'))
  hls.attachMedia(video)
} else if (query.get('player') === 'shaka') {
  shaka.polyfill.installAll()
  const player = new shaka.Player()
  player.addEventListener('error', ({ detail }) => errors.push(detail.code))
  player.configure({ streaming: { lowLatencyMode: true, liveSync: { enabled: true, targetLatency: 2 } } })
  player.attach(video).then(() => player.load(query.get('url'))).then(() => video.play()).catch((error) => errors.push(error.code ?? error.stack))
} else {
  window.dash = dashjs.MediaPlayer().create()
  dash.on('error', (event) => errors.push(event.error.message))
  dash.initialize(video, query.get('url'), true)
}
video.play()
</script>`

let portico: Running
let browser: TestBrowser
let encoder: ClockEncoder
before(async () => {
  if (chromium === undefined || ffmpeg === undefined) return
  const hosts = {
    live: { live: { root: './live', resume: '60s' }, http: 'serve' },
    page: { files: './page', http: 'serve' },
  }
  portico = await startRunning({ hosts })
  const page = join(portico.folder, 'page')
  mkdirSync(page)
  writeFileSync(join(page, 'index.html'), PAGE)
  const modules = fileURLToPath(new URL('../node_modules/', import.meta.url))
  cpSync(join(modules, 'hls.js/dist/hls.min.js'), join(page, 'hls.js'))
  cpSync(join(modules, 'dashjs/dist/modern/umd/dash.all.min.js'), join(page, 'dash.js'))
  cpSync(join(modules, 'shaka-player/dist/shaka-player.compiled-es2021.js'), join(page, 'shaka.js'))
  browser = await startBrowser(chromium)
  encoder = startStudio()
  await until(async () => (await fetchText('/studio/index.m3u8')).includes('v0.m3u8'), 60_000)
})
after(async () => {
  await browser?.close()
  await encoder?.stop()
  await portico?.stop()
})

const startStudio = (): ClockEncoder => startStream('studio')

function startStream(name: string): ClockEncoder {
  const flags = 'empty_moov+default_base_moof+frag_every_frame'
  const url = `http://127.0.0.1:${portico.ports.http}/${name}`
  return startClock(ffmpeg!, [
    ...['-f', 'mp4', '-movflags', flags, '-method', 'PUT'],
    ...['-headers', 'Host: live.example.com\r\n', url],
  ])
}

function fetchText(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { Host: 'live.example.com' }
    get({ port: portico.ports.http, host: '127.0.0.1', path, headers }, (response) => {
      let text = ''
      response.on('data', (octets) => (text += octets))
      response.on('end', () => resolve(text))
    }).on('error', reject)
  })
}

function watch(query: string, file: string): Promise<Page> {
  const url = encodeURIComponent(`http://live.example.com:${portico.ports.http}/studio/${file}`)
  return browser.open(`http://page.example.com:${portico.ports.http}/?player=${query}&url=${url}`)
}

const delay = (page: Page): Promise<number | null> => page.evaluate<number | null>(READ_CLOCK)

/** Milliseconds from the glass of the encoder to that of the viewer: the middle of ten looks. */
async function delayOf(page: Page): Promise<number> {
  const looks: number[] = []
  while (looks.length < 10) {
    await pause(200)
    looks.push((await delay(page)) ?? Number.POSITIVE_INFINITY)
  }
  return looks.toSorted((a, b) => a - b)[5]!
}

/** Wait until what is shown was taken less than so many milliseconds ago; says how it stands when it never was. */
async function untilBehind(page: Page, most: () => number): Promise<void> {
  await until(async () => ((await delay(page)) ?? Number.POSITIVE_INFINITY) < most(), 120_000).catch(
    async (error: Error) => {
      const [shown, media] = [await page.evaluate(STATE), await fetchMedia()]
      const behind = `${await delay(page)} ms behind, ${shown}`
      throw new Error(`${error.message}: ${behind}\n${encoder.complaints()}\n${media.slice(-1000)}`)
    },
  )
}

async function fetchMedia(): Promise<string> {
  const path = /_\w+\/v0\.m3u8/.exec(await fetchText('/studio/index.m3u8'))?.[0]
  return fetchText(`/studio/${path}`)
}

const STATE = `((video) => JSON.stringify({
  errors: window.errors, says: document.getElementById('says')?.textContent,
  at: video.currentTime, paused: video.paused, ready: video.readyState, rate: video.playbackRate,
  buffered: Array.from({ length: video.buffered.length }, (_, i) => [video.buffered.start(i), video.buffered.end(i)]),
  latency: window.hls?.latency, target: window.hls?.targetLatency, edge: window.hls?.liveSyncPosition,
}))(document.querySelector('video'))`

test('hls.js shows what was taken less than three seconds ago', { skip }, async (t) => {
  const page = await watch('hls', 'index.m3u8')
  await untilBehind(page, () => 3000)
  t.diagnostic(`glass to glass: ${Math.round(await delayOf(page))} ms`)
  await picture(page, 'live-hls')
  assert.deepEqual(await page.evaluate('errors'), [])
  await page.context().close()
})

test('dash.js shows the same parts', { skip }, async (t) => {
  const page = await watch('dash', 'manifest.mpd')
  await untilBehind(page, () => 8000)
  t.diagnostic(`glass to glass: ${Math.round(await delayOf(page))} ms`)
  assert.deepEqual(await page.evaluate('errors'), [])
  await page.context().close()
})

for (const file of ['index.m3u8', 'manifest.mpd']) {
  test(`shaka-player shows ${file} with low latency`, { skip }, async (t) => {
    // Its 5.2.12 looks into two segments for captions, and fails where one of them is that of which there are parts alone.
    await until(async () => (await fetchMedia()).includes('v0-5.m4s'), 60_000)
    const page = await watch('shaka', file)
    await untilBehind(page, () => 8000)
    t.diagnostic(`glass to glass: ${Math.round(await delayOf(page))} ms`)
    assert.deepEqual(await page.evaluate('errors'), [])
    await page.context().close()
  })
}

test('a viewer goes back to the edge of the window', { skip }, async () => {
  const page = await watch('hls&back', 'index.m3u8')
  await untilBehind(page, () => 3000)
  await page.evaluate('video.currentTime = 0.1')
  await until(async () => ((await delay(page)) ?? 0) > 4000, 60_000)
  const at = await page.evaluate<number>('video.currentTime')
  await until(async () => (await page.evaluate<number>('video.currentTime')) > at + 1, 60_000)
  assert.ok(at < 8, `${at} s`)
  await page.context().close()
})

test('an encoder that is killed and started again is watched on', { skip }, async (t) => {
  const page = await watch('hls', 'index.m3u8')
  await untilBehind(page, () => 3000)
  await encoder.stop()
  await pause(1000)
  const againMs = Date.now()
  encoder = startStudio()
  // What was taken before would be older than that.
  await untilBehind(page, () => Date.now() - againMs)
  t.diagnostic(`the picture is back ${Date.now() - againMs} ms after the encoder began again`)
  t.diagnostic(`glass to glass: ${Math.round(await delayOf(page))} ms`)
  assert.deepEqual(await page.evaluate('errors'), [])
  await page.context().close()
})

const behind = async (page: Page): Promise<number> => Number.parseFloat(await figure(page, 'behind'))

/** The page of a stream itself. */
function open(stream: string, query = '', options?: BrowserContextOptions): Promise<Page> {
  return browser.open(`http://live.example.com:${portico.ports.http}/${stream}/play${query}`, options)
}

for (const player of ['hls', 'dash']) {
  test(`the page of a stream plays it by ${player}, goes back, and goes to live`, { skip }, async (t) => {
    const name = `steady-${player}`
    const steady = startStream(name)
    await until(async () => (await fetchText(`/${name}/manifest.mpd`)).includes('<S '), 60_000)
    const page = await open(name, `?player=${player}`)
    await page.keyboard.press('Space')
    await untilBehind(page, () => 6000)
    await until(async () => (await figure(page, 'live')) === 'At live' && (await behind(page)) < 6, 60_000)
    t.diagnostic(`${await behind(page)} s behind the encoder`)
    await picture(page, `live-page-${player}`)
    const lasts = "document.getElementById('seek').max - document.getElementById('seek').min"
    await until(async () => (await page.evaluate<number>(lasts)) > 20, 60_000)
    await page.keyboard.press('0')
    await until(async () => (await figure(page, 'live')) === 'Go to live', 60_000)
    await until(async () => (await behind(page)) > 15, 60_000)
    const text = await page.locator('#seek').getAttribute('aria-valuetext')
    assert.match(text ?? '', /^\d+:\d\d behind live, of \d+:\d\d$/)
    await page.keyboard.press('l')
    await until(async () => (await figure(page, 'live')) === 'At live', 60_000)
    await until(async () => (await behind(page)) < 6 && (await figure(page, 'says')) === '', 60_000)
    await page.context().close()
    await steady.stop()
  })
}

test('the page waits for a stream that nobody sends yet, and shows it on a phone when it comes', {
  skip,
}, async () => {
  const page = await open('later', '', PHONE)
  await until(
    async () => /^Nobody sends this stream.* Trying again in/.test(await figure(page, 'says')),
    60_000,
  )
  await picture(page, 'live-page-waits')
  await page.evaluate("void document.querySelector('video').play().catch(() => {})")
  const later = startStream('later')
  await until(async () => ((await delay(page)) ?? Number.POSITIVE_INFINITY) < 10_000, 120_000)
  const at = (): Promise<number> => page.evaluate<number>("document.querySelector('video').currentTime")
  const shown = await at()
  await until(async () => (await at()) > shown + 1 && (await figure(page, 'says')) === '', 60_000)
  await picture(page, 'live-page-phone')
  await later.stop()
  await page.context().close()
})
