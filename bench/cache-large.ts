import { peer } from '../test/peers.ts'
import { type CacheContender, type CacheName, startCaches, startOrigin } from './cache-contenders.ts'
import { createGround } from './ground.ts'
import { CLIENT_CORE, cpuSeconds, interleave, median, runPinned } from './peers.ts'

const ROUNDS = 5
const OCTETS = 100_000_000
const TIMES = 5

type Figures = Readonly<
  Record<string, { readonly megabytesPerSecond: number; readonly cpuMilliseconds: number }>
>

export type CacheLargeBench = {
  readonly bench: 'cache-large'
  /** processor time, theirs / ours */
  readonly cpuRatios: Readonly<Record<string, number>>
  readonly contenders: Figures
}

/**
 * Measure hits of 100 MB over one connection of HTTP/1.1 beside nginx and Varnish, one core each; curl throws the octets
 * away.
 *
 * @throws {Error} when nginx or curl is missing
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const curl = peer('curl')
  if (curl === undefined) throw new Error('The bench needs curl. Fix: apt-get install curl')
  const ground = await createGround('cache-large', ['nginx', 'curl'])
  try {
    const origin = await startOrigin(ground)
    const caches = await startCaches(ground, origin, ['portico', 'nginx', 'varnish'])
    const names = Object.keys(caches) as CacheName[]
    const cpu = new Map<CacheName, number[]>(names.map((name) => [name, []]))
    const load = async (name: CacheName): Promise<number> => {
      const { port, peer: server }: CacheContender = caches[name]!
      const url = `http://127.0.0.1:${port}/${OCTETS}/large`
      const urls = Array.from({ length: TIMES }, () => ['-o', '/dev/null', url]).flat()
      const before = cpuSeconds(server.pid)
      const startedAt = performance.now()
      await runPinned(CLIENT_CORE, curl, ['-sf', ...urls])
      const seconds = (performance.now() - startedAt) / 1000
      cpu.get(name)!.push(((cpuSeconds(server.pid) - before) * 1000) / TIMES)
      return (OCTETS * TIMES) / 1e6 / seconds
    }
    for (const name of names) await load(name)
    for (const list of cpu.values()) list.length = 0
    const runs = await interleave(names, ROUNDS, load)
    const contenders: Figures = Object.fromEntries(
      names.map((name) => [
        name,
        {
          megabytesPerSecond: Math.round(median(runs[name])),
          cpuMilliseconds: Number(median(cpu.get(name)!).toFixed(1)),
        },
      ]),
    )
    const ours = contenders['portico']!.cpuMilliseconds
    const others = names.filter((name) => name !== 'portico')
    const cpuRatios = Object.fromEntries(
      others.map((name) => [name, Number((contenders[name]!.cpuMilliseconds / ours).toFixed(2))]),
    )
    const result: CacheLargeBench = { bench: 'cache-large', cpuRatios, contenders }
    if (json) return console.log(JSON.stringify(result))
    console.log('Cache hits of 100 MB, one connection, one core')
    console.table(contenders)
    console.log(`processor time, theirs / ours: ${JSON.stringify(cpuRatios)}`)
  } finally {
    await ground.leave()
  }
}
