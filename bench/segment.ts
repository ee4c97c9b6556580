import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../test/ports.ts'
import { round } from './compare.ts'
import { createGround, type Ground } from './ground.ts'
import { runWrk } from './loads.ts'
import { listenPlain, startNginx } from './nginx.ts'
import { cpuSeconds, median, type Peer, SERVER_CORE, waitForPort } from './peers.ts'
import { ffmpeg, HOST, linesOf, makeFilm, startStreaming, Viewer } from './streaming.ts'

const WARM_ROUNDS = 20
const RATE_SECONDS = 3

type Costs = {
  /** milliseconds to the first octet and to the last one: the median of all segments */
  readonly firstMs: number
  readonly allMs: number
  /** the same, of the slowest twentieth */
  readonly first95Ms: number
  /** processor time of the server for a segment */
  readonly cpuMs: number
}

export type SegmentBench = {
  readonly bench: 'segment'
  readonly segmentOctets: number
  readonly cold: Costs
  readonly warm: Costs
  /** files that ffmpeg packaged before, sent by nginx */
  readonly nginx: Costs
  /** megabytes a second to 8 connections that ask for warm segments */
  readonly rates: Readonly<Record<'portico' | 'nginx', number>>
}

/**
 * Measure segments of a film of 1080p: cut for the first time (its index is known), from the cache, and beside nginx,
 * which sends files that were packaged ahead.
 *
 * @throws {Error} when ffmpeg, nginx or wrk is missing, or one of them does not start
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const ground = await createGround('segment', ['ffmpeg', 'nginx', 'wrk'])
  try {
    const { port, peer } = await startStreaming(ground)
    const films = join(ground.folder, 'films')
    const wish = { name: 'film.mp4', size: '1920x1080', bitsPerSecond: 6_000_000, seconds: 240 }
    const film = await makeFilm(films, wish)
    const theirs = await startTheirs(ground, film)
    const viewer = new Viewer(port)
    const master = await viewer.get('/film.mp4/index.m3u8')
    const list = linesOf('/film.mp4/index.m3u8', master.body)[0]!
    const segments = linesOf(list, (await viewer.get(list)).body)
    const cold = await costs(viewer, peer, segments, 1)
    const warm = await costs(viewer, peer, segments, WARM_ROUNDS)
    const files = segments.map((_, i) => `/seg-${i}.m4s`)
    const other = new Viewer(theirs.port)
    await costs(other, theirs.peer, files, 1)
    const nginx = await costs(other, theirs.peer, files, WARM_ROUNDS)
    const octets = (await viewer.get(segments[1]!)).body.length
    const rates = {
      portico: await rate(ground, port, segments.slice(0, -1), octets),
      nginx: await rate(ground, theirs.port, files.slice(0, -1), octets),
    }
    for (const one of [viewer, other]) one.close()
    print({ bench: 'segment', segmentOctets: octets, cold, warm, nginx, rates }, json)
  } finally {
    await ground.leave()
  }
}

async function startTheirs(ground: Ground, film: string): Promise<{ port: number; peer: Peer }> {
  const port = await freePort()
  const hls = ['-f', 'hls', '-hls_time', '6', '-hls_segment_type', 'fmp4', '-hls_playlist_type', 'vod']
  const names = [
    '-hls_segment_filename',
    join(ground.folder, 'seg-%d.m4s'),
    join(ground.folder, 'index.m3u8'),
  ]
  await ffmpeg(['-i', film, '-map', '0:v', '-c', 'copy', ...hls, ...names])
  const open = 'open_file_cache max=1000 inactive=20s; keepalive_timeout 60s;'
  const block = `sendfile on; tcp_nopush on; server { ${listenPlain(port)} root ${ground.folder}; ${open} }`
  const peer = await startNginx(ground, SERVER_CORE, 'segments', block)
  await waitForPort(port)
  return { port, peer }
}

async function costs(
  viewer: Viewer,
  { pid }: Peer,
  paths: readonly string[],
  rounds: number,
): Promise<Costs> {
  const first: number[] = []
  const all: number[] = []
  const before = cpuSeconds(pid)
  for (let i = 0; i < rounds; i++) {
    for (const path of paths) {
      const { firstMs, allMs } = await viewer.get(path)
      first.push(firstMs)
      all.push(allMs)
    }
  }
  const cpuMs = round(((cpuSeconds(pid) - before) * 1000) / (rounds * paths.length))
  const first95Ms = round(first.toSorted((a, b) => a - b)[Math.floor(first.length * 0.95)]!)
  return { firstMs: round(median(first)), allMs: round(median(all)), first95Ms, cpuMs }
}

async function rate(ground: Ground, port: number, paths: readonly string[], octets: number): Promise<number> {
  const script = join(ground.folder, 'segments.lua')
  const list = paths.map((path) => `"${path}"`).join(', ')
  const next = 'at = at % #paths + 1\n  return wrk.format("GET", paths[at])'
  const lines = [`local paths = { ${list} }`, 'local at = 0', `wrk.headers["Host"] = "${HOST}"`]
  await writeFile(script, `${lines.join('\n')}\nrequest = function()\n  ${next}\nend\n`)
  const measured: number[] = []
  for (let i = 0; i < 3; i++) {
    const { requests, seconds } = await runWrk(port, { connections: 8, seconds: RATE_SECONDS, script })
    measured.push((requests * octets) / seconds / 1e6)
  }
  return round(median(measured))
}

function print(result: SegmentBench, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(result))
    return
  }
  const { segmentOctets, cold, warm, nginx, rates } = result
  console.log(`Segments of ${round(segmentOctets / 1e6)} MB, a film of 1080p`)
  console.table({ 'cut anew': cold, 'from the cache': warm, 'nginx, packaged before': nginx })
  console.log(`8 connections: ${rates.portico} MB/s, nginx ${rates.nginx} MB/s`)
}
