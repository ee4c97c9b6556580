import { performance } from 'node:perf_hooks'
import type { HttpLimits } from '../plan.ts'
import type { OriginPlan } from '../service-plan.ts'
import { readSecrets } from './open-socket.ts'
import { type CheckOutcome, OriginPool, type OriginState, type PoolClimate } from './pool.ts'

/** Pools by origin, kept across reloads for origins that stay the same. */
export type Origins = {
  /**
   * The pool of an origin; `processId` names the process that port 0 belongs to.
   *
   * @throws {Error} when the files of its TLS cannot be read
   */
  pool(plan: OriginPlan, processId: string | null): OriginPool
  /** After a reload: pools of origins that are not among `plans` close with their last response. */
  keep(plans: readonly OriginPlan[], limits: HttpLimits): void
  states(): OriginState[]
  /** Take over what another thread has found out about an origin. */
  told(check: OriginCheck): void
  /** Close every connection now. */
  close(): void
}

/** What the health checks of an origin have come to; `origin` is known to the origins of all threads. */
export type OriginCheck = CheckOutcome & { readonly origin: string }

export type OriginsOptions = {
  readonly limits: HttpLimits
  /** The port that a process listens on; `null` while it starts. */
  readonly portOf: (processId: string) => number | null
  /** where relative names of files begin; the working directory when it is left out */
  readonly folder?: string
  /** Whether health checks are made by this thread; else it is `told`. They are when it is left out. */
  readonly checks?: boolean
  /** Called after each health check of this thread. */
  readonly onCheck?: (check: OriginCheck) => void
}

// A limit is overrun by a quarter of the shortest one at most, which is two ticks.
const TICKS_PER_LIMIT = 8
const LONGEST_TICK_MS = 500
const SHORTEST_TICK_MS = 10

/**
 * The origins of one thread.
 *
 * @example
 * const origins = createOrigins({ limits, portOf: (id) => processes.port(id) })
 * const handler = createForward(action, { origins, … })
 */
export function createOrigins(options: OriginsOptions): Origins {
  const { limits, portOf, folder = '.', checks = true, onCheck = () => {} } = options
  const pools = new Map<string, OriginPool>()
  const retired = new Set<OriginPool>()
  const climate: PoolClimate = { limits, now: performance.now(), tickMs: tickMs(limits) }
  let timer: NodeJS.Timeout | undefined

  function sweep(): void {
    climate.now = performance.now()
    for (const pool of pools.values()) pool.sweep()
    for (const pool of retired) {
      pool.sweep()
      if (pool.isEmpty) retired.delete(pool)
    }
  }

  function setLimits(next: HttpLimits): void {
    climate.limits = next
    climate.tickMs = tickMs(next)
    clearInterval(timer)
    timer = setInterval(sweep, climate.tickMs).unref()
  }

  setLimits(limits)
  return {
    pool(plan, processId) {
      const key = keyOf(plan)
      const known = pools.get(key)
      if (known !== undefined) return known
      const isProcess = plan.port === 0 && plan.socketPath === undefined
      const pool = new OriginPool(plan, {
        portOf: () => (isProcess ? portOf(processId ?? '') : plan.port),
        secure: readSecrets(plan.tls, folder),
        climate,
        checks,
        onCheck: (outcome) => onCheck({ origin: key, ...outcome }),
      })
      pools.set(key, pool)
      return pool
    },
    keep(plans, next) {
      const wanted = new Set(plans.map(keyOf))
      for (const [key, pool] of pools) {
        if (wanted.has(key)) continue
        pool.retire()
        pools.delete(key)
        retired.add(pool)
      }
      setLimits(next)
    },
    states: () => [...pools.values()].map((pool) => pool.state()),
    told: ({ origin, ...outcome }) => pools.get(origin)?.told(outcome),
    close() {
      clearInterval(timer)
      for (const pool of [...pools.values(), ...retired]) pool.close()
    },
  }
}

function keyOf(plan: OriginPlan): string {
  const { id, scheme, host, port, verify, socketPath, tls, health, circuit } = plan
  const { speaksHttp2, proxyProtocol } = plan
  const how = [socketPath, speaksHttp2, tls, health, circuit, proxyProtocol]
  return JSON.stringify([id, scheme, host, port, verify, ...how])
}

function tickMs({ connectTimeoutMs, answerTimeoutMs }: HttpLimits): number {
  const tick = Math.min(connectTimeoutMs, answerTimeoutMs) / TICKS_PER_LIMIT
  return Math.min(Math.max(tick, SHORTEST_TICK_MS), LONGEST_TICK_MS)
}
