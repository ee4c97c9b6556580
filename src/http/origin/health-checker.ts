import type { SecureContext } from 'node:tls'
import type { Source } from '../exchange.ts'
import type { HttpLimits } from '../plan.ts'
import type { HealthPlan, OriginPlan } from '../service-plan.ts'
import { proxyHeader } from '../wire/proxy-protocol.ts'
import { OriginConnection } from './connection.ts'
import type { OriginFailure } from './failure.ts'
import { OriginSessions } from './h2-sessions.ts'
import { OriginStream } from './h2-stream.ts'
import type { LinkOwner, OriginHead, OriginLink, Receiver } from './link.ts'

/** What a checker shares with the pool of its origin. */
export type CheckerOptions = {
  readonly plan: OriginPlan
  readonly health: HealthPlan
  /** `null` while the process behind the origin starts */
  readonly portOf: () => number | null
  readonly secure: SecureContext | undefined
  readonly climate: { readonly limits: HttpLimits; readonly now: number; readonly tickMs: number }
  /** A check is over; `detail` says what was wrong. */
  readonly report: (isGood: boolean, detail: string) => void
}

// The checks of many origins, and of many of us, must not come at one time.
const JITTER = 0.1

/** Asks one origin regularly whether it is well: one check at a time, each on a connection of its own. */
export class HealthChecker implements LinkOwner, Receiver {
  session: Buffer | undefined
  readonly #options: CheckerOptions
  #link: OriginLink | undefined
  #sessions: OriginSessions | undefined
  #startedAt = 0
  #dueAt: number

  constructor(options: CheckerOptions) {
    this.#options = options
    this.#dueAt = options.climate.now + Math.random() * JITTER * options.health.intervalMs
  }

  get limits(): HttpLimits {
    const { timeoutMs } = this.#options.health
    return { ...this.#options.climate.limits, connectTimeoutMs: timeoutMs, answerTimeoutMs: timeoutMs }
  }

  get now(): number {
    return this.#options.climate.now
  }

  get tickMs(): number {
    return this.#options.climate.tickMs
  }

  get secure(): SecureContext | undefined {
    return this.#options.secure
  }

  /** Begin a check when it is time, end one that takes too long. */
  sweep(): void {
    const { intervalMs, timeoutMs } = this.#options.health
    if (this.#link !== undefined) {
      if (this.now - this.#startedAt > timeoutMs + this.tickMs) {
        this.#finish(false, `no answer within ${timeoutMs / 1000} s`)
      }
    } else if (this.now >= this.#dueAt) {
      this.#dueAt = this.now + intervalMs * (1 - JITTER + 2 * JITTER * Math.random())
      this.#start()
    }
  }

  stop(): void {
    this.#dueAt = Number.POSITIVE_INFINITY
    this.#drop()
  }

  opened(link: OriginLink): void {
    const { plan, health } = this.#options
    const preface = plan.proxyProtocol === undefined ? '' : proxyHeader(plan.proxyProtocol, null)
    const head = `${preface}GET ${health.path} HTTP/1.1\r\nHost: ${plan.authority}\r\nUser-Agent: portico\r\nConnection: close\r\n\r\n`
    const request = { method: 'GET', head, body: null, isChunked: false, awaitsContinue: false }
    link.send({ ...request, asksUpgrade: false }, this)
  }

  released(link: OriginLink): void {
    link.destroy('finished')
  }

  closed(link: OriginLink, failure: OriginFailure | undefined): void {
    if (link === this.#link && failure !== undefined) this.#finish(false, failure.detail)
  }

  informed(): void {}

  answered({ status }: OriginHead, body: Uint8Array | Source | null): void {
    if (body !== null && 'cancel' in body) body.cancel('finished')
    this.#finish(this.#options.health.status.includes(status), `status ${status}`)
  }

  switched(): void {
    this.#finish(false, 'status 101')
  }

  failed(failure: OriginFailure): void {
    this.#finish(false, failure.detail)
  }

  #start(): void {
    const port = this.#options.portOf()
    if (port === null) return this.#options.report(false, 'the process has no port yet')
    this.#startedAt = this.now
    const { plan } = this.#options
    if (plan.speaksHttp2 !== true) {
      this.#link = new OriginConnection(plan, port, this)
      return
    }
    this.#sessions = new OriginSessions(plan, this)
    const stream = new OriginStream(this.#sessions, plan.scheme, this)
    this.#link = stream
    this.#sessions.enter(stream, port)
  }

  #finish(isGood: boolean, detail: string): void {
    if (this.#link === undefined) return
    this.#drop()
    this.#options.report(isGood, detail)
  }

  #drop(): void {
    const link = this.#link
    this.#link = undefined
    link?.destroy('finished')
    this.#sessions?.close()
    this.#sessions = undefined
  }
}
