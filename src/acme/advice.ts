import type { AcmeClient } from './client.ts'
import type { Kept } from './record.ts'
import { chooseRenewal, type Renewal } from './renew.ts'
import { readWindow } from './wire/objects.ts'
import { renewalIdentifier } from './wire/request.ts'

/** Now in milliseconds since 1970, and a number from 0 to 1. */
export type Chance = { readonly now: number; readonly random: number }

/**
 * Ask the authority that issued a certificate when to renew it (RFC 9773 §4).
 *
 * @param before what was chosen at the last look: the time stays while the window does, because choosing again at each
 *   look would pull it to the front
 * @returns null when the authority gives no advice
 * @throws {AcmeError} when it does not answer
 */
export async function askAdvice(
  client: AcmeClient,
  kept: Kept,
  before: Renewal | null,
  chance: Chance,
): Promise<Renewal | null> {
  const { renewalInfo } = await client.directory()
  const name = renewalIdentifier(kept.leaf)
  if (renewalInfo === undefined || name === null) return null
  const { body, retryAfterMs } = await client.get(`${renewalInfo.replace(/\/$/, '')}/${name}`)
  const window = readWindow(body)
  if (window === undefined) return null
  const renewal = chooseRenewal(window, retryAfterMs, chance)
  const stays = before !== null && before.at >= window.start && before.at <= window.end
  return stays ? { ...renewal, at: before.at } : renewal
}
