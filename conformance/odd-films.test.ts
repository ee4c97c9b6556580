import assert from 'node:assert/strict'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ffmpeg as make, picture, tone } from '../test/media/media-files.ts'
import { readPlaylist } from '../test/media/playlists.ts'
import { peer } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { type Running, startRunning } from '../test/running.ts'

const ffmpeg = peer('ffmpeg')
const skip = ffmpeg === undefined && 'needs ffmpeg'
let running: Running
let folder = ''
let metricsPort: number

/** Films of which odd ones are made: each has its index elsewhere. */
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-x264-params', 'keyint=3:scenecut=0']
const fragments = 'frag_keyframe+empty_moov+default_base_moof'
const bases: readonly (readonly [name: string, words: readonly string[]])[] = [
  ['last.mp4', [...x264, '-c:a', 'aac']],
  ['first.mov', [...x264, '-c:a', 'aac', '-movflags', 'faststart']],
  ['mfra.mp4', [...x264, '-c:a', 'aac', '-movflags', fragments]],
  ['sidx.mp4', [...x264, '-c:a', 'aac', '-movflags', `${fragments}+dash+global_sidx`]],
  ['packed.mkv', [...x264, '-c:a', 'libopus']],
  ['packed.webm', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-c:a', 'libopus']],
]
const EACH = 25
/**
 * Films, one after the other, of which the last two thirds may not make memory grow. A long run:
 * PORTICO_ODD_FILMS=2400 node --test --test-name-pattern 'levels off' conformance/odd-films.test.ts
 */
const MANY = Number(process.env['PORTICO_ODD_FILMS'] ?? 90)
/** The least there is: caches are full after few films. */
const CACHE_OCTETS = 4 * 2 ** 20
/** What V8 holds comes and goes; before indexes had memory of their own it was 0.2 MiB a film. */
const LIMIT_GROWTH_OCTETS = 48 * 2 ** 20

before(async () => {
  if (ffmpeg === undefined) return
  const films = {
    files: './films',
    stream: { ts: true, segment: '2s', group: 'none' as const },
    http: 'serve',
  }
  metricsPort = await freePort()
  running = await startRunning(
    { hosts: { films } },
    { cache: { memory: `${CACHE_OCTETS / 2 ** 20}MiB` }, metrics: { listen: `:${metricsPort}` } },
  )
  folder = join(running.folder, 'films')
  await mkdir(folder)
  for (const [name, words] of bases)
    await make(ffmpeg, folder, [...picture(9, '25', '64x48'), ...tone(9), ...words, name])
})

after(async () => {
  if (ffmpeg !== undefined) assert.equal(await running.stop(), 0)
})

/** Numbers that are the same each time (mulberry32). */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** Cut short, or with octets that were changed: anywhere, at the beginning, or at the end, where indexes are. */
function oddOne(whole: Buffer, seed: number): Buffer {
  const next = numbersFrom(seed)
  if (seed % 5 === 0) return whole.subarray(0, next(whole.length))
  const odd = Buffer.from(whole)
  const spread = [whole.length, 1500, 3000][seed % 3]!
  for (let left = 1 + next(6); left > 0; left--) {
    const at = seed % 2 === 0 ? next(spread) : whole.length - 1 - next(spread)
    odd[at] = [next(256), 0, 255, 128][next(4)]!
  }
  return odd
}

/** A film that is broken in the middle breaks off there: what was said of its length cannot be taken back. */
function get(path: string): Promise<{ readonly status: number; readonly body: string | null }> {
  return new Promise((resolve, reject) => {
    const headers = { Host: 'films.example.com' }
    const { http: port } = running.ports
    const request = http.get({ host: '127.0.0.1', port, path, headers, timeout: 30_000 }, (incoming) => {
      const status = incoming.statusCode!
      const pieces: Buffer[] = []
      incoming.on('data', (piece: Buffer) => pieces.push(piece))
      incoming.on('error', () => resolve({ status, body: null }))
      incoming.on('end', () => resolve({ status, body: Buffer.concat(pieces).toString() }))
    })
    request.on('timeout', () => request.destroy(new Error(`${path} took 30 s`)))
    request.on('error', reject)
  })
}

/** Ask for all that a film has. Whatever it is, there is an answer soon, as long as it says, and no fault of ours. */
async function examine(name: string): Promise<'played' | 'refused'> {
  const ask = async (path: string): Promise<string | null> => {
    const begun = performance.now()
    const { status, body } = await get(path)
    assert.ok([200, 404, 422, 502].includes(status), `${path}: ${status} ${body}`)
    assert.ok(performance.now() - begun < 20_000, path)
    return status === 200 ? body : null
  }
  await ask(`/${name}/manifest.mpd`)
  const lists: string[] = []
  for (const list of ['index.m3u8', 'ts.m3u8']) {
    const text = await ask(`/${name}/${list}`)
    if (text !== null) lists.push(...readPlaylist(text).uris)
  }
  for (const uri of lists) {
    const text = await ask(`/${name}/${uri}`)
    const { segments } = text === null ? { segments: [] } : readPlaylist(text)
    for (const segment of [segments[0], segments.at(-1)])
      for (const part of segment === undefined ? [] : [segment.uri, segment.map ?? segment.uri])
        await ask(`/${name}/${part}`)
  }
  return lists.length > 0 ? 'played' : 'refused'
}

/** Octets of the program that are in memory. */
async function residentOctets(): Promise<number> {
  const status = await readFile(`/proc/${running.child.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)![1]) * 1024
}

async function gauge(name: string): Promise<number> {
  const said = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  const line = said.split('\n').find((line) => line.startsWith(`${name} `))!
  return Number(line.slice(name.length))
}

for (const [kind, [name]] of bases.entries()) {
  test(`${EACH} odd films made of ${name} are played or refused, and the others play on`, {
    skip,
  }, async () => {
    const whole = await readFile(join(folder, name))
    assert.equal(await examine(name), 'played')
    const seen = { played: 0, refused: 0 }
    for (let i = 0; i < EACH; i++) {
      const odd = `odd-${i}-${name}`
      await writeFile(join(folder, odd), oddOne(whole, kind * 1000 + i))
      seen[await examine(odd)]++
    }
    assert.ok(seen.refused > 0 && seen.played > 0, JSON.stringify(seen))
    assert.equal(await examine(name), 'played')
  })
}

test(`memory levels off: ${MANY} odd films leave behind what caches may hold, and no more`, {
  skip: skip || (process.platform !== 'linux' && 'needs /proc'),
  timeout: 60_000 + MANY * 1000,
}, async () => {
  const wholes = await Promise.all(bases.map(([name]) => readFile(join(folder, name))))
  const resident: number[] = []
  for (let i = 0; i < MANY; i++) {
    const odd = `many-${i}-${bases[i % bases.length]![0]}`
    await writeFile(join(folder, odd), oddOne(wholes[i % bases.length]!, 10_000 + i))
    await examine(odd)
    await rm(join(folder, odd))
    resident.push(await residentOctets())
  }
  assert.ok((await gauge('portico_media_index_bytes')) <= CACHE_OCTETS / 4)
  assert.ok((await gauge('portico_cache_bytes{tier="memory"}')) <= CACHE_OCTETS)
  const third = Math.floor(MANY / 3)
  const most = (values: readonly number[]): number => Math.max(...values)
  const [early, late] = [most(resident.slice(0, third)), most(resident.slice(-third))]
  const said = `${early >> 20} MiB at most in the first third, ${late >> 20} in the last`
  console.log(`# ${said}`)
  assert.ok(late - early < LIMIT_GROWTH_OCTETS, said)
})
