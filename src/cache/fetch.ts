import type { EndReason, Exchange, ExchangeNote, Request, ResponseHead, Source } from '#http/exchange.ts'
import { type Asker, ask } from '#http/wire/ask.ts'
import { type Fields, noFields } from '#http/wire/fields.ts'
import type { Cache } from './cache.ts'
import { forwardStatus } from './cache-status.ts'
import { pour, Tee } from './fill.ts'
import { beginFill, freshen, type Judged, judge } from './keep.ts'
import { passBy, told } from './pass.ts'
import { readGrowing } from './rejoin.ts'
import { forget, remember } from './remembered.ts'
import { respondStored } from './respond.ts'
import { resumeFrom } from './resume.ts'
import { type ReuseReason, reuseAfter } from './reuse.ts'
import type { Storable } from './storable.ts'
import type { CachedObject, Fill, Lead } from './store/store.ts'
import { type Stored, storedOf } from './stored.ts'
import { isAbout } from './update.ts'
import { clientLines, conditionLines, originRequest } from './validate.ts'
import type { Verdict } from './verdicts.ts'

/** What is fetched, and why. */
export type Wanted = {
  readonly key: string
  /** what is stored and no longer fresh; null when there is nothing */
  readonly object: CachedObject | null
  readonly stored: Stored | null
  readonly reason: ReuseReason
  /** somebody else's fetch was waited for first */
  readonly isCollapsed: boolean
  /** what came last was not kept: nothing here will answer the client's conditions */
  readonly isPassed: boolean
}

/** RFC 5861 §4: what counts as an error of the origin. */
export const FAILURES: ReadonlySet<number> = new Set([500, 502, 503, 504])

/** Reasons why a response is not kept that lie in its request. */
const ONE_CLIENT: ReadonlySet<Storable> = new Set(['request: no-store', 'authorization', 'storable'])

/**
 * Ask the origin for what a request wants, keep the answer if it may be kept, and give it to the client.
 *
 * The fetch belongs to the cache: it goes on when the client leaves.
 *
 * @param exchange of the client; null in the background
 * @param lead ends when the store has a head, or there will be none; null when others may fetch the same
 */
export function fetchFor(
  cache: Cache,
  request: Request,
  exchange: Exchange | null,
  wanted: Wanted,
  lead: Lead | null,
): void {
  new Fetching(cache, request, exchange, wanted, lead).start()
}

/** Keep and give to the client what has come in answer to another request for the same. */
export function takeFor(
  cache: Cache,
  exchange: Exchange,
  wanted: Wanted,
  { head, body, requestMs, epoch }: Arrived,
): void {
  new Fetching(cache, exchange.request, exchange, wanted, null).take(head, body, { requestMs, epoch })
}

/** A response of the origin, and the moment and the epoch of the store at which it was asked for. */
export type Arrived = {
  readonly head: ResponseHead
  readonly body: Source | null
  readonly requestMs: number
  readonly epoch: number
}

class Fetching implements Asker {
  readonly #cache: Cache
  readonly #request: Request
  readonly #exchange: Exchange | null
  readonly #wanted: Wanted
  readonly #lead: Lead | null
  #epoch = 0
  #requestMs = 0
  /** asked about with conditions */
  readonly #validated: { readonly object: CachedObject; readonly stored: Stored } | null
  /** the origin answered 304 about something else, and is asked once more, without conditions */
  #isDoubted = false

  constructor(cache: Cache, request: Request, exchange: Exchange | null, wanted: Wanted, lead: Lead | null) {
    this.#cache = cache
    this.#request = request
    this.#exchange = exchange
    this.#wanted = wanted
    this.#lead = lead
    const { object, stored } = wanted
    this.#validated = object === null || stored === null ? null : { object, stored }
  }

