import type { Handler } from '#http/exchange.ts'
import { type Page, respondPage } from '#http/wire/page.ts'

export type MemoryOptions = {
  /** memory of the process in octets, as the system counts it */
  readonly resident: () => number
  /** in milliseconds; never goes back */
  readonly now: () => number
}

/** How old the answer of the system may be: asking costs about as much as a small request. */
const SAMPLE_MS = 100

/**
 * Refuse requests early while memory is short, so that those under way can finish (RFC 9110 §15.6.4).
 *
 * @param limitOctets most memory of the whole process
 */
export function limitMemory(
  limitOctets: number,
  { resident, now }: MemoryOptions,
  handler: Handler,
): Handler {
  let sampledMs = Number.NEGATIVE_INFINITY
  let isShort = false
  return (exchange) => {
    const nowMs = now()
    if (nowMs - sampledMs >= SAMPLE_MS) {
      sampledMs = nowMs
      isShort = resident() > limitOctets
    }
    if (!isShort) return handler(exchange)
    exchange.note.answeredBy = 'limits'
    exchange.note.reason = 'memory'
    respondPage(exchange, SHORT)
  }
}

const SHORT: Page = {
  status: 503,
  detail: 'Too much is going on at this moment.',
  fault: 'portico',
  fields: [['Retry-After', '1']],
}
