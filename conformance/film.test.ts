import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { cutsOf } from '#media/movie/cuts.ts'
import { decodeMovie, encodeMovie } from '#media/movie/index-octets.ts'
import type { MediaFile, Movie, SegmentLayout } from '#media/movie/movie.ts'
import { openMovie } from '#media/movie/open.ts'
import { readSegment } from '#media/segment/gather.ts'
import { initSegment } from '#media/segment/init.ts'
import { keyFramesOf, keySegment } from '#media/segment/key-frames.ts'
import { laySegment } from '#media/segment/lay.ts'
import { segmentSpan } from '#media/segment/segment.ts'
import { canTransport, transportSegment } from '#media/segment/transport.ts'
import { MediaFault } from '#media/wire/fault.ts'
import { temporaryFolder } from '../test/folder.ts'
import { diskFile, ffmpeg, memoryFile, picture, tone } from '../test/media/media-files.ts'
import { peer } from '../test/peers.ts'

const program = peer('ffmpeg')
const skip = program === undefined && 'needs ffmpeg'
const folder = temporaryFolder()
const say = (args: readonly string[]) => ffmpeg(program!, folder, args)

const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-bf', '2', '-sc_threshold', '0']
const x265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'keyint=25:log-level=none']
const both = [...picture(4), ...tone(4)]

const vpx = (codec: string) => ['-c:v', codec, '-deadline', 'realtime', '-cpu-used', '8', '-g', '25']
const aom = ['-c:v', 'libaom-av1', '-usage', 'realtime', '-cpu-used', '8', '-g', '25']

type Film = {
  readonly name: string
  readonly args: readonly string[]
  readonly codecs: readonly string[]
  /** Segments of two seconds; as many as there are otherwise. */
  readonly cuts?: number
}

const films: readonly Film[] = [
  { name: 'last.mp4', args: [...both, ...x264, '-c:a', 'aac'], codecs: ['avc1.4d400b', 'mp4a.40.2'] },
  {
    name: 'first.mp4',
    args: [...both, ...x264, '-c:a', 'aac', '-ac', '6', '-movflags', 'faststart'],
    codecs: ['avc1.4d400b', 'mp4a.40.2'],
  },
  { name: 'quicktime.mov', args: [...both, ...x264, '-c:a', 'aac'], codecs: ['avc1.4d400b', 'mp4a.40.2'] },
  { name: 'hevc.mp4', args: [...both, ...x265, '-c:a', 'ac3'], codecs: ['hvc1.1.6.L30.90', 'ac-3'] },
  {
    name: 'dolby.mp4',
    args: [...both, ...x265, '-tag:v', 'hvc1', '-c:a', 'eac3'],
    codecs: ['hvc1.1.6.L30.90', 'ec-3'],
  },
  {
    name: 'av1.mp4',
    args: [
      ...both,
      '-c:v',
      'libaom-av1',
      '-usage',
      'realtime',
      '-cpu-used',
      '8',
      '-g',
      '25',
      '-c:a',
      'libopus',
    ],
    codecs: ['av01.0.00M.08', 'opus'],
  },
  {
    name: 'vp9.mp4',
    args: [
      ...both,
      '-c:v',
      'libvpx-vp9',
      '-deadline',
      'realtime',
      '-cpu-used',
      '8',
      '-g',
      '25',
      '-c:a',
      'libopus',
    ],
    codecs: ['vp09.00.10.08', 'opus'],
  },
  { name: 'mp3.mp4', args: [...both, ...x264, '-c:a', 'libmp3lame'], codecs: ['avc1.4d400b', 'mp4a.6B'] },
  {
    name: 'flac.mp4',
    args: [...both, ...x264, '-c:a', 'flac', '-strict', '-2'],
    codecs: ['avc1.4d400b', 'flac'],
  },
  {
    name: 'ntsc.mp4',
    args: [...picture(4, '30000/1001'), ...tone(4), ...x264, '-c:a', 'aac', '-ar', '44100'],
    codecs: ['avc1.4d400b', 'mp4a.40.2'],
  },
  {
    name: 'odd-clock.mp4',
    args: [...both, ...x264, '-video_track_timescale', '997', '-c:a', 'aac'],
    codecs: [],
  },
  { name: 'silent.mp4', args: [...picture(4), ...x264], codecs: ['avc1.4d400b'] },
  { name: 'sound.m4a', args: [...tone(4), '-c:a', 'aac'], codecs: ['mp4a.40.2'] },
  {
    name: 'late.mp4',
    args: [...picture(4), '-itsoffset', '1.5', ...tone(2), ...x264, '-c:a', 'aac'],
    codecs: [],
  },
  {
    name: 'varying.mp4',
    args: [
      ...both,
      '-vf',
      "select='not(mod(n\\,7))+not(mod(n\\,3))'",
      '-vsync',
      'vfr',
      ...x264,
      '-c:a',
      'aac',
    ],
    codecs: [],
  },
  {
    name: 'negative.mp4',
    args: [...both, ...x264, '-c:a', 'aac', '-movflags', 'negative_cts_offsets'],
    codecs: [],
  },
  {
    name: 'fragments.mp4',
    args: [...both, ...x264, '-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov+default_base_moof'],
    codecs: ['avc1.4d400b', 'mp4a.40.2'],
  },
  { name: 'half.mp4', args: [...both, ...x264, '-c:a', 'aac', '-movflags', 'frag_keyframe'], codecs: [] },
  {
    name: 'indexed.mp4',
    args: [
      ...both,
      ...x264,
      '-c:a',
      'aac',
      '-movflags',
      'frag_keyframe+separate_moof+dash+delay_moov+global_sidx',
    ],
    codecs: [],
  },
]

