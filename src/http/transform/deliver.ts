import type { ResponseHead } from '../exchange.ts'

/** Whether a response goes out as it comes, or when all of it is there, and why. */
export type Delivery = {
  readonly mode: 'streamed' | 'buffered'
  readonly reason:
    | 'as it comes'
    | 'complete at once'
    | 'asked for'
    | 'server-sent events'
    | 'longer than 1 MiB'
    | 'not complete within a second'
}

/** A buffered response is no longer than this: 1 MiB. */
export const LIMIT_BUFFERED_OCTETS = 1_048_576
/** What has not ended by then is live. */
export const LIMIT_HELD_MS = 1000

/**
 * Decide how a response is delivered, by what its head says.
 *
 * @param isAsked the route says `"delivery": "buffered"`
 * @param isWhole all of the content is at hand
 */
export function deliver(
  isAsked: boolean,
  { fields, lengthOctets }: ResponseHead,
  isWhole: boolean,
): Delivery {
  if (isWhole) return { mode: 'buffered', reason: 'complete at once' }
  if (!isAsked) return { mode: 'streamed', reason: 'as it comes' }
  const [type = ''] = (fields.get('content-type') ?? '').toLowerCase().split(';')
  if (type.trim() === 'text/event-stream') return { mode: 'streamed', reason: 'server-sent events' }
  if (lengthOctets !== null && lengthOctets > LIMIT_BUFFERED_OCTETS)
    return { mode: 'streamed', reason: 'longer than 1 MiB' }
  return { mode: 'buffered', reason: 'asked for' }
}
