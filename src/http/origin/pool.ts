import { isIP } from 'node:net'
import type { SecureContext } from 'node:tls'
import type { Histogram } from '#core/histogram.ts'
import type { HttpLimits } from '../plan.ts'
import type { OriginPlan } from '../service-plan.ts'
import { CLOSED, isOpen, judgeRequest, tried } from './circuit.ts'
import { OriginConnection } from './connection.ts'
import type { OriginFailure } from './failure.ts'
import { OriginSessions } from './h2-sessions.ts'
import { OriginStream } from './h2-stream.ts'
import { ASSUMED, type Health, judgeCheck } from './health.ts'
import { HealthChecker } from './health-checker.ts'
import type { LinkOwner, OriginLink } from './link.ts'
import { Traffic } from './traffic.ts'

/** Who needs a connection to an origin. One of the two is called, once, unless the waiter leaves. */
export type Waiter = {
  connected(link: OriginLink): void
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
  readonly requests: number
  /** requests without an answer, or with one of 5xx */
  readonly failures: number
  /** requests that came here after another attempt had failed */
  readonly retries: number
  /** until the head of the response */
  readonly durations: Histogram
  /** what the system said when the last connect failed; empty after one that succeeded */
  readonly lastFailure: string
  /** requests go elsewhere if they can */
  readonly isDown: boolean
  /** too many requests in a row have failed */
  readonly isCircuitOpen: boolean
  /** why it is down, with what the system said or was answered; empty while it is up */
  readonly why: string
  /** what the last health check found; empty before the first, and without checks */
  readonly lastCheck: string
}

/** What a pool is made with, beside the plan of its origin. */
export type PoolOptions = {
  /** the port to connect to; `null` while the process behind it starts */
  readonly portOf: () => number | null
  readonly secure: SecureContext | undefined
  readonly climate: PoolClimate
  /** Whether the health checks of the origin are made here; else they are made elsewhere, and `told`. */
  readonly checks: boolean
  /** Called after each check that was made here. */
  readonly onCheck: (outcome: CheckOutcome) => void
}

/** What the health checks of an origin have come to. */
export type CheckOutcome = { readonly isWell: boolean; readonly lastCheck: string }

/** What all pools share, so that a request neither reads the clock nor sets a timer. */
export type PoolClimate = {
  limits: HttpLimits
  /** milliseconds of a clock that is read every `tickMs` */
  now: number
  tickMs: number
}

// Node's and Apache's servers close an idle connection after 5 s, others wait longer.
const IDLE_MS = 4000
// An origin that no connection could be opened to is tried again after this time, later after twice as much, up to:
const PROBE_MS = 500
const LONGEST_PROBE_MS = 4000
// A busy connection would never see that its name has moved to another address.
const NAMED_MS = 60_000
// Whoever comes after these would wait longer than a client does.
const WAITERS_PER_CONNECTION = 8

/** The connections to one origin: the last one used is the next one used, so that the others may go. */
export class OriginPool implements LinkOwner {
  readonly plan: OriginPlan
  /** `host:port` for the log, the port of a process left out */
  readonly name: string
  session: Buffer | undefined
  readonly traffic: Traffic = new Traffic()
  readonly secure: SecureContext | undefined
  /** when it came back, by the coarse clock; `-Infinity` when it was never away */
  upSince: number = Number.NEGATIVE_INFINITY
  readonly #portOf: () => number | null
  readonly #climate: PoolClimate
  readonly #isNamed: boolean
  readonly #open = new Set<OriginLink>()
  /** the longest idle first */
  readonly #idle: OriginLink[] = []
  /** the longest waiting first, with the coarse time of its coming */
  readonly #waiting: { readonly waiter: Waiter; readonly since: number; readonly isFresh: boolean }[] = []
  #connecting = 0
  #connects = 0
  #connectFailures = 0
  #lastFailure = ''
  /** the last connect failed */
  #isUnreachable = false
  #probeAt = 0
  #probeMs = PROBE_MS
  #health = ASSUMED
  #lastCheck = ''
  #circuit = CLOSED
  #isRetired = false
  readonly #checker: HealthChecker | undefined
  /** the connections below, when the origin speaks HTTP/2 */
  readonly #sessions: OriginSessions | undefined
  readonly #onCheck: PoolOptions['onCheck']

