import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { silent } from '#core/log.ts'
import { planFiles } from '#files/plan.ts'
import { createFiles } from '#files/serve.ts'
import { httpLimits } from '#http/config.ts'
import { createHttpServer, type HttpServer } from '#http/server.ts'
import { storyboardText } from '#media/ladder/storyboard.ts'
import { createPlayer } from '#media/player/serve.ts'
import { PHONE, picture, startBrowser, type TestBrowser } from '../test/browser.ts'
import { makeRenditions, packageByFfmpeg } from '../test/media/film.ts'
import { peer, run } from '../test/peers.ts'
import { until } from '../test/running.ts'
import { figure, shown, untilShown } from '../test/watch.ts'

const chromium = peer('chromium')
const ffmpeg = peer('ffmpeg')
const skip = (chromium === undefined || ffmpeg === undefined) && 'needs chromium and ffmpeg'

const folder = mkdtempSync(join(tmpdir(), 'portico-player-'))
let server: HttpServer
let browser: TestBrowser
let origin = ''
before(async () => {
  if (chromium === undefined || ffmpeg === undefined) return
  mkdirSync(join(folder, 'film.mp4'))
  await makeRenditions(ffmpeg, folder)
  await packageByFfmpeg(ffmpeg, folder, join(folder, 'film.mp4'))
  await makeStoryboard()
  const files = createFiles(planFiles({ root: folder }), { log: silent })
  const player = createPlayer((error) => assert.fail(String(error)))
  const file = { file: '../film.360.mp4', keyOrigin: '', storyboard: '../film.storyboard.vtt' }
  const film = { title: 'A film', isLive: false, formats: ['hls', 'dash'], player: 'hls', ...file } as const
  server = createHttpServer({
    limits: httpLimits(),
    log: silent,
    handler: (exchange) => {
      const name = /^\/film\.mp4\/([^?]*)/.exec(exchange.request.target)?.[1]
      if (name === undefined || !player.serve(exchange, name, film)) files(exchange)
    },
  })
  const listener = await server.prepare({ address: '127.0.0.1', port: 0 })
  listener.commit()
  origin = `http://films.example.com:${listener.port}`
  browser = await startBrowser(chromium)
})
after(async () => {
  await browser?.close()
  await server?.close(0)
  rmSync(folder, { recursive: true })
})

/** 20 small pictures of a second each, in two rows. */
async function makeStoryboard(): Promise<void> {
  const tiles = { tiles: 20, everySeconds: 1, durationSeconds: 20, width: 160, height: 90 }
  await writeFile(
    join(folder, 'film.storyboard.vtt'),
    storyboardText({ picture: 'film.storyboard.jpg', ...tiles }),
  )
  const sheet = ['-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=1:d=20', '-vf', 'tile=10x2', '-frames:v', '1']
  const words = ['-v', 'error', ...sheet, join(folder, 'film.storyboard.jpg')]
  const { code, stderr } = await run(ffmpeg!, words, { timeoutMs: 60_000 })
  assert.equal(code, 0, stderr)
}

async function open(query: string, options?: BrowserContextOptions): Promise<Page> {
  const page = await browser.open(`${origin}/film.mp4/play${query}`, options)
  await untilShown(page, ({ durationSeconds }) => durationSeconds > 15)
  return page
}

const chosen = (page: Page, id: string): Promise<string> =>
  page.evaluate<string>(`document.getElementById('${id}').selectedOptions[0]?.textContent ?? ''`)

test('each way of playing shows the film, and says what it took', { skip }, async () => {
  for (const [player, requests] of [
    ['hls', 10],
    ['dash', 10],
    ['browser', 0],
    ['file', 1],
  ] as const) {
    const page = await open(`?player=${player}`)
    await page.keyboard.press('Space')
    await untilShown(page, ({ at }) => at > 1.5)
    assert.equal(await page.locator('#player').inputValue(), player)
    await until(async () => Number(await figure(page, 'requests')) >= requests)
    assert.match(await figure(page, 'first'), /^\d+(?: ms|\.\d s)$/)
    assert.match(await figure(page, 'ahead'), /^\d+\.\d s$/)
    // A loaded machine may be late with pictures that it has.
    assert.match(await figure(page, 'stalls'), /^(?:0|1, 0\.\d s)$/)
    assert.equal(await figure(page, 'says'), '')
    await picture(page, `player-${player}`)
    await page.context().close()
  }
  assert.deepEqual(browser.complaints(), [])
})

