import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openMovie } from '#media/movie/open.ts'
import { diskFile } from '../test/media/media-files.ts'
import { all, readMpd } from '../test/media/mpds.ts'
import { readPlaylist } from '../test/media/playlists.ts'
import { peer, run } from '../test/peers.ts'
import { type Running, startRunning, until } from '../test/running.ts'

const ffmpeg = peer('ffmpeg')
const skip = ffmpeg === undefined && 'needs ffmpeg'
let running: Running

/** ranges of films that the origin was asked for */
const asked: string[] = []
const origin = http.createServer(async (request, response) => {
  const content = await readFile(join(running.folder, 'films', request.url!)).catch(() => null)
  if (content === null) return void response.writeHead(404).end()
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
  asked.push(`${request.url} ${request.headers.range}`)
  const part = content.subarray(Number(first), Math.min(Number(last), content.length - 1) + 1)
  const place = `bytes ${first}-${Number(first) + part.length - 1}/${content.length}`
  response
    .writeHead(206, {
      'Content-Type': 'video/mp4',
      ETag: '"1"',
      'Content-Range': place,
      'Cache-Control': 'max-age=600',
    })
    .end(part)
})

/** A server of keys that somebody else runs: it knows the secret, and how keys follow from it. */
const keyServer = http.createServer((request, response) => {
  const { searchParams } = new URL(request.url!, 'http://keys')
  const words = ['portico-film', 'key', searchParams.get('film'), searchParams.get('version')]
  const key = createHmac('sha256', SECRET).update(words.join('\n')).digest().subarray(0, 16)
  response.end(key)
})
const SECRET = 'a secret of sixteen letters'

before(async () => {
  if (ffmpeg === undefined) return
  await once(keyServer.listen(0, '127.0.0.1'), 'listening')
  const keys = `http://127.0.0.1:${(keyServer.address() as AddressInfo).port}`
  const hosts = {
    film: { files: './films', stream: { ts: true, segment: '2s' }, http: 'serve' },
    alone: { files: './films', stream: { group: 'none', segment: '2s' }, http: 'serve' },
    bucket: {
      bucket: { root: './bucket', read: 'keys', keys: { site: { secret: './site.secret' } } },
      stream: true,
      http: 'serve',
    },
    signed: { files: './films', stream: { sign: { site: './site.secret' } }, http: 'serve' },
    closed: { files: './films', stream: { encrypt: './site.secret' }, http: 'serve' },
    keyed: {
      files: './films',
      stream: { encrypt: { secret: './site.secret', url: `${keys}/?film={film}&version={version}` } },
      http: 'serve',
    },
    plain: { files: './films', http: 'serve' },
    folder: { files: './films', stream: { group: 'folder', segment: '2s' }, http: 'serve' },
  }
  // Secrets are read when a route is made.
  running = await startRunning({ hosts: { plain: hosts.plain } })
  await writeFile(join(running.folder, 'site.secret'), SECRET)
  await once(origin.listen(0, '127.0.0.1'), 'listening')
  const service = (origin.address() as AddressInfo).port
  const behind = {
    service,
    stream: { names: ['144.mp4', 'de.m4a'] },
    cache: { slice: '64KiB' },
    http: 'serve',
  }
  await running.write({ hosts: { ...hosts, behind } })
  const { code, stdout, stderr } = await running.command('reload')
  assert.equal(code, 0, stdout + stderr)
  await mkdir(join(running.folder, 'films'))
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=9']
  const sound = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=9']
  const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-x264-params', 'keyint=25:scenecut=0']
  await make([...picture, ...sound, ...h264, '-c:a', 'aac', '-b:v', '600k', 'film.mp4'])
  await make([...picture, ...h264, '-vf', 'scale=256:144', '-b:v', '100k', 'film.144.mp4'])
  await make([...sound, '-c:a', 'aac', '-metadata:s:a:0', 'language=ger', 'film.de.m4a'])
})

after(async () => {
  if (ffmpeg === undefined) return
  for (const server of [origin, keyServer]) {
    server.closeAllConnections()
    server.close()
  }
  assert.equal(await running.stop(), 0)
})

async function make(words: string[]): Promise<void> {
  const cwd = join(running.folder, 'films')
  const { code, stderr } = await run(ffmpeg!, ['-v', 'error', ...words], { cwd, timeoutMs: 60_000 })
  assert.equal(code, 0, stderr)
}

const url = (path: string): string => `http://127.0.0.1:${running.ports.http}${path}`

