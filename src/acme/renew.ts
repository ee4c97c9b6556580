import type { AuthorityPlan } from './plan.ts'
import type { RenewalWindow } from './wire/objects.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** When a certificate is renewed, and when its authority is asked again what it advises. Milliseconds since 1970. */
export type Renewal = {
  readonly at: number
  /** null: the authority gives no advice (RFC 9773) */
  readonly askAt: number | null
  /** a page that says why it should be early */
  readonly explanation?: string
}

/** How an order failed, by the directory of its authority. */
export type Failure = {
  readonly count: number
  /** not before then again */
  readonly notBefore: number
  readonly at: number
  /** one sentence of what happened, one of what to do */
  readonly message: string
  readonly fix: string
}

/** What a certificate is in need of. */
export type Need =
  | { readonly what: 'order'; readonly authority: AuthorityPlan; readonly at: number }
  | { readonly what: 'advice'; readonly at: number }

export type Standing = {
  /** null: there is none, or its names are not those that are wanted */
  readonly renewal: Renewal | null
  readonly failures: Readonly<Record<string, Failure>>
  /** the directory of an authority where an order was placed and is under way */
  readonly underWay: string | null
}

/**
 * Decide what is next for a certificate, and when.
 *
 * An order under way is finished where it began. Else the first authority that did not ask for patience is taken;
 * when all did, the one whose patience ends first.
 */
export function nextNeed(standing: Standing, authorities: readonly AuthorityPlan[], now: number): Need {
  const { renewal, failures, underWay } = standing
  const notBefore = ({ directory }: AuthorityPlan): number => failures[directory]?.notBefore ?? 0
  const open = authorities.filter((authority) => notBefore(authority) <= now)
  const began = open.find(({ directory }) => directory === underWay)
  const soonest = authorities.reduce((a, b) => (notBefore(b) < notBefore(a) ? b : a))
  const authority = began ?? open[0] ?? soonest
  const at = Math.max(began === undefined ? (renewal?.at ?? 0) : 0, notBefore(authority))
  const askAt = renewal?.askAt ?? null
  return askAt !== null && askAt < at ? { what: 'advice', at: askAt } : { what: 'order', authority, at }
}

/**
 * Without advice: after two thirds of the lifetime (Let's Encrypt's own rule), spread over a twentieth of it so that
 * certificates of one day are not renewed in one minute.
 *
 * @param random 0 to 1
 */
export function renewAfterTwoThirds(
  { notBefore, notAfter }: { readonly notBefore: number; readonly notAfter: number },
  random: number,
): number {
  const lifetime = notAfter - notBefore
  return Math.round(notBefore + lifetime * (2 / 3 + random / 20))
}

/**
 * Keep a time within nine tenths of the lifetime, because advice beyond the end would be a mistake that nobody else
 * notices; and not before `earliest`, so that a wrong clock does not order again and again.
 */
export function boundRenewal(
  at: number,
  { notBefore, notAfter }: { readonly notBefore: number; readonly notAfter: number },
  earliest: number,
): number {
  return Math.round(Math.max(Math.min(at, notBefore + (notAfter - notBefore) * 0.9), earliest))
}

/**
 * Choose a time in the window that the authority advises (RFC 9773 §4.2): uniformly, and at once when it has passed.
 *
 * @param retryAfterMs when to ask again; 6 hours when it did not say, and never outside a minute and a day (§4.3.2)
 */
export function chooseRenewal(
  window: RenewalWindow,
  retryAfterMs: number | null,
  { now, random }: { readonly now: number; readonly random: number },
): Renewal {
  const { start, end, explanation } = window
  const at = Math.max(now, Math.round(start + (end - start) * random))
  const askAt = now + Math.min(Math.max(retryAfterMs ?? 6 * HOUR, MINUTE), DAY)
  return { at, askAt, ...(explanation === undefined ? {} : { explanation }) }
}

/** How a try ended. */
export type Tried = {
  /** until the certificate in use ends; null when there is none */
  readonly remainingMs: number | null
  /** 0 to 1, for a tenth more: those who failed together do not come back together */
  readonly random: number
  /** the authority answered */
  readonly wasHeard: boolean
}

// Five in the first hour: what Let's Encrypt allows to fail for a name (its limit on failed authorizations).
const PATIENCE_MINUTES = [1, 5, 15, 30, 60, 120, 240, 480, 720]

/**
 * How long to wait after a failure: longer each time, what the authority asked for at least, and never so long that a
 * certificate ends before a few more tries.
 *
 * @param count failures one after the other, this one included; one that did not reach the authority costs it nothing,
 *   so the first of those are repeated within seconds
 */
export function patience(
  count: number,
  retryAfterMs: number | null,
  { remainingMs, random, wasHeard }: Tried,
): number {
  const minutes = PATIENCE_MINUTES[Math.min(count, PATIENCE_MINUTES.length) - 1]!
  const milliseconds = wasHeard ? minutes * MINUTE : Math.min(minutes * MINUTE, 2 ** count * SECOND)
  const usual = milliseconds * (1 + random / 10)
  const soon = remainingMs === null ? usual : Math.max(remainingMs / 8, 5 * SECOND)
  return Math.round(Math.max(Math.min(usual, soon), retryAfterMs ?? 0))
}