for (const film of films) {
  test(`${film.name}: octets, packets and times of all segments are the film's`, { skip }, async () => {
    await say([...film.args, film.name])
    await compare(film)
  })
}

async function compare({ name, codecs }: Film): Promise<void> {
  const file = await diskFile(join(folder, name))
  try {
    const movie = await openMovie(file)
    if (codecs.length > 0)
      assert.deepEqual(
        movie.tracks.map(({ codec }) => codec),
        codecs,
      )
    assert.ok(cutsOf(movie, 2).length >= 2)
    const names = await Promise.all(movie.tracks.map(({ id }) => writeTrack(file, movie, id, name)))
    const inputs = names.flatMap((segment) => ['-i', segment])
    const maps = names.flatMap((_, i) => ['-map', String(i)])
    await say(['-xerror', ...inputs, ...maps, '-f', 'null', '-'])
    const hashes = ['-c', 'copy', '-copyts', '-f', 'framemd5', '-']
    assert.deepEqual(
      packets(await say([...inputs, ...maps, ...hashes])),
      packets(await say(['-i', name, ...hashes])),
    )
  } finally {
    await file.close()
  }
}

const matroska: Film[] = [
  { name: 'avc.mkv', args: [...both, ...x264, '-c:a', 'aac'], codecs: ['avc1.4d400b', 'mp4a.40.2'] },
  { name: 'hevc.mkv', args: [...both, ...x265, '-c:a', 'ac3'], codecs: ['hvc1.1.6.L30.90', 'ac-3'] },
  {
    name: 'dolby.mkv',
    args: [...both, ...x264, '-c:a', 'eac3', '-ac', '6'],
    codecs: ['avc1.4d400b', 'ec-3'],
  },
  { name: 'flac.mkv', args: [...both, ...x264, '-c:a', 'flac'], codecs: ['avc1.4d400b', 'flac'] },
  { name: 'mp3.mkv', args: [...both, ...x264, '-c:a', 'libmp3lame'], codecs: ['avc1.4d400b', 'mp4a.6B'] },
  {
    name: 'vp8.webm',
    args: [...both, ...vpx('libvpx'), '-c:a', 'libopus'],
    codecs: ['vp08.00.10.08', 'opus'],
  },
  {
    name: 'vp9.webm',
    args: [...both, ...vpx('libvpx-vp9'), '-c:a', 'libopus'],
    codecs: ['vp09.00.10.08', 'opus'],
  },
  { name: 'av1.webm', args: [...both, ...aom, '-c:a', 'libopus'], codecs: ['av01.0.00M.08', 'opus'] },
  {
    name: 'live.webm',
    args: [...both, ...vpx('libvpx'), '-c:a', 'libopus', '-live', '1'],
    codecs: ['vp08.00.10.08', 'opus'],
  },
  { name: 'sound.webm', args: [...tone(4), '-c:a', 'libopus'], codecs: ['opus'] },
]

