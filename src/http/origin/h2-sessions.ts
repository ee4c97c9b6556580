import type { OriginPlan } from '../service-plan.ts'
import type { OriginFailure } from './failure.ts'
import { OriginSession, type SessionClimate, type SessionWatcher } from './h2-session.ts'

/** Who waits for a place on a session. One of the two is called, once, unless it leaves. */
export type StreamWaiter = {
  entered(session: OriginSession): void
  shutOut(failure: OriginFailure): void
}

// RFC 9113 §6.5.2 asks origins to take at least so many streams; what they take is known after the handshake.
const ASSUMED_STREAMS = 100

const TAKES_NONE: OriginFailure = {
  status: 503,
  reason: 'limit',
  say: 'The origin takes no requests at the moment',
  detail: 'the origin allows no streams (SETTINGS_MAX_CONCURRENT_STREAMS)',
}

/** The connections to one origin that speaks HTTP/2: as few as its limit of streams allows. */
export class OriginSessions implements SessionWatcher {
  /** connections that were opened */
  connects = 0
  readonly #plan: OriginPlan
  readonly #climate: SessionClimate
  readonly #sessions = new Set<OriginSession>()
  /** those that take no more streams and have some */
  readonly #leaving = new Set<OriginSession>()
  /** the longest waiting first */
  readonly #waiting: StreamWaiter[] = []
  #port = 0
  #isRetired = false

  constructor(plan: OriginPlan, climate: SessionClimate) {
    this.#plan = plan
    this.#climate = climate
  }

  get open(): number {
    return this.#sessions.size + this.#leaving.size
  }

  /** Ask for a place on a session; there may be one at once. */
  enter(waiter: StreamWaiter, port: number): void {
    for (const session of this.#sessions) {
      if (session.hasRoom) return this.#place(waiter, session)
    }
    this.#waiting.push(waiter)
    if (this.#waiting.length > this.#connecting * ASSUMED_STREAMS) this.#open(port)
  }

  /** The waiter needs no place any more. */
  leave(waiter: StreamWaiter): void {
    const at = this.#waiting.indexOf(waiter)
    if (at >= 0) this.#waiting.splice(at, 1)
  }

  ready(session: OriginSession): void {
    this.connects++
    while (this.#waiting.length > 0 && session.hasRoom) this.#place(this.#waiting.shift()!, session)
    if (session.streams === 0 && !session.hasRoom) this.#shutOut(TAKES_NONE)
    else if (this.#waiting.length > 0 && this.#connecting === 0) this.#open(this.#port)
  }

  gone(session: OriginSession, failure: OriginFailure | undefined): void {
    this.#sessions.delete(session)
    if (session.streams > 0) this.#leaving.add(session)
    if (failure !== undefined && this.#connecting === 0) this.#shutOut(failure)
  }

  sweep(): void {
    for (const session of this.#sessions) {
      session.sweep()
      if (this.#isRetired && session.isReady && session.streams === 0) session.retire()
    }
    for (const session of this.#leaving) if (session.streams === 0) this.#leaving.delete(session)
  }

  /** Each session closes with its last stream. */
  retire(): void {
    this.#isRetired = true
    for (const session of [...this.#sessions]) if (session.isReady) session.retire()
  }

  /** Close every session now. */
  close(): void {
    for (const session of [...this.#sessions, ...this.#leaving]) session.destroy()
  }

  get #connecting(): number {
    let count = 0
    for (const { isReady } of this.#sessions) if (!isReady) count++
    return count
  }

  #open(port: number): void {
    this.#port = port
    this.#sessions.add(new OriginSession(this.#plan, port, this.#climate, this))
  }

  #place(waiter: StreamWaiter, session: OriginSession): void {
    session.streams++
    waiter.entered(session)
  }

  #shutOut(failure: OriginFailure): void {
    for (const waiter of this.#waiting.splice(0)) waiter.shutOut(failure)
  }
}
