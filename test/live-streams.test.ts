import assert from 'node:assert/strict'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startEncoder } from './media/live-encoder.ts'
import { all, readMpd } from './media/mpds.ts'
import { readPlaylist } from './media/playlists.ts'
import { type Running, startRunning, until } from './running.ts'

let portico: Running
const KEY = 'the-key-of-the-studio'
const BEARER = { Authorization: `Bearer ${KEY}` }
const live = {
  root: './live',
  key: './live.key',
  segment: '2s',
  part: '400ms',
  silence: '1s',
  resume: '2s',
  window: '10s',
}

before(async () => {
  portico = await startRunning({ hosts: {} }, { workers: 2 })
  await writeFile(join(portico.folder, 'live.key'), `${KEY}\n`)
  await portico.write(
    { hosts: { live: { live: { ...live, segment: '4s' }, stream: true, http: 'serve' } } },
    { workers: 2 },
  )
  assert.equal((await portico.command('reload')).code, 0)
})
after(() => portico.stop())

type Answer = { readonly status: number; readonly fields: IncomingMessage['headers']; readonly text: string }

function ask(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { http: port } = portico.ports
    const request = get(
      { port, host: '127.0.0.1', path, headers: { Host: 'live.example.com', ...headers }, agent: false },
      (response) => {
        let text = ''
        response.setEncoding('latin1')
        response.on('data', (piece: string) => (text += piece))
        response.on('error', reject)
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, fields: response.headers, text }),
        )
      },
    )
    request.on('error', reject)
  })
}

function publish(path: string, headers: Record<string, string> = BEARER) {
  return startEncoder(portico.ports.http, path, headers)
}

/** Path of the folder of a broadcast that has begun. */
async function begun(stream: string, meanwhile = (): void => {}): Promise<string> {
  let id: string | undefined
  await until(async () => {
    meanwhile()
    const { text } = await ask(`/${stream}/index.m3u8`)
    id = /^(_[0-9a-z]+)\/v0\.m3u8$/m.exec(text)?.[1]
    return id !== undefined
  })
  return `/${stream}/${id}`
}

test('what an encoder sends is played while it comes, by whichever worker is asked', async () => {
  const encoder = publish('/one')
  encoder.send(8)
  // Who comes before the first segment is complete waits for it.
  const early = begun('one')
  encoder.send(17)
  const folder = await early
  await until(async () => (await ask(`${folder}/v0.m3u8`)).text.includes('v0-1.1.m4s'))
  const playlist = await ask(`${folder}/v0.m3u8`)
  assert.equal(playlist.fields['content-type'], 'application/vnd.apple.mpegurl')
  const [first] = /v0-0\.0\.m4s/.exec(playlist.text)!
  for (let i = 0; i < 4; i++) {
    const part = await ask(`${folder}/${first}`)
    assert.equal(part.status, 200)
    assert.equal(part.text.slice(4, 8), 'moof')
    assert.equal(part.fields['cache-control'], 'public, max-age=31536000, immutable')
  }
  // Reloads and the hinted part wait on all connections, and all are answered by what comes.
  const waiting = [
    ...Array.from({ length: 4 }, () => ask(`${folder}/v0.m3u8?_HLS_msn=1&_HLS_part=2`)),
    ask(`${folder}/a0-1.2.m4s`),
  ]
  encoder.send(3)
  for (const answer of await Promise.all(waiting)) assert.equal(answer.status, 200)
  const reloaded = await waiting[0]!
  assert.match(reloaded.text, /v0-1\.2\.m4s/)
  // What stands between may answer the others who ask for this part, and nobody who asks for the newest playlist.
  assert.equal(reloaded.fields['cache-control'], 'public, max-age=24')
  assert.equal((await ask(`${folder}/v0.m3u8`)).fields['cache-control'], 'no-cache')
  encoder.end()
  assert.equal(await encoder.status, 201)
})

