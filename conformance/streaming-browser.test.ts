import assert from 'node:assert/strict'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import type { CDPSession, Page } from 'playwright-core'
import { picture, startBrowser, type TestBrowser } from '../test/browser.ts'
import { loopRenditions, makeRenditions } from '../test/media/film.ts'
import { peer } from '../test/peers.ts'
import { type Running, startRunning, until } from '../test/running.ts'
import { openSlowLine, type SlowLine } from '../test/slow-line.ts'
import { untilShown } from '../test/watch.ts'
import { WATCH, type Watched } from '../test/watch-log.ts'

const chromium = peer('chromium')
const ffmpeg = peer('ffmpeg')
const skip = (chromium === undefined || ffmpeg === undefined) && 'needs chromium and ffmpeg'

let running: Running
let browser: TestBrowser
let origin = ''
/** What the browser plays by itself, it asks for where DevTools' limits do not reach. */
let slowLine: SlowLine
before(async () => {
  if (chromium === undefined || ffmpeg === undefined) return
  running = await startRunning({
    hosts: { films: { http: 'serve', files: './films', stream: { segment: '2s', ts: true } } },
  })
  const folder = join(running.folder, 'films')
  await mkdir(folder)
  await makeRenditions(ffmpeg, folder)
  await copyFile('node_modules/shaka-player/dist/shaka-player.compiled-es2021.js', join(folder, 'shaka.js'))
  await loopRenditions(ffmpeg, folder, 4)
  for (const [page, source] of [
    ['shaka-hls', 'film.mp4/index.m3u8'],
    ['shaka-dash', 'film.mp4/manifest.mpd'],
    ['shaka-long-hls', 'long.mp4/index.m3u8'],
    ['shaka-long-dash', 'long.mp4/manifest.mpd'],
  ] as const)
    await writeFile(join(folder, `${page}.html`), shakaPage(source))
  await copyFile('node_modules/hls.js/dist/hls.min.js', join(folder, 'hls.js'))
  for (const [page, film] of [
    ['hls-ts', 'film.mp4'],
    ['hls-long-ts', 'long.mp4'],
  ] as const)
    await writeFile(join(folder, `${page}.html`), transportPage(`${film}/ts.m3u8`))
  origin = `http://films.example.com:${running.ports.http}`
  slowLine = await openSlowLine(running.ports.http)
  browser = await startBrowser(chromium)
})
after(async () => {
  await browser?.close()
  await slowLine?.close()
  await running?.stop()
})

const shakaPage = (source: string): string => `<!doctype html><title>shaka-player</title><video></video>
<script src="shaka.js"></script><script>
const video = document.querySelector('video')
shaka.polyfill.installAll()
const player = new shaka.Player()
let failed = ''
player.addEventListener('error', ({ detail }) => (failed = String(detail)))
player.attach(video).then(() => player.load('${source}')).catch((error) => (failed = String(error)))
</script>`

const transportPage = (source: string): string => `<!doctype html><title>hls.js</title><video></video>
<script src="hls.js"></script><script>
const hls = new Hls()
let failed = ''
hls.on(Hls.Events.ERROR, (_event, { fatal, details }) => (failed ||= fatal ? details : ''))
hls.loadSource('${source}')
hls.attachMedia(document.querySelector('video'))
</script>`

/** Where each player is, and whether the page is Portico's own. */
const players: readonly (readonly [name: string, path: string, isOurs: boolean])[] = [
  ['hls.js', '/film.mp4/play?player=hls', true],
  ['dash.js', '/film.mp4/play?player=dash', true],
  ['the browser itself', '/film.mp4/play?player=browser', true],
  ['hls.js by MPEG-TS', '/hls-ts.html', false],
  ['shaka-player by HLS', '/shaka-hls.html', false],
  ['shaka-player by DASH', '/shaka-dash.html', false],
]

type Visit = { readonly page: Page; readonly asked: string[]; watched(): Promise<Watched> }

/** Open a page whose <video> is watched from the first. */
async function visit(path: string, from = origin): Promise<Visit & { readonly line: CDPSession }> {
  const page = await browser.open('about:blank', { viewport: { width: 1280, height: 720 } })
  await page.addInitScript(WATCH)
  const line = await page.context().newCDPSession(page)
  await line.send('Network.enable')
  const asked: string[] = []
  page.on('request', (request) => asked.push(new URL(request.url()).pathname))
  await page.goto(from + path)
  return { page, asked, line, watched: () => page.evaluate<Watched>('watched') }
}

