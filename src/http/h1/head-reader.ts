import { PREFACE } from '#http/h2/wire/frame.ts'
import type { HttpLimits } from '#http/plan.ts'
import { judgePartialHead, type ParsedRequest, parseRequestHead } from '#http/wire/head.ts'
import type { Input } from '#http/wire/input.ts'
import { LastHead } from '#http/wire/last-head.ts'
import { isRefusal, type Refusal } from '#http/wire/refusal.ts'
import { type AcceptedRequest, acceptRequest } from './accept.ts'

/** A request whose head has arrived and can be served; its octets are used up. */
export type ReadRequest = { readonly head: ParsedRequest; readonly accepted: AcceptedRequest }

/** A refusal, and the method when it was read: HEAD gets no content. */
export type RefusedRequest = { readonly refusal: Refusal; readonly method: string | undefined }

/** Reads one request head after the other from what has arrived. */
export class HeadReader {
  /** some octets of the head that is awaited have arrived */
  hasBegun = false
  #hasSkippedLine = false
  #last = new LastHead<ReadRequest>()
  #lastLimits: HttpLimits | undefined

  /** @returns undefined while the head is not complete */
  read(input: Input, limits: HttpLimits, secure: boolean): ReadRequest | RefusedRequest | undefined {
    this.#skipLine(input)
    if (input.length === 0) return undefined
    const same = this.#lastLimits === limits ? this.#last.match(input) : undefined
    if (same !== undefined) return this.#passOn(same)
    const end = input.findHeadEnd()
    if (end < 0) {
      const refusal = judgePartialHead(input.octets, input.start, input.end, limits)
      return refusal === undefined ? undefined : { refusal, method: undefined }
    }
    const head = parseRequestHead(input.octets, input.start, end, limits)
    if (isRefusal(head)) return { refusal: head, method: undefined }
    const accepted = acceptRequest(head, limits, secure)
    if (isRefusal(accepted)) return { refusal: accepted, method: head.method }
    const read = { head, accepted }
    this.#last.keep(head.text, read)
    this.#lastLimits = limits
    input.use(end - input.start)
    return this.#passOn(read)
  }

  #passOn(read: ReadRequest): ReadRequest {
    this.hasBegun = false
    this.#hasSkippedLine = false
    return read
  }

  /** RFC 9112 §2.2: an empty line before a request is passed over, once. */
  #skipLine(input: Input): void {
    if (this.#hasSkippedLine || input.length < 2 || input.octets[input.start] !== 13) return
    this.#hasSkippedLine = true
    if (input.octets[input.start + 1] === 10) input.use(2)
  }
}

const PREFACE_LINE_OCTETS = 'PRI * HTTP/2.0'.length

/** Whether what has come is the preface of HTTP/2, or its first line and more (RFC 9113 §3.4). */
export function beginsHttp2({ octets, start, end }: Input): boolean {
  const count = Math.min(end - start, PREFACE.length)
  return count >= PREFACE_LINE_OCTETS && PREFACE.compare(octets, start, start + count, 0, count) === 0
}
