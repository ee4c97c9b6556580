import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { originRequests, startCaches, startOrigin } from './cache-contenders.ts'
import { measureRound } from './compare.ts'
import { createGround } from './ground.ts'
import { runWrk } from './loads.ts'
import { interleave, median } from './peers.ts'

const ROUNDS = 5
const REQUESTS = 40_000
const OBJECTS = 100_000
/** More than a round takes; wrk waits for it. */
const LIMIT_SECONDS = 5

/** A round ends before its time is over: how many requests there were in a second says nothing. */
type Mixed = { readonly cpuMicroseconds: number; readonly hitPercent: number }

type Figures = Readonly<Record<string, Mixed>>

export type CacheMixedBench = {
  readonly bench: 'cache-mixed'
  /** processor time of a request, theirs / ours */
  readonly cpuRatios: Readonly<Record<string, number>>
  readonly contenders: Figures
}

/**
 * Zipf with exponent 0.95 over the objects, whose sizes go from 512 octets to 32 KiB. A round asks for others than the one
 * before: four of five of its requests find what an earlier one has left.
 */
const ZIPF = `local left = ${REQUESTS}
function init(words)
  round = words[1]
  math.randomseed(round)
end
function request()
  left = left - 1
  if left <= 0 then wrk.thread:stop() end
  local id = math.floor(${OBJECTS} * math.random() ^ 20) + 1
  return wrk.format("GET", "/" .. (512 * 2 ^ (id % 7)) .. "/" .. round .. "/" .. id)
end
`

/**
 * Measure hits and misses together beside nginx: 100 000 objects, asked for by Zipf's law, kept in memory and on disk, one
 * core each.
 *
 * @throws {Error} when nginx or wrk is missing
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const ground = await createGround('cache-mixed', ['nginx', 'curl', 'h2load'])
  try {
    const script = join(ground.folder, 'zipf.lua')
    await writeFile(script, ZIPF)
    const origin = await startOrigin(ground)
    const caches = await startCaches(ground, origin, ['portico', 'nginx'], 'disk')
    const names = Object.keys(caches)
    const figures = new Map<string, Mixed[]>(names.map((name) => [name, []]))
    let round = 0
    await interleave(names, ROUNDS + 1, async (name) => {
      const before = await originRequests(origin)
      const load = { connections: 64, seconds: LIMIT_SECONDS, script, words: [`${round++}`] }
      const measured = await measureRound(caches[name]!, (port) => runWrk(port, load))
      const { requests, cpuMicroseconds, requestsPerSecond } = measured
      const fetches = (await originRequests(origin)) - before
      figures.get(name)!.push({ cpuMicroseconds, hitPercent: 100 * (1 - fetches / requests) })
      return requestsPerSecond
    })
    const contenders: Figures = Object.fromEntries(
      names.map((name) => [name, middle(figures.get(name)!.slice(1))]),
    )
    const ratio = contenders['nginx']!.cpuMicroseconds / contenders['portico']!.cpuMicroseconds
    const result: CacheMixedBench = {
      bench: 'cache-mixed',
      cpuRatios: { nginx: Number(ratio.toFixed(2)) },
      contenders,
    }
    if (json) return console.log(JSON.stringify(result))
    console.log(`${OBJECTS} objects by Zipf's law, hits and misses, one core`)
    console.table(contenders)
    console.log(`processor time, theirs / ours: ${JSON.stringify(result.cpuRatios)}`)
  } finally {
    await ground.leave()
  }
}

function middle(runs: readonly Mixed[]): Mixed {
  const of = (value: (one: Mixed) => number): number => Number(median(runs.map(value)).toFixed(1))
  return {
    cpuMicroseconds: of((one) => one.cpuMicroseconds),
    hitPercent: of((one) => one.hitPercent),
  }
}
