/** The traces of the hit-ratio bench, and how a policy fares on them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import type { Policy } from './hit-ratio-policies.ts'

/** Requests in their order, by keys from 0; the size of each key in octets (1 where the trace has no sizes). */
export type Trace = {
  readonly name: string
  readonly keys: readonly number[]
  readonly sizes: readonly number[]
  readonly meanSize: number
  /** octets of all objects together */
  readonly footprint: number
}

export type HitRatio = { readonly objects: number; readonly octets: number }

/** Both traces of bench/traces, whose README names their sources. */
export function readTraces(): Trace[] {
  const web = unpack('adaptsize-web.txt.br').toString('latin1').trim().split('\n')
  const shop = unpack('cache2k-web12.i32be.br')
  return [
    traceOf(
      'adaptsize-web',
      web.map((line) => {
        const [, id, size] = line.split(' ')
        return { id: `${id} ${size}`, size: Number(size) }
      }),
    ),
    traceOf(
      'cache2k-web12',
      Array.from({ length: shop.length / 4 }, (_, at) => ({ id: `${shop.readInt32BE(at * 4)}`, size: 1 })),
    ),
  ]
}

/** Run a trace through a cache of so many octets. @returns shares of requests and octets, 0 to 1 */
export function hitRatio({ keys, sizes }: Trace, capacity: number, policy: Policy): HitRatio {
  const isKept = new Uint8Array(sizes.length)
  let used = 0
  const hits = { objects: 0, octets: 0 }
  let octets = 0
  for (const [at, key] of keys.entries()) {
    const size = sizes[key]!
    octets += size
    if (isKept[key] === 1) {
      hits.objects++
      hits.octets += size
      policy.hit(key, at)
    } else if (size <= capacity) {
      while (used + size > capacity) {
        const victim = policy.evict()
        isKept[victim] = 0
        used -= sizes[victim]!
      }
      isKept[key] = 1
      used += size
      policy.admit(key, at)
    }
  }
  return { objects: hits.objects / keys.length, octets: hits.octets / octets }
}

function traceOf(name: string, requests: readonly { readonly id: string; readonly size: number }[]): Trace {
  const known = new Map<string, number>()
  const sizes: number[] = []
  const keys = requests.map(({ id, size }) => {
    const key = known.get(id) ?? known.size
    if (key === known.size) {
      known.set(id, key)
      sizes.push(size)
    }
    return key
  })
  const footprint = sizes.reduce((sum, size) => sum + size, 0)
  return { name, keys, sizes, meanSize: footprint / sizes.length, footprint }
}

function unpack(file: string): Buffer {
  return brotliDecompressSync(readFileSync(join(import.meta.dirname, 'traces', file)))
}
