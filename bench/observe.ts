import { join } from 'node:path'
import { freePort } from '../test/ports.ts'
import { type Contender, compare } from './compare.ts'
import { createGround, startScript } from './ground.ts'
import { runWrk } from './loads.ts'
import { answerBlock, listenPlain, startNginx } from './nginx.ts'
import { CLIENT_CORE, waitForPort } from './peers.ts'

const ROUNDS = 7
const LOAD = { connections: 64, seconds: 2 }
const CONTENT_OCTETS = 1024

const VARIANTS = ['off', 'metrics', 'log', 'combined', 'ids', 'traces'] as const
type Variant = (typeof VARIANTS)[number]

export type ObserveBench = {
  readonly bench: 'observe'
  /** processor time of the proxy for a request, in microseconds; `off` observes nothing */
  readonly cpuMicroseconds: Readonly<Record<Variant, number>>
  /** the part of it that each adds to `off`; traces are sampled at 1 % */
  readonly added: Readonly<Record<Exclude<Variant, 'off'>, number>>
}

/**
 * Measure what it costs a proxied request to be observed: metrics alone, as always, and with each of the options.
 *
 * @throws {Error} when nginx or wrk is missing
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const ground = await createGround('observe', ['nginx', 'wrk'])
  try {
    const origin = await freePort()
    await startNginx(ground, CLIENT_CORE, 'origin', answerBlock(listenPlain(origin), CONTENT_OCTETS))
    const contenders = {} as Record<Variant, Contender>
    for (const variant of VARIANTS) {
      const port = await freePort()
      const words = [`${port}`, `${origin}`, observe(variant, ground.folder)]
      contenders[variant] = { port, peer: await startScript(ground, 'proxy-portico.ts', ...words) }
    }
    const ports = Object.values(contenders).map(({ port }) => port)
    await Promise.all([origin, ...ports].map((port) => waitForPort(port)))
    const figures = await compare(contenders, ROUNDS, (port) => runWrk(port, LOAD))
    const cpu = (name: Variant): number => figures[name].cpuMicroseconds
    const added = VARIANTS.slice(1).map((name) => [name, Number((cpu(name) / cpu('off') - 1).toFixed(4))])
    const result = {
      bench: 'observe',
      cpuMicroseconds: Object.fromEntries(VARIANTS.map((name) => [name, cpu(name)])),
      added: Object.fromEntries(added),
    } as ObserveBench
    if (json) console.log(JSON.stringify(result))
    else console.table({ 'µs a request': result.cpuMicroseconds, 'added to off': result.added })
  } finally {
    await ground.leave()
  }
}

function observe(variant: Variant, folder: string): string {
  const accessLog = { file: join(folder, `${variant}.log`), query: true, oneIn: 1, keep: 1 }
  const identity = { trace: true, field: true, respond: false }
  // Nothing listens there: what is measured is the recording.
  const traces = { endpoint: 'http://127.0.0.1:1/v1/traces', service: 'bench', share: 0.01, queueSpans: 2048 }
  const settings: Readonly<Record<Variant, object | null>> = {
    off: null,
    metrics: {},
    log: { accessLog: { ...accessLog, format: 'json' } },
    combined: { accessLog: { ...accessLog, format: 'combined' } },
    ids: { identity },
    traces: { identity, traces },
  }
  return settings[variant] === null ? 'off' : JSON.stringify(settings[variant])
}
