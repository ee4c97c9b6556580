/** What the benches of streaming share: films, a Portico that streams them, and a client that measures. */
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { peer } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { type Ground, startPeer } from './ground.ts'
import { CLIENT_CORE, type Peer, runPinned, SERVER_CORE, waitForPort } from './peers.ts'

export const HOST = 'films.example.com'

/** A film to make: its picture, how many octets a second, and how long. */
export type FilmWish = {
  readonly name: string
  readonly size: string
  readonly bitsPerSecond: number
  readonly seconds: number
}

const SEED_SECONDS = 12

/** Encode 12 s, and repeat them without encoding again: a film of hours costs no more than the disk takes. */
export async function makeFilm(
  folder: string,
  { name, size, bitsPerSecond, seconds }: FilmWish,
): Promise<string> {
  const [seed, film] = [join(folder, `.seed-${name}`), join(folder, name)]
  const inputs = ['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=25:d=${SEED_SECONDS}`]
  const sound = ['-f', 'lavfi', '-i', `sine=440:d=${SEED_SECONDS}`, '-c:a', 'aac', '-b:a', '96k']
  const rate = ['-b:v', `${bitsPerSecond}`, '-maxrate', `${bitsPerSecond}`, '-bufsize', `${bitsPerSecond}`]
  const picture = [
    '-vf',
    'noise=alls=20:allf=t',
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-pix_fmt',
    'yuv420p',
  ]
  await ffmpeg([...inputs, ...sound, ...picture, ...rate, '-g', '50', '-sc_threshold', '0', seed])
  const times = String(Math.round(seconds / SEED_SECONDS) - 1)
  await ffmpeg(['-stream_loop', times, '-i', seed, '-c', 'copy', '-movflags', '+faststart', film])
  return film
}

/** Run ffmpeg on the client's core. */
export async function ffmpeg(words: readonly string[]): Promise<void> {
  await runPinned(CLIENT_CORE, peer('ffmpeg')!, ['-v', 'error', '-y', '-nostdin', ...words])
}

/** Start the whole program with one worker, streaming the folder `films` of the ground. */
export async function startStreaming(ground: Ground): Promise<{ port: number; peer: Peer }> {
  const { folder } = ground
  await mkdir(join(folder, 'films'), { recursive: true })
  await chmod(folder, 0o755)
  const [http, dns, https, admin] = await Promise.all(Array.from({ length: 4 }, () => freePort()))
  const listen = Object.fromEntries(
    Object.entries({ http, dns, https, admin }).map(([name, port]) => [name, `127.0.0.1:${port}`]),
  )
  const hosts = { films: { http: 'serve', files: './films', stream: true } }
  const config = { workers: 1, address: '203.0.113.10', listen, domains: { 'example.com': { hosts } } }
  const file = join(folder, 'portico.jsonc')
  await writeFile(file, JSON.stringify(config))
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  const started = await startPeer(ground, SERVER_CORE, process.execPath, main, 'up', '--config', file)
  await waitForPort(http!)
  return { port: http!, peer: started }
}

/** One response, and when it came. */
export type Got = {
  readonly body: Buffer
  readonly firstMs: number
  readonly allMs: number
  /** Cache-Status, empty where nobody says it */
  readonly cacheStatus: string
}

/** Get one after the other over one connection. */
export class Viewer {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #port: number

  constructor(port: number) {
    this.#port = port
  }

  /** @throws {Error} for any other answer than 200 */
  get(path: string): Promise<Got> {
    const begun = performance.now()
    const options = { host: '127.0.0.1', port: this.#port, path, headers: { host: HOST }, agent: this.#agent }
    return new Promise((resolve, reject) => {
      const asked = get(options, (response) => {
        const parts: Buffer[] = []
        let firstMs = 0
        response.on('data', (part: Buffer) => {
          firstMs ||= performance.now() - begun
          parts.push(part)
        })
        response.once('error', reject)
        response.once('end', () => {
          if (response.statusCode !== 200)
            return reject(new Error(`${path} was answered with ${response.statusCode}`))
          const cacheStatus = String(response.headers['cache-status'] ?? '')
          resolve({ body: Buffer.concat(parts), firstMs, allMs: performance.now() - begun, cacheStatus })
        })
      })
      asked.once('error', reject)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** The paths that a playlist names, resolved. */
export function linesOf(path: string, playlist: Buffer): string[] {
  const base = new URL(path, `http://${HOST}`)
  return String(playlist)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => new URL(line, base).pathname)
}

/** The segment of init that a playlist names, resolved. */
export function initOf(path: string, playlist: Buffer): string {
  const uri = /#EXT-X-MAP:URI="([^"]+)"/.exec(String(playlist))![1]!
  return new URL(uri, new URL(path, `http://${HOST}`)).pathname
}
