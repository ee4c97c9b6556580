import { startCaches, startOrigin } from './cache-contenders.ts'
import { compare, type Figures, round } from './compare.ts'
import { createGround } from './ground.ts'
import { runH2load, runWrk } from './loads.ts'

const ROUNDS = 5
const SECONDS = 2
const REQUESTS = 100_000
const TARGET = '/1024/hit'
const STREAMS = ['-c', '16', '-m', '16']

type Contenders = Readonly<Record<string, Figures>>

export type CacheHitBench = {
  readonly bench: 'cache-hit'
  /** processor time of a request, theirs / ours */
  readonly cpuRatios: {
    readonly http1: Readonly<Record<string, number>>
    readonly http2: Readonly<Record<string, number>>
  }
  readonly http1: Contenders
  readonly http2: Contenders
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
    const load = { connections: 64, seconds: SECONDS, target: TARGET }
    const http1 = await compare(caches1, ROUNDS, (port) => runWrk(port, load))
    const caches2 = await startCaches(ground, origin, ['portico', 'nginx'], 'h2')
    const http2 = await compare(caches2, ROUNDS, (port) =>
      runH2load(`http://127.0.0.1:${port}${TARGET}`, REQUESTS, STREAMS),
    )
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

function ratios({ portico, ...others }: Contenders): Record<string, number> {
  const of = ({ cpuMicroseconds }: Figures): number => round(cpuMicroseconds / portico!.cpuMicroseconds)
  return Object.fromEntries(Object.entries(others).map(([name, figures]) => [name, of(figures)]))
}
