import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../peers.ts'

/** Films for tests, made by ffmpeg in no time: moving pictures that are cheap to make, and a tone. */

async function ffmpeg(path: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await run(path, ['-v', 'error', '-y', '-nostdin', ...args], { timeoutMs: 120_000 })
  if (code !== 0) throw new Error(`ffmpeg ended with ${code}: ${stderr.slice(-500)}`)
}

/** A film of 24 s and some 175 MB: more than a browser reads ahead of what it shows. */
export async function makeLargeFilm(path: string, folder: string): Promise<string> {
  const seed = join(folder, 'seed.mp4')
  const film = join(folder, 'film.mp4')
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=30:d=2']
  const sound = ['-f', 'lavfi', '-i', 'sine=440:d=2', '-c:a', 'aac']
  const noise = ['-vf', 'noise=alls=60:allf=t', '-pix_fmt', 'yuv420p']
  const coding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', '40M', '-g', '30']
  await ffmpeg(path, [...picture, ...sound, ...noise, ...coding, seed])
  await ffmpeg(path, ['-stream_loop', '11', '-i', seed, '-c', 'copy', '-movflags', '+faststart', film])
  return film
}

/** Pictures of a film in three sizes, from the smallest up, as their heights. */
export const HEIGHTS: readonly number[] = [180, 270, 360]

/**
 * A film of 16 s in three renditions with a key frame each 2 s, sound in two languages and subtitles in two:
 * `film.360.mp4` (with English sound), `film.270.mp4`, `film.180.mp4`, `film.de.m4a`, `film.en.vtt`, `film.de.srt`.
 */
export async function makeRenditions(path: string, folder: string): Promise<void> {
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=25:d=16']
  const tones = [440, 660].flatMap((hertz) => ['-f', 'lavfi', '-i', `sine=${hertz}:d=16`])
  const bits = ['300k', '700k', '1500k']
  const renditions = HEIGHTS.flatMap((height, i) => [
    ...[
      '-map',
      '0:v',
      '-vf',
      `scale=-2:${height}`,
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-b:v',
      bits[i]!,
    ],
    ...['-maxrate', bits[i]!, '-bufsize', bits[i]!, '-g', '50', '-keyint_min', '50', '-sc_threshold', '0'],
    ...(height === 360 ? ['-map', '1:a', '-metadata:s:a:0', 'language=eng', '-c:a', 'aac'] : []),
    ...['-pix_fmt', 'yuv420p', '-movflags', '+faststart', join(folder, `film.${height}.mp4`)],
  ])
  const german = [
    '-map',
    '2:a',
    '-metadata:s:a:0',
    'language=deu',
    '-c:a',
    'aac',
    join(folder, 'film.de.m4a'),
  ]
  await ffmpeg(path, [...picture, ...tones, ...renditions, ...german])
  const cues = [1, 5, 9, 13].map((second) => [second, second + 3] as const)
  const clock = (second: number, point: string): string => `00:00:${`${second}`.padStart(2, '0')}${point}000`
  const english = cues.map(
    ([from, to]) => `${clock(from, '.')} --> ${clock(to, '.')}\nFrom ${from} to ${to}\n\n`,
  )
  const deutsch = cues.map(
    ([from, to], i) => `${i + 1}\n${clock(from, ',')} --> ${clock(to, ',')}\nVon ${from} bis ${to}\n\n`,
  )
  await writeFile(join(folder, 'film.en.vtt'), `WEBVTT\n\n${english.join('')}`)
  await writeFile(join(folder, 'film.de.srt'), deutsch.join(''))
}

/** A film that is hard to compress in two renditions with a key frame each second: `film.720.mp4` of some 6 MB a second, `film.360.mp4` of a quarter of that. */
export async function makeHeavyRenditions(path: string, folder: string, seconds: number): Promise<void> {
  const picture = ['-f', 'lavfi', '-i', `testsrc2=s=1280x720:r=25:d=${seconds}`]
  const noise = 'noise=alls=80:allf=t,format=yuv420p'
  const cut = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-sc_threshold', '0']
  const renditions = (
    [
      ['360', '12M'],
      ['720', '48M'],
    ] as const
  ).flatMap(([height, bits]) => [
    ...['-map', '0:v', '-vf', `${noise},scale=-2:${height}`, ...cut],
    ...['-b:v', bits, '-minrate', bits, '-maxrate', bits, '-bufsize', bits, '-x264-params', 'nal-hrd=cbr'],
    ...['-movflags', '+faststart', join(folder, `film.${height}.mp4`)],
  ])
  await ffmpeg(path, [...picture, ...renditions])
}

/** The renditions of `makeRenditions` several times on end, as `long.360.mp4` and so on. */
export async function loopRenditions(path: string, folder: string, times: number): Promise<void> {
  for (const height of HEIGHTS) {
    const [from, to] = ['film', 'long'].map((name) => join(folder, `${name}.${height}.mp4`))
    await ffmpeg(path, ['-stream_loop', String(times - 1), '-i', from!, '-c', 'copy', to!])
  }
}

/** The renditions of `makeRenditions` as ffmpeg packages them: HLS and DASH in segments of 2 s, all in one folder. */
export async function packageByFfmpeg(path: string, folder: string, target: string): Promise<void> {
  const files = [...HEIGHTS.map((height) => `film.${height}.mp4`), 'film.de.m4a']
  const inputs = files.flatMap((file) => ['-i', join(folder, file)])
  const maps = ['0:v', '1:v', '2:v', '2:a', '3:a'].flatMap((map) => ['-map', map])
  const sets = ['-adaptation_sets', 'id=0,streams=0,1,2 id=1,streams=3 id=2,streams=4']
  const options = ['-f', 'dash', '-seg_duration', '2', '-hls_playlist', '1', '-hls_master_name', 'index.m3u8']
  await ffmpeg(path, [...inputs, ...maps, '-c', 'copy', ...options, ...sets, join(target, 'manifest.mpd')])
}
