import { writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { peer } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { round } from './compare.ts'
import { createGround } from './ground.ts'
import { answerBlock, listenPlain, startNginx } from './nginx.ts'
import { CLIENT_CORE, median, runPinned, waitForPort } from './peers.ts'
import {
  type Reloading,
  type Setting,
  startCaddy,
  startNginxHosts,
  startPortico,
} from './reload-contenders.ts'

const HOSTS = 1000
const RELOADS = 20
const INTERVAL_MS = 500
const CONNECTIONS = 32
const CONTENT_OCTETS = 64
/** a contender that has not taken a file after so long has failed */
const LIMIT_RELOAD_MS = 10_000

type Name = 'portico' | 'nginx' | 'caddy'

const CONTENDERS: Readonly<Record<Name, (setting: Setting) => Promise<Reloading>>> = {
  portico: startPortico,
  nginx: startNginxHosts,
  caddy: startCaddy,
}

type Reloads = {
  readonly requests: number
  /** connections broken off, and responses that are not the origin's */
  readonly failed: number
  readonly p99Milliseconds: number
  /** median time from the new file to the first answer for the host that it adds */
  readonly reloadMilliseconds: number
}

export type ReloadBench = {
  readonly bench: 'reload'
  /** requests of ours that failed: none may */
  readonly failed: number
  readonly contenders: Readonly<Record<Name, Reloads>>
}

/**
 * Measure what clients notice of 20 reloads under load, each of which adds a host to 1 000, beside nginx and Caddy.
 *
 * @throws {Error} when nginx, Caddy or wrk is missing, or one of them does not start or reload
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const ground = await createGround('reload', ['nginx', 'caddy', 'wrk'])
  try {
    const origin = await freePort()
    await startNginx(ground, CLIENT_CORE, 'origin', answerBlock(listenPlain(origin), CONTENT_OCTETS))
    await waitForPort(origin)
    const hosts = Array.from({ length: HOSTS }, (_, i) => `h${i}.example.com`)
    const contenders = {} as Record<Name, Reloads>
    for (const name of Object.keys(CONTENDERS) as Name[])
      contenders[name] = await measure(CONTENDERS[name], { ground, origin, hosts })
    print({ bench: 'reload', failed: contenders.portico.failed, contenders }, json)
  } finally {
    await ground.leave()
  }
}

/** Every host in turn. */
const EVERY_HOST = `local n = 0
request = function()
  n = n + 1
  return wrk.format("GET", "/", { ["Host"] = "h" .. (n % ${HOSTS}) .. ".example.com" })
end
`

async function measure(start: (setting: Setting) => Promise<Reloading>, setting: Setting): Promise<Reloads> {
  const contender = await start(setting)
  try {
    const script = join(setting.ground.folder, 'hosts.lua')
    await writeFile(script, EVERY_HOST)
    const seconds = Math.ceil((RELOADS * INTERVAL_MS) / 1000) + 1
    const words = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}`, '--latency', '-s', script]
    const url = `http://127.0.0.1:${contender.port}/`
    const load = runPinned(CLIENT_CORE, peer('wrk')!, [...words, url])
    const took = await reloadOften(contender, setting.hosts)
    return { ...readWrk(await load), reloadMilliseconds: round(median(took)) }
  } finally {
    await contender.stop()
  }
}

/** @returns how long each reload took, in milliseconds */
async function reloadOften(contender: Reloading, hosts: readonly string[]): Promise<number[]> {
  const took: number[] = []
  for (let i = 0; i < RELOADS; i++) {
    const added = `r${i}.example.com`
    const begun = performance.now()
    await contender.reload([...hosts, added])
    while (!(await isServed(contender.port, added))) {
      if (performance.now() - begun > LIMIT_RELOAD_MS) throw new Error(`${added} was never served`)
      await pause(10)
    }
    took.push(performance.now() - begun)
    await pause(Math.max(0, begun + INTERVAL_MS - performance.now()))
  }
  return took
}

/** Whether the origin answers under this name. */
function isServed(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, headers: { Host: host }, agent: false }, (response) => {
      const stated = Number(response.headers['content-length'])
      response.resume().once('close', () => resolve(response.statusCode === 200 && stated === CONTENT_OCTETS))
    })
    request.once('error', () => resolve(false))
  })
}

function readWrk(output: string): Omit<Reloads, 'reloadMilliseconds'> {
  const requests = Number(/(\d+) requests in/.exec(output)?.[1])
  const [, p99, unit] = / 99%\s+([\d.]+)(us|ms|s)/.exec(output) ?? []
  if (!(requests > 0) || unit === undefined) throw new Error(`wrk gave no usable figure:\n${output}`)
  const broken = /Socket errors: (.*)/.exec(output)?.[1]?.match(/\d+/g) ?? []
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0
  return {
    requests,
    failed: [...broken, refused].reduce((sum: number, count) => sum + Number(count), 0),
    p99Milliseconds: round(Number(p99) * { us: 0.001, ms: 1, s: 1000 }[unit as 'us' | 'ms' | 's']),
  }
}

function print(result: ReloadBench, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(result))
    return
  }
  console.log(`${RELOADS} reloads under load with ${HOSTS} hosts, one core for the proxy`)
  console.table(result.contenders)
}
