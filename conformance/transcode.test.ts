import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createLadderQueue, type LadderEvent } from '../src/media/ladder/queue.ts'
import { peer, run } from '../test/peers.ts'
import { runCommand, startRunning, until } from '../test/running.ts'

const ffmpeg = peer('ffmpeg')
const ffprobe = peer('ffprobe')
const skip = (ffmpeg === undefined || ffprobe === undefined) && 'needs ffmpeg and ffprobe'
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

let folder = ''
let film = ''
before(async () => {
  if (ffmpeg === undefined) return
  folder = await mkdtemp(join(tmpdir(), 'portico-ladder-'))
  film = join(folder, 'film.mp4')
  await makeFilm(film, 6, ['-b:v', '900k', '-g', '37'])
})
after(() => rm(folder, { recursive: true, force: true }))

/** 640 by 360, with key frames at odd places and a tone. */
async function makeFilm(path: string, seconds: number, coding: readonly string[]): Promise<void> {
  const inputs = [`testsrc2=s=640x360:r=25:d=${seconds}`, `sine=440:d=${seconds}`].flatMap((input) => [
    ...['-f', 'lavfi', '-i', input],
  ])
  const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', ...coding, '-c:a', 'aac']
  const made = await run(ffmpeg!, ['-v', 'error', '-y', ...inputs, ...video, path], { timeoutMs: 60_000 })
  assert.equal(made.code, 0, made.stderr)
}

async function folderWith(...files: readonly string[]): Promise<string> {
  const copy = await mkdtemp(join(folder, 'copy-'))
  for (const file of files) await cp(file, join(copy, 'film.mp4'))
  return copy
}

const quick = ['--heights', '240,360,720', '--preset', 'ultrafast', '--json']

async function transcode(
  ...words: readonly string[]
): Promise<{ code: number; events: LadderEvent[]; stderr: string }> {
  const { code, stdout, stderr } = await runCommand(['transcode', ...words])
  return { code, stderr, events: eventsOf(stdout) }
}

function eventsOf(stdout: string): LadderEvent[] {
  const lines = stdout.split('\n').filter((line) => line.endsWith('}'))
  return lines.map((line) => JSON.parse(line) as LadderEvent)
}

function filesOf(events: readonly LadderEvent[], what: LadderEvent['event']): string[] {
  return events.flatMap((event) => (event.event === what && 'file' in event ? [event.file] : []))
}

async function keyFramesOf(path: string): Promise<string[]> {
  const shown = ['-select_streams', 'v', '-show_entries', 'packet=pts_time,flags', '-of', 'csv=p=0']
  const { stdout } = await run(ffprobe!, ['-v', 'error', ...shown, path])
  return stdout.split('\n').flatMap((line) => (line.includes('K') ? [line.split(',')[0]!] : []))
}