for (const film of matroska) {
  test(`${film.name}: packets and times of all segments are the film's, to its clock of a millisecond`, {
    skip,
  }, async () => {
    await say([...film.args, film.name])
    const file = await diskFile(join(folder, film.name))
    try {
      const movie = await openMovie(file)
      assert.deepEqual(
        movie.tracks.map(({ codec }) => codec),
        film.codecs,
      )
      for (const [index, { id, timescale, kind }] of movie.tracks.entries()) {
        const segments = await writeTrack(file, movie, id, film.name)
        await say(['-xerror', '-i', segments, '-f', 'null', '-'])
        const copied = ['-c', 'copy', '-copyts', '-f', 'framemd5', '-']
        const ours = framesOf(await say(['-i', segments, ...copied]), timescale)
        const theirs = framesOf(await say(['-i', film.name, '-map', `0:${index}`, ...copied]), 1000)
        assert.deepEqual(
          ours.map(({ hash }) => hash),
          theirs.map(({ hash }) => hash),
        )
        const off = ours.map(({ seconds }, i) => Math.abs(seconds - theirs[i]!.seconds))
        assert.ok(Math.max(...off) < 0.0015, `${kind} is up to ${Math.max(...off)} s off`)
      }
    } finally {
      await file.close()
    }
  })
}

/** Times of showing and hashes, in order of the file. */
function framesOf(framemd5: string, timescale: number): { seconds: number; hash: string }[] {
  const lines = framemd5.split('\n').filter((line) => /^\d/.test(line))
  return lines.map((line) => {
    const [, , pts, , , hash] = line.split(',').map((column) => column.trim())
    return { seconds: Number(pts) / timescale, hash: hash! }
  })
}

/** Stream, dts, pts, octets and hash of every packet, in order of streams; durations are a demuxer's guess. */
function packets(framemd5: string): string[] {
  const lines = framemd5.split('\n').filter((line) => /^\d/.test(line))
  const rows = lines.map((line) => line.split(',').map((column) => column.trim()))
  return rows.map(([stream, dts, pts, , octets, hash]) => [stream, dts, pts, octets, hash].join(' ')).sort()
}

async function writeTrack(file: MediaFile, movie: Movie, id: number, name: string): Promise<string> {
  const parts: Uint8Array[] = [initSegment(movie, id)]
  for (const cut of cutsOf(movie, 2)) {
    const layout = await laySegment(file, movie, id, cut)
    const octets = await gathered(file, layout)
    assert.equal(octets.length, layout.octets, 'Content-Length is known before reading')
    if (movie.container === 'mp4') assert.equal(segmentSpan(movie, id, cut).octets, octets.length)
    parts.push(octets)
  }
  const path = `${name}.${id}.cmaf.mp4`
  writeFileSync(join(folder, path), Buffer.concat(parts))
  return path
}

async function gathered(file: MediaFile, layout: SegmentLayout): Promise<Uint8Array> {
  return Buffer.concat(await Array.fromAsync(readSegment(file, layout)))
}

const transported: Film[] = [...films, ...matroska].filter(({ name }) =>
  ['last.mp4', 'dolby.mp4', 'mp3.mp4', 'late.mp4', 'avc.mkv'].includes(name),
)

for (const { name, args } of transported) {
  test(`${name}: transport streams decode to the same, in any order (ISO 13818-1 §2.4.3.3)`, {
    skip,
  }, async () => {
    const source = `ts-${name}`
    await say([...args, source])
    const file = await diskFile(join(folder, source))
    try {
      const movie = await openMovie(file)
      assert.ok(movie.tracks.every(canTransport))
      const ids = movie.tracks.map(({ id }) => id)
      const segments: Uint8Array[] = []
      for (const cut of cutsOf(movie, 1)) {
        const carried = ids.map((trackId) => ({ file, movie, trackId }))
        segments.push(await transportSegment(carried, cut))
      }
      for (const segment of segments) checkTransport(segment)
      writeFileSync(join(folder, `${name}.ts`), Buffer.concat(segments))
      await say(['-xerror', '-i', `${name}.ts`, '-f', 'null', '-'])
      const frames = ['-map', '0:v', '-f', 'streamhash', '-']
      assert.equal(await say(['-i', `${name}.ts`, ...frames]), await say(['-i', source, ...frames]))
      const sound = ['-map', '0:a', '-c', 'copy', '-f', 'streamhash', '-']
      const plain = movie.tracks.some(({ codec }) => codec === 'mp4a.40.2') ? ['-bsf:a', 'aac_adtstoasc'] : []
      assert.equal(await say(['-i', `${name}.ts`, ...plain, ...sound]), await say(['-i', source, ...sound]))
    } finally {
      await file.close()
    }
  })
}

