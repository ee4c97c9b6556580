import type { ExchangeNote } from '../exchange.ts'

/** A note on which nothing stands. */
export function createNote(): ExchangeNote {
  return {
    routeId: '',
    answeredBy: '',
    reason: '',
    requestId: '',
    startedAt: Number.NaN,
    answeredAt: Number.NaN,
    trail: undefined,
  }
}
