import { join } from 'node:path'
import { run } from './peers.ts'

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
