import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { round } from './compare.ts'
import { createGround } from './ground.ts'
import { cpuSeconds, residentOctets } from './peers.ts'
import { linesOf, makeFilm, startStreaming, Viewer } from './streaming.ts'

const SESSIONS = 500
const FILMS = 8
const FILM_SECONDS = 600
const SEGMENT_MS = 6000
/** each viewer asks for so many segments, one after the other at real pace */
const SEGMENTS = 5

export type ViewersBench = {
  readonly bench: 'viewers'
  readonly sessions: number
  readonly segments: number
  /** segments that had to be cut; each one was, however many asked for it */
  readonly misses: number
  /** segments that came later than the one before was played */
  readonly stalls: number
  readonly slowestMs: number
  readonly medianMs: number
  readonly megabytesPerSecond: number
  /** of one core */
  readonly cpuShare: number
  readonly residentMib: number
  /** more than before the first viewer came, for each of them */
  readonly sessionKib: number
}

/**
 * Watch 500 viewers at real pace on one core: each somewhere in one of eight films, asking for a segment of six seconds
 * each six seconds.
 *
 * @throws {Error} when ffmpeg is missing, or a segment is not answered with 200
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const ground = await createGround('viewers', ['ffmpeg'])
  try {
    const { port, peer } = await startStreaming(ground)
    const lists: string[][] = []
    const looker = new Viewer(port)
    for (let i = 0; i < FILMS; i++) {
      const name = `film${i}.mp4`
      await makeFilm(join(ground.folder, 'films'), {
        name,
        size: '1280x720',
        bitsPerSecond: 2_000_000,
        seconds: FILM_SECONDS,
      })
      const master = `/${name}/index.m3u8`
      const list = linesOf(master, (await looker.get(master)).body)[0]!
      lists.push(linesOf(list, (await looker.get(list)).body))
    }
    looker.close()
    const before = residentOctets(peer.pid)
    const cpuBefore = cpuSeconds(peer.pid)
    const begun = performance.now()
    const memory = { most: before }
    const look = setInterval(() => (memory.most = Math.max(memory.most, residentOctets(peer.pid))), 200)
    const sessions = await Promise.all(
      Array.from({ length: SESSIONS }, (_, i) => watch(port, lists[i % FILMS]!, i)),
    )
    clearInterval(look)
    const seconds = (performance.now() - begun) / 1000
    const all = sessions.flat().toSorted((a, b) => a.ms - b.ms)
    const octets = all.reduce((sum, one) => sum + one.octets, 0)
    print(
      {
        bench: 'viewers',
        sessions: SESSIONS,
        segments: all.length,
        misses: all.filter(({ isMiss }) => isMiss).length,
        stalls: all.filter(({ isLate }) => isLate).length,
        slowestMs: round(all.at(-1)!.ms),
        medianMs: round(all[all.length >> 1]!.ms),
        megabytesPerSecond: round(octets / 1e6 / seconds),
        cpuShare: round((cpuSeconds(peer.pid) - cpuBefore) / seconds),
        residentMib: round(memory.most / 2 ** 20),
        sessionKib: round((memory.most - before) / SESSIONS / 1024),
      },
      json,
    )
  } finally {
    await ground.leave()
  }
}

type Segment = {
  readonly ms: number
  readonly octets: number
  readonly isMiss: boolean
  readonly isLate: boolean
}

/** One viewer: begins somewhere within the first six seconds, has one segment ahead, and asks at real pace. */
async function watch(port: number, segments: readonly string[], number: number): Promise<Segment[]> {
  const viewer = new Viewer(port)
  const from = (number * 7) % (segments.length - SEGMENTS)
  const seen: Segment[] = []
  await pause((number / SESSIONS) * SEGMENT_MS)
  for (let i = 0; i < SEGMENTS; i++) {
    const begun = performance.now()
    const { body, allMs, cacheStatus } = await viewer.get(segments[from + i]!)
    seen.push({
      ms: allMs,
      octets: body.length,
      isMiss: !/\bhit\b/.test(cacheStatus),
      isLate: allMs > SEGMENT_MS,
    })
    await pause(Math.max(0, SEGMENT_MS - (performance.now() - begun)))
  }
  viewer.close()
  return seen
}

function print(result: ViewersBench, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(result))
    return
  }
  const { sessions, segments, misses, stalls, slowestMs, medianMs } = result
  console.log(
    `${sessions} viewers: ${segments} segments, ${misses} cut, ${stalls} late; ${medianMs} ms each, ${slowestMs} ms at most`,
  )
  const { megabytesPerSecond, cpuShare, residentMib, sessionKib } = result
  console.log(
    `${megabytesPerSecond} MB/s, ${cpuShare} of a core, ${residentMib} MiB, ${sessionKib} KiB for each viewer`,
  )
}
