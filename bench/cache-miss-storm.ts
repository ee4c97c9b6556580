import { connect } from 'node:net'
import { originRequests, startCaches, startOrigin } from './cache-contenders.ts'
import type { Contender } from './compare.ts'
import { createGround } from './ground.ts'
import { interleave, median } from './peers.ts'

const ROUNDS = 3
const CLIENTS = 1000
const OCTETS = 50_000_000
/** 200 ms: what makes a page that nobody has yet; all clients have asked by then */
const WAIT = '?wait=200'

type Figures = Readonly<
  Record<
    string,
    {
      readonly originFetches: number
      readonly singleMs: number
      readonly slowestMs: number
      readonly ratio: number
    }
  >
>

export type CacheMissStormBench = { readonly bench: 'cache-miss-storm'; readonly contenders: Figures }

/**
 * Measure a cold object of 50 MB that 1 000 clients ask for at once, beside nginx (proxy_cache_lock) and Varnish: how often
 * the origin is asked, and when the last client has its first octet of content, against a single client's.
 *
 * @throws {Error} when nginx is missing
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const ground = await createGround('cache-miss-storm', ['nginx', 'curl', 'h2load'])
  try {
    const origin = await startOrigin(ground)
    const caches = await startCaches(ground, origin, ['portico', 'nginx', 'varnish'])
    const names = Object.keys(caches)
    const figures = new Map<string, { fetches: number; single: number; slowest: number }[]>(
      names.map((name) => [name, []]),
    )
    let turn = 0
    await interleave(names, ROUNDS + 1, async (name) => {
      const cache = caches[name]!
      const single = await firstOctet(cache, `/${OCTETS}/single-${turn}${WAIT}`)
      const before = await originRequests(origin)
      const target = `/${OCTETS}/storm-${turn++}${WAIT}`
      const times = await Promise.all(Array.from({ length: CLIENTS }, () => firstOctet(cache, target)))
      const fetches = (await originRequests(origin)) - before
      figures.get(name)!.push({ fetches, single, slowest: Math.max(...times) })
      return single
    })
    const contenders: Figures = Object.fromEntries(
      names.map((name) => {
        // The first round is the compiler's.
        const runs = figures.get(name)!.slice(1)
        const singleMs = Number(median(runs.map(({ single }) => single)).toFixed(1))
        const slowestMs = Number(median(runs.map(({ slowest }) => slowest)).toFixed(1))
        return [
          name,
          {
            originFetches: median(runs.map(({ fetches }) => fetches)),
            singleMs,
            slowestMs,
            ratio: Number((slowestMs / singleMs).toFixed(2)),
          },
        ]
      }),
    )
    const result: CacheMissStormBench = { bench: 'cache-miss-storm', contenders }
    if (json) return console.log(JSON.stringify(result))
    console.log(
      `${CLIENTS} clients at once for one cold object of ${OCTETS / 1e6} MB: time to the first octet of content`,
    )
    console.table(contenders)
  } finally {
    await ground.leave()
  }
}

/** Milliseconds from the request to the first octet of content; then the client leaves. */
function firstOctet({ port }: Contender, target: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now()
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`),
    )
    let head = ''
    socket.on('data', (octets) => {
      head += octets.toString('latin1', 0, 2048)
      const end = head.indexOf('\r\n\r\n')
      if (end < 0 || head.length <= end + 4) return
      if (!head.startsWith('HTTP/1.1 200'))
        reject(new Error(`No content came for ${target}: ${head.slice(0, end)}`))
      resolve(performance.now() - startedAt)
      socket.destroy()
    })
    socket.on('error', reject).on('close', () => reject(new Error(`No content came for ${target}: ${head}`)))
  })
}