test('a reload beyond what may come is 400, of what is not there 404, of an encoder that is late 503', async () => {
  await portico.write(
    { hosts: { live: { live: { ...live, silence: '20s', segment: '1s' }, http: 'serve' } } },
    { workers: 2 },
  )
  assert.equal((await portico.command('reload')).code, 0)
  const encoder = publish('/late')
  encoder.send(8)
  const folder = await begun('late')
  await until(async () => (await ask(`${folder}/v0.m3u8`)).text.includes('v0-1.0.m4s'))
  const cases: [path: string, status: number][] = [
    [`${folder}/v0.m3u8?_HLS_part=1`, 400],
    [`${folder}/v0.m3u8?_HLS_msn=1000`, 400],
    [`${folder}/v0.m3u8?_HLS_msn=x`, 400],
    [`${folder}/v7.m3u8`, 404],
    [`${folder}/v0-900.m4s`, 404],
    [`${folder}/v0-0.77.m4s`, 404],
    ['/nobody/index.m3u8', 404],
    ['/nobody', 404],
    // Three target durations of a second.
    [`${folder}/v0.m3u8?_HLS_msn=2`, 503],
  ]
  for (const [path, status] of cases) assert.equal((await ask(path)).status, status, path)
  // Of an encoder that is gone a reload is told at once: players would give up before its time is over.
  const gone = publish('/gone')
  gone.send(8)
  const goneFolder = await begun('gone')
  const reloads = [`${goneFolder}/v0.m3u8?_HLS_msn=2`, `${folder}/v0.m3u8?_HLS_msn=2`].map((path) =>
    ask(path),
  )
  gone.destroy()
  const first = await Promise.race(reloads)
  assert.deepEqual([first.status, first.text.includes('CAN-BLOCK-RELOAD')], [200, false])
  encoder.destroy()
  await portico.write(
    { hosts: { live: { live: { ...live, segment: '4s' }, stream: true, http: 'serve' } } },
    { workers: 2 },
  )
  assert.equal((await portico.command('reload')).code, 0)
})

test('who has no key, sends no stream, or comes second is refused', async () => {
  const { status } = publish('/two', {})
  assert.equal(await status, 401)
  const first = publish('/two')
  first.send(25)
  await begun('two')
  // One that is silent would be lost, and leave its place.
  const sending = setInterval(() => first.send(1), 200)
  const second = publish('/two')
  second.send(8)
  assert.equal(await second.status, 409)
  clearInterval(sending)
  const text = publish('/three', { ...BEARER, 'Content-Type': 'text/plain' })
  text.end()
  assert.equal(await text.status, 422)
  first.destroy()
})