type Answer = { status: number; fields: http.IncomingHttpHeaders; octets: Buffer; body: string }

function get(
  host: string,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const all = { Host: `${host}.example.com`, ...headers }
    const request = http.request(
      { host: '127.0.0.1', port: running.ports.http, path, method, headers: all },
      (incoming) => {
        const pieces: Buffer[] = []
        incoming.on('data', (piece: Buffer) => pieces.push(piece))
        incoming.on('error', reject)
        incoming.on('end', () => {
          const octets = Buffer.concat(pieces)
          resolve({ status: incoming.statusCode!, fields: incoming.headers, octets, body: octets.toString() })
        })
      },
    )
    request.on('error', reject).end()
  })
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

test('Matroska is played as MP4 is, with the packets of the file', { skip }, async () => {
  await make(['-i', 'film.mp4', '-c', 'copy', 'packed.mkv'])
  const source = join(running.folder, 'films', 'packed.mkv')
  for (const stream of ['0:v:0', '0:a:0']) {
    const wanted = await hashes(null, source, stream)
    for (const name of ['index.m3u8', 'manifest.mpd']) {
      assert.equal(await hashes('alone', url(`/packed.mkv/${name}`), stream), wanted)
    }
  }
})

/** The fullest stretch between half and one and a half of the target duration (RFC 8216bis §4.1). */
async function peakOf(path: string): Promise<number> {
  const { segments, targetSeconds } = readPlaylist((await get('alone', path)).body)
  const sizes = await Promise.all(
    segments.map(async ({ uri }) => (await get('alone', new URL(uri, url(path)).pathname)).octets.length),
  )
  let peak = 0
  for (let from = 0; from < sizes.length; from++) {
    let [octets, seconds] = [0, 0]
    for (let i = from; i < sizes.length && seconds + segments[i]!.seconds <= 1.5 * targetSeconds; i++) {
      octets += sizes[i]!
      seconds += segments[i]!.seconds
      if (seconds >= 0.5 * targetSeconds) peak = Math.max(peak, (8 * octets) / seconds)
    }
  }
  return peak
}

test('BANDWIDTH is no less than what the fullest stretch of all that is played takes, and hardly more (RFC 8216bis §4.4.6.2)', {
  skip,
}, async () => {
  // Quiet at first: what a film begins with says little of the rest.
  const noise = ['-f', 'lavfi', '-i', "testsrc2=s=192x108:r=25:d=24,noise=alls=20:allf=t:enable='gt(t,12)'"]
  const sound = ['-f', 'lavfi', '-i', "anoisesrc=d=24:a='0.5',volume='gt(t,12)':eval=frame"]
  const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50']
  await make([...noise, ...sound, ...x264, '-c:a', 'libopus', 'loud.mp4'])
  await make(['-i', 'loud.mp4', '-c', 'copy', 'loud.mkv'])
  // A recording has no cues.
  await make(['-i', 'loud.mp4', '-c', 'copy', '-live', '1', 'recorded.mkv'])
  await make(['-i', 'loud.mp4', '-vn', '-c', 'copy', 'heard.mkv'])
  for (const name of ['loud.mp4', 'loud.mkv', 'recorded.mkv', 'heard.mkv']) {
    const { uris, tags } = readPlaylist((await get('alone', `/${name}/index.m3u8`)).body)
    const [variant] = tags.get('EXT-X-STREAM-INF')!
    const said = Number(variant!.get('BANDWIDTH'))
    const lists = [...new Set(uris)].filter((uri) => uri.startsWith('list-'))
    const peaks = await Promise.all(lists.map((uri) => peakOf(`/${name}/${uri}`)))
    const is = peaks.reduce((sum, peak) => sum + peak, 0)
    assert.ok(is <= said && said < 1.25 * is, `${name} says ${said}, and its fullest stretches take ${is}`)
  }
})

test('pictures that are brighter than usual say so (RFC 8216bis §4.4.6.2)', { skip }, async () => {
  for (const [range, transfer] of [
    ['PQ', 'smpte2084'],
    ['HLG', 'arib-std-b67'],
  ] as const) {
    const name = `bright-${range}.mp4`
    const x265 = [
      '-c:v',
      'libx265',
      '-preset',
      'ultrafast',
      '-x265-params',
      'log-level=none',
      '-tag:v',
      'hvc1',
    ]
    const colours = ['-color_primaries', 'bt2020', '-color_trc', transfer, '-colorspace', 'bt2020nc']
    const picture = [
      '-f',
      'lavfi',
      '-i',
      'testsrc2=size=192x108:rate=25:duration=2',
      '-pix_fmt',
      'yuv420p10le',
    ]
    await make([...picture, ...x265, ...colours, name])
    const { tags } = readPlaylist((await get('alone', `/${name}/index.m3u8`)).body)
    for (const tag of ['EXT-X-STREAM-INF', 'EXT-X-I-FRAME-STREAM-INF'])
      assert.equal(tags.get(tag)![0]!.get('VIDEO-RANGE'), range)
    const mpd = readMpd((await get('alone', `/${name}/manifest.mpd`)).body)
    const [said] = all(mpd, 'SupplementalProperty')
    assert.equal(said!.attributes.get('value'), range === 'PQ' ? '16' : '18')
  }
})