async function limitLine(line: CDPSession, downloadThroughput: number): Promise<void> {
  const conditions = { offline: false, latency: 0, downloadThroughput, uploadThroughput: -1 }
  await line.send('Network.emulateNetworkConditions', conditions)
}

function say(context: TestContext, { stalls, levels, heights, seeks }: Watched): void {
  const each = levels.filter((_, i) => i % 4 === 0).join(' ')
  context.diagnostic(`ahead, each second: ${each}; heights ${heights}; seeks ${seeks} ms; ${stalls} stalls`)
}

for (const [name, path] of players) {
  test(`${name} plays a film of three renditions to its end, and after seeks, without a stall`, {
    skip,
  }, async (context) => {
    const { page, watched } = await visit(path)
    await untilShown(page, ({ durationSeconds }) => Math.abs(durationSeconds - 16) < 0.2)
    // Twice as fast, so that the test is half as long: the wire has to keep up with more.
    await page.evaluate(
      "Object.assign(document.querySelector('video'), { muted: true, playbackRate: 2 }).play()",
    )
    await untilShown(page, ({ at }) => at > 3)
    for (const to of [11, 5]) {
      await page.evaluate(`document.querySelector('video').currentTime = ${to}`)
      await untilShown(page, ({ at }) => at > to + 0.5 && at < to + 5)
    }
    await picture(page, `streaming-${name.replaceAll(/\W/g, '-')}`)
    const end = await untilShown(page, ({ hasEnded }) => hasEnded)
    assert.ok(Math.abs(end.at - 16) < 0.2, `the film ended at ${end.at} s`)
    assert.ok(end.frames > 150, `${end.frames} pictures were shown`)
    const seen = await watched()
    say(context, seen)
    assert.equal(seen.stalls, 0)
    assert.deepEqual(browser.complaints(), [])
    await page.context().close()
  })
}

for (const [name, path] of players) {
  test(`${name} takes a lower rendition on a slow line, and the highest one when it is quick`, {
    skip,
  }, async (context) => {
    const isNative = name === 'the browser itself'
    const visited = await visit(
      path.replace('film.mp4', 'long.mp4').replace('-', '-long-'),
      isNative ? origin.replace(/\d+$/, `${slowLine.port}`) : origin,
    )
    const { page, watched } = visited
    const asked = isNative ? slowLine.asked : visited.asked
    const limit = async (octetsPerSecond: number): Promise<void> => {
      if (isNative) slowLine.octetsPerSecond = octetsPerSecond
      else await limitLine(visited.line, octetsPerSecond)
    }
    const asksFor = async (heights: readonly number[]): Promise<number> => {
      const before = asked.length
      const wanted = new RegExp(`long\\.(?:${heights.join('|')})\\.mp4/seg-1-(\\d+)-`)
      const found = (): string | undefined => asked.slice(before).findLast((target) => wanted.test(target))
      await until(() => found() !== undefined, 60_000)
      return Number(wanted.exec(found()!)![1]) * 2 + 0.5
    }
    await untilShown(page, ({ durationSeconds }) => durationSeconds > 60)
    const highest = asked.some((target) => target.includes('long.360.mp4/seg-1-')) || asksFor([360])
    // What has been played makes room for what comes next; a slow line makes each player wait for it.
    await page.evaluate(
      "Object.assign(document.querySelector('video'), { muted: true, playbackRate: 2 }).play()",
    )
    await highest
    // 560 kb/s: more than the lowest rendition needs, less than the others; then 4 Mb/s.
    await limit(70_000)
    await asksFor([180])
    await limit(500_000)
    const at = await asksFor([270, 360])
    await page.evaluate(`document.querySelector('video').currentTime = ${at}`)
    await untilShown(page, (now) => now.at > at && now.height > 180, 60_000)
    say(context, await watched())
    await picture(page, `streaming-switched-${name.replaceAll(/\W/g, '-')}`)
    await page.context().close()
  })
}

