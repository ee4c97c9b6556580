import type { HttpLimits } from '../plan.ts'
import { type BodyLength, parseContentLength, responseBodyLength } from '../wire/framing.ts'
import { type ParsedResponse, parseResponseHead } from '../wire/head.ts'
import type { Input } from '../wire/input.ts'
import { LastHead } from '../wire/last-head.ts'
import { hasToken } from '../wire/list.ts'
import { isRefusal, type Refusal, refuse } from '../wire/refusal.ts'
import type { OriginHead } from './link.ts'

/** The head of a response, and what follows from it for its connection. */
export type FramedHead = OriginHead & {
  readonly length: BodyLength
  /** the connection stays open after it, as far as the origin is concerned */
  readonly isPersistent: boolean
}

/** Reads one head after the other from what an origin sends. */
export class ResponseReader {
  readonly #last = new LastHead<FramedHead>()

  /**
   * @param method of the request that is answered
   * @returns undefined while the head is not complete
   */
  read(input: Input, limits: HttpLimits, method: string): FramedHead | Refusal | undefined {
    // To HEAD the same head is followed by no content.
    const same = method === 'HEAD' ? undefined : this.#last.match(input)
    if (same !== undefined) return same
    const end = input.findHeadEnd()
    if (end < 0) {
      if (input.length <= limits.headerOctets) return undefined
      return refuse(502, `the head is larger than ${limits.headerOctets} octets`)
    }
    const parsed = parseResponseHead(input.octets, input.start, end, limits)
    if (isRefusal(parsed)) return parsed
    const head = judge(parsed, method)
    if (!isRefusal(head) && method !== 'HEAD') this.#last.keep(parsed.text, head)
    input.use(end - input.start)
    return head
  }
}

function judge(parsed: ParsedResponse, method: string): FramedHead | Refusal {
  const { fields, status, minor } = parsed
  if (status > 599) return refuse(502, `the status is ${status}`)
  const length = responseBodyLength(fields, status, method, minor)
  if (isRefusal(length)) return length
  const statedOctets = statedLength(parsed, method, length)
  return {
    status,
    version: minor === 0 ? '1.0' : '1.1',
    fields,
    length,
    statedOctets,
    isPersistent: length !== 'until close' && !isDoubtful(parsed) && isPersistent(parsed),
    passedOn: undefined,
  }
}

/** The length that a response states, without content when it answers HEAD or is 304 (RFC 9110 §8.6). */
function statedLength({ fields, status }: ParsedResponse, method: string, length: BodyLength): number | null {
  if (length !== 0) return typeof length === 'number' ? length : null
  if (method !== 'HEAD' && status !== 304) return 0
  const stated = parseContentLength(fields)
  return typeof stated === 'number' ? stated : null
}

/** RFC 9110 §8.6, RFC 9112 §6.1: 204 speaks of no content. What might follow would be taken for the next response. */
function isDoubtful({ fields, status }: ParsedResponse): boolean {
  if (status !== 204) return false
  return fields.get('transfer-encoding') !== undefined || Number(fields.get('content-length') ?? 0) !== 0
}

/** Whether the connection stays open after this response (RFC 9112 §9.3). */
function isPersistent({ fields, minor }: ParsedResponse): boolean {
  if (minor === 0) return hasToken(fields, 'connection', 'keep-alive')
  return !hasToken(fields, 'connection', 'close')
}
