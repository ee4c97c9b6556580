import type { Exchange, Handler } from '#http/exchange.ts'
import { respondPage } from '#http/wire/page.ts'
import { clientAddress } from './client-address.ts'
import { clientKey } from './client-key.ts'
import { type ClientTags, createClientTags, openClientTable } from './client-table.ts'
import type { RatePlan } from './plan.ts'
import { spend } from './spend.ts'

/** What counts requests of clients, over all threads. */
export type Limiters = {
  /** Put a limit before a handler; handlers with the same rate share its buckets, whatever the thread or the Plan. */
  limit(plan: RatePlan, handler: Handler): Handler
}

/** What threads share: for each client and rate the time, in nanoseconds, at which its bucket is full again. */
export type BucketMemory = ClientTags & { readonly fullAt: SharedArrayBuffer }

export type LimiterOptions = {
  /** Whether Forwarded and X-Forwarded-* of a peer at this address are believed. */
  readonly isTrusted: (address: string) => boolean
  /** in milliseconds; never goes back, and is the same on all threads */
  readonly now: () => number
  readonly memory: BucketMemory
}

const TIME_OCTETS = 8
/** Threads that take from one bucket at the same moment try again; so often is never. */
const LIMIT_TRIES = 16

/** @param buckets a power of two, 8 or more: clients times rates that are known at a time, 12 octets each */
export function createBucketMemory(buckets = 131_072): BucketMemory {
  return { ...createClientTags(buckets), fullAt: new SharedArrayBuffer(buckets * TIME_OCTETS) }
}

/** Limit requests of clients. When there are too many of them, the fullest bucket is forgotten. */
export function createLimiters({ isTrusted, now, memory }: LimiterOptions): Limiters {
  const clients = openClientTable(memory)
  const fullAt = new BigInt64Array(memory.fullAt)

  function limit(plan: RatePlan, handler: Handler): Handler {
    const rate = keyOf(plan)
    return (exchange) => {
      const { client, fields } = exchange.request
      // Where proxies contradict each other, their requests count together.
      const address = clientAddress(client.address, fields, isTrusted) ?? client.address
      const waitMs = take(`${rate} ${clientKey(address)}`, plan)
      if (waitMs === 0) handler(exchange)
      else refuse(exchange, waitMs)
    }
  }

  function take(key: string, plan: RatePlan): number {
    const bucket = clients.entryOf(key, isFuller, fill)
    for (let tries = 1; ; tries++) {
      const before = Atomics.load(fullAt, bucket)
      const { fullAtMs, waitMs } = spend(Number(before) / 1e6, plan, now())
      const after = BigInt(Math.round(fullAtMs * 1e6))
      if (waitMs > 0 || tries === LIMIT_TRIES) return waitMs
      if (Atomics.compareExchange(fullAt, bucket, before, after) === before) return 0
    }
  }

  function isFuller(a: number, b: number): boolean {
    return Atomics.load(fullAt, a) < Atomics.load(fullAt, b)
  }

  function fill(bucket: number): void {
    Atomics.store(fullAt, bucket, 0n)
  }

  return { limit }
}

function keyOf({ id, intervalMs, burst }: RatePlan): string {
  return `${id} ${intervalMs} ${burst}`
}

/** RFC 6585 §4; Retry-After counts whole seconds (RFC 9110 §10.2.3). */
function refuse(exchange: Exchange, waitMs: number): void {
  const seconds = Math.ceil(waitMs / 1000)
  exchange.note.answeredBy = 'limits'
  exchange.note.reason = 'too many requests of the client'
  respondPage(exchange, {
    status: 429,
    detail: `Too many requests came from your address; the next may come in ${seconds} s.`,
    fault: 'client',
    fields: [['Retry-After', String(seconds)]],
  })
}