/** Counters begin at 0 and end at 15 for each stream, PCR is never after DTS, DTS never after PTS and never goes back. */
function checkTransport(segment: Uint8Array): void {
  const counters = new Map<number, number>()
  const decoded = new Map<number, number>()
  assert.equal(segment.length % 188, 0)
  for (let at = 0; at < segment.length; at += 188) {
    const packet = segment.subarray(at, at + 188)
    assert.equal(packet[0], 0x47)
    const pid = ((packet[1]! & 31) << 8) | packet[2]!
    assert.equal(packet[3]! & 15, counters.get(pid) ?? 0, `packet ${at / 188} of PID ${pid}`)
    counters.set(pid, ((counters.get(pid) ?? 0) + 1) % 16)
    const adaptation = packet[3]! & 0x20 ? packet[4]! + 1 : 0
    if (!(packet[1]! & 0x40) || pid < 0x100 || pid === 0x1000) continue
    const pes = packet.subarray(4 + adaptation)
    const pts = timeAt(pes, 9)
    const dts = pes[7]! & 0x40 ? timeAt(pes, 14) : pts
    assert.ok(dts <= pts, `DTS ${dts}, PTS ${pts}`)
    assert.ok(dts >= (decoded.get(pid) ?? 0), 'DTS goes back')
    decoded.set(pid, dts)
    if (adaptation > 1 && packet[5]! & 0x10) {
      const pcr =
        packet[6]! * 2 ** 25 +
        packet[7]! * 2 ** 17 +
        packet[8]! * 2 ** 9 +
        packet[9]! * 2 +
        (packet[10]! >> 7)
      assert.ok(pcr < dts && pcr > 0, `PCR ${pcr}, DTS ${dts}`)
    }
  }
  assert.ok(
    [...counters.values()].every((counter) => counter === 0),
    'each stream has a multiple of 16 packets',
  )
}

function timeAt(pes: Uint8Array, at: number): number {
  const [a, b, c, d, e] = pes.subarray(at, at + 5)
  return ((a! >> 1) & 7) * 2 ** 30 + b! * 2 ** 22 + (c! >> 1) * 2 ** 15 + d! * 2 ** 7 + (e! >> 1)
}

test('each key frame alone is a picture that stands until the next (RFC 8216 §4.3.3.6)', {
  skip,
}, async () => {
  await say([...picture(4), ...x264, 'keys.mp4'])
  const file = await diskFile(join(folder, 'keys.mp4'))
  try {
    const movie = await openMovie(file)
    const keys = keyFramesOf(movie, 1)
    assert.deepEqual(
      keys.map(({ startTicks, timescale, durationSeconds }) => [startTicks / timescale, durationSeconds]),
      [0, 1, 2, 3].map((second) => [second, 1]),
    )
    const parts = [initSegment(movie, 1)]
    for (const key of keys) {
      const layout = keySegment(movie, 1, key)
      const octets = await gathered(file, layout)
      assert.equal(octets.length, layout.octets)
      parts.push(octets)
    }
    writeFileSync(join(folder, 'keys.cmaf.mp4'), Buffer.concat(parts))
    const shown = ['-vsync', 'passthrough', '-f', 'framemd5', '-']
    const source = await say(['-skip_frame', 'nokey', '-i', 'keys.mp4', ...shown])
    const pictures = await say(['-xerror', '-i', 'keys.cmaf.mp4', ...shown])
    assert.deepEqual(hashes(pictures), hashes(source))
  } finally {
    await file.close()
  }
})

function hashes(framemd5: string): (string | undefined)[] {
  return framemd5
    .split('\n')
    .filter((line) => /^\d/.test(line))
    .map((line) => line.split(',').at(-1)?.trim())
}

const key = [
  '-encryption_key',
  '76a6c65c5ea762046bd749a2e632ccbb',
  '-encryption_kid',
  'a7e61c373e219033c21091fa607bf3b8',
]
const refusals: [name: string, args: readonly string[], reason: RegExp][] = [
  [
    'encrypted.mp4',
    [...picture(1), ...x264, '-encryption_scheme', 'cenc-aes-ctr', ...key],
    /Track 1 is encrypted \(encv\)/,
  ],
  ['old.mov', [...picture(1), '-c:v', 'mpeg4'], /Track 1 has mp4v video/],
  ['dnxhd.ts', [...picture(1), ...x264], /begins with/],
]

for (const [name, args, reason] of refusals) {
  test(`${name} is refused with what it is`, { skip }, async () => {
    await say([...args, name])
    const file = await diskFile(join(folder, name))
    await assert.rejects(openMovie(file), (fault: Error & { status?: number }) => {
      assert.match(fault.message, reason)
      return fault.status === 422
    })
    await file.close()
  })
}