  constructor(plan: OriginPlan, { portOf, secure, climate, checks, onCheck }: PoolOptions) {
    this.plan = plan
    this.name = plan.socketPath === undefined ? plan.authority : `unix:${plan.socketPath}`
    this.secure = secure
    this.#portOf = portOf
    this.#climate = climate
    this.#isNamed = plan.host !== '' && isIP(plan.host) === 0
    this.#sessions = plan.speaksHttp2 === true ? new OriginSessions(plan, this) : undefined
    this.#onCheck = onCheck
    const { health } = plan
    if (health === undefined || !checks) return
    const report = this.#checked.bind(this)
    this.#checker = new HealthChecker({ plan, health, portOf, secure, climate, report })
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

  /** Requests should go elsewhere if they can. */
  get isDown(): boolean {
    return this.#isUnreachable || !this.#health.isWell || isOpen(this.#circuit, this.now)
  }

  /** Requests that it has at the moment, and those that wait for it. */
  get load(): number {
    return this.#open.size - this.#idle.length + Math.max(0, this.#waiting.length - this.#connecting)
  }

  /** Nothing is open and nobody waits. */
  get isEmpty(): boolean {
    return this.#open.size === 0 && this.#waiting.length === 0 && (this.#sessions?.open ?? 0) === 0
  }

  /**
   * Ask for a connection.
   *
   * @param isFresh none that was used before will do
   * @returns an idle connection at once, else undefined: then `waiter` is called, perhaps before this returns
   */
  take(waiter: Waiter, isFresh: boolean): OriginLink | undefined {
    if (this.plan.circuit !== undefined) this.#circuit = tried(this.#circuit, this.plan.circuit, this.now)
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

  /**
   * Say how a request has ended.
   *
   * @param status of the response; 0 when there was none
   */
  judge(status: number): void {
    const { circuit } = this.plan
    if (circuit === undefined) return
    const wasOpen = this.#circuit.openUntil !== CLOSED.openUntil
    this.#circuit = judgeRequest(
      this.#circuit,
      status > 0 && !circuit.status.includes(status),
      circuit,
      this.now,
    )
    if (wasOpen && this.#circuit === CLOSED) this.upSince = this.now
  }

  /** @internal */
  opened(link: OriginLink): void {
    this.#connecting--
    this.#connects++
    if (this.#isUnreachable) {
      this.#isUnreachable = false
      this.#lastFailure = ''
      this.#probeMs = PROBE_MS
      this.upSince = this.now
    }
    this.#give(link, this.#waiting.shift()?.waiter)
  }

  /** @internal */
  released(link: OriginLink): void {
    // The origin takes it for the client's whose request it had.
    if (this.plan.proxyProtocol !== undefined) return link.destroy('finished')
    if (this.#isNamed && this.now - link.openedAt > NAMED_MS) return link.destroy('finished')
    if (this.#waiting.length === 0) return this.#give(link, undefined)
    const at = this.#waiting.findIndex((waiting) => !waiting.isFresh)
    this.#give(link, at < 0 ? undefined : this.#waiting.splice(at, 1)[0]?.waiter)
  }

  /** @internal */
  closed(link: OriginLink, failure: OriginFailure | undefined): void {
    this.#open.delete(link)
    const at = this.#idle.indexOf(link)
    if (at >= 0) this.#idle.splice(at, 1)
    if (failure !== undefined) {
      this.#connecting--
      this.#connectFailures++
      this.#lastFailure = failure.detail
      this.#unreached()
      this.#waiting.shift()?.waiter.unconnected(failure)
    }
    this.#connectForWaiting()
  }

  /** Close what has been idle and fail what has waited for too long. */
  sweep(): void {
    const { limits, now } = this
    for (const link of this.#open) link.sweep(limits)
    this.#sessions?.sweep()
    while (this.#idle[0] !== undefined && now - this.#idle[0].since > IDLE_MS)
      this.#idle[0].destroy('finished')
    while (
      this.#waiting[0] !== undefined &&
      now - this.#waiting[0].since > limits.connectTimeoutMs + this.tickMs
    ) {
      this.#waiting.shift()?.waiter.unconnected(busyFailure(limits))
    }
    this.#checker?.sweep()
    this.#probe()
  }

  /** Keep no idle connections from now on: a reload has taken the origin away. */
  retire(): void {
    this.#isRetired = true
    this.#checker?.stop()
    while (this.#idle[0] !== undefined) this.#idle[0].destroy('finished')
    this.#sessions?.retire()
  }

  /** Close every connection now. */
  close(): void {
    this.#isRetired = true
    this.#checker?.stop()
    for (const { waiter } of this.#waiting.splice(0)) waiter.unconnected(STOPPING)
    for (const link of [...this.#open]) link.close(STOPPING)
    this.#sessions?.close()
  }

  state(): OriginState {
    return {
      id: this.plan.id,
      open: this.#sessions?.open ?? this.#open.size,
      idle: this.#idle.length,
      waiting: this.#waiting.length,
      connects: this.#sessions?.connects ?? this.#connects,
      connectFailures: this.#connectFailures,
      requests: this.traffic.requests,
      failures: this.traffic.failures,
      retries: this.traffic.retries,
      durations: this.traffic.durations(),
      lastFailure: this.#lastFailure,
      isDown: this.isDown,
      isCircuitOpen: isOpen(this.#circuit, this.now),
      why: this.#whyDown(),
      lastCheck: this.#lastCheck,
    }
  }

  #whyDown(): string {
    if (this.#isUnreachable) return this.#lastFailure
    if (!this.#health.isWell) return `health checks fail: ${this.#lastCheck}`
    if (isOpen(this.#circuit, this.now)) return `${this.#circuit.failures} requests in a row have failed`
    return ''
  }

  /** Take over what another thread's health checks have come to; nothing to do where they are made. */
  told({ isWell, lastCheck }: CheckOutcome): void {
    if (this.#checker === undefined) this.#judged({ isWell, against: 0 }, lastCheck)
  }

  #checked(isGood: boolean, detail: string): void {
    this.#judged(judgeCheck(this.#health, isGood, this.plan.health!), detail)
    this.#onCheck({ isWell: this.#health.isWell, lastCheck: detail })
  }

  #judged(health: Health, detail: string): void {
    if (!this.#health.isWell && health.isWell) this.upSince = this.now
    this.#lastCheck = detail
    this.#health = health
  }

  /** Many connects may fail in one moment: only the first of them puts the next try off. */
  #unreached(): void {
    if (this.#isUnreachable && this.now < this.#probeAt) return
    this.#isUnreachable = true
    this.#probeAt = this.now + this.#probeMs
    this.#probeMs = Math.min(2 * this.#probeMs, LONGEST_PROBE_MS)
  }

  /** Find out by a connection of our own whether an origin is back, so that no request has to. */
  #probe(): void {
    if (!this.#isUnreachable || this.#isRetired || this.#connecting > 0 || this.now < this.#probeAt) return
    const port = this.#portOf()
    if (port !== null) this.#connect(port)
  }

  #give(link: OriginLink, waiter: Waiter | undefined): void {
    if (waiter !== undefined) waiter.connected(link)
    else if (this.#isRetired || link.isSingle) link.destroy('finished')
    else this.#idle.push(link)
  }

  #connectForWaiting(): void {
    while (this.#waiting.length > this.#connecting && this.#open.size < this.limits.originConnections) {
      const port = this.#portOf()
      if (port === null) {
        this.#waiting.shift()?.waiter.unconnected(STARTING)
        continue
      }
      this.#connect(port)
    }
  }

  #connect(port: number): void {
    this.#connecting++
    if (this.#sessions === undefined) {
      this.#open.add(new OriginConnection(this.plan, port, this))
    } else {
      const stream = new OriginStream(this.#sessions, this.plan.scheme, this)
      this.#open.add(stream)
      this.#sessions.enter(stream, port)
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
