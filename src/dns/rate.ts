import type { RatePlan } from './plan.ts'
import { sipHash } from './siphash.ts'

/** Networks that are told apart; those that fall together share a limit. */
const SLOTS = 65_536
/** Octets of an address that make its network. */
const NETWORK = { 4: 3, 16: 7 } as const
/** After a quiet time, so many seconds' worth may come at once. */
const BURST_SECONDS = 2

/**
 * Answers by client network, as the time at which its allowance is whole again: one number a network, whoever asks.
 *
 * Addresses of datagrams can be forged: an answer that was never asked for hits somebody else, and is larger than
 * the question. Without a secret an attacker could choose networks that share a slot with a victim's.
 */
export class AnswerRate {
  readonly #wholeAt = new Float64Array(SLOTS)
  readonly #secret: Uint8Array
  #held = 0

  /** @param secret 16 octets */
  constructor(secret: Uint8Array) {
    this.#secret = secret
  }

  /**
   * Count one answer to a client.
   *
   * @param client 4 or 16 octets
   */
  take(
    client: Uint8Array,
    nowMs: number,
    { perSecond, slip }: Pick<RatePlan, 'perSecond' | 'slip'>,
  ): 'no' | 'truncated' | 'nothing' {
    const hash = sipHash(this.#secret, client, client.length === 4 ? NETWORK[4] : NETWORK[16])
    const slot = (hash[0]! << 8) | hash[1]!
    const wholeAt = Math.max(this.#wholeAt[slot]!, nowMs)
    if (wholeAt - nowMs < BURST_SECONDS * 1000) {
      this.#wholeAt[slot] = wholeAt + 1000 / perSecond
      return 'no'
    }
    this.#held++
    return slip > 0 && this.#held % slip === 0 ? 'truncated' : 'nothing'
  }
}
