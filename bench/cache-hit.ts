import {
  type CacheContender,
  type CacheFigures,
  type CacheName,
  loadHttp1,
  loadHttp2,
  startCaches,
  startOrigin,
} from './cache-contenders.ts'
import { createGround } from './ground.ts'
import { interleave, median } from './peers.ts'

const ROUNDS = 5
const SECONDS = 2
const REQUESTS = 100_000
const TARGET = '/1024/hit'

type Figures = Readonly<Record<string, CacheFigures>>

export type CacheHitBench = {
  readonly bench: 'cache-hit'
  /** processor time of a request, theirs / ours */
  readonly cpuRatios: {
    readonly http1: Readonly<Record<string, number>>
    readonly http2: Readonly<Record<string, number>>
  }
  readonly http1: Figures
  readonly http2: Figures
}

/**
 * Measure hits of 1 KiB beside nginx, HAProxy and Varnish: keep-alive, 64 connections of HTTP/1.1; 16 streams on each of
 * 16 connections of HTTP/2 beside nginx. One core each; processor time counts, because a load generator is slower.
 *
 * @throws {Error} when nginx, wrk or h2load is missing
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const ground = await createGround('cache-hit', ['nginx', 'curl', 'h2load'])
  try {
    const origin = await startOrigin(ground)
    const caches1 = await startCaches(ground, origin, ['portico', 'nginx', 'haproxy', 'varnish'])
    const http1 = await measure(caches1, (cache) => loadHttp1(cache, { target: TARGET, seconds: SECONDS }))
    const caches2 = await startCaches(ground, origin, ['portico', 'nginx'], 'h2')
    const http2 = await measure(caches2, (cache) => loadHttp2(cache, TARGET, REQUESTS))
    const result: CacheHitBench = {
      bench: 'cache-hit',
      cpuRatios: { http1: ratios(http1), http2: ratios(http2) },
      http1,
      http2,
    }
    if (json) return console.log(JSON.stringify(result))
    console.log('Cache hits of 1 KiB, one core')
    console.table(http1)
    console.log(`HTTP/1.1, processor time, theirs / ours: ${JSON.stringify(result.cpuRatios.http1)}`)
    console.table(http2)
    console.log(`HTTP/2, processor time, theirs / ours: ${JSON.stringify(result.cpuRatios.http2)}`)
  } finally {
    await ground.leave()
  }
}

async function measure(
  caches: Partial<Record<CacheName, CacheContender>>,
  load: (cache: CacheContender) => Promise<CacheFigures>,
): Promise<Figures> {
  const names = Object.keys(caches) as CacheName[]
  const figures = new Map<CacheName, CacheFigures[]>(names.map((name) => [name, []]))
  // The first seconds are the compiler's, and fill the cache.
  for (const name of names) await load(caches[name]!)
  await interleave(names, ROUNDS, async (name) => {
    const one = await load(caches[name]!)
    figures.get(name)!.push(one)
    return one.requestsPerSecond
  })
  return Object.fromEntries(
    names.map((name) => {
      const runs = figures.get(name)!
      const requestsPerSecond = Math.round(median(runs.map((one) => one.requestsPerSecond)))
      return [
        name,
        {
          requestsPerSecond,
          cpuMicroseconds: Number(median(runs.map((one) => one.cpuMicroseconds)).toFixed(2)),
        },
      ]
    }),
  )
}

function ratios(figures: Figures): Record<string, number> {
  const ours = figures['portico']!.cpuMicroseconds
  const others = Object.entries(figures).filter(([name]) => name !== 'portico')
  return Object.fromEntries(
    others.map(([name, { cpuMicroseconds }]) => [name, Number((cpuMicroseconds / ours).toFixed(2))]),
  )
}
