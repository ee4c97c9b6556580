import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { readPlaylist } from '../test/media/playlists.ts'
import { peer } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { type Running, startRunning, until } from '../test/running.ts'

const ffmpeg = peer('ffmpeg')
const ffprobe = peer('ffprobe')
const curl = peer('curl')
const skip = (ffmpeg === undefined || ffprobe === undefined) && 'needs ffmpeg'
const run = promisify(execFile)

let portico: Running
/** Name, where Portico listens, and what the encoder writes to. */
const sources: [stream: string, url: string, output: string][] = []
before(async () => {
  if (skip !== false) return
  const [rtmp, srt] = [await freePort(), await freePort()]
  sources.push(
    ['rtmp', `rtmp://127.0.0.1:${rtmp}/live/key`, `-f flv rtmp://127.0.0.1:${rtmp}/live/key`],
    [
      'srt',
      `srt://127.0.0.1:${srt}?mode=listener&passphrase=${PHRASE}`,
      `-f mpegts srt://127.0.0.1:${srt}?mode=caller&passphrase=${PHRASE}`,
    ],
  )
  const urls = { rtmp: `${sources[0]![1]}?listen`, srt: sources[1]![1] }
  const live = { root: './live', segment: '2s', sources: urls }
  // A name that ffmpeg finds: not all of its formats send a Host that is given to them.
  const domains = { localhost: { hosts: { '@': { live, http: 'serve' } } } }
  portico = await startRunning({}, { workers: 2, domains })
})
after(() => portico?.stop())

/** Of SRT: 10 to 79 characters. */
const PHRASE = 'a-phrase-of-its-own'
const FRAMES = 100

/** ffmpeg's arguments after those of its input; `URL` stands for where streams go. */
const encoders: [name: string, output: string][] = [
  [
    'fragmented MP4 in one request',
    '-f mp4 -movflags empty_moov+default_base_moof+frag_keyframe -method PUT URL/mp4',
  ],
  [
    'fragments of one frame',
    '-f mp4 -movflags empty_moov+default_base_moof+frag_every_frame -method PUT URL/frames',
  ],
  ['MPEG-TS in one request', '-f mpegts -method PUT URL/ts'],
  [
    'HEVC and AC-3 in MPEG-TS',
    '-c:v libx265 -x265-params log-level=error:keyint=50:min-keyint=50 -c:a ac3 -f mpegts -method PUT URL/hevc',
  ],
  ['H.264 and E-AC-3 in MPEG-TS', '-c:a eac3 -f mpegts -method PUT URL/eac3'],
  ['segments of DASH', '-f dash -seg_duration 2 -method PUT -http_persistent 0 URL/dash/manifest.mpd'],
  [
    'chunks of DASH',
    '-f dash -seg_duration 2 -streaming 1 -ldash 1 -frag_type duration -frag_duration 0.2 -method PUT URL/chunks/live.mpd',
  ],
  [
    'segments of HLS in CMAF',
    '-f hls -hls_time 2 -hls_segment_type fmp4 -hls_flags delete_segments -method PUT URL/hls/index.m3u8',
  ],
  ['segments of HLS in MPEG-TS', '-f hls -hls_time 2 -method PUT URL/hlsts/index.m3u8'],
]

test('all frames of an encoder reach the viewer, whichever way it sends', {
  skip,
  concurrency: 3,
}, async (t) => {
  await Promise.all(encoders.map(([name, output]) => t.test(name, () => follow(output))))
})

