import type { Trail } from '#http/exchange.ts'
import { type Fields, fieldsOf } from '#http/wire/fields.ts'
import { randomHex } from './random-hex.ts'
import { type Incoming, printTraceparent, RANDOM } from './wire/trace-context.ts'

/** Passes a trace on, and records nothing. */
export class PlainTrail implements Trail {
  readonly traceId: string
  readonly #flags: number
  readonly #state: string

  constructor({ parent, state }: Incoming) {
    this.traceId = parent?.traceId ?? randomHex(16)
    // Whether a trace that begins here is recorded is for those behind us to say.
    this.#flags = parent?.flags ?? RANDOM
    this.#state = state
  }

  asked(): Fields {
    return traceFields(this.traceId, randomHex(8), this.#flags, this.#state)
  }

  answered(): void {}

  ended(): void {}
}

/** The fields that carry a trace to an origin. */
export function traceFields(traceId: string, parentId: string, flags: number, state: string): Fields {
  const pairs: [string, string][] = [['traceparent', printTraceparent({ traceId, parentId, flags })]]
  if (state !== '') pairs.push(['tracestate', state])
  return fieldsOf(pairs)
}
