import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type CacheFigures,
  type CacheName,
  loadHttp1,
  originRequests,
  startCaches,
  startOrigin,
} from './cache-contenders.ts'
import { createGround } from './ground.ts'
import { interleave, median } from './peers.ts'

const ROUNDS = 5
const SECONDS = 3
const OBJECTS = 100_000

type Figures = Readonly<Record<string, CacheFigures & { readonly hitPercent: number }>>

export type CacheMixedBench = {
  readonly bench: 'cache-mixed'
  /** processor time of a request, theirs / ours */
  readonly cpuRatios: Readonly<Record<string, number>>
  readonly contenders: Figures
}

/** Zipf with exponent 0.9 over the objects, whose sizes go from 512 octets to 32 KiB. */
const ZIPF = `math.randomseed(tonumber(os.getenv("BENCH_SEED") or "1"))
local exponent, objects = 0.1, ${OBJECTS}
request = function()
  local id = math.floor(objects * math.random() ^ (1 / exponent)) + 1
  return wrk.format("GET", "/" .. (512 * 2 ^ (id % 7)) .. "/" .. id)
end
`

/**
 * Measure hits and misses together beside nginx: 100 000 objects, asked for by Zipf's law, one core each.
 *
 * @throws {Error} when nginx or wrk is missing
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const ground = await createGround('cache-mixed', ['nginx', 'curl', 'h2load'])
  try {
    const script = join(ground.folder, 'zipf.lua')
    await writeFile(script, ZIPF)
    const origin = await startOrigin(ground)
    const caches = await startCaches(ground, origin, ['portico', 'nginx'])
    const names = Object.keys(caches) as CacheName[]
    const figures = new Map<CacheName, (CacheFigures & { hitPercent: number })[]>(
      names.map((name) => [name, []]),
    )
    await interleave(names, ROUNDS + 1, async (name) => {
      const before = await originRequests(origin)
      const one = await loadHttp1(caches[name]!, { target: '/', seconds: SECONDS, script })
      const fetches = (await originRequests(origin)) - before
      const hitPercent = 100 * (1 - fetches / (one.requestsPerSecond * SECONDS))
      figures.get(name)!.push({ ...one, hitPercent })
      return one.requestsPerSecond
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

function middle(runs: readonly (CacheFigures & { readonly hitPercent: number })[]): Figures[string] {
  const of = (value: (one: Figures[string]) => number): number => Number(median(runs.map(value)).toFixed(1))
  return {
    requestsPerSecond: of((one) => one.requestsPerSecond),
    cpuMicroseconds: of((one) => one.cpuMicroseconds),
    hitPercent: of((one) => one.hitPercent),
  }
}
