import type { HttpLimits, OriginPlan } from '../plan.ts'
import { type ConnectionOwner, OriginConnection } from './connection.ts'
import type { OriginFailure } from './failure.ts'

/** Who needs a connection to an origin. One of the two is called, once, unless the waiter leaves. */
export type Waiter = {
  connected(connection: OriginConnection): void
  unconnected(failure: OriginFailure): void
}

/** What an origin is doing: for status, explain and metrics. */
export type OriginState = {
  readonly id: string
  readonly open: number
  readonly idle: number
  readonly waiting: number
  /** connections that were opened since the origin is known */
  readonly connects: number
  readonly connectFailures: number
  /** what the system said when the last connect failed; empty after one that succeeded */
  readonly lastFailure: string
  /** requests go elsewhere if they can: a connect failed in the last seconds */
  readonly isDown: boolean
}

/** What all pools share, so that a request neither reads the clock nor sets a timer. */
export type PoolClimate = {
  limits: HttpLimits
  /** milliseconds of a clock that is read every `tickMs` */
  now: number
  tickMs: number
}

// Node's and Apache's servers close an idle connection after 5 s, others wait longer.
const IDLE_MS = 4000
// Seldom enough not to try a dead origin with every request, often enough to see it come back.
const DOWN_MS = 5000
// Whoever comes after these would wait longer than a client does.
const WAITERS_PER_CONNECTION = 8

/** The connections to one origin: the last one used is the next one used, so that the others may go. */
export class OriginPool implements ConnectionOwner {
  readonly plan: OriginPlan
  /** `host:port` for the log, the port of a process left out */
  readonly name: string
  session: Buffer | undefined
  readonly #portOf: () => number | null
  readonly #climate: PoolClimate
  readonly #open = new Set<OriginConnection>()
  /** the longest idle first */
  readonly #idle: OriginConnection[] = []
  /** the longest waiting first, with the coarse time of its coming */
  readonly #waiting: { readonly waiter: Waiter; readonly since: number; readonly isFresh: boolean }[] = []
  #connecting = 0
  #connects = 0
  #connectFailures = 0
  #lastFailure = ''
  #failedAt = Number.NEGATIVE_INFINITY
  #isRetired = false

  /** @param portOf the port to connect to; `null` while the process behind it starts */
  constructor(plan: OriginPlan, portOf: () => number | null, climate: PoolClimate) {
    this.plan = plan
    this.name = plan.authority
    this.#portOf = portOf
    this.#climate = climate
  }

  get limits(): HttpLimits {
    return this.#climate.limits
  }

  get now(): number {
    return this.#climate.now
  }

  get tickMs(): number {
    return this.#climate.tickMs
  }

  /** A connect failed in the last seconds, and none has succeeded since. */
  get isDown(): boolean {
    return this.now - this.#failedAt < DOWN_MS
  }

  /** Nothing is open and nobody waits. */
  get isEmpty(): boolean {
    return this.#open.size === 0 && this.#waiting.length === 0
  }

  /**
   * Ask for a connection.
   *
   * @param isFresh none that was used before will do
   * @returns an idle connection at once, else undefined: then `waiter` is called, perhaps before this returns
   */
  take(waiter: Waiter, isFresh: boolean): OriginConnection | undefined {
    const idle = isFresh ? undefined : this.#idle.pop()
    if (idle !== undefined) return idle
    if (this.#waiting.length >= this.limits.originConnections * WAITERS_PER_CONNECTION) {
      waiter.unconnected(busyFailure(this.limits))
      return undefined
    }
    this.#waiting.push({ waiter, since: this.now, isFresh })
    this.#connectForWaiting()
    return undefined
  }

  /** The waiter needs no connection any more. */
  leave(waiter: Waiter): void {
    const at = this.#waiting.findIndex((waiting) => waiting.waiter === waiter)
    if (at >= 0) this.#waiting.splice(at, 1)
  }

  /** @internal */
  opened(connection: OriginConnection): void {
    this.#connecting--
    this.#connects++
    this.#lastFailure = ''
    this.#failedAt = Number.NEGATIVE_INFINITY
    this.#give(connection, this.#waiting.shift()?.waiter)
  }

  /** @internal */
  released(connection: OriginConnection): void {
    if (this.#waiting.length === 0) return this.#give(connection, undefined)
    const at = this.#waiting.findIndex((waiting) => !waiting.isFresh)
    this.#give(connection, at < 0 ? undefined : this.#waiting.splice(at, 1)[0]?.waiter)
  }

  /** @internal */
  closed(connection: OriginConnection, failure: OriginFailure | undefined): void {
    this.#open.delete(connection)
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
    if (failure !== undefined) {
      this.#connecting--
      this.#connectFailures++
      this.#lastFailure = failure.detail
      this.#failedAt = this.now
      this.#waiting.shift()?.waiter.unconnected(failure)
    }
    this.#connectForWaiting()
  }

  /** Close what has been idle and fail what has waited for too long. */
  sweep(): void {
    const { limits, now } = this
    for (const connection of this.#open) connection.sweep(limits)
    while (this.#idle[0] !== undefined && now - this.#idle[0].since > IDLE_MS)
      this.#idle[0].destroy('finished')
    while (
      this.#waiting[0] !== undefined &&
      now - this.#waiting[0].since > limits.connectTimeoutMs + this.tickMs
    ) {
      this.#waiting.shift()?.waiter.unconnected(busyFailure(limits))
    }
  }

  /** Keep no idle connections from now on: a reload has taken the origin away. */
  retire(): void {
    this.#isRetired = true
    while (this.#idle[0] !== undefined) this.#idle[0].destroy('finished')
  }

  /** Close every connection now. */
  close(): void {
    this.#isRetired = true
    for (const { waiter } of this.#waiting.splice(0)) waiter.unconnected(STOPPING)
    for (const connection of [...this.#open]) connection.close(STOPPING)
  }

  state(): OriginState {
    return {
      id: this.plan.id,
      open: this.#open.size,
      idle: this.#idle.length,
      waiting: this.#waiting.length,
      connects: this.#connects,
      connectFailures: this.#connectFailures,
      lastFailure: this.#lastFailure,
      isDown: this.isDown,
    }
  }

  #give(connection: OriginConnection, waiter: Waiter | undefined): void {
    if (waiter !== undefined) waiter.connected(connection)
    else if (this.#isRetired) connection.destroy('finished')
    else this.#idle.push(connection)
  }

  #connectForWaiting(): void {
    while (this.#waiting.length > this.#connecting && this.#open.size < this.limits.originConnections) {
      const port = this.#portOf()
      if (port === null) {
        this.#waiting.shift()?.waiter.unconnected(STARTING)
        continue
      }
      this.#connecting++
      this.#open.add(new OriginConnection(this.plan, port, this))
    }
  }
}

const STARTING: OriginFailure = {
  status: 502,
  reason: 'origin unreachable',
  say: 'The process behind this name is starting',
  detail: 'the process has no port yet',
}

const STOPPING: OriginFailure = {
  status: 503,
  reason: 'drain',
  say: 'This server is stopping',
  detail: 'drain',
}

function busyFailure(limits: HttpLimits): OriginFailure {
  return {
    status: 503,
    reason: 'limit',
    say: 'All connections to the origin are in use',
    detail: `${limits.originConnections} connections are in use`,
  }
}