test('a track that cannot be offered does not hinder the others', { skip }, async () => {
  await say([...picture(1), ...tone(1), ...x264, '-c:a', 'pcm_s16le', 'pcm.mov'])
  const file = await diskFile(join(folder, 'pcm.mov'))
  const movie = await openMovie(file)
  assert.deepEqual(
    movie.tracks.map(({ kind }) => kind),
    ['video'],
  )
  assert.deepEqual(movie.refused, [
    { id: 2, reason: 'Track 2 has sowt sound, which browsers do not play: transcode it' },
  ])
  await file.close()
})

test('a film cut without coding it anew begins at its first key frame, with sound and picture in step', {
  skip,
}, async () => {
  await say([...both, ...x264, '-c:a', 'aac', 'uncut.mp4'])
  await say(['-ss', '1.3', '-i', 'uncut.mp4', '-c', 'copy', 'cut.mp4'])
  const file = await diskFile(join(folder, 'cut.mp4'))
  const movie = await openMovie(file)
  const [video, audio] = movie.tracks
  assert.ok(
    Math.abs(video!.durationSeconds - 3) < 0.05,
    `${video!.durationSeconds} of the 3 s from the key frame at 1 s`,
  )
  // The cut's own 0 is at 1.3 s; the key frame 0.3 s before it is 0 now, for both.
  await Promise.all(movie.tracks.map(({ id }) => writeTrack(file, movie, id, 'cut.mp4')))
  const source = ['-i', 'cut.mp4', '-c', 'copy', '-copyts', '-f', 'framemd5', '-']
  const inputs = [video!.id, audio!.id].flatMap((id) => ['-i', `cut.mp4.${id}.cmaf.mp4`])
  const moved = await say([
    ...inputs,
    '-map',
    '0',
    '-map',
    '1',
    '-c',
    'copy',
    '-copyts',
    '-f',
    'framemd5',
    '-',
  ])
  const shifts = shiftsOf(await say(source), moved, [12800, 48000])
  // ffmpeg shows the first picture in the edit at 0, and not up to a frame later as the list says.
  assert.ok(
    shifts.length > 150 && shifts.every((shift) => shift === 0.3 || shift === 0.32),
    String(new Set(shifts)),
  )
  await file.close()
})

/** Seconds by which each packet moved, to 10 ms, paired by their hashes. */
function shiftsOf(before: string, now: string, timescales: readonly number[]): number[] {
  const times = new Map(
    packets(before)
      .map((row) => row.split(' '))
      .map(([stream, , pts, , hash]) => [stream! + hash, pts]),
  )
  return packets(now).flatMap((row) => {
    const [stream, , pts, , hash] = row.split(' ')
    const was = times.get(stream! + hash)
    return was === undefined
      ? []
      : [Math.round(((Number(pts) - Number(was)) / timescales[Number(stream)]!) * 100) / 100]
  })
}

test('whatever octets change in a Matroska file, it is refused or its segments are laid', {
  skip,
}, async () => {
  await say([...picture(2), ...tone(2), ...x264, '-c:a', 'libopus', 'odd.mkv'])
  const content = readFileSync(join(folder, 'odd.mkv'))
  const ends = fc.nat(content.length - 1).map((end) => content.subarray(0, end))
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 })
  const headOctets = 1000
  const changed = fc.tuple(changes, fc.boolean()).map(([places, inHead]) => {
    const copy = Uint8Array.from(content)
    for (const [at, value] of places) copy[at % (inHead ? headOctets : copy.length)] = value
    return copy
  })
  const property = fc.asyncProperty(
    fc.oneof({ arbitrary: ends, weight: 1 }, { arbitrary: changed, weight: 4 }),
    layAll,
  )
  const numRuns = Number(process.env['PORTICO_FUZZ_RUNS'] ?? 100)
  await fc.assert(property, { numRuns, endOnFailure: true, interruptAfterTimeLimit: 60_000 })
})

async function layAll(content: Uint8Array): Promise<void> {
  const begun = process.threadCpuUsage()
  const file = memoryFile(content)
  try {
    const movie = await openMovie(file)
    assert.equal(decodeMovie(encodeMovie(movie))?.tracks.length, movie.tracks.length)
    for (const cut of cutsOf(movie, 1).slice(0, 4)) {
      for (const { id } of movie.tracks) {
        const layout = await laySegment(file, movie, id, cut)
        assert.equal((await gathered(file, layout)).length, layout.octets)
      }
    }
  } catch (error) {
    if (!(error instanceof MediaFault)) throw error
    assert.ok(error.message.length > 10)
  }
  const { user, system } = process.threadCpuUsage(begun)
  assert.ok(user + system < 20e6, 'a few thousand octets cost 20 s of processor time')
}