test('renditions of a film appear beside it, and a playlist offers them as they do', { skip }, async () => {
  const running = await startRunning({ hosts: { films: { http: 'serve', files: './films', stream: true } } })
  try {
    const films = join(running.folder, 'films')
    await cp(await folderWith(film), films, { recursive: true })
    const widths = async (): Promise<string[]> => {
      const url = `http://films.example.com:${running.ports.http}/film.mp4/index.m3u8`
      const { stdout } = await run(peer('curl')!, ['-s', '--connect-to', '::127.0.0.1:', url])
      return [...stdout.matchAll(/^#EXT-X-STREAM-INF.*RESOLUTION=\d+x(\d+)/gm)]
        .map(([, height]) => height!)
        .toSorted()
    }
    await until(async () => (await widths()).length > 0, 60_000)
    assert.deepEqual(await widths(), ['360'])
    const { code, events } = await transcode(join(films, 'film.mp4'), ...quick, '--storyboard')
    assert.equal(code, 0)
    assert.deepEqual(
      filesOf(events, 'made'),
      ['film.storyboard.jpg', 'film.240.mp4'],
      'none as tall, none taller',
    )
    await until(async () => (await widths()).length > 1, 60_000)
    assert.deepEqual(await widths(), ['240', '360'])
    assert.deepEqual(await keyFramesOf(join(films, 'film.240.mp4')), await keyFramesOf(film))
    const shown = events.flatMap((event) => (event.event === 'progress' ? [event.share] : []))
    assert.ok(shown.length > 0 && shown.every((share) => share >= 0 && share <= 1), `${shown}`)
    const text = await readFile(join(films, 'film.storyboard.vtt'), 'utf8')
    assert.match(text, /00:00:05\.000 --> 00:00:06\.000\nfilm\.storyboard\.jpg#xywh=800,0,160,90\n/)
  } finally {
    await running.stop()
  }
})

test('what stands is kept; what the film outlived is made again; what others made is left', {
  skip,
}, async () => {
  const copy = await folderWith(film)
  const path = join(copy, 'film.mp4')
  assert.deepEqual(filesOf((await transcode(path, ...quick)).events, 'made'), ['film.240.mp4'])
  assert.deepEqual(filesOf((await transcode(path, ...quick)).events, 'kept'), ['film.240.mp4'])
  await utimes(path, new Date(), new Date(Date.now() - 60_000))
  assert.deepEqual(filesOf((await transcode(path, ...quick)).events, 'made'), ['film.240.mp4'])
  await writeFile(join(copy, 'film.240.mp4'), 'mine')
  const { code, events } = await transcode(path, ...quick)
  assert.deepEqual([code, filesOf(events, 'left')], [0, ['film.240.mp4']])
  assert.equal(await readFile(join(copy, 'film.240.mp4'), 'utf8'), 'mine')
  assert.deepEqual(filesOf((await transcode(path, ...quick, '--force')).events, 'made'), ['film.240.mp4'])
})

test('sound that is made anew is as loud as EBU R 128 wants it for all', { skip }, async () => {
  const copy = await folderWith(film)
  const { events } = await transcode(join(copy, 'film.mp4'), '--heights', '720', '--loudness', '--json')
  assert.deepEqual(filesOf(events, 'made'), ['film.aac.m4a'])
  const measured = await run(ffmpeg!, [
    ...['-nostdin', '-i', join(copy, 'film.aac.m4a'), '-af', 'ebur128', '-f', 'null', '-'],
  ])
  const loudness = Number(/Integrated loudness:\s+I:\s+(-[\d.]+) LUFS/.exec(measured.stderr)?.[1])
  assert.ok(Math.abs(loudness + 16) < 2, `${loudness} LUFS`)
})

/** Packets of pictures: when each is shown, and which are key frames. */
async function packetsOf(path: string): Promise<{ readonly times: number[]; readonly keys: number[] }> {
  const shown = ['-select_streams', 'v', '-show_entries', 'packet=pts_time,flags', '-of', 'csv=p=0']
  const { stdout } = await run(ffprobe!, ['-v', 'error', ...shown, path])
  const lines = stdout.split('\n').filter((line) => /^[\d-]/.test(line))
  const timeOf = (line: string): number => Math.round(Number(line.split(',')[0]) * 1e4)
  return {
    times: lines.map(timeOf).toSorted((a, b) => a - b),
    keys: lines.filter((line) => line.includes('K')).map(timeOf),
  }
}

/** A film of 23.976 frames a second whose 240 lines take some seconds to make, in a folder of its own. */
async function longFilm(): Promise<{ readonly copy: string; readonly path: string }> {
  const copy = await mkdtemp(join(folder, 'copy-'))
  const path = join(copy, 'film.mp4')
  await makeFilm(path, 30, ['-b:v', '900k', '-g', '41', '-r', '24000/1001', '-bf', '2'])
  return { copy, path }
}

const slowly = ['--heights', '240', '--preset', 'medium', '--json']
/** Some key frames are behind it, and most of the film is before it. */
const SOME_OCTETS = 200_000

async function draftGrows(copy: string): Promise<void> {
  await until(async () => {
    const draft = (await readdir(copy)).find((name) => name.endsWith('.draft'))
    const found = draft === undefined ? null : await stat(join(copy, draft)).catch(() => null)
    return (found?.size ?? 0) > SOME_OCTETS
  }, 120_000)
}

/** It is as if nothing had happened: each picture is there once, key frames are where the film has them. */
async function isSeamless(made: string, path: string): Promise<void> {
  const [rendition, original] = [await packetsOf(made), await packetsOf(path)]
  const near = (times: readonly number[]) => times.map((time) => Math.round(time / 10))
  assert.equal(rendition.times.length, original.times.length)
  assert.deepEqual(near(rendition.times), near(original.times))
  assert.deepEqual(near(rendition.keys), near(original.keys))
  const played = await run(ffmpeg!, ['-v', 'error', '-xerror', '-i', made, '-f', 'null', '-'])
  assert.deepEqual([played.code, played.stderr], [0, ''])
}

function resumedOf(events: readonly LadderEvent[]): number[] {
  return events.flatMap((event) => (event.event === 'resumed' ? [event.fromSeconds] : []))
}

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`after ${signal} in the middle there is no half rendition, and the next run makes the rest of it`, {
    skip,
  }, async () => {
    const { copy, path } = await longFilm()
    const child = spawn(process.execPath, [main, 'transcode', path, ...slowly], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
    await draftGrows(copy)
    child.kill(signal)
    await until(() => child.signalCode !== null || child.exitCode !== null, 60_000)
    assert.equal(child.exitCode, signal === 'SIGTERM' ? 143 : null)
    assert.deepEqual(filesOf(eventsOf(said), 'made'), [])
    const left = (await readdir(copy)).filter((name) => name !== 'film.mp4')
    assert.match(left.join(), /^\.film\.240\.mp4\.[\w-]{22}\.\d+\.draft$/)
    const { events } = await transcode(path, ...slowly)
    assert.deepEqual(filesOf(events, 'made'), ['film.240.mp4'])
    const [from] = resumedOf(events)
    assert.ok(from! > 2 && from! < 30, `made again from ${from} s`)
    assert.deepEqual((await readdir(copy)).toSorted(), ['.film.mp4.ladder', 'film.240.mp4', 'film.mp4'])
    await isSeamless(join(copy, 'film.240.mp4'), path)
  })
}

test('an encoder that crashes is started again where it was', { skip }, async () => {
  const { copy, path } = await longFilm()
  const events: LadderEvent[] = []
  const pids = join(copy, 'pids')
  const queue = createLadderQueue({
    // The shell says its number and becomes the encoder.
    command: ['sh', '-c', 'echo $$ >> "$0"; exec "$@"', pids, ffmpeg!],
    ...{ jobs: 1, niceness: 10, preset: 'medium', heights: [240], storyboard: false, byComplexity: false },
    ...{ loudness: false, force: false, lagSeconds: Number.POSITIVE_INFINITY },
    onEvent: (event) => void events.push(event),
  })
  await queue.add(path)
  await draftGrows(copy)
  process.kill(Number((await readFile(pids, 'utf8')).trim()), 'SIGKILL')
  await queue.empty()
  assert.deepEqual(filesOf(events, 'made'), ['film.240.mp4'], JSON.stringify(events))
  const [from] = resumedOf(events)
  assert.ok(from! > 2 && from! < 30, `made again from ${from} s`)
  await isSeamless(join(copy, 'film.240.mp4'), path)
})

test('a draft of another film, or of other words, is not gone on with', { skip }, async () => {
  const copy = await folderWith(film)
  const draft = join(copy, `.film.240.mp4.${'a'.repeat(22)}.999999999.draft`)
  await writeFile(draft, 'what another film left')
  const { events } = await transcode(join(copy, 'film.mp4'), ...quick)
  assert.deepEqual([filesOf(events, 'made'), resumedOf(events)], [['film.240.mp4'], []])
  assert.deepEqual((await readdir(copy)).toSorted(), ['.film.mp4.ladder', 'film.240.mp4', 'film.mp4'])
})

test('while more waits than is wanted, films wait in their folder, and are taken later', {
  skip,
}, async () => {
  const copy = await folderWith(film)
  const second = join(copy, 'second.mp4')
  await cp(film, second)
  const events: LadderEvent[] = []
  let early: Promise<boolean> | undefined
  const queue = createLadderQueue({
    ...{ command: [ffmpeg!], jobs: 1, niceness: 10, preset: 'ultrafast', heights: [240], storyboard: true },
    ...{ byComplexity: false, loudness: true, force: false, lagSeconds: 0.000_001 },
    onEvent(event) {
      events.push(event)
      // Two of the first film wait now, and how long one takes is known.
      if (event.event === 'made') early ??= queue.add(second)
    },
  })
  assert.equal(await queue.add(join(copy, 'film.mp4')), true)
  await queue.empty()
  assert.equal(await early, false)
  assert.deepEqual(
    events.flatMap((event) => (event.event === 'later' ? [event.film] : [])),
    [second],
  )
  assert.equal(await queue.add(second), true)
  await queue.empty()
  assert.equal(filesOf(events, 'made').length, 6)
})

test('what is no film is refused with the reason, and the others are made', { skip }, async () => {
  const copy = await folderWith(film)
  const whole = await readFile(film)
  const odd: readonly [string, Uint8Array][] = [
    ['text.mp4', Buffer.from('this is no film')],
    ['half.mp4', whole.subarray(0, whole.length / 2)],
    ['empty.mp4', Buffer.alloc(0)],
  ]
  for (const [name, octets] of odd) await writeFile(join(copy, name), octets)
  const names = [...odd.map(([name]) => name), 'film.mp4'].map((name) => join(copy, name))
  const { code, events } = await transcode(...names, ...quick)
  assert.equal(code, 1)
  const refused = events.flatMap((event) => (event.event === 'refused' ? [event.film] : []))
  assert.deepEqual(refused, names.slice(0, 3))
  assert.deepEqual(filesOf(events, 'made'), ['film.240.mp4'])
})

test('without an encoder there is a fix', { skip }, async () => {
  const env = { ...process.env, PATH: '/nowhere' }
  const child = spawn(process.execPath, [main, 'transcode', film], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  await until(() => child.exitCode !== null, 60_000)
  assert.equal(child.exitCode, 1)
  assert.match(said, /Fix: apt-get install ffmpeg/)
})
