import { type Balance, balanceKey, choose, createBalance } from './balance.ts'
import type { Exchange, ExchangeEnd, Handler, Request, Source } from './exchange.ts'
import { countPasses, maxForwards, responseFields, wantedProtocols } from './gateway.ts'
import { HeadWriter } from './head-writer.ts'
import { type Budget, createBudget, earn, spend } from './origin/budget.ts'
import type { OriginFailure } from './origin/failure.ts'
import type { OriginHead, OriginLink, Receiver } from './origin/link.ts'
import type { Origins } from './origin/origins.ts'
import type { OriginPool, Waiter } from './origin/pool.ts'
import { Replay } from './origin/replay.ts'
import { type OriginPlan, RETRY, type RetryPlan, type ServicePlan } from './service-plan.ts'
import { type Fields, joinFields, noFields } from './wire/fields.ts'
import { respondPage } from './wire/page.ts'
import { proxyHeader } from './wire/proxy-protocol.ts'

/** What forwarding needs beside its Plan; read at each request, so it may change under a handler that stays. */
export type ForwardOptions = {
  readonly origins: Origins
  /** our name in Via, a token (RFC 9110 §7.6.3) */
  readonly pseudonym: string
  /** Whether Forwarded and X-Forwarded-* of a peer at this address are believed. */
  readonly isTrusted: (address: string) => boolean
}

/**
 * Create the handler that passes requests on to the origins of a service.
 *
 * @example createForward(route.action, { origins, pseudonym: 'portico', isTrusted: createTrust(plan.trust) })
 */
export function createForward(action: ServicePlan, options: ForwardOptions): Handler {
  const poolOf = (origin: OriginPlan): OriginPool => options.origins.pool(origin, action.processId)
  const pools = action.origins.map(poolOf)
  const service: Service = {
    pools,
    only: pools.length === 1 && action.fallback === undefined ? pools[0]! : null,
    fallback: action.fallback === undefined ? null : poolOf(action.fallback),
    balance: createBalance(action),
    retry: action.retry ?? RETRY,
    budget: createBudget(pools[0]?.now ?? 0),
    requests: 0,
    heads: new HeadWriter(),
    options,
  }
  return (exchange) => new Forwarding(exchange, service).start()
}

type Service = {
  readonly pools: readonly OriginPool[]
  /** the pool when there is only one, and no fallback */
  readonly only: OriginPool | null
  /** asked while all others are down */
  readonly fallback: OriginPool | null
  readonly balance: Balance
  readonly retry: RetryPlan
  budget: Budget
  /** requests that the budget has not earned from yet */
  requests: number
  readonly heads: HeadWriter
  readonly options: ForwardOptions
}

// An edge behind an edge passes twice; a request that comes a tenth time goes round in a circle.
const LIMIT_PASSES = 10

// An origin that refuses each stream would be asked for ever.
const LIMIT_REFUSALS = 3

const NONE: readonly number[] = []

/** RFC 9110 §9.2.2: asking twice has the effect of asking once. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

/** One exchange on its way to an origin and back. */
class Forwarding implements Waiter, Receiver {
  readonly #exchange: Exchange
  readonly #service: Service
  #pool: OriginPool | undefined
  #link: OriginLink | undefined
  /** place of the pool among those of the service; -1 for the fallback */
  #index = -1
  #tried = NONE
  #retries = 0
  #hasAsked = false
  #hasAskedAgain = false
  #isReused = false
  #replay: Replay | undefined
  /** how often an origin has said that it did nothing with the request */
  #refusals = 0
  /** milliseconds of `performance.now()`; NaN when nobody measures */
  #sentAt = Number.NaN

  constructor(exchange: Exchange, service: Service) {
    this.#exchange = exchange
    this.#service = service
  }