const fragmented: [name: string, flags: string][] = [
  ['mfra at its end', 'frag_keyframe+empty_moov'],
  ['sidx before its fragments', 'frag_keyframe+empty_moov+default_base_moof+dash+global_sidx'],
  ['fragments of each track by themselves', 'frag_keyframe+empty_moov+separate_moof'],
  ['composition offsets below 0', 'frag_keyframe+empty_moov+negative_cts_offsets'],
]
for (const [i, [name, flags]] of fragmented.entries()) {
  test(`a film of many fragments with ${name} is played by its index (ISO 14496-12 §8.16.3, §8.8.9)`, {
    skip,
  }, async () => {
    const film = `many-${i}.mp4`
    const keys = [
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-bf',
      '1',
      '-x264-params',
      'keyint=3:scenecut=0',
    ]
    await make(['-i', 'film.mp4', ...keys, '-c:a', 'copy', '-movflags', flags, film])
    const path = join(running.folder, 'films', film)
    for (const stream of ['0:v:0', '0:a:0']) {
      const wanted = await hashes(null, path, stream)
      for (const list of ['index.m3u8', 'manifest.mpd'])
        assert.equal(await hashes('alone', url(`/${film}/${list}`), stream), wanted)
    }
    for (const at of await walk('alone', `/${film}/index.m3u8`)) {
      const { status, fields, octets } = await get('alone', at)
      assert.equal(status, 200, at)
      assert.equal(Number(fields['content-length']), octets.length)
    }
    const file = await diskFile(path)
    let reads = 0
    const read: typeof file.read = (range) => {
      reads++
      return file.read(range)
    }
    const movie = await openMovie({ ...file, read })
    await file.close()
    assert.equal(movie.container, 'fragments')
    assert.ok(reads < 10, `${reads} reads`)
    assert.ok(Math.abs(movie.durationSeconds - 9) < 0.2, `${movie.durationSeconds} s`)
  })
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

test('segments of MPEG-TS hold picture and sound, also where the sound is in another file (ISO 13818-1 §2.4.4)', {
  skip,
}, async () => {
  const films = join(running.folder, 'films')
  await make(['-i', 'film.mp4', '-c', 'copy', '-map', '0', 'one.mp4'])
  await make(['-i', 'film.144.mp4', '-c', 'copy', 'one.144.mp4'])
  const { tags, uris } = readPlaylist((await get('film', '/one.mp4/ts.m3u8')).body)
  assert.equal(tags.get('EXT-X-MEDIA'), undefined)
  assert.equal(uris.length, 2)
  const sound = await hashes(null, join(films, 'one.mp4'), '0:a:0')
  for (const [uri, from] of [
    [uris[0]!, 'one.mp4'],
    [uris[1]!, 'one.144.mp4'],
  ] as const) {
    const list = url(new URL(uri, url('/one.mp4/ts.m3u8')).pathname)
    const words = ['-map', '0:a', '-c', 'copy', '-bsf:a', 'aac_adtstoasc', '-f', 'streamhash', '-']
    const header = ['-headers', 'Host: film.example.com\r\n']
    const read = await run(ffmpeg!, ['-v', 'error', '-xerror', ...header, '-i', list, ...words], {
      timeoutMs: 60_000,
    })
    assert.equal(read.stderr, '')
    assert.equal(read.stdout, sound)
    const pictures = ['-map', '0:v', '-f', 'streamhash', '-']
    const [mine, theirs] = await Promise.all([
      run(ffmpeg!, ['-v', 'error', '-xerror', ...header, '-i', list, ...pictures], { timeoutMs: 60_000 }),
      run(ffmpeg!, ['-v', 'error', '-i', join(films, from), ...pictures], { timeoutMs: 60_000 }),
    ])
    assert.equal(mine.stderr, '')
    assert.equal(mine.stdout, theirs.stdout)
  }
})

test('another sound has a list of its own beside MPEG-TS, and the first is in the pictures (RFC 8216bis §4.4.6.1)', {
  skip,
}, async () => {
  const { tags } = readPlaylist((await get('film', '/film.mp4/ts.m3u8')).body)
  assert.deepEqual(
    tags.get('EXT-X-MEDIA')!.map((rendition) => [rendition.get('DEFAULT'), rendition.has('URI')]),
    [
      ['YES', false],
      ['NO', true],
    ],
  )
})

/** Read a playlist and all that it leads to; each must be right. */
async function walk(host: string, path: string): Promise<string[]> {
  const { status, fields, body } = await get(host, path)
  assert.equal(status, 200, path)
  assert.equal(fields['content-type']!, 'application/vnd.apple.mpegurl')
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
    const { status, fields, octets } = await get('film', path)
    assert.equal(status, 200, path)
    assert.equal(Number(fields['content-length']), octets.length, path)
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

test('sound that comes with pictures is played unless another is chosen', { skip }, async () => {
  const films = join(running.folder, 'films')
  await copyFile(join(films, 'film.mp4'), join(films, 'own.1080p.mp4'))
  await copyFile(join(films, 'film.de.m4a'), join(films, 'own.de.m4a'))
  const { body } = await get('film', '/own.mp4/index.m3u8')
  assert.deepEqual(
    readPlaylist(body)
      .tags.get('EXT-X-MEDIA')!
      .map((rendition) => [rendition.get('LANGUAGE'), rendition.get('DEFAULT')]),
    [
      [undefined, 'YES'],
      ['"de"', 'NO'],
    ],
  )
})

test('the MPD has the same, and its timelines add up (ISO 23009-1)', { skip }, async () => {
  const { fields, body } = await get('film', '/film.mp4/manifest.mpd')
  assert.equal(fields['content-type']!, 'application/dash+xml')
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
  assert.equal(first.fields['cache-control']!, 'public, max-age=31536000, immutable')
  assert.equal(first.fields['access-control-allow-origin']!, '*')
  assert.match(first.fields['etag']!, /^"[^"]+"$/)
  const again = await get('film', path!, { 'If-None-Match': first.fields['etag']! })
  assert.equal(again.status, 304)
  assert.match(again.fields['cache-status'] as string, /^portico; hit/)
  const part = await get('film', path!, { Range: 'bytes=0-99' })
  assert.equal(part.status, 206)
  assert.match(part.fields['content-range']!, /^bytes 0-99\/\d+$/)
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
  ['/other.mp4/play', /no such film/],
  ['/none/play', /404/],
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
  assert.equal(fields['cache-control']!, 'no-store')
})

test('the film itself stays as it is, also with streaming before it', { skip }, async () => {
  const { fields } = await get('film', '/film.mp4', {}, 'HEAD')
  assert.equal(fields['content-type'], 'video/mp4')
  assert.equal(fields['access-control-allow-origin'], undefined)
})

test('browsers may ask before they ask (Fetch, CORS-preflight)', { skip }, async () => {
  const { status, fields } = await get('film', '/film.mp4/index.m3u8', {}, 'OPTIONS')
  assert.equal(status, 204)
  assert.match(fields['access-control-allow-headers']!, /^Range,/)
})

const subtitles = `1
00:00:01,000 --> 00:00:03,000
Hello & <i>welcome</i>

2
00:00:04,000 --> 00:00:08,500
Bye
`

test('subtitles in SubRip are segments of WebVTT in HLS, and one file in DASH (RFC 8216 §3.5)', {
  skip,
}, async () => {
  await writeFile(join(running.folder, 'films', 'film.en.srt'), subtitles)
  const { tags } = readPlaylist((await get('film', '/film.mp4/index.m3u8')).body)
  const rendition = tags.get('EXT-X-MEDIA')!.find((tag) => tag.get('TYPE') === 'SUBTITLES')!
  assert.equal(rendition.get('NAME'), '"English"')
  const uri = new URL(rendition.get('URI')!.slice(1, -1), url('/film.mp4/index.m3u8')).pathname
  const playlist = readPlaylist((await get('film', uri)).body)
  const [segment] = playlist.segments
  const cues = await get('film', new URL(segment!.uri, url(uri)).pathname)
  assert.equal(cues.fields['content-type']!, 'text/vtt; charset=utf-8')
  assert.match(
    cues.body,
    /^WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00\.000\n\n00:00:01\.000 --> 00:00:03\.000\nHello &amp; <i>welcome<\/i>\n/,
  )
  const mpd = readMpd((await get('film', '/film.mp4/manifest.mpd')).body)
  const text = all(mpd, 'AdaptationSet').find((set) => set.attributes.get('contentType') === 'text')!
  const [base] = all(text, 'BaseURL')
  const whole = await get('film', new URL(base!.text, url('/film.mp4/manifest.mpd')).pathname)
  assert.match(whole.body, /^WEBVTT\n\n00:00:01\.000/)
})

test('subtitles inside of a film are offered as WebVTT (3GPP TS 26.245 §5.17)', { skip }, async () => {
  const films = join(running.folder, 'films')
  const srt =
    '1\n00:00:01,000 --> 00:00:02,500\nHello & <i>you</i>\n\n2\n00:00:04,000 --> 00:00:05,000\nTwo\nlines\n'
  await writeFile(join(films, 'said.txt'), srt)
  const languages = ['-metadata:s:s:0', 'language=ger', '-metadata:s:s:1', 'language=fre']
  const text = ['-f', 'srt', '-i', 'said.txt']
  const maps = ['-map', '0', '-map', '1', '-map', '1', '-c', 'copy', '-c:s', 'mov_text', ...languages]
  // Fragments of ffmpeg begin with the delay of the pictures, and a line stands until the next one: 80 ms of two B-frames.
  const plain = ['00:00:01.000 --> 00:00:02.500', '00:00:04.000 --> 00:00:05.000']
  const later = ['00:00:01.080 --> 00:00:04.080', '00:00:04.080 --> 00:00:05.080']
  for (const [said, times, more] of [
    ['said.mp4', plain, []],
    ['saying.mp4', later, ['-movflags', 'frag_keyframe+empty_moov']],
  ] as const) {
    await make(['-i', 'film.mp4', ...text, ...maps, ...more, said])
    for (const name of ['index.m3u8', 'ts.m3u8']) {
      const { tags } = readPlaylist((await get('film', `/${said}/${name}`)).body)
      const lists = tags.get('EXT-X-MEDIA')!.filter((rendition) => rendition.get('TYPE') === 'SUBTITLES')
      assert.deepEqual(
        lists.map((rendition) => rendition.get('LANGUAGE')),
        ['"de"', '"fr"'],
      )
      const path = new URL(lists[0]!.get('URI')!.slice(1, -1), url(`/${said}/`)).pathname
      const { segments } = readPlaylist((await get('film', path)).body)
      assert.equal(segments.length, 1)
      const cues = await get('film', new URL(segments[0]!.uri, url(path)).pathname)
      assert.equal(cues.fields['content-type'], 'text/vtt; charset=utf-8')
      const clock = name === 'ts.m3u8' ? 900_000 : 0
      const lines = `${times[0]}\nHello &amp; you\n\n${times[1]}\nTwo\nlines\n`
      assert.equal(cues.body, `WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:${clock},LOCAL:00:00:00.000\n\n${lines}`)
    }
    const mpd = readMpd((await get('film', `/${said}/manifest.mpd`)).body)
    const bases = all(mpd, 'BaseURL').filter(({ text }) => text.endsWith('.vtt'))
    assert.equal(bases.length, 2)
    const whole = await get('film', `/${said}/${bases[0]!.text}`)
    assert.ok(whole.body.startsWith(`WEBVTT\n\n${times[0]}\nHello`), whole.body)
    const source = await hashes(null, join(films, said), '0:v:0')
    assert.equal(await hashes('alone', url(`/${said}/index.m3u8`), '0:v:0'), source)
  }
})

for (const [codec, name, first, second] of [
  ['srt', 'srt.mkv', 'Hello &amp; <i>you</i>', 'Two\nlines'],
  ['ass', 'ass.mkv', 'Hello &amp; <i>you</i>', 'Two\nlines'],
  ['webvtt', 'webvtt.mkv', 'Hello & <i>you</i>', 'Two\nlines'],
  ['ttml', 'ttml.mp4', 'Hello &amp; you', 'Two\nlines'],
] as const) {
  test(`subtitles as ${codec} inside of ${name} are offered as WebVTT (RFC 9559 §5.1.5, ISO 14496-30 §6)`, {
    skip,
  }, async () => {
    const srt =
      '1\n00:00:01,000 --> 00:00:02,500\nHello & <i>you</i>\n\n2\n00:00:04,000 --> 00:00:05,000\nTwo\nlines\n'
    await writeFile(join(running.folder, 'films', `${codec}.txt`), srt)
    const inputs = ['-i', 'film.mp4', '-f', 'srt', '-i', `${codec}.txt`, '-map', '0:v', '-map', '1']
    await make([...inputs, '-c', 'copy', '-c:s', codec, '-metadata:s:s:0', 'language=ger', name])
    const { tags } = readPlaylist((await get('film', `/${name}/index.m3u8`)).body)
    const [list] = tags.get('EXT-X-MEDIA')!.filter((rendition) => rendition.get('TYPE') === 'SUBTITLES')
    assert.equal(list!.get('LANGUAGE'), '"de"')
    const path = new URL(list!.get('URI')!.slice(1, -1), url(`/${name}/`)).pathname
    const { segments } = readPlaylist((await get('film', path)).body)
    assert.equal(segments.length, 1)
    const cues = await get('film', new URL(segments[0]!.uri, url(path)).pathname)
    const lines = `00:00:01.000 --> 00:00:02.500\n${first}\n\n00:00:04.000 --> 00:00:05.000\n${second}\n`
    assert.equal(cues.body, `WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n${lines}`)
  })
}

test('encrypted segments are read with the key beside them, and never without (RFC 8216bis §4.4.4.4)', {
  skip,
}, async () => {
  const source = await hashes(null, join(running.folder, 'films', 'film.mp4'), '0:v:0')
  assert.equal(await hashes('closed', url('/film.mp4/index.m3u8'), '0:v:0'), source)
  const segments = (await walk('closed', '/film.mp4/index.m3u8')).filter((path) => /seg-/.test(path))
  const { octets } = await get('closed', segments[0]!)
  assert.ok(!octets.includes('styp') && !octets.includes('moof'))
  assert.equal(octets.length % 16, 0)
  assert.equal((await get('closed', '/film.mp4/manifest.mpd')).status, 404)
})

test('keys may be given by a server of the owner, which derives them as we do (RFC 8216bis §4.4.4.4)', {
  skip,
}, async () => {
  const source = await hashes(null, join(running.folder, 'films', 'film.mp4'), '0:v:0')
  assert.equal(await hashes('keyed', url('/film.mp4/index.m3u8'), '0:v:0'), source)
  const { uris } = readPlaylist((await get('keyed', '/film.mp4/index.m3u8')).body)
  const list = await get('keyed', new URL(uris.at(-1)!, url('/film.mp4/index.m3u8')).pathname)
  assert.match(
    list.body,
    /URI="http:\/\/127\.0\.0\.1:\d+\/\?film=%2Ffilm(?:\.144)?\.mp4&version=[0-9a-f]{12}"/,
  )
  const [tag] = /[0-9a-f]{12}/.exec(uris.at(-1)!)!
  assert.equal((await get('keyed', `/film.mp4/key-${tag}`)).status, 404)
})

test('a signed playlist has signed segments, and nothing is given without', { skip }, async () => {
  assert.equal((await get('signed', '/film.mp4/index.m3u8')).status, 403)
  assert.equal((await get('signed', '/film.mp4')).status, 403)
  const sign = async (path: string): Promise<string> => {
    const { code, stdout, stderr } = await running.command('sign', `http://signed.example.com${path}`)
    assert.equal(code, 0, stderr)
    return stdout.trim().replace('http://signed.example.com', '')
  }
  const signed = await sign('/film.mp4/index.m3u8')
  const segments = await walk('signed', signed)
  assert.ok(segments.length > 5)
  for (const path of segments) {
    assert.equal((await get('signed', path, { Range: 'bytes=0-0' })).status, 206, path)
    assert.equal((await get('signed', path.replace(/\?.*/, ''))).status, 403, path)
    assert.equal((await get('signed', path.replace(/expires=\d/, 'expires=9'))).status, 403, path)
  }
  const mpdPath = await sign('/film.mp4/manifest.mpd')
  const templates = all(readMpd((await get('signed', mpdPath)).body), 'SegmentTemplate')
  assert.ok(templates.length > 1)
  for (const { attributes } of templates.filter(
    ({ attributes }) => !attributes.get('media')!.startsWith('seg-2'),
  )) {
    const media = attributes.get('media')!.replace('$Number$', '0')
    assert.match(media, /^seg-1-0-[0-9a-f]{12}\.m4s\?key=site&/)
  }
})

test('behind a service, one stored copy of the ranges serves all, and the service is asked by ranges alone', {
  skip,
}, async () => {
  const source = await hashes(null, join(running.folder, 'films', 'film.mp4'), '0:v:0')
  for (const name of ['index.m3u8', 'manifest.mpd'])
    assert.equal(await hashes('behind', url(`/film.mp4/${name}`), '0:v:0'), source)
  const { body } = await get('behind', '/film.mp4/index.m3u8')
  assert.equal(readPlaylist(body).tags.get('EXT-X-STREAM-INF')?.length, 2)
  const { fields } = await get('behind', '/film.mp4', { Range: 'bytes=0-99' })
  assert.match(fields['cache-status'] as string, /^portico; hit/)
  assert.ok(asked.length > 3)
  assert.equal(new Set(asked).size, asked.length, asked.join('; '))
  assert.ok(asked.every((line) => /bytes=\d+-\d+$/.test(line)))
})

test('a bucket that only keys may read signs its streams with them', { skip }, async () => {
  const put = ['-s', '-f', '-T', join(running.folder, 'films', 'film.mp4'), '-H', 'Host: bucket.example.com']
  const bearer = ['-H', 'Authorization: Bearer site.a secret of sixteen letters']
  assert.equal((await run('curl', [...put, ...bearer, url('/film.mp4')])).code, 0)
  assert.equal((await get('bucket', '/film.mp4/index.m3u8')).status, 403)
  const { stdout, stderr } = await running.command('sign', 'http://bucket.example.com/film.mp4/index.m3u8')
  const path = stdout.trim().replace('http://bucket.example.com', '')
  const source = await hashes(null, join(running.folder, 'films', 'film.mp4'), '0:v:0')
  assert.equal(await hashes('bucket', url(path), '0:v:0'), source, stderr)
})

test('explain says which film and segment, of which ranges, and that it is kept', { skip }, async () => {
  const segments = await walk('alone', '/film.mp4/index.m3u8')
  const path = segments.find((uri) => /seg-1-2-/.test(uri))!
  const steps = async (): Promise<string> => {
    const target = `http://alone.example.com:${running.ports.http}${path}`
    const { code, stdout, stderr } = await running.command('explain', target)
    assert.equal(code, 0, stdout + stderr)
    return stdout
  }
  // Keys have the authority that is asked for.
  const authority = { Host: `alone.example.com:${running.ports.http}` }
  const ask = { ...authority, 'Cache-Control': 'max-age=60' }
  await get('alone', path, ask)
  const said = await steps()
  assert.match(said, /\/film\.mp4: track 1 video avc1/)
  assert.match(said, /segment 2 of track 1: 4\.000 s to 6\.000 s/)
  assert.match(said, /ranges in octets \d+ to \d+ of the file/)
  assert.match(said, /kept: .* its head was ready in [\d.]+ ms/)
})

test('what a player says (CMCD) is seen, and what it asks for next is made before it asks', {
  skip,
}, async () => {
  const segments = (await walk('film', '/film.144.mp4/index.m3u8')).filter((path) => /seg-1-/.test(path))
  const [, , third, fourth] = segments
  const say = (words: string): Record<string, string> => ({
    'CMCD-Session': 'sid="mine",sf=h',
    'CMCD-Request': words,
  })
  const next = fourth!.slice(fourth!.lastIndexOf('/') + 1)
  const { fields } = await get('film', third!, say(`su,bl=0,nor="${next}"`))
  assert.match(fields['cmsd-static'] as string, /^ot=v,br=\d+,d=2000,st=v$/)
  assert.match(fields['cmsd-dynamic'] as string, /^"portico";rd=\d+$/)
  await until(async () => {
    const { stdout } = await running.command('cache', 'ls', `http://film.example.com${fourth}`)
    return stdout.includes(next)
  })
  await get('film', fourth!, say('bl=4200,mtp=9000'))
  const { stdout } = await running.command('transfers', '--once')
  assert.match(stdout, /PLAYER[\s\S]*127\.0\.0\.1 +4\.2 s[\s\S]*\/film\.144\.mp4 \(HLS\)/)
})

test('an original whose key frames are elsewhere is left out beside its renditions, and played alone', {
  skip,
}, async () => {
  const source = ['-i', 'film.mp4', '-an', '-c:v', 'libx264', '-preset', 'ultrafast']
  await make([...source, '-x264-params', 'keyint=37:scenecut=0', 'odd.mp4'])
  await make([...source, '-x264-params', 'keyint=25:scenecut=0', 'odd.180.mp4'])
  const variants = async (host: string): Promise<string[]> => {
    const { uris } = readPlaylist((await get(host, '/odd.mp4/index.m3u8')).body)
    return uris.filter((uri) => /list-/.test(uri)).map((uri) => uri.replace(/list-.*/, ''))
  }
  assert.deepEqual(await variants('film'), ['../odd.180.mp4/'])
  assert.deepEqual(await variants('alone'), [''])
})

const rendered = async (): Promise<number> => {
  const { body } = await new Promise<Answer>((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port: running.ports.admin, path: '/metrics' }, (incoming) => {
        let body = ''
        incoming.setEncoding('utf8').on('data', (text) => (body += text))
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode!,
            fields: incoming.headers,
            octets: Buffer.from(body),
            body,
          }),
        )
      })
      .on('error', reject)
  })
  return Number(/^portico_media_rendered_objects_total (\d+)/m.exec(body)?.[1])
}