test('an encoder that is killed and comes back goes on after a discontinuity; then the stream ends and stays', async () => {
  const first = publish('/four')
  first.send(25)
  const folder = await begun('four')
  await until(async () => (await ask(`${folder}/v0.m3u8`)).text.includes('v0-1.1.m4s'))
  first.destroy()
  await until(async () => !(await ask(`${folder}/v0.m3u8`)).text.includes('CAN-BLOCK-RELOAD'))
  const second = publish('/four')
  second.send(15)
  await until(async () => (await ask(`${folder}/v0.m3u8`)).text.includes('#EXT-X-DISCONTINUITY\n'))
  second.end()
  assert.equal(await second.status, 201)
  await until(async () => (await ask(`${folder}/v0.m3u8`)).text.endsWith('#EXT-X-ENDLIST\n'))
  const { text } = await ask(`${folder}/v0.m3u8`)
  readPlaylist(text)
  assert.match(text, /v0-init-1\.mp4"(?:\n.*)+#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="v0-init-2\.mp4"/)
  assert.equal((await ask(`${folder}/v0-init-2.mp4`)).status, 200)
})

test('the same segments are offered by DASH, and as one film when it is over', async () => {
  const encoder = publish('/dash')
  encoder.send(25)
  await begun('dash')
  const growing = readMpd((await ask('/dash/manifest.mpd')).text)
  assert.equal(growing.attributes.get('type'), 'dynamic')
  const [timing] = all(growing, 'UTCTiming')
  const { text: time } = await ask(new URL(timing!.attributes.get('value')!).pathname)
  assert.ok(Math.abs(Date.parse(time) - Date.now()) < 5000)
  assert.equal((await ask('/dash/film.mp4')).status, 404)
  encoder.end()
  assert.equal(await encoder.status, 201)
  await until(async () => (await ask('/dash/film.mp4')).status === 200)
  assert.equal(readMpd((await ask('/dash/manifest.mpd')).text).attributes.get('type'), 'static')
  const film = await ask('/dash/film.mp4')
  assert.equal((await ask('/dash/film.mp4', { Range: 'bytes=700-2000' })).text, film.text.slice(700, 2001))
  // What was live is a film for the packager, too.
  const packaged = await ask('/dash/film.mp4/index.m3u8')
  assert.equal(packaged.status, 200, packaged.text)
  assert.equal(readPlaylist(packaged.text).kind, 'multivariant')
})

test('status counts who watches, and explain says what is on air', async () => {
  const encoder = publish('/told')
  encoder.send(30)
  const sending = setInterval(() => encoder.send(1), 200)
  const folder = await begun('told')
  for (const program of ['one', 'two', 'two']) await ask(`${folder}/v0.m3u8`, { 'User-Agent': program })
  const { stdout } = await portico.command('status', '--json')
  const { live } = JSON.parse(stdout) as { live: { streams: { stream: string; viewers: number }[] } }
  // This test itself is the third: it says no name of a program.
  assert.equal(live.streams.find(({ stream }) => stream === 'told')?.viewers, 3)
  const url = `http://live.example.com:${portico.ports.http}`
  const told = await portico.command('explain', `${url}/told`)
  assert.match(told.stdout, /"told" is live: \S+, for \S+, its first encoder, last part/)
  const refused = await portico.command('explain', `${url}${folder}/v0.m3u8?_HLS_msn=1000`)
  assert.match(refused.stdout, /400: segment 1000 lies too far ahead/)
  clearInterval(sending)
  encoder.destroy()
})

test('a segment that grows is sent as it grows', async () => {
  const encoder = publish('/five')
  encoder.send(25)
  const folder = await begun('five')
  const growing = ask(`${folder}/v0-1.m4s`)
  encoder.send(14)
  encoder.end()
  const { text, fields } = await growing
  assert.equal(fields['content-length'], undefined)
  await encoder.status
  assert.equal(text, (await ask(`${folder}/v0-1.m4s`)).text)
  assert.equal((await ask(`${folder}/v0-1.m4s`, { Range: 'bytes=4-7' })).text, 'moof')
})

test('what has left the window is not in the playlist, and viewers can begin at its edge', async () => {
  const encoder = publish('/six')
  encoder.send(120)
  const folder = await begun('six')
  await until(async () => /#EXT-X-MEDIA-SEQUENCE:[3-9]/.test((await ask(`${folder}/v0.m3u8`)).text))
  const { text } = await ask(`${folder}/v0.m3u8`)
  const edge = /^v0-\d+\.m4s$/m.exec(text)![0]
  assert.equal((await ask(`${folder}/${edge}`)).status, 200)
  encoder.destroy()
})

test('what a stream holds on disk stays below "space"', async () => {
  const small = { ...live, segment: '1s', window: '1h', space: '1MB' }
  await portico.write({ hosts: { live: { live: small, http: 'serve' } } }, { workers: 2 })
  assert.equal((await portico.command('reload')).code, 0)
  const encoder = publish('/full')
  const folder = await begun('full', () => encoder.send(10))
  const held = async (): Promise<number> => {
    const names = await readdir(join(portico.folder, 'live', folder))
    const sizes = names.map((name) => stat(join(portico.folder, 'live', folder, name)).catch(() => null))
    return (await Promise.all(sizes)).reduce((sum, stats) => sum + (stats?.size ?? 0), 0)
  }
  let most = 0
  await until(async () => {
    encoder.send(100)
    most = Math.max(most, await held())
    return /#EXT-X-MEDIA-SEQUENCE:[1-9]\d\d/.test((await ask(`${folder}/v0.m3u8`)).text)
  })
  // The segment that grows, the journal, and what the next look at it would delete.
  assert.ok(most < 1.5e6, `${most} octets`)
  encoder.destroy()
  await portico.write(
    { hosts: { live: { live: { ...live, segment: '4s' }, stream: true, http: 'serve' } } },
    { workers: 2 },
  )
  assert.equal((await portico.command('reload')).code, 0)
})

test('after kill -9 what was in the window is served, and the encoder goes on', async () => {
  const encoder = publish('/seven')
  encoder.send(30)
  const folder = await begun('seven')
  await until(async () => (await ask(`${folder}/v0.m3u8`)).text.includes('v0-1.3.m4s'))
  const before = (await ask(`${folder}/v0-0.m4s`)).text
  portico.child.kill('SIGKILL')
  await encoder.status
  // As a crash leaves it: half a line.
  const journal = join(portico.folder, 'live', folder, 'journal.jsonl')
  await writeFile(journal, `${await readFile(journal, 'utf8')}{"kind":"par`)
  await portico.restart()
  const again = publish('/seven')
  again.send(15)
  await until(async () => (await ask(`${folder}/v0.m3u8`)).text.includes('#EXT-X-DISCONTINUITY\n'))
  const { text } = await ask(`${folder}/v0.m3u8`)
  assert.match(text, /\nv0-0\.m4s\n(?:.*\n)*v0-1\.m4s\n(?:.*\n)*#EXT-X-DISCONTINUITY\n/)
  assert.equal((await ask(`${folder}/v0-0.m4s`)).text, before)
  again.destroy()
})