  start(): void {
    const { request } = this.#exchange
    const { pseudonym } = this.#service.options
    if (countPasses(request.fields, pseudonym) >= LIMIT_PASSES) return this.#refuseLoop()
    if (maxForwards(request) === 0) return this.#answerOptions()
    const logEnd = this.#exchange.onEnd
    this.#exchange.onEnd = (end, exchange) => {
      this.#ended(end)
      logEnd?.(end, exchange)
    }
    this.#service.requests++
    const { only } = this.#service
    if (only === null) this.#askNext()
    else this.#askFirst(only)
  }

  connected(link: OriginLink): void {
    const { options } = this.#service
    const request = this.#began(this.#exchange.request)
    // RFC 9110 §7.8: h2c would let requests pass that nobody here has looked at.
    const asksUpgrade = request.upgrade !== undefined && request.upgrade !== 'h2c'
    // RFC 9110 §10.1.1: an expectation counts for nothing in HTTP/1.0, or without content.
    const awaitsContinue =
      request.body !== null && request.version !== '1.0' && request.fields.get('expect') !== undefined
    const { proxyProtocol } = this.#pool!.plan
    const preface = proxyProtocol === undefined ? '' : proxyHeader(proxyProtocol, request.client)
    const written = this.#service.heads.write(request, {
      pseudonym: options.pseudonym,
      originAuthority: this.#pool!.plan.authority,
      isTrusted: options.isTrusted(request.client.address),
      asksUpgrade,
      awaitsContinue,
    })
    const head = preface === '' ? written : preface + written
    this.#link = link
    this.#isReused = link.requests > 0
    const { method, lengthOctets } = request
    const body = this.#content()
    link.send({ method, head, body, isChunked: lengthOctets === null, awaitsContinue, asksUpgrade }, this)
  }

  unconnected(failure: OriginFailure): void {
    // Nothing was sent: whatever the method, another origin may be asked (RFC 9110 §9.2.2).
    if (failure.reason === 'drain' || !this.#askNext()) this.#refuse(failure)
  }

  informed(head: OriginHead): void {
    this.#exchange.inform(head.status, this.#passOn(head))
  }

  answered(head: OriginHead, body: Uint8Array | Source | null): void {
    const pool = this.#pool!
    this.#link = undefined
    this.#replay?.forget()
    pool.judge(head.status)
    const now = this.#judged(head.status, '')
    const { status } = this.#service.retry
    if (status.length > 0 && status.includes(head.status) && this.#retry()) {
      if (body !== null && 'cancel' in body) body.cancel('finished')
      return
    }
    this.#exchange.note.answeredBy = pool.name
    this.#exchange.note.answeredAt = now
    const fields = this.#passOn(head)
    const answer = { status: head.status, fields, lengthOctets: head.statedOctets }
    const upgrade = head.status === 426 ? wantedProtocols(head.fields) : undefined
    this.#exchange.respond(upgrade === undefined ? answer : { ...answer, upgrade }, body)
  }

  switched(fields: Fields, fromOrigin: Source): void {
    const link = this.#link!
    this.#link = undefined
    this.#judged(101, '')
    this.#exchange.note.answeredBy = this.#pool!.name
    link.sendRaw(this.#exchange.switchProtocols(fields, fromOrigin))
  }

  failed(failure: OriginFailure, isSilent: boolean): void {
    this.#link = undefined
    if (failure.isUnprocessed === true && this.#askOnceMore()) return
    const brokeOff = failure.reason === 'origin broke off'
    // RFC 9112 §9.3.1: an idle connection may close just when a request is sent; that says nothing about the origin.
    if (isSilent && brokeOff && this.#isReused && !this.#hasAskedAgain && this.#isRepeatable()) {
      this.#hasAskedAgain = true
      this.#judged(0, failure.detail)
      return this.#ask(this.#pool!, true)
    }
    if (failure.reason !== 'client left') {
      this.#judged(0, failure.detail)
      this.#pool!.judge(0)
    }
    if (!brokeOff || !this.#retry()) this.#refuse(failure)
  }

  /** The content of the request; from its first octet again when an origin has done nothing with it. */
  #content(): Source | null {
    const { body } = this.#exchange.request
    if (body === null) return null
    if (this.#pool!.plan.speaksHttp2 === true) this.#replay ??= new Replay(body)
    return this.#replay?.reader() ?? body
  }

  /** RFC 9113 §8.7: a request that nothing was done with may be sent again whatever its method. */
  #askOnceMore(): boolean {
    const isWhole = this.#replay === undefined || this.#replay.isWhole
    if (!isWhole || this.#refusals++ >= LIMIT_REFUSALS) return false
    if (!this.#askNext()) this.#ask(this.#pool!, true)
    return true
  }

  /** Count an attempt; who follows the exchange may give it fields of its own. */
  #began(request: Request): Request {
    const { traffic, name } = this.#pool!
    traffic.requests++
    if (this.#hasAsked) traffic.retries++
    this.#hasAsked = true
    this.#sentAt ||= performance.now()
    const { trail } = this.#exchange.note
    if (trail === undefined) return request
    const own = trail.asked(name)
    const { fieldsForOrigin: given } = request
    return { ...request, fieldsForOrigin: given === undefined ? own : joinFields(given, own) }
  }

  /** Count how an attempt ended; 0 is no status. @returns now, as `performance.now()` says it */
  #judged(status: number, failure: string): number {
    const now = performance.now()
    this.#pool!.traffic.answered(status, now - this.#sentAt)
    this.#exchange.note.trail?.answered(status, failure)
    return now
  }

  /** RFC 9110 §9.2.2: what may have been taken is asked again only when that changes nothing; content is gone. */
  #isRepeatable(): boolean {
    const { body, method } = this.#exchange.request
    return body === null && IDEMPOTENT.has(method)
  }

  /** Ask another origin after one has failed a request that it had. */
  #retry(): boolean {
    const service = this.#service
    if (this.#retries >= service.retry.times || !this.#isRepeatable()) return false
    service.budget = earn(service.budget, service.requests, this.#pool!.now)
    service.requests = 0
    const left = spend(service.budget)
    if (left === undefined) return false
    service.budget = left
    this.#retries++
    return this.#askNext()
  }

  /** Where there is one origin there is nothing to choose. */
  #askFirst(only: OriginPool): void {
    this.#index = 0
    this.#ask(only, false)
  }

  /** @returns false when no origin is left */
  #askNext(): boolean {
    const { pools, balance, fallback } = this.#service
    if (this.#index >= 0) this.#tried = [...this.#tried, this.#index]
    const { now } = pools[0]!
    const key = balanceKey(balance, this.#exchange.request)
    const choice = choose(balance, pools, { now, random: Math.random(), key, tried: this.#tried })
    const pool = choice === undefined ? null : pools[choice.index]!
    if (fallback !== null && (pool === null || pool.isDown)) {
      if (this.#pool === fallback) return false
      this.#index = -1
      this.#ask(fallback, false)
      return true
    }
    if (choice === undefined || pool === null) return false
    this.#index = choice.index
    this.#ask(pool, false)
    return true
  }

  #ask(pool: OriginPool, isFresh: boolean): void {
    this.#pool = pool
    this.#sentAt = Number.NaN
    const idle = pool.take(this, isFresh)
    if (idle === undefined) return
    // Sent as soon as it came: the clock need not be read again, which costs as much as all that is counted.
    if (!this.#hasAsked) this.#sentAt = this.#exchange.note.startedAt
    this.connected(idle)
  }

  #passOn(head: OriginHead): Fields {
    head.passedOn ??= responseFields(head.fields, head.version, this.#service.options.pseudonym)
    return head.passedOn
  }

  #ended(end: ExchangeEnd): void {
    if (this.#link !== undefined) this.#link.destroy(end.reason)
    else this.#pool?.leave(this)
  }

  #refuse(failure: OriginFailure): void {
    const { note } = this.#exchange
    note.answeredBy = this.#pool!.name
    note.reason = failure.detail
    const { status, say } = failure
    const fields: [string, string][] = status === 503 ? [['Retry-After', '1']] : []
    respondPage(this.#exchange, { status, detail: `${say}.`, fault: 'origin', fields })
  }

  /** RFC 9110 §7.6.3: Via is how a gateway finds that it asks itself. */
  #refuseLoop(): void {
    this.#exchange.note.reason = 'loop'
    const detail = `This request has come here ${LIMIT_PASSES} times: the service leads back to this server.`
    respondPage(this.#exchange, { status: 508, detail, fault: 'portico' })
  }

  /** RFC 9110 §7.6.2: with Max-Forwards 0 the answer is the gateway's own. */
  #answerOptions(): void {
    this.#exchange.note.reason = 'Max-Forwards is 0'
    this.#exchange.respond({ status: 204, fields: noFields, lengthOctets: 0 }, null)
  }
}