test('a segment is made once, however many ask, and anew when its film is purged', { skip }, async () => {
  const [path] = (await walk('alone', '/film.144.mp4/index.m3u8')).filter((uri) => /seg-1-3/.test(uri))
  const before = await rendered()
  const answers = await Promise.all(Array.from({ length: 20 }, () => get('alone', path!)))
  assert.ok(answers.every(({ status, octets }) => status === 200 && octets.equals(answers[0]!.octets)))
  assert.equal(await rendered(), before + 1)
  assert.equal((await running.command('purge', '--tag', '/film.144.mp4')).code, 0)
  assert.deepEqual((await get('alone', path!)).octets, answers[0]!.octets)
  assert.equal(await rendered(), before + 2)
})

test('a film that is replaced has other URLs, and the old ones are gone', { skip }, async () => {
  const [before] = (await walk('alone', '/tone.mp4/index.m3u8')).filter((uri) => /seg-/.test(uri))
  await make(['-y', '-f', 'lavfi', '-i', 'sine=frequency=880:duration=4', '-c:a', 'aac', 'tone.mp4'])
  const changed = async (): Promise<boolean> => {
    const segments = (await walk('alone', '/tone.mp4/index.m3u8')).filter((uri) => /seg-/.test(uri))
    return !segments.includes(before!)
  }
  await until(changed)
  assert.equal((await get('alone', before!.replace(/seg-1-0/, 'seg-1-9'))).status, 404)
})