test('an encoder that is started again counts its segments from the first, and nothing of them is lost', {
  skip,
}, async () => {
  const url = `http://localhost:${portico.ports.http}`
  for (let i = 0; i < 2; i++) await encode(`-f hls -hls_time 2 -method PUT ${url}/again/index.m3u8`)
  await fetch(`${url}/again`, { method: 'DELETE' })
  const text = await playlistOf(`${url}/again`)
  const seconds = readPlaylist(text).segments.reduce((sum, segment) => sum + segment.seconds, 0)
  assert.ok(Math.abs(seconds - (2 * FRAMES) / 25) < 0.2, text)
  assert.equal(text.match(/#EXT-X-DISCONTINUITY\n/g)?.length, 1)
})

test('several renditions in one stream are variants of it, and sound alone is a stream', {
  skip,
  concurrency: 2,
}, async (t) => {
  const twice = '-map 0:v -map 0:v -map 1:a -s:v:1 160x90'
  const cases: [output: string, tracks: string][] = [
    [`${twice} -f mp4 -movflags empty_moov+default_base_moof+frag_every_frame URL/two`, 'a0 v0 v1'],
    [`${twice} -f dash -seg_duration 2 -streaming 1 -ldash 1 URL/twodash/live.mpd`, 'a0 v0 v1'],
    [
      `-map 0:v -map 1:a -map 0:v -map 1:a -s:v:1 160x90 -f hls -hls_time 2 -hls_segment_type fmp4 -var_stream_map v:0,a:0+v:1,a:1 -hls_segment_filename URL/twohls/seg_%v_%03d.m4s URL/twohls/out_%v.m3u8`,
      'a0 a1 v0 v1',
    ],
    [
      `-map 0:v -map 1:a -map 0:v -map 1:a -s:v:1 160x90 -f hls -hls_time 1 -hls_segment_type fmp4 -var_stream_map v:0,a:0+v:1,a:1 URL/twonames/out_%v.m3u8`,
      'a0 a1 v0 v1',
    ],
    ['-map 1:a -f mpegts URL/sound', 'a0'],
  ]
  const send = async (output: string, tracks: string): Promise<void> => {
    const url = `http://localhost:${portico.ports.http}`
    const stream = /URL\/(\w+)/.exec(output)![1]!
    await encode(`-method PUT ${output.replaceAll('URL', url)}`)
    await fetch(`${url}/${stream}`, { method: 'DELETE' })
    const multivariant = await ask(`${url}/${stream}/index.m3u8`)
    readPlaylist(multivariant)
    const paths = [...new Set(multivariant.match(/_\w+\/[av]\d\.m3u8/g))]
    assert.equal(
      paths
        .map((path) => path.slice(-7, -5))
        .sort()
        .join(' '),
      tracks,
      multivariant,
    )
    for (const path of paths) {
      const { segments } = readPlaylist(await ask(`${url}/${stream}/${path}`))
      const seconds = segments.reduce((sum, segment) => sum + segment.seconds, 0)
      assert.ok(Math.abs(seconds - FRAMES / 25) < 0.1, `${path} ${seconds} s`)
    }
  }
  await Promise.all(cases.map(([output, tracks]) => t.test(tracks, () => send(output, tracks))))
})

test('an encoder that is joined long before its next key frame brings pictures, too', { skip }, async () => {
  const input = '-v error -f lavfi -i testsrc=size=320x180:rate=25 -f lavfi -i sine=sample_rate=48000 -t 8'
  const output = '-c:v libx264 -preset ultrafast -g 150 -sc_threshold 0 -c:a aac -f mpegts pipe:1'
  const words = `${input} ${output}`.split(' ')
  const { stdout } = await run(ffmpeg!, words, { encoding: 'buffer', maxBuffer: 1e8 })
  const url = `http://localhost:${portico.ports.http}/joined`
  const body = new Uint8Array(stdout.subarray(188 * Math.floor(stdout.length / 188 / 4)))
  assert.equal((await fetch(url, { method: 'PUT', body })).status, 201)
  await fetch(url, { method: 'DELETE' })
  // From the key frame at six seconds on.
  assert.equal(await countPackets(`${url}/film.mp4`), 50)
})

test('RTMP and SRT come by ffmpeg, which is started again for the next encoder', {
  skip,
  concurrency: 2,
}, async (t) => {
  const url = `http://localhost:${portico.ports.http}`
  const send =
    ([stream, , output]: (typeof sources)[number]) =>
    async (): Promise<void> => {
      if (stream === 'rtmp') {
        // The path is the key: who does not know it is sent away, and ffmpeg waits for the next.
        await until(async () => {
          await encode(output.replace('/live/key', '/live/guess')).catch(() => {})
          return (await portico.command('status', '--json')).stdout.includes('another path')
        }, 60_000)
        assert.equal((await fetch(`${url}/${stream}/index.m3u8`)).status, 404)
      }
      if (stream === 'srt') {
        await assert.rejects(encode(output.replace(PHRASE, 'another-phrase')))
        assert.equal((await fetch(`${url}/${stream}/index.m3u8`)).status, 404)
      }
      for (let i = 0; i < 2; i++) {
        // Nobody can tell when it listens.
        await until(
          () =>
            encode(output).then(
              () => true,
              () => false,
            ),
          60_000,
        )
        const wanted = i === 0 ? 'v0-1.m4s' : '#EXT-X-DISCONTINUITY'
        await until(async () => (await playlistOf(`${url}/${stream}`)).includes(wanted), 60_000)
      }
      await fetch(`${url}/${stream}`, { method: 'DELETE' })
      await run(ffmpeg!, ['-v', 'error', '-xerror', '-i', `${url}/${stream}/film.mp4`, '-f', 'null', '-'])
    }
  await Promise.all(sources.map((source) => t.test(source[0], send(source))))
  const { stdout } = await portico.command('status')
  assert.match(stdout, /^LIVE +STATE/m)
  assert.match(stdout, /^srt +ended/m)
})

test('an encoder over HTTP/2 is followed, and one that curl sends in chunks', {
  skip: skip || (curl === undefined && 'needs curl'),
  concurrency: 2,
}, async (t) => {
  const url = `https://localhost:${portico.ports.https}`
  const send =
    (...words: string[]) =>
    async ({ name }: { readonly name: string }): Promise<void> => {
      const output = '-f mpegts -muxdelay 0 pipe:1'
      const encoder = spawn(ffmpeg!, encoderWords(output), { stdio: ['ignore', 'pipe', 'inherit'] })
      const sender = spawn(curl!, ['-sSk', ...words, '-T', '-', `${url}/${name}`, '-w', '%{http_version}'], {
        stdio: [encoder.stdout, 'pipe', 'inherit'],
      })
      let said = ''
      sender.stdout!.on('data', (octets) => (said += octets))
      await once(sender, 'close')
      assert.equal(said, words[0] === '--http2' ? '2' : '1.1')
      const plain = `http://localhost:${portico.ports.http}/${name}`
      await fetch(plain, { method: 'DELETE' })
      assert.equal(await countPackets(`${plain}/index.m3u8`), FRAMES)
    }
  await Promise.all([t.test('h2', send('--http2')), t.test('h1', send('--http1.1'))])
})

test('what receives streams ends with Portico, however it ends', {
  skip: skip || (peer('setpriv') === undefined && 'needs setpriv'),
}, async () => {
  const port = await freePort()
  const sources = { rtmp: `rtmp://127.0.0.1:${port}/live/key?listen` }
  const dying = await startRunning({ hosts: { live: { live: { root: './live', sources } } } })
  const isTaken = async (): Promise<boolean> => {
    const server = createServer().listen(port, '127.0.0.1')
    const isFree = once(server, 'listening').then(
      () => true,
      () => false,
    )
    return isFree.then((free) => {
      server.close()
      return !free
    })
  }
  await until(isTaken, 60_000)
  dying.child.kill('SIGKILL')
  await until(async () => !(await isTaken()), 60_000)
  await dying.stop()
})

async function playlistOf(stream: string): Promise<string> {
  const multivariant = await ask(`${stream}/index.m3u8`)
  return ask(`${stream}/${/\n(_\w+\/v0\.m3u8)\n/.exec(multivariant)?.[1]}`)
}

async function follow(output: string): Promise<void> {
  const url = `http://localhost:${portico.ports.http}`
  const stream = /URL\/(\w+)/.exec(output)![1]!
  await encode(output.replace('URL', url))
  const multivariant = await ask(`${url}/${stream}/index.m3u8`)
  readPlaylist(multivariant)
  const playlist = `${url}/${stream}/${/\n(_\w+\/v0\.m3u8)\n/.exec(multivariant)?.[1]}`
  // Some encoders do not wait for the answer to their last file; its last part comes with the end.
  await until(async () => /v0-1\.(?:3\.)?m4s/.test(await ask(playlist)), 60_000)
  await fetch(`${url}/${stream}`, { method: 'DELETE' })
  const text = await ask(playlist)
  const { segments, hasEnded } = readPlaylist(text)
  assert.ok(hasEnded, text)
  const seconds = segments.reduce((sum, segment) => sum + segment.seconds, 0)
  assert.ok(Math.abs(seconds - FRAMES / 25) < 0.1, `${seconds} s`)
  assert.doesNotMatch(text, /DISCONTINUITY|GAP/)
  await run(ffmpeg!, ['-v', 'error', '-xerror', '-i', `${url}/${stream}/index.m3u8`, '-f', 'null', '-'])
  for (const file of ['index.m3u8', 'film.mp4']) {
    assert.equal(await countPackets(`${url}/${stream}/${file}`), FRAMES, file)
  }
}

async function ask(url: string): Promise<string> {
  return (await fetch(url)).text()
}

/** Four seconds of pictures with B-frames, and of sound, as fast as they would be taken. */
async function encode(output: string): Promise<void> {
  const child = spawn(ffmpeg!, encoderWords(output), { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (octets) => (said += octets))
  const code = await new Promise((resolve) => child.once('exit', resolve))
  assert.equal(code, 0, said)
}

function encoderWords(output: string): string[] {
  const input =
    '-v error -re -f lavfi -i testsrc=size=320x180:rate=25 -re -f lavfi -i sine=sample_rate=48000 -t 4'.split(
      ' ',
    )
  const codecs = '-c:v libx264 -preset ultrafast -bf 2 -g 50 -keyint_min 50 -sc_threshold 0 -c:a aac'.split(
    ' ',
  )
  return [...input, ...codecs, ...output.split(' ').map((word) => word.replace('+v:', ' v:'))]
}

async function countPackets(url: string): Promise<number> {
  const { stdout } = await run(ffprobe!, [
    ...['-v', 'error', '-select_streams', 'v:0', '-count_packets'],
    ...['-show_entries', 'stream=nb_read_packets', '-of', 'csv=p=0', url],
  ])
  return Number.parseInt(stdout, 10)
}