  start(): void {
    if (this.#exchange !== null) this.#cache.counts.misses++
    this.#ask()
  }

  #ask(): void {
    const { store, now, origin, plan } = this.#cache
    this.#cache.counts.fetches++
    this.#epoch = store.epoch()
    this.#requestMs = now()
    ask(origin, originRequest(plan, this.#request, this.#ownLines()), this)
  }

  take(
    head: ResponseHead,
    body: Source | null,
    { requestMs, epoch }: { requestMs: number; epoch: number },
  ): void {
    this.#requestMs = requestMs
    this.#epoch = epoch
    this.#take(head, body)
  }

  informed(status: number, fields: Fields): void {
    this.#exchange?.inform(status, fields)
  }

  answered(head: ResponseHead, body: Source | null, note: ExchangeNote): void {
    if (this.#exchange !== null) {
      this.#exchange.note.answeredBy = note.answeredBy
      if (note.reason !== '') this.#exchange.note.reason = note.reason
    }
    const validated = this.#validated
    if (validated !== null && (head.status === 304 || (this.#isDoubted && head.status >= 500))) {
      body?.cancel('finished')
      return this.#validate(validated, head)
    }
    if (FAILURES.has(head.status) && this.#serveStale(head)) {
      body?.cancel('finished')
      return
    }
    this.#take(head, body)
  }

  aborted(reason: EndReason): void {
    if (this.#isDoubted) return this.#freshen(this.#validated!, noFields)
    if (this.#serveStale(null)) return
    this.#lead?.done()
    this.#exchange?.abort(reason)
  }

  /** The conditions of what is stored; or the client's own range, when there is nothing to validate. */
  #ownLines(): string {
    if (this.#isDoubted) return ''
    if (this.#validated !== null) return conditionLines(this.#validated.stored)
    return clientLines(this.#request, this.#wanted.isPassed)
  }

  /**
   * RFC 9111 §4.3.4: a 304 about something else updates nothing. An origin that has nothing better when it is asked again
   * has said that what is stored still holds, and nothing more.
   */
  #validate(validated: { readonly object: CachedObject; readonly stored: Stored }, head: ResponseHead): void {
    if (this.#isDoubted) return this.#freshen(validated, noFields)
    if (isAbout(validated.stored, head.fields)) return this.#freshen(validated, head.fields)
    this.#isDoubted = true
    this.#ask()
  }

  #freshen(
    { object, stored }: { readonly object: CachedObject; readonly stored: Stored },
    came: Fields,
  ): void {
    const times = { requestMs: this.#requestMs, responseMs: this.#cache.now() }
    const asked = { object, stored, epoch: this.#epoch }
    const updated = freshen(this.#cache, this.#request, asked, came, times)
    this.#lead?.done()
    this.#respond(updated, 304)
  }

  /**
   * @param head of the origin's error, or of a page of ours in its place; null when nothing came
   * @returns whether what is stored stands in for what could not be had
   */
  #serveStale(head: ResponseHead | null): boolean {
    if (this.#validated === null) return false
    const isDown = head === null || head.isPage === true
    const { object, stored } = this.#validated
    const { plan, now } = this.#cache
    const nowMs = now()
    const reason = reuseAfter(isDown ? 'down' : 'error', stored, nowMs)
    if (reason === undefined) return false
    const { reason: why } = this.#wanted
    const said = forwardStatus({ why, ...(isDown ? {} : { status: head.status }), detail: reason })
    const answer = { reason, status: said, isTold: plan.status }
    if (this.#exchange !== null && respondStored(this.#exchange, object, stored, answer, nowMs) === null)
      return false
    this.#lead?.done()
    return true
  }

  /** Keep a new response, or pass it on. */
  #take(head: ResponseHead, body: Source | null): void {
    const times = { requestMs: this.#requestMs, responseMs: this.#cache.now() }
    const judged = judge(this.#cache, this.#request, head, times)
    const { key } = this.#wanted
    const { meta } = judged
    const response = body === null ? { ...head, lengthOctets: 0 } : head
    const fill =
      judged.reason === 'storable'
        ? beginFill(this.#cache, { key, request: this.#request, response, meta, epoch: this.#epoch })
        : null
    if (fill === null) return this.#pass(head, body, judged)
    forget(this.#cache, key)
    this.#cache.verdicts.forget(key)
    this.#keep(fill, head, body)
    this.#lead?.done()
  }

  #pass(head: ResponseHead, body: Source | null, { reason }: Judged): void {
    remember(this.#cache, this.#wanted.key, 'not kept')
    // A page of ours was not the origin's to be judged.
    if (head.isPage !== true) this.#note(head.status, reason === 'storable' ? 'no room' : reason)
    // What was stored holds no longer, also for bad times; but what concerns one client alone says nothing of it.
    const { object } = this.#wanted
    if (object !== null && head.status < 500 && !ONE_CLIENT.has(reason)) this.#cache.store.remove(object)
    this.#lead?.done()
    if (this.#exchange === null) body?.cancel('finished')
    else {
      const { reason: why, isCollapsed: collapsed } = this.#wanted
      const detail = head.isPage === true ? undefined : reason
      this.#exchange.respond(told(this.#cache, this.#request, head, { why, collapsed, detail }), body)
    }
  }

  #note(status: number, reason: Verdict['reason']): void {
    const { verdicts, now } = this.#cache
    verdicts.note(this.#wanted.key, { status, reason, atMs: now() })
  }

  #keep(fill: Fill, head: ResponseHead, body: Source | null): void {
    if (body === null) {
      fill.end()
      return this.#respond(fill.object, head.status, head.fields)
    }
    const resume = resumeFrom(this.#cache, this.#request, storedOf(fill.object), head.lengthOctets)
    const isTeed = head.lengthOctets === null && this.#exchange !== null && this.#request.method === 'GET'
    const tee = isTeed ? new Tee() : undefined
    void pour(body, fill, resume, tee).then((end) => {
      if (end === 'too large') remember(this.#cache, this.#wanted.key, 'too large')
      if (end !== 'whole') this.#note(head.status, end)
    })
    // What came as a whole has a length by now.
    this.#respond(fill.object, head.status, head.fields, fill.object.state === 'whole' ? undefined : tee)
  }

  #respond(object: CachedObject, status: number, fields?: Fields, tee?: Tee): void {
    if (this.#exchange === null) return
    const { plan, now } = this.#cache
    const { reason, isCollapsed } = this.#wanted
    const stored = storedOf(object)
    const nowMs = now()
    const ttlSeconds = Math.floor((stored.freshUntilMs - nowMs) / 1000)
    const said = forwardStatus({ why: reason, status, stored: true, collapsed: isCollapsed, ttlSeconds })
    const answer = {
      reason,
      status: said,
      isTold: plan.status,
      ...(fields === undefined ? {} : { fields }),
      ...(tee === undefined ? {} : { body: tee.source }),
      read: tee === undefined ? readGrowing(this.#cache, this.#request, object, stored) : undefined,
    }
    const octets = respondStored(this.#exchange, object, stored, answer, nowMs)
    if (octets === null) passBy(this.#cache, this.#exchange, reason)
    else if (status === 304) this.#cache.counts.savedOctets += octets
  }
}
