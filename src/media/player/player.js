import { playByBrowser, playByDash, playByHls } from './drivers.js'
import { createHistory, draw, forget, rate, throughput } from './graph.js'
import { createEdge } from './live.js'
import { createMender } from './mend.js'
import { createTimeline, readStoryboard } from './timeline.js'

// The page of a film: chooses a driver, fills the menus, takes keys, and says what happens.

const main = document.querySelector('main')
const video = document.querySelector('video')
const says = document.getElementById('says')
const graph = document.getElementById('graph')
const [line, peek, still, time] = ['seek', 'peek', 'still', 'time'].map((id) => document.getElementById(id))
const menus = Object.fromEntries(
  ['player', 'quality', 'sound', 'text', 'speed'].map((name) => [name, document.getElementById(name)]),
)
const button = document.getElementById('live')
const edge = createEdge(video, { button, figure: document.getElementById('behind'), rate: menus.speed })
const timeline = createTimeline(video, { line, peek, still, time, spanOf: edge.span, goTo: edge.goTo })
const isLive = main.dataset.live === 'yes'
const figures = Object.fromEntries([...document.querySelectorAll('dd')].map((dd) => [dd.id, dd]))
const nonce = document.currentScript.nonce
const query = new URLSearchParams(location.search)
const wanted = query.get('player')
query.delete('player')
// What is left (a signature) goes with each request for a playlist.
const rest = query.size === 0 ? '' : `?${query}`
const LOOK_MS = 250
/** Who wants little motion gets a graph that moves seldom. */
const DRAW_MS = matchMedia('(prefers-reduced-motion: reduce)').matches ? 5000 : 0
/** A stall that lasts is spoken of. */
const WORDS_AFTER_MS = 2000
const LATE = 'Waiting: the line is slower than the film. A lower quality, or a pause, lets it catch up.'
const LATE_LIVE = 'Waiting for the encoder or the line: it goes on by itself.'
const NATIVE = 'application/vnd.apple.mpegurl'

const ways = {
  hls: {
    name: 'HLS, hls.js',
    url: 'index.m3u8',
    start: playByHls,
    library: main.dataset.hls,
    can: () => 'MediaSource' in self || 'ManagedMediaSource' in self,
  },
  dash: {
    name: 'DASH, dash.js',
    url: 'manifest.mpd',
    start: playByDash,
    library: main.dataset.dash,
    can: () => 'MediaSource' in self || 'ManagedMediaSource' in self,
  },
  browser: {
    name: 'HLS, this browser',
    url: 'index.m3u8',
    start: playByBrowser,
    can: () => main.dataset.hls && video.canPlayType(NATIVE) !== '',
  },
  file: { name: 'The file as it is', url: main.dataset.file, start: playByBrowser, can: () => true },
}
const offered = Object.keys(ways).filter(
  (id) => (id === 'browser' || id === 'file' ? ways[id].url : ways[id].library) && ways[id].can(),
)

let driver = null
let seen = createHistory()
let begunAt = 0
let firstPictureMs = null
let stalledAt = null
let shownQuality = ''
let lastText = '0'
let drawnAt = 0
/** seconds within which two positions are one: the browser rounds */
const CLOSE_S = 0.25
/** shorter ones nobody sees */
const STALL_MS = 100

function tell(words) {
  says.textContent = words
}

/** Say it once. */
function say(words) {
  if (says.textContent !== words) tell(words)
}

function load(source) {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script')
    Object.assign(script, {
      src: source,
      nonce,
      onload: resolve,
      onerror: () => reject(new Error(`${source} did not come`)),
    })
    document.head.append(script)
  })
}

const mender = createMender({
  isLive,
  tell,
  again: () => start(menus.player.value, edge.span() === null ? video.currentTime : 0, !video.paused),
})

/** Play in another way, from where the picture stands. */
function play(id, at, isPlaying) {
  mender.forget()
  seen = createHistory()
  begunAt = performance.now()
  return start(id, at, isPlaying)
}

async function start(id, at = 0, isPlaying = false) {
  const way = ways[id]
  driver?.close()
  driver = null
  edge.forget()
  video.removeAttribute('src')
  video.load()
  firstPictureMs = stalledAt = null
  shownQuality = ''
  tell('')
  menus.player.value = id
  let wantsPlay = isPlaying
  try {
    if (way.library && !way.loaded) await (way.loaded = load(way.library))
    // Who pressed play while the library came is not told to press it again.
    wantsPlay ||= !video.paused
    const url = new URL(`${way.url}${rest}`, location.href).href
    driver = way.start(video, url, {
      session: randomId(),
      onChange: refresh,
      onFailure: mender.failed,
    })
  } catch (error) {
    delete way.loaded
    mender.failed({ why: error.message })
  }
  if (at > CLOSE_S) video.addEventListener('loadedmetadata', () => (video.currentTime = at), { once: true })
  if (wantsPlay) video.play().catch(() => {})
  refresh()
}

