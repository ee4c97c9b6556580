import { randomBytes } from 'node:crypto'

/** Keys that encrypt session tickets (RFC 5077 §4): 48 octets. */
export type TicketKeys = {
  /** the key of now, renewed when its time is over */
  current(): Buffer
}

/**
 * Make keys that live as long as the tickets: who steals them later reads no older session.
 *
 * @param lifetimeMs how long one is used
 * @param now in milliseconds
 */
export function createTicketKeys(lifetimeMs: () => number, now: () => number): TicketKeys {
  let key = randomBytes(48)
  let since = now()

  function current(): Buffer {
    if (now() - since >= lifetimeMs()) {
      key = randomBytes(48)
      since = now()
    }
    return key
  }

  return { current }
}
