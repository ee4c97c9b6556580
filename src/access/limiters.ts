import type { Exchange, Handler } from '#http/exchange.ts'
import { respondPage } from '#http/wire/page.ts'
import { clientAddress } from './client-address.ts'
import { clientKey } from './client-key.ts'
import type { RatePlan } from './plan.ts'
import { spend } from './spend.ts'

/** Buckets of all rates of a Plan; those of a rate that stays are kept across reloads. */
export type Limiters = {
  /** Put a limit before a handler; handlers with the same rate share its buckets. */
  limit(plan: RatePlan, handler: Handler): Handler
  /** Forget the buckets of other rates. */
  keep(plans: readonly RatePlan[]): void
}

export type LimiterOptions = {
  /** Whether Forwarded and X-Forwarded-* of a peer at this address are believed. */
  readonly isTrusted: (address: string) => boolean
  /** in milliseconds; never goes back */
  readonly now: () => number
  /** clients that are known at a time for each rate; the one that was quiet for longest is forgotten */
  readonly limitClients?: number
}

/** About 10 MB a rate. */
const LIMIT_CLIENTS = 65_536

/** Create what counts requests of clients. */
export function createLimiters({ isTrusted, now, limitClients = LIMIT_CLIENTS }: LimiterOptions): Limiters {
  const tables = new Map<string, Map<string, number>>()

  function limit(plan: RatePlan, handler: Handler): Handler {
    const buckets = tables.get(keyOf(plan)) ?? new Map<string, number>()
    tables.set(keyOf(plan), buckets)
    return (exchange) => {
      const { client, fields } = exchange.request
      // Where proxies contradict each other, their requests count together.
      const address = clientAddress(client.address, fields, isTrusted) ?? client.address
      const waitMs = take(buckets, clientKey(address), plan)
      if (waitMs === 0) handler(exchange)
      else refuse(exchange, waitMs)
    }
  }

  function take(buckets: Map<string, number>, client: string, plan: RatePlan): number {
    const nowMs = now()
    const { fullAtMs, waitMs } = spend(buckets.get(client) ?? nowMs, plan, nowMs)
    // A Map keeps the order of insertion: the first is the one that was quiet for longest.
    buckets.delete(client)
    buckets.set(client, fullAtMs)
    if (buckets.size > limitClients) buckets.delete(buckets.keys().next().value!)
    return waitMs
  }

  function keep(plans: readonly RatePlan[]): void {
    const wanted = new Set(plans.map(keyOf))
    for (const key of tables.keys()) if (!wanted.has(key)) tables.delete(key)
  }

  return { limit, keep }
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
