import { peer } from '../test/peers.ts'
import { startCaches, startOrigin } from './cache-contenders.ts'
import type { Contender } from './compare.ts'
import { createGround } from './ground.ts'
import { CLIENT_CORE, cpuSeconds, interleave, median, runPinned } from './peers.ts'

const ROUNDS = 5
const OCTETS = 100_000_000
const TIMES = 5
const FROM_DISK = 'portico from disk'

type Figures = Readonly<
  Record<string, { readonly megabytesPerSecond: number; readonly cpuMilliseconds: number }>
>

export type CacheLargeBench = {
  readonly bench: 'cache-large'
  /** processor time, theirs / ours */
  readonly cpuRatios: Readonly<Record<string, number>>
  /** the same of nginx, which sends files, beside ours that lie on disk alone */
  readonly diskRatio: number
  readonly contenders: Figures
}

/**
 * Measure hits of 100 MB over one connection of HTTP/1.1, from memory and from disk, beside nginx and Varnish, one core each; curl throws the octets
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
    const { portico: disk } = await startCaches(ground, origin, ['portico'], 'large disk')
    const memory = await startCaches(ground, origin, ['portico', 'nginx', 'varnish'])
    const caches: Record<string, Contender> = { ...memory, [FROM_DISK]: disk! }
    const names = Object.keys(caches)
    const cpu = new Map<string, number[]>(names.map((name) => [name, []]))
    const load = async (name: string): Promise<number> => {
      const { port, peer: server } = caches[name]!
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
          megabytesPerSecond: Math.round(median(runs[name]!)),
          cpuMilliseconds: Number(median(cpu.get(name)!).toFixed(1)),
        },
      ]),
    )
    const ratio = (theirs: string, ours: string): number =>
      Number((contenders[theirs]!.cpuMilliseconds / contenders[ours]!.cpuMilliseconds).toFixed(2))
    const others = names.filter((name) => !name.startsWith('portico'))
    const cpuRatios = Object.fromEntries(others.map((name) => [name, ratio(name, 'portico')]))
    const diskRatio = ratio('nginx', FROM_DISK)
    const result: CacheLargeBench = { bench: 'cache-large', cpuRatios, diskRatio, contenders }
    if (json) return console.log(JSON.stringify(result))
    console.log('Cache hits of 100 MB, one connection, one core')
    console.table(contenders)
    console.log(
      `processor time, theirs / ours: ${JSON.stringify(cpuRatios)}; nginx / ours from disk: ${diskRatio}`,
    )
  } finally {
    await ground.leave()
  }
}
