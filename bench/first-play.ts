import { statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../test/ports.ts'
import { round } from './compare.ts'
import { createGround, type Ground } from './ground.ts'
import { listenPlain, startNginx } from './nginx.ts'
import { median, SERVER_CORE, waitForPort } from './peers.ts'
import { ffmpeg, initOf, linesOf, makeFilm, startStreaming, Viewer } from './streaming.ts'

const ROUNDS = 5
const HOURS = 2

export type FirstPlayBench = {
  readonly bench: 'first-play'
  readonly filmOctets: number
  /** from the first request to the last octet of the first segment, of a film that nobody has asked for before */
  readonly porticoMs: number
  /** octets that went over the wire meanwhile: playlists, init and segment */
  readonly porticoOctets: number
  /** packaging all of it by `ffmpeg -f hls` before, and the same requests to nginx then */
  readonly packagingMs: number
  readonly nginxMs: number
}

/**
 * Measure how long a fresh film of two hours takes until its first segment is there, beside packaging it ahead.
 *
 * @throws {Error} when ffmpeg or nginx is missing, or one of them does not start
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const ground = await createGround('first-play', ['ffmpeg', 'nginx'])
  try {
    const { port } = await startStreaming(ground)
    const films = join(ground.folder, 'films')
    const wish = { name: 'a.mp4', size: '640x360', bitsPerSecond: 500_000, seconds: HOURS * 3600 }
    const film = await makeFilm(films, wish)
    // The first film that is asked for is the compiler's.
    for (let i = 0; i <= ROUNDS; i++)
      await ffmpeg(['-i', film, '-c', 'copy', '-movflags', '+faststart', join(films, `f${i}.mp4`)])
    const rounds: Start[] = []
    for (let i = 0; i <= ROUNDS; i++) rounds.push(await start(port, `/f${i}.mp4/index.m3u8`))
    const theirs = await startTheirs(ground, film)
    const others: Start[] = []
    for (let i = 0; i <= ROUNDS; i++) others.push(await start(theirs.port, '/index.m3u8'))
    const result: FirstPlayBench = {
      bench: 'first-play',
      filmOctets: statSync(film).size,
      porticoMs: round(median(rounds.slice(1).map(({ ms }) => ms))),
      porticoOctets: rounds[1]!.octets,
      packagingMs: round(theirs.packagingMs),
      nginxMs: round(median(others.slice(1).map(({ ms }) => ms))),
    }
    print(result, json)
  } finally {
    await ground.leave()
  }
}

type Start = { readonly ms: number; readonly octets: number }

/** What a player asks for before its first picture: the playlists, what begins the rendition, and a segment. */
async function start(port: number, path: string): Promise<Start> {
  const viewer = new Viewer(port)
  const begun = performance.now()
  let list = path
  let playlist = (await viewer.get(list)).body
  let octets = playlist.length
  if (!String(playlist).includes('#EXTINF')) {
    list = linesOf(path, playlist)[0]!
    playlist = (await viewer.get(list)).body
    octets += playlist.length
  }
  for (const part of [initOf(list, playlist), linesOf(list, playlist)[0]!])
    octets += (await viewer.get(part)).body.length
  viewer.close()
  return { ms: performance.now() - begun, octets }
}

async function startTheirs(ground: Ground, film: string): Promise<{ port: number; packagingMs: number }> {
  const port = await freePort()
  const root = join(ground.folder, 'packaged')
  await mkdir(root)
  const begun = performance.now()
  const hls = ['-f', 'hls', '-hls_time', '6', '-hls_segment_type', 'fmp4', '-hls_playlist_type', 'vod']
  await ffmpeg(['-i', film, '-map', '0:v', '-c', 'copy', ...hls, join(root, 'index.m3u8')])
  const packagingMs = performance.now() - begun
  await startNginx(
    ground,
    SERVER_CORE,
    'packaged',
    `sendfile on; server { ${listenPlain(port)} root ${root}; }`,
  )
  await waitForPort(port)
  return { port, packagingMs }
}

function print(result: FirstPlayBench, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(result))
    return
  }
  const { filmOctets, porticoMs, porticoOctets, packagingMs, nginxMs } = result
  console.log(
    `A fresh film of ${HOURS} hours and ${round(filmOctets / 1e6)} MB, to the end of its first segment:`,
  )
  console.log(`  Portico ${porticoMs} ms (${round(porticoOctets / 1e6)} MB over the wire)`)
  console.log(`  ffmpeg -f hls ${packagingMs} ms, then nginx ${nginxMs} ms`)
}