for (const [name, player] of [
  ['hls.js', 'hls'],
  ['dash.js', 'dash'],
] as const) {
  test(`${name} offers the second sound and the subtitles, and plays those that are chosen`, {
    skip,
  }, async () => {
    const { page, asked } = await visit(`/film.mp4/play?player=${player}`)
    await until(async () => (await page.locator('#text option').count()) === 3, 60_000)
    const sounds = await page.locator('#sound option').allInnerTexts()
    const texts = await page.locator('#text option').allInnerTexts()
    assert.deepEqual(
      [sounds.toSorted(), texts.toSorted()],
      [
        ['Deutsch', 'English'],
        ['Deutsch', 'English', 'Off'],
      ],
    )
    await page.evaluate("Object.assign(document.querySelector('video'), { muted: true }).play()")
    for (const [language, file, words] of [
      ['Deutsch', 'film.de', 'Von 1 bis 4'],
      ['English', 'film.360', 'From 1 to 4'],
    ] as const) {
      await page.locator('#sound').selectOption(language)
      await page.locator('#text').selectOption(language)
      // dash.js forgets subtitles that are still on their way when it jumps.
      await until(() => page.evaluate<boolean>(hasCues), 60_000)
      await page.evaluate("document.querySelector('video').currentTime = 1.5")
      await until(() => page.evaluate<boolean>(cueShown(words)), 60_000)
      assert.ok(
        asked.some((path) => path.includes(file)),
        `${file} was never asked for`,
      )
      await picture(page, `streaming-text-${player}-${language}`)
    }
    await page.locator('h1').click()
    await page.keyboard.press('c')
    await until(() => page.evaluate<boolean>(`!${cueShown('From 1 to 4')}`), 60_000)
    await page.keyboard.press('c')
    await page.evaluate("document.querySelector('video').currentTime = 5.5")
    await until(() => page.evaluate<boolean>(cueShown('From 5 to 8')), 60_000)
    await page.context().close()
  })
}

for (const format of ['hls', 'dash'] as const) {
  test(`shaka-player by ${format} offers the second sound and the subtitles, and plays those that are chosen`, {
    skip,
  }, async () => {
    const { page, asked } = await visit(`/shaka-${format}.html`)
    await untilShown(page, ({ durationSeconds }) => durationSeconds > 10)
    await page.evaluate("Object.assign(document.querySelector('video'), { muted: true }).play()")
    const languagesOf = (kind: 'Audio' | 'Text'): Promise<string[]> =>
      page.evaluate(`player.get${kind}Tracks().map(({ language }) => language).sort()`)
    await until(async () => (await languagesOf('Text')).length === 2, 60_000)
    assert.deepEqual(
      [await languagesOf('Audio'), await languagesOf('Text')],
      [
        ['de', 'en'],
        ['de', 'en'],
      ],
    )
    for (const [language, file, words] of [
      ['de', 'film.de', 'Von 1 bis 4'],
      ['en', 'film.360', 'From 1 to 4'],
    ] as const) {
      const chosen = (kind: string): string =>
        `player.select${kind}Track(player.get${kind}Tracks().find((track) => track.language === '${language}'))`
      await page.evaluate(`${chosen('Audio')}; ${chosen('Text')}`)
      await page.evaluate("document.querySelector('video').currentTime = 1.5")
      await until(() => page.evaluate<boolean>(cueShown(words)), 60_000)
      assert.ok(
        asked.some((path) => path.includes(file)),
        `${file} was never asked for`,
      )
      await picture(page, `streaming-text-shaka-${format}-${language}`)
    }
    assert.equal(await page.evaluate('failed'), '')
    await page.evaluate('player.selectTextTrack(null)')
    await until(() => page.evaluate<boolean>(`!${cueShown('From 1 to 4')}`), 60_000)
    await page.context().close()
  })
}

/** Whether the page shows these words over its picture. */
const cueShown = (words: string): string =>
  `[...document.querySelector('video').textTracks].some((track) => track.mode === 'showing' && [...track.activeCues ?? []].some((cue) => cue.text === '${words}'))`

const hasCues =
  "[...document.querySelector('video').textTracks].some(({ mode, cues }) => mode === 'showing' && cues?.length > 0)"