function randomId() {
  const hex = [...crypto.getRandomValues(new Uint8Array(16))]
    .map((octet) => octet.toString(16).padStart(2, '0'))
    .join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** Bring a menu up to date without disturbing whoever has it open. */
function fill(menu, choices, chosen) {
  const text = JSON.stringify(choices)
  if (menu.dataset.choices !== text) {
    menu.dataset.choices = text
    menu.replaceChildren(...choices.map(({ id, name }) => new Option(name, id)))
  }
  menu.value = chosen
  menu.parentElement.hidden = choices.length < 2
}

function refresh() {
  if (driver === null) return
  const qualities = driver.qualities()
  const now = qualities.find(({ id }) => id === driver.quality())
  const height = video.videoHeight ? `${video.videoHeight}p` : ''
  const name = qualities.length > 0 ? (now?.name ?? '') : height
  if (name !== '' && name !== shownQuality) {
    if (shownQuality !== '') seen.switches.push({ at: performance.now(), name: name.split(' · ')[0] })
    seen.switchCount = (seen.switchCount ?? -1) + 1
    shownQuality = name
  }
  const automatic = now && driver.isAutomatic() ? `Auto (${now.name.split(' · ')[0]})` : 'Auto'
  fill(
    menus.quality,
    qualities.length > 1 ? [{ id: '-1', name: automatic }, ...qualities] : [],
    driver.isAutomatic() ? '-1' : driver.quality(),
  )
  fill(menus.sound, driver.sounds(), driver.sound())
  const texts = driver.texts()
  fill(menus.text, texts.length > 0 ? [{ id: '-1', name: 'Off' }, ...texts] : [], driver.text())
}

function ahead() {
  const { buffered, currentTime } = video
  for (let i = 0; i < buffered.length; i++)
    if (buffered.start(i) <= currentTime + CLOSE_S && buffered.end(i) >= currentTime)
      return buffered.end(i) - currentTime
  return 0
}

function look() {
  const now = performance.now()
  const seconds = ahead()
  seen.looks.push({ at: now, ahead: seconds })
  if (stalledAt !== null) seen.stalls.at(-1).end = now
  forget(seen, now)
  edge.look(driver?.live() ?? null)
  timeline.look()
  if (now - drawnAt >= DRAW_MS) {
    drawnAt = now
    draw(graph, seen, now)
  }
  if (stalledAt !== null && now - stalledAt > WORDS_AFTER_MS) say(isLive ? LATE_LIVE : LATE)
  const quality = video.getVideoPlaybackQuality?.()
  const stalledMs = seen.stalledMs + (stalledAt === null ? 0 : now - stalledAt)
  const stallCount = seen.stallCount + (stalledAt !== null && now - stalledAt >= STALL_MS ? 1 : 0)
  const values = {
    ahead: `${seconds.toFixed(1)} s`,
    shown: video.videoHeight ? `${video.videoWidth} × ${video.videoHeight}` : '–',
    switches: `${Math.max(0, seen.switchCount ?? 0)}`,
    stalls: `${stallCount}${stalledMs >= STALL_MS ? `, ${(stalledMs / 1000).toFixed(1)} s` : ''}`,
    throughput: seen.loads.length > 0 ? rate(throughput(seen, now) * 8) : '–',
    octets: size(seen.octets),
    requests: `${seen.requests}`,
    first: firstPictureMs === null ? '–' : duration(firstPictureMs),
    dropped: quality ? `${quality.droppedVideoFrames} of ${quality.totalVideoFrames}` : '–',
  }
  for (const [name, value] of Object.entries(values))
    if (figures[name].textContent !== value) figures[name].textContent = value
}

const duration = (ms) => (ms < 2000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`)

function size(octets) {
  const power = Math.min(4, Math.floor(Math.log2(octets || 1) / 10))
  return `${(octets / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`
}

new PerformanceObserver((entries) => {
  for (const {
    name,
    initiatorType,
    requestStart,
    startTime,
    responseEnd,
    encodedBodySize,
  } of entries.getEntries()) {
    if (!['fetch', 'xmlhttprequest', 'video'].includes(initiatorType) || responseEnd < begunAt) continue
    const begin = requestStart || startTime
    seen.octets += encodedBodySize
    seen.requests++
    if (/\.(?:m3u8|mpd)(?:\?|$)/.test(name)) continue
    const ms = Math.max(1, responseEnd - begin)
    seen.loads.push({ begin, end: responseEnd, octets: encodedBodySize, bits: (encodedBodySize * 8000) / ms })
  }
  performance.clearResourceTimings()
}).observe({ type: 'resource', buffered: true })

video.addEventListener('loadeddata', () => (firstPictureMs ??= performance.now() - begunAt))
video.addEventListener('timeupdate', () => {
  if (video.paused || stalledAt !== null || video.readyState < 3) return
  mender.plays()
  if (/^(?:Waiting|.* Trying again)/.test(says.textContent)) tell('')
})
video.addEventListener('waiting', () => {
  // Before the first picture and after a jump it is no stall: nobody was watching yet.
  if (video.played.length === 0 || video.seeking || stalledAt !== null) return
  stalledAt = performance.now()
  seen.stalls.push({ begin: stalledAt, end: stalledAt })
})
for (const type of ['playing', 'pause', 'ended', 'emptied', 'seeking'])
  video.addEventListener(type, () => {
    if (stalledAt === null) return
    const ms = performance.now() - stalledAt
    stalledAt = null
    if (ms < STALL_MS) return void seen.stalls.pop()
    seen.stalledMs += ms
    seen.stallCount++
  })
for (const type of ['resize', 'loadedmetadata', 'playing']) video.addEventListener(type, refresh)

menus.player.addEventListener('change', () => {
  const id = menus.player.value
  const url = new URL(location.href)
  url.searchParams.set('player', id)
  history.replaceState(null, '', url)
  play(id, video.currentTime, !video.paused)
})
button.addEventListener('click', () => edge.goLive())
menus.quality.addEventListener('change', () => driver?.setQuality(menus.quality.value))
menus.sound.addEventListener('change', () => driver?.setSound(menus.sound.value))
menus.text.addEventListener('change', () => setText(menus.text.value))
menus.speed.addEventListener('change', () => (video.playbackRate = Number(menus.speed.value)))

/** Small pictures for the line; without them it shows times. */
async function loadStoryboard(url) {
  try {
    const response = await fetch(url)
    if (!response.ok) return
    const tiles = readStoryboard(await response.text(), url)
    // A signature is good for the picture, too.
    for (const tile of tiles) tile.url.search = url.search
    timeline.setTiles(tiles)
  } catch {
    // The film plays without.
  }
}

function setText(id) {
  if (id !== '-1') lastText = id
  driver?.setText(id)
  menus.text.value = id
}

const span = () => edge.span() ?? { from: 0, to: Number.isFinite(video.duration) ? video.duration : 0 }
const jumpTo = (seconds) => {
  const { from, to } = span()
  if (to === from) return
  // The very end would be the end of the film.
  edge.goTo(Math.max(from, Math.min(to - 0.1, seconds)))
  timeline.showForNow(video.currentTime)
}
const jumpToTenth = (tenth) => jumpTo(span().from + (tenth / 10) * (span().to - span().from))
const jump = (seconds) => jumpTo(video.currentTime + seconds)
const louder = (part) => {
  video.volume = Math.max(0, Math.min(1, video.volume + part))
  tell(`Volume ${Math.round(video.volume * 100)} %`)
}
const keys = {
  ' ': () => (video.paused ? video.play() : video.pause()),
  ArrowLeft: () => jump(-5),
  ArrowRight: () => jump(5),
  ArrowUp: () => louder(0.1),
  ArrowDown: () => louder(-0.1),
  f: () => (document.fullscreenElement ? document.exitFullscreen() : video.requestFullscreen()),
  m: () => (video.muted = !video.muted),
  ...Object.fromEntries([...'0123456789'].map((digit) => [digit, () => jumpToTenth(Number(digit))])),
  l: () => edge.goLive(),
  c: () => menus.text.options.length > 0 && setText(menus.text.value === '-1' ? lastText : '-1'),
}
// Before the browser's own controls, which would do the same once more.
addEventListener(
  'keydown',
  (event) => {
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key]
    const isElsewhere = event.target.closest?.('select, button, a')
    if (act === undefined || isElsewhere || event.ctrlKey || event.altKey || event.metaKey) return
    event.preventDefault()
    event.stopPropagation()
    Promise.resolve(act()).catch?.(() => {})
  },
  { capture: true },
)

fill(
  menus.player,
  offered.map((id) => ({ id, name: ways[id].name })),
  '',
)
menus.player.parentElement.hidden = offered.length < 2
if (offered.length === 0) tell('This browser plays none of what is offered here.')
else play([wanted, main.dataset.player].find((id) => offered.includes(id)) ?? offered[0])
setInterval(look, LOOK_MS)
if (main.dataset.storyboard) loadStoryboard(new URL(`${main.dataset.storyboard}${rest}`, location.href))
