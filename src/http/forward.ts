import type { Exchange, ExchangeEnd, Handler, Source } from './exchange.ts'
import { countPasses, maxForwards, responseFields } from './gateway.ts'
import { HeadWriter } from './head-writer.ts'
import type { OriginConnection, Receiver } from './origin/connection.ts'
import type { OriginFailure } from './origin/failure.ts'
import type { Origins } from './origin/origins.ts'
import type { OriginPool, Waiter } from './origin/pool.ts'
import type { OriginHead } from './origin/response-reader.ts'
import type { ActionPlan } from './plan.ts'
import { type Fields, noFields } from './wire/fields.ts'
import { respondPage } from './wire/page.ts'

export type ServicePlan = Extract<ActionPlan, { kind: 'service' }>

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
  const pools = action.origins.map((origin) => options.origins.pool(origin, action.processId))
  const service: Service = { pools, turn: 0, heads: new HeadWriter(), options }
  return (exchange) => new Forwarding(exchange, service).start()
}

type Service = {
  readonly pools: readonly OriginPool[]
  /** whose turn it is: round robin */
  turn: number
  readonly heads: HeadWriter
  readonly options: ForwardOptions
}

// An edge behind an edge passes twice; a request that comes a tenth time goes round in a circle.
const LIMIT_PASSES = 10

/** RFC 9110 §9.2.2: asking twice has the effect of asking once. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

/** One exchange on its way to an origin and back. */
class Forwarding implements Waiter, Receiver {
  readonly #exchange: Exchange
  readonly #service: Service
  #pool: OriginPool | undefined
  #connection: OriginConnection | undefined
  #attempts = 0
  #hasRetried = false
  #isReused = false

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
    this.#exchange.onEnd = (end) => {
      this.#ended(end)
      logEnd?.(end)
    }
    this.#tryNextOrigin()
  }

  connected(connection: OriginConnection): void {
    const { request } = this.#exchange
    const { options } = this.#service
    // RFC 9110 §7.8: h2c would let requests pass that nobody here has looked at.
    const asksUpgrade = request.upgrade !== undefined && request.upgrade !== 'h2c'
    // RFC 9110 §10.1.1: an expectation counts for nothing in HTTP/1.0, or without content.
    const awaitsContinue =
      request.body !== null && request.version !== '1.0' && request.fields.get('expect') !== undefined
    const head = this.#service.heads.write(request, {
      pseudonym: options.pseudonym,
      originAuthority: this.#pool!.plan.authority,
      isTrusted: options.isTrusted(request.client.address),
      asksUpgrade,
      awaitsContinue,
    })
    this.#connection = connection
    this.#isReused = connection.requests > 0
    const { method, body, lengthOctets } = request
    connection.send(
      { method, head, body, isChunked: lengthOctets === null, awaitsContinue, asksUpgrade },
      this,
    )
  }

  unconnected(failure: OriginFailure): void {
    if (this.#attempts < this.#service.pools.length) this.#tryNextOrigin()
    else this.#refuse(failure)
  }

  informed(head: OriginHead): void {
    this.#exchange.inform(head.status, this.#passOn(head))
  }

  answered(head: OriginHead, body: Uint8Array | Source | null): void {
    this.#connection = undefined
    this.#exchange.note.answeredBy = this.#pool!.name
    const fields = this.#passOn(head)
    this.#exchange.respond({ status: head.status, fields, lengthOctets: head.statedOctets }, body)
  }

  switched(fields: Fields, fromOrigin: Source): void {
    const connection = this.#connection!
    this.#connection = undefined
    this.#exchange.note.answeredBy = this.#pool!.name
    connection.sendRaw(this.#exchange.switchProtocols(fields, fromOrigin))
  }

  failed(failure: OriginFailure, isSilent: boolean): void {
    this.#connection = undefined
    // RFC 9112 §9.3.1: an idle connection may close just when a request is sent; that says nothing about the origin.
    if (isSilent && failure.reason === 'origin broke off' && this.#mayRetry()) {
      this.#hasRetried = true
      this.#ask(this.#pool!, true)
    } else this.#refuse(failure)
  }

  #mayRetry(): boolean {
    const { body, method } = this.#exchange.request
    return this.#isReused && !this.#hasRetried && body === null && IDEMPOTENT.has(method)
  }

  #tryNextOrigin(): void {
    this.#attempts++
    this.#ask(choosePool(this.#service), false)
  }

  #ask(pool: OriginPool, isFresh: boolean): void {
    this.#pool = pool
    const idle = pool.take(this, isFresh)
    if (idle !== undefined) this.connected(idle)
  }

  #passOn(head: OriginHead): Fields {
    head.passedOn ??= responseFields(head.fields, head.minor, this.#service.options.pseudonym)
    return head.passedOn
  }

  #ended(end: ExchangeEnd): void {
    if (this.#connection !== undefined) this.#connection.destroy(end.reason)
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

/** The next in turn that is not known to be down; when all are, the next in turn: it may be up again. */
function choosePool(service: Service): OriginPool {
  const { pools } = service
  for (let i = 0; i < pools.length; i++) {
    const pool = pools[(service.turn + i) % pools.length]!
    if (pool.isDown) continue
    service.turn = (service.turn + i + 1) % pools.length
    return pool
  }
  const pool = pools[service.turn]!
  service.turn = (service.turn + 1) % pools.length
  return pool
}
