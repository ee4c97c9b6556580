import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { all, readMpd } from '../test/mpds.ts'
import { peer, run } from '../test/peers.ts'
import { readPlaylist } from '../test/playlists.ts'
import { type Running, startRunning } from '../test/running.ts'

const ffmpeg = peer('ffmpeg')
const skip = ffmpeg === undefined && 'needs ffmpeg'
let running: Running

before(async () => {
  if (ffmpeg === undefined) return
  running = await startRunning({
    hosts: {
      film: { files: './films', stream: { ts: true, segment: '2s' }, http: 'serve' },
      alone: { files: './films', stream: { group: 'none', segment: '2s' }, http: 'serve' },
      bucket: { bucket: './bucket', stream: true, http: 'serve' },
    },
  })
  await mkdir(join(running.folder, 'films'))
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=9']
  const sound = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=9']
  const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-x264-params', 'keyint=25:scenecut=0']
  await make([...picture, ...sound, ...h264, '-c:a', 'aac', '-b:v', '600k', 'film.mp4'])
  await make([...picture, ...h264, '-vf', 'scale=256:144', '-b:v', '100k', 'film.144.mp4'])
  await make([...sound, '-c:a', 'aac', '-metadata:s:a:0', 'language=ger', 'film.de.m4a'])
})

after(async () => {
  if (ffmpeg !== undefined) assert.equal(await running.stop(), 0)
})

async function make(words: string[]): Promise<void> {
  const cwd = join(running.folder, 'films')
  const { code, stderr } = await run(ffmpeg!, ['-v', 'error', ...words], { cwd, timeoutMs: 60_000 })
  assert.equal(code, 0, stderr)
}

const url = (path: string): string => `http://127.0.0.1:${running.ports.http}${path}`

async function get(host: string, path: string, headers: Record<string, string> = {}) {
  const answer = await run('curl', [
    ...['-s', '-i', '-H', `Host: ${host}.example.com`],
    ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
    url(path),
  ])
  const [head = '', body = ''] = answer.stdout.split(/\r\n\r\n(.*)/s, 2)
  const fields = new Map(
    head.split('\r\n').map((line) => [line.split(':')[0]!.toLowerCase(), line.replace(/^[^:]*: ?/, '')]),
  )
  return { status: Number(head.split(' ')[1]), fields, body }
}

/** Hashes of all packets of a kind: what ffmpeg reads, in order. */
async function hashes(host: string | null, from: string, stream: string): Promise<string> {
  const header = host === null ? [] : ['-headers', `Host: ${host}.example.com\r\n`]
  const words = [
    '-v',
    'error',
    '-xerror',
    ...header,
    '-i',
    from,
    '-map',
    stream,
    '-c',
    'copy',
    '-f',
    'streamhash',
    '-',
  ]
  const { code, stdout, stderr } = await run(ffmpeg!, words, { timeoutMs: 60_000 })
  assert.equal(code, 0, stderr)
  assert.equal(stderr, '')
  return stdout
}

for (const name of ['index.m3u8', 'manifest.mpd']) {
  for (const stream of ['0:v:0', '0:a:0']) {
    test(`ffmpeg reads ${name}, and its packets of ${stream} are those of the file`, { skip }, async () => {
      const source = await hashes(null, join(running.folder, 'films', 'film.mp4'), stream)
      assert.equal(await hashes('alone', url(`/film.mp4/${name}`), stream), source)
    })
  }
}

test('ffmpeg reads MPEG-TS with as many pictures as the file has', { skip }, async () => {
  const count = async (host: string | null, from: string): Promise<number> => {
    const header = host === null ? [] : ['-headers', `Host: ${host}.example.com\r\n`]
    const words = ['-v', 'error', '-xerror', ...header, '-i', from, '-map', '0:v:0', '-f', 'framemd5', '-']
    const { code, stdout, stderr } = await run(ffmpeg!, words, { timeoutMs: 60_000 })
    assert.equal(code, 0, stderr)
    return stdout.split('\n').filter((line) => /^0,/.test(line)).length
  }
  const wanted = await count(null, join(running.folder, 'films', 'film.mp4'))
  assert.equal(await count('film', url('/film.mp4/ts.m3u8')), wanted)
})

/** Read a playlist and all that it leads to; each must be right. */
async function walk(host: string, path: string): Promise<string[]> {
  const { status, fields, body } = await get(host, path)
  assert.equal(status, 200, path)
  assert.equal(fields.get('content-type'), 'application/vnd.apple.mpegurl')
  const { uris } = readPlaylist(body)
  const inner = await Promise.all(
    uris.map(async (uri) => {
      const { pathname, search } = new URL(uri, url(path))
      return /\.m3u8$/.test(pathname) ? walk(host, pathname + search) : [pathname + search]
    }),
  )
  return inner.flat()
}

test('every playlist is one of RFC 8216bis, and every segment is there', { skip }, async () => {
  const segments = [
    ...(await walk('film', '/film.mp4/index.m3u8')),
    ...(await walk('film', '/film.mp4/ts.m3u8')),
  ]
  assert.ok(segments.length > 40, `${segments.length} segments`)
  for (const path of new Set(segments)) {
    const { stdout } = await run('curl', [
      '-s',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code} %{size_download} %header{content-length}',
      '-H',
      'Host: film.example.com',
      url(path),
    ])
    const [status, size, length] = stdout.split(' ')
    assert.equal(status, '200', path)
    assert.equal(size, length, path)
  }
})

