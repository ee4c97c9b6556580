import type { RequestBody } from './request-body.ts'

/** content nobody read that is cheaper to read over than a new connection: 256 KiB */
export const LIMIT_DISCARD_OCTETS = 262_144

/** Content that was not read when its response ended, and stands before the next request. */
export class Leftover {
  readonly #body: RequestBody
  #skippedOctets = 0

  constructor(body: RequestBody) {
    this.#body = body
  }

  /** Throw away what has arrived of it. */
  skip(): 'nothing' | 'more' | 'too much' {
    if (this.#body.isComplete) return 'nothing'
    this.#skippedOctets += this.#body.discard()
    if (this.#skippedOctets > LIMIT_DISCARD_OCTETS) return 'too much'
    return this.#body.isComplete ? 'nothing' : 'more'
  }
}
