import type { EndReason, Exchange, ResponseHead, Source } from '../exchange.ts'
import { type Fields, joinFields } from '../wire/fields.ts'
import { type Page, respondPage } from '../wire/page.ts'
import { PassingExchange } from '../wire/passing-exchange.ts'
import { type Delivery, deliver, LIMIT_BUFFERED_OCTETS, LIMIT_HELD_MS } from './deliver.ts'
import type { Step } from './passing.ts'
import type { TransformPlan } from './plan.ts'

/** Hold responses back until they are complete where the route asks for that, and tell who measures how they came. */
export function deliverResponses({
  isBuffered,
  saysTiming,
}: Pick<TransformPlan, 'isBuffered' | 'saysTiming'>): Step {
  return (exchange) => new Delivering(exchange, isBuffered, saysTiming)
}

class Delivering extends PassingExchange {
  readonly #below: Exchange
  readonly #isAsked: boolean
  readonly #saysTiming: boolean

  constructor(below: Exchange, isAsked: boolean, saysTiming: boolean) {
    super(below, below.request)
    this.#below = below
    this.#isAsked = isAsked
    this.#saysTiming = saysTiming
  }

  override respond(head: ResponseHead, body: Source | Uint8Array | null): void {
    const isWhole = body === null || body instanceof Uint8Array || this.request.method === 'HEAD'
    const delivery = deliver(this.#isAsked, head, isWhole)
    if (isWhole || delivery.mode === 'streamed') this.#send(head, body, delivery)
    else void this.#hold(head, body, delivery)
  }

  async #hold(head: ResponseHead, source: Source, delivery: Delivery): Promise<void> {
    const gathered = new Gathered(source)
    try {
      const { lengthOctets, reason } = await gathered.gather()
      if (reason === undefined) this.#send({ ...head, lengthOctets }, gathered, delivery)
      else this.#send(head, gathered, { mode: 'streamed', reason })
    } catch {
      source.cancel('origin broke off')
      respondPage(this.#below, BROKEN_OFF)
    }
  }

  #send(head: ResponseHead, body: Source | Uint8Array | null, delivery: Delivery): void {
    this.#below.respond(
      this.#saysTiming ? { ...head, fields: this.#timed(head.fields, delivery) } : head,
      body,
    )
  }

  /** Server-Timing (W3C): `dur` is milliseconds from the head of the request to that of the response. */
  #timed(fields: Fields, { mode, reason }: Delivery): Fields {
    const { startedAt, answeredBy } = this.note
    const duration = Number.isNaN(startedAt) ? '' : `;dur=${(performance.now() - startedAt).toFixed(1)}`
    const by = answeredBy === '' ? '' : `;desc="${answeredBy.replaceAll(/["\\]/g, '')}"`
    const value = `answer${duration}${by}, delivery;desc="${mode}: ${reason}"`
    return joinFields(fields, [['Server-Timing', value]])
  }
}

const BROKEN_OFF: Page = {
  status: 502,
  detail: 'The response of the service broke off.',
  fault: 'origin',
}

/** The beginning of a body, or all of it, in memory. */
class Gathered implements Source {
  readonly #source: Source
  readonly #pieces: Uint8Array[] = []
  #octets = 0
  #isComplete = false
  /** asked for while it was gathered */
  #coming: Promise<Uint8Array | null> | undefined

  constructor(source: Source) {
    this.#source = source
  }

  /**
   * @returns all of the length, or why it goes on before its end
   * @throws {Error} when the body breaks off
   */
  async gather(): Promise<{ lengthOctets: number; reason?: Delivery['reason'] }> {
    const { promise: late, resolve } = Promise.withResolvers<'late'>()
    const timer = setTimeout(resolve, LIMIT_HELD_MS, 'late')
    try {
      while (this.#octets <= LIMIT_BUFFERED_OCTETS) {
        const read = this.#source.read(PIECE_OCTETS)
        if (read instanceof Promise) this.#coming = read
        const arrived = read instanceof Promise ? await Promise.race([read, late]) : read
        if (arrived === 'late') return { lengthOctets: this.#octets, reason: 'not complete within a second' }
        this.#coming = undefined
        this.#isComplete = arrived === null
        if (arrived === null) return { lengthOctets: this.#octets }
        // They are the source's again at the next read.
        this.#keep(Buffer.from(arrived))
      }
      return { lengthOctets: this.#octets, reason: 'longer than 1 MiB' }
    } finally {
      clearTimeout(timer)
    }
  }

  read(limitOctets: number): Uint8Array | null | Promise<Uint8Array | null> {
    const [piece] = this.#pieces
    if (piece !== undefined) {
      if (piece.length <= limitOctets) this.#pieces.shift()
      else this.#pieces[0] = piece.subarray(limitOctets)
      this.#octets -= Math.min(piece.length, limitOctets)
      return piece.subarray(0, limitOctets)
    }
    if (this.#isComplete) return null
    const coming = this.#coming
    if (coming === undefined) return this.#source.read(limitOctets)
    this.#coming = undefined
    return coming.then((arrived) => {
      this.#isComplete = arrived === null
      if (arrived !== null) this.#keep(arrived)
      return this.read(limitOctets)
    })
  }

  #keep(octets: Uint8Array): void {
    this.#pieces.push(octets)
    this.#octets += octets.length
  }

  cancel(reason: EndReason): void {
    this.#pieces.length = 0
    if (!this.#isComplete) this.#source.cancel(reason)
  }

  aheadOctets(): number {
    return this.#octets + (this.#source.aheadOctets?.() ?? 0)
  }

  trailers(): Fields | undefined {
    return this.#source.trailers?.()
  }
}

/** Small enough to keep within what a receiver asks for at a time. */
const PIECE_OCTETS = 16_384