test('a title has its renditions, and sound of two languages (RFC 8216bis §4.4.6)', { skip }, async () => {
  const { body } = await get('film', '/film.mp4/index.m3u8')
  const { tags } = readPlaylist(body)
  const sizes = tags.get('EXT-X-STREAM-INF')!.map((variant) => variant.get('RESOLUTION'))
  assert.deepEqual(sizes, ['320x180', '256x144'])
  assert.deepEqual(
    tags.get('EXT-X-MEDIA')!.map((rendition) => rendition.get('LANGUAGE')),
    [undefined, '"de"'],
  )
  assert.equal(tags.get('EXT-X-I-FRAME-STREAM-INF')?.length, 2)
})

test('the MPD has the same, and its timelines add up (ISO 23009-1)', { skip }, async () => {
  const { fields, body } = await get('film', '/film.mp4/manifest.mpd')
  assert.equal(fields.get('content-type'), 'application/dash+xml')
  const mpd = readMpd(body)
  assert.deepEqual(
    all(mpd, 'AdaptationSet').map((set) => [
      set.attributes.get('contentType'),
      all(set, 'Representation').length,
    ]),
    [
      ['video', 2],
      ['audio', 1],
      ['audio', 1],
    ],
  )
})

test('a segment is kept, has its length and a strong tag, and never changes (RFC 9110 §8.8.3, RFC 8246 §2)', {
  skip,
}, async () => {
  const [path] = (await walk('film', '/film.mp4/index.m3u8')).filter((uri) => /seg-/.test(uri))
  const first = await get('film', path!)
  assert.equal(first.fields.get('cache-control'), 'public, max-age=31536000, immutable')
  assert.equal(first.fields.get('access-control-allow-origin'), '*')
  assert.match(first.fields.get('etag')!, /^"[^"]+"$/)
  const again = await get('film', path!, { 'If-None-Match': first.fields.get('etag')! })
  assert.equal(again.status, 304)
  assert.match(again.fields.get('cache-status')!, /^portico; hit/)
  const part = await get('film', path!, { Range: 'bytes=0-99' })
  assert.equal(part.status, 206)
  assert.match(part.fields.get('content-range')!, /^bytes 0-99\/\d+$/)
})

test('key frames have a playlist of their own (RFC 8216 §4.3.3.6)', { skip }, async () => {
  const { tags } = readPlaylist((await get('alone', '/film.mp4/index.m3u8')).body)
  const [iFrames] = tags.get('EXT-X-I-FRAME-STREAM-INF')!
  const playlist = readPlaylist((await get('alone', `/film.mp4/${iFrames!.get('URI')!.slice(1, -1)}`)).body)
  assert.ok(playlist.tags.has('EXT-X-I-FRAMES-ONLY'))
  assert.equal(playlist.segments.length, 9)
  const total = playlist.segments.reduce((sum, { seconds }) => sum + seconds, 0)
  assert.ok(Math.abs(total - 9) < 0.1, `${total} s`)
})

test('codecs are said as players know them (RFC 6381 §3.3), sound without loss too (RFC 9639 §8.2)', {
  skip,
}, async () => {
  const tones = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=3']
  await make([...tones, '-c:a', 'flac', '-strict', '-2', 'tone.mp4'])
  const codecsOf = async (path: string): Promise<string | undefined> =>
    readPlaylist((await get('alone', path)).body)
      .tags.get('EXT-X-STREAM-INF')?.[0]
      ?.get('CODECS')
  assert.match((await codecsOf('/film.mp4/index.m3u8'))!, /^"avc1\.[0-9a-f]{6},mp4a\.40\.2"$/)
  assert.match((await codecsOf('/tone.mp4/index.m3u8'))!, /^"fLaC|flac"$/)
  const source = await hashes(null, join(running.folder, 'films', 'tone.mp4'), '0:a:0')
  assert.equal(await hashes('alone', url('/tone.mp4/index.m3u8'), '0:a:0'), source)
})

const missing: [path: string, says: RegExp][] = [
  ['/other.mp4/index.m3u8', /no such film/],
  ['/film.mp4/seg-1-0-000000000000.m4s', /ask for its playlist again/],
  ['/film.mp4/list-1-000000000000.m3u8', /ask for its playlist again/],
  ['/none/index.m3u8', /404/],
  ['/film.mp4/.movie-000000000000', /404/],
]
for (const [path, says] of missing) {
  test(`${path} is 404, and says why`, { skip }, async () => {
    const { status, body } = await get('film', path)
    assert.equal(status, 404)
    assert.match(body, says)
  })
}

test('a file that is no film is 422', { skip }, async () => {
  await writeFile(join(running.folder, 'films', 'broken.mp4'), 'this is no film at all')
  const { status, fields } = await get('film', '/broken.mp4/index.m3u8')
  assert.equal(status, 422)
  assert.equal(fields.get('cache-control'), 'no-store')
})

test('the film itself stays as it is, also with streaming before it', { skip }, async () => {
  const { stdout } = await run('curl', ['-s', '-I', '-H', 'Host: film.example.com', url('/film.mp4')])
  assert.match(stdout, /^content-type: video\/mp4/im)
  assert.doesNotMatch(stdout, /access-control/i)
})

test('browsers may ask before they ask (Fetch, CORS-preflight)', { skip }, async () => {
  const { stdout } = await run('curl', [
    '-s',
    '-i',
    '-X',
    'OPTIONS',
    '-H',
    'Host: film.example.com',
    url('/film.mp4/index.m3u8'),
  ])
  assert.match(stdout, /^HTTP\/1.1 204/)
  assert.match(stdout, /^access-control-allow-headers: range,/im)
})