for (const player of ['hls', 'dash']) {
  test(`${player}.js says who asks, and what it has at hand (CTA-5004)`, { skip }, async () => {
    const page = await browser.open('about:blank')
    const said: Record<string, string>[] = []
    page.on('request', (request) => said.push(request.headers()))
    await page.goto(`${origin}/film.mp4/play?player=${player}`)
    await until(
      () =>
        Promise.resolve(
          said.some((fields) => Number(/\bbl=(\d+)/.exec(fields['cmcd-request'] ?? '')?.[1]) > 1000),
        ),
      30_000,
    )
    const sessions = new Set(said.flatMap((fields) => /sid="[^"]+"/.exec(fields['cmcd-session'] ?? '') ?? []))
    assert.equal(sessions.size, 1)
    assert.ok(said.some((fields) => /\bot=v\b/.test(fields['cmcd-object'] ?? '')))
    assert.ok(said.some((fields) => /\bnor="/.test(fields['cmcd-request'] ?? '')) || player === 'hls')
  })
}

test('quality and sound are chosen from menus, and the picture follows', { skip }, async () => {
  for (const player of ['hls', 'dash']) {
    const page = await open(`?player=${player}`)
    await until(async () => (await page.locator('#quality option').count()) === 4)
    const options = await page.locator('#quality option').allInnerTexts()
    await page.locator('#quality').selectOption({ label: options.find((name) => name.startsWith('180p'))! })
    await page.keyboard.press('Space')
    await page.locator('video').focus()
    await page.evaluate("document.querySelector('video').currentTime = 12")
    await page.evaluate("document.querySelector('video').play()")
    await untilShown(page, ({ at, height }) => at > 12.2 && height === 180)
    assert.match(await chosen(page, 'quality'), /^180p/)
    const sounds = await page.locator('#sound option').allInnerTexts()
    assert.equal(sounds.length, 2)
    await page.locator('#sound').selectOption({ index: 1 })
    await untilShown(page, ({ at, hasEnded }) => at > 14 || hasEnded)
    assert.equal(await chosen(page, 'sound'), sounds[1])
    await page.context().close()
  }
  assert.deepEqual(browser.complaints(), [])
})

test('the page is played by keyboard, and takes no key from a menu', { skip }, async () => {
  const page = await open('')
  await page.keyboard.press('Space')
  await untilShown(page, ({ isPaused, at }) => !isPaused && at > 0.1)
  await page.keyboard.press('Space')
  await untilShown(page, ({ isPaused }) => isPaused)
  const { at } = await shown(page)
  await page.keyboard.press('ArrowRight')
  await untilShown(page, (now) => Math.abs(now.at - at - 5) < 0.1)
  await page.keyboard.press('ArrowLeft')
  await untilShown(page, (now) => Math.abs(now.at - at) < 0.1)
  await page.keyboard.press('m')
  await untilShown(page, ({ isMuted }) => isMuted)
  await page.keyboard.press('f')
  await until(() => page.evaluate<boolean>('document.fullscreenElement !== null'))
  await page.keyboard.press('f')
  await until(() => page.evaluate<boolean>('document.fullscreenElement === null'))
  await page.locator('#speed').focus()
  await page.keyboard.press('ArrowDown')
  assert.equal(await chosen(page, 'speed'), '1.25 ×')
  assert.ok(Math.abs((await shown(page)).at - at) < 0.1)
})

test('the line of the film shows what lies there, by pointer and by keyboard, and seeks', {
  skip,
}, async () => {
  const page = await open('?player=hls')
  const peek = page.locator('#peek')
  assert.equal(await peek.isVisible(), false)
  const { x, y, width, height } = (await page.locator('#seek').boundingBox())!
  await page.mouse.move(x + width * 0.8, y + height / 2)
  await peek.waitFor()
  // The picture comes when somebody looks for it.
  await until(async () => {
    await page.mouse.move(x + width * 0.79, y + height / 2)
    await page.mouse.move(x + width * 0.8, y + height / 2)
    return page.locator('#still').isVisible()
  })
  const seconds = Number(/^0:(\d\d)$/.exec(await page.locator('#time').innerText())![1])
  const all = await page.evaluate<number>("document.querySelector('video').duration")
  assert.ok(Math.abs(seconds - 0.8 * all) <= 1, `${seconds} s of ${all}`)
  const style = await page.evaluate<string>("document.getElementById('still').style.background")
  assert.match(style, /film\.storyboard\.jpg"\) -\d+px -90px/)
  await picture(page, 'player-line')
  await page.mouse.click(x + width * 0.5, y + height / 2)
  await untilShown(page, ({ at }) => Math.abs(at - all / 2) < 0.5)
  await page.mouse.move(0, 0)
  await peek.waitFor({ state: 'hidden' })
  await page.keyboard.press('ArrowRight')
  await peek.waitFor()
  await untilShown(page, ({ at }) => Math.abs(at - all / 2 - 5) < 0.5)
  await page.keyboard.press('1')
  await untilShown(page, ({ at }) => Math.abs(at - all / 10) < 0.5)
  assert.match(await page.locator('#seek').getAttribute('aria-valuetext').then(String), / of 0:\d\d$/)
  assert.deepEqual(browser.complaints(), [])
})

test('another way of playing goes on where the picture stood', { skip }, async () => {
  const page = await open('?player=hls')
  await page.evaluate("document.querySelector('video').currentTime = 7")
  await untilShown(page, ({ at, height }) => at > 6.9 && height > 0)
  await page.locator('#player').selectOption('dash')
  await untilShown(page, ({ at, ahead }) => Math.abs(at - 7) < 0.3 && ahead > 0)
  assert.match(page.url(), /player=dash/)
})

test('a film that does not come is said so in words, and comes by itself when the server is back', {
  skip,
}, async () => {
  const page = await browser.open('about:blank')
  await page.route('**/index.m3u8', (route) => route.fulfill({ status: 503, body: 'no' }))
  await page.goto(`${origin}/film.mp4/play`)
  await page.getByText(/^The server does not answer \(.*503\)\. Trying again in 1 s\.$/).waitFor()
  await picture(page, 'player-failed')
  await page.unrouteAll()
  await page.evaluate("void document.querySelector('video').play().catch(() => {})")
  await untilShown(page, ({ at }) => at > 1)
  await until(async () => (await figure(page, 'says')) === '')
  await page.context().close()
  browser.complaints()
})

test('who is not let in is told what to do, once', { skip }, async () => {
  const page = await browser.open('about:blank')
  await page.route('**/index.m3u8', (route) => route.fulfill({ status: 403, body: 'no' }))
  await page.goto(`${origin}/film.mp4/play`)
  await page.getByText(/^You are not let in \(status 403\).*open this page anew/).waitFor()
  await page.context().close()
  browser.complaints()
})

test('a browser without Media Source plays by itself', { skip }, async () => {
  const page = await browser.open('about:blank')
  await page.addInitScript('delete self.MediaSource; delete self.ManagedMediaSource')
  await page.goto(`${origin}/film.mp4/play`)
  await untilShown(page, ({ durationSeconds }) => durationSeconds > 15)
  assert.equal(await page.locator('#player').inputValue(), 'browser')
  await page.keyboard.press('Space')
  await untilShown(page, ({ at }) => at > 1)
  await page.context().close()
  assert.deepEqual(browser.complaints(), [])
})

for (const width of [320, 390, 768, 1280]) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test(`the page fits ${width} pixels, and all text of it can be read (${colorScheme})`, {
      skip,
    }, async () => {
      const viewport = { width, height: width < 700 ? 844 : 800 }
      const page = await open('?player=hls', { ...(width < 700 ? PHONE : {}), viewport, colorScheme })
      await page.evaluate("document.querySelector('video').play()")
      await untilShown(page, ({ at }) => at > 3)
      const widths = await page.evaluate<number[]>('[document.documentElement.scrollWidth, innerWidth]')
      assert.ok(widths[0]! <= widths[1]!, `the page is ${widths[0]} wide on a screen of ${widths[1]}`)
      await picture(page, `player-${width}-${colorScheme}`)
      const faint = await page.evaluate<string[]>(FAINT)
      assert.deepEqual(faint, [])
      await page.context().close()
      assert.deepEqual(browser.complaints(), [])
    })
  }
}

/** JavaScript for a page: text with less contrast than 4.5 to what it stands on (WCAG 2.2 §1.4.3). */
const FAINT = `(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((value) => {
      const part = value / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const paper = light(getComputedStyle(document.body).backgroundColor)
  const root = getComputedStyle(document.documentElement)
  const probe = document.body.appendChild(document.createElement('i'))
  const colours = ['--bad', '--soft', '--ink', '--link'].map((name) => {
    probe.style.color = root.getPropertyValue(name)
    return [name, getComputedStyle(probe).color]
  })
  probe.remove()
  const texts = [...document.querySelectorAll('h1, label, select, dt, dd, footer, kbd, output, button')]
  for (const text of texts) colours.push([text.id || text.localName, getComputedStyle(text).color])
  return colours.flatMap(([name, colour]) => {
    const [dark, bright] = [light(colour), paper].sort((a, b) => a - b)
    const ratio = (bright + 0.05) / (dark + 0.05)
    return ratio < 4.5 ? [name + ' ' + ratio.toFixed(2)] : []
  })
})()`

test('the keys go through the page in the order in which it is read, and each stop is named', {
  skip,
}, async () => {
  const page = await open('?player=hls')
  await page.locator('#seek:enabled').waitFor()
  const stops: string[] = []
  for (let i = 0; i < 30; i++) {
    await page.keyboard.press('Tab')
    const [id, name, outline] = await page.evaluate<[string, string, number]>(STOP)
    if (id === '' || stops.includes(id)) continue
    assert.ok(name !== '' && outline >= 2, `${id}: "${name}", ${outline} px`)
    stops.push(id)
  }
  assert.deepEqual(stops, ['VIDEO', 'seek', 'player', 'quality', 'sound', 'speed'])
  await page.context().close()
})

/** JavaScript for a page: what has the focus, what it is called, and how wide its outline is. */
const STOP = `(() => {
  const at = document.activeElement
  if (at === document.body) return ['', '', 0]
  const name = at.getAttribute('aria-label') ?? at.labels?.[0]?.firstChild.textContent ?? ''
  return [at.id || at.tagName, name, Number.parseFloat(getComputedStyle(at).outlineWidth)]
})()`
