import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { peer } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { cpuSeconds, interleave, median, type Peer, pin, runPinned, waitForPort } from './peers.ts'
import { originConfig, startNginx } from './proxy.ts'

// As in the proxy bench: the origin and the load generator share a core.
const PROXY_CORE = 0
const CLIENT_CORE = 1
const ROUNDS = 7
const SECONDS = 2

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
  const [nginx, wrk] = [peer('nginx'), peer('wrk')]
  if (nginx === undefined || wrk === undefined)
    throw new Error('The observe bench needs nginx and wrk. Fix: apt-get install nginx-light wrk')
  const folder = await mkdtemp(join(tmpdir(), 'portico-bench-'))
  const originPort = await freePort()
  const peers: Peer[] = []
  try {
    peers.push(await startNginx(CLIENT_CORE, nginx, folder, 'origin', originConfig(originPort)))
    const ports = {} as Record<Variant, number>
    const proxies = {} as Record<Variant, Peer>
    for (const variant of VARIANTS) {
      ports[variant] = await freePort()
      const file = join(import.meta.dirname, 'proxy-portico.ts')
      const args = [file, `${ports[variant]}`, `${originPort}`, observe(variant, folder)]
      proxies[variant] = await pin(PROXY_CORE, process.execPath, args)
      peers.push(proxies[variant])
    }
    await Promise.all([originPort, ...Object.values(ports)].map((port) => waitForPort(port)))
    const cpu = await measure(wrk, ports, proxies)
    const added = Object.fromEntries(
      VARIANTS.slice(1).map((name) => [name, Number((cpu[name] / cpu.off - 1).toFixed(4))]),
    )
    const result = { bench: 'observe', cpuMicroseconds: cpu, added } as ObserveBench
    if (json) console.log(JSON.stringify(result))
    else console.table({ 'µs a request': cpu, 'added to off': added })
  } finally {
    await Promise.all(peers.map((one) => one.stop()))
    await rm(folder, { recursive: true })
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

async function measure(
  wrk: string,
  ports: Readonly<Record<Variant, number>>,
  proxies: Readonly<Record<Variant, Peer>>,
): Promise<Record<Variant, number>> {
  const load = async (name: Variant): Promise<number> => {
    const before = cpuSeconds(proxies[name].pid)
    const output = await runPinned(CLIENT_CORE, wrk, [
      '-t1',
      '-c64',
      `-d${SECONDS}`,
      `http://127.0.0.1:${ports[name]}/`,
    ])
    const requests = Number(/(\d+) requests in/.exec(output)?.[1])
    if (!(requests > 0) || /Non-2xx|Socket errors/.test(output))
      throw new Error(`wrk gave no usable figure for ${name}:\n${output}`)
    return ((cpuSeconds(proxies[name].pid) - before) * 1e6) / requests
  }
  // The first seconds are the compiler's.
  for (const name of VARIANTS) await load(name)
  const runs = await interleave(VARIANTS, ROUNDS, load)
  return Object.fromEntries(VARIANTS.map((name) => [name, Number(median(runs[name]).toFixed(2))])) as Record<
    Variant,
    number
  >
}