test('players may report of themselves beside their requests (CTA-5004, event mode)', { skip }, async () => {
  const report = (body: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const headers = { Host: 'film.example.com', 'Content-Type': 'application/cmcd' }
      const options = {
        host: '127.0.0.1',
        port: running.ports.http,
        path: '/film.mp4/cmcd',
        method: 'POST',
        headers,
      }
      const request = http.request(options, (incoming) => resolve(incoming.resume().statusCode!))
      request.on('error', reject).end(body)
    })
  assert.equal(await report('sid="reported",sf=d,sta=p,bl=12300,v=2\n'), 204)
  const { stdout } = await running.command('transfers', '--once')
  assert.match(stdout, /12 s[\s\S]*\/film\.mp4 \(DASH\)/)
  assert.equal(await report('x'.repeat(70_000)), 413)
})

test('a film in WebM is played as one in MP4, key frames too', { skip }, async () => {
  const vp9 = ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-g', '25', '-c:a', 'libopus']
  await make(['-i', 'film.mp4', '-t', '4', '-vf', 'scale=128:72', ...vp9, 'film.webm'])
  for (const stream of ['0:v:0', '0:a:0']) {
    const source = await hashes(null, join(running.folder, 'films', 'film.webm'), stream)
    assert.equal(await hashes('alone', url('/film.webm/index.m3u8'), stream), source)
  }
  const [frame] = (await walk('alone', '/film.webm/index.m3u8')).filter((path) => /key-/.test(path))
  assert.equal((await get('alone', frame!)).status, 200)
})

test('all films of a folder are one title where the file says so', { skip }, async () => {
  const films = join(running.folder, 'films')
  await mkdir(join(films, 'a title'))
  await copyFile(join(films, 'film.mp4'), join(films, 'a title', '180.mp4'))
  await copyFile(join(films, 'film.144.mp4'), join(films, 'a title', '144.mp4'))
  const segments = await walk('folder', '/a%20title/index.m3u8')
  assert.deepEqual([...new Set(segments.map((path) => path.split('/')[2]))].sort(), ['144.mp4', '180.mp4'])
  for (const path of segments.filter((path) => /-0-/.test(path)))
    assert.equal((await get('folder', path)).status, 200, path)
  assert.equal((await get('folder', '/nothing/index.m3u8')).status, 404)
})
