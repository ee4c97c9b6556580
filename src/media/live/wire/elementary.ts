import type { InputTrack } from './input.ts'
import type { Sample } from './sample.ts'
import type { Pes } from './ts-packets.ts'

/** Makes samples of the packets of one elementary stream. */
export type Elementary = {
  /** what it is, once that has come */
  readonly track: InputTrack | null
  /** how much of it has come */
  readonly seconds: number
  take(pes: Pes): Sample[]
  finish(): Sample[]
}

/** Ticks a second of a transport stream. */
export const CLOCK = 90_000
const WRAP = 2 ** 33
/** Parameter sets other than the first: players would have to begin anew, and so has the encoder. */
export const CHANGED = 'The picture or sound has changed its size or coding: the encoder has to begin anew'

/** Times of 33 bits as a clock that does not begin anew (ISO 13818-1 §2.4.3.7). */
export class Clock {
  #last = Number.NaN

  take(time: number): number {
    if (Number.isNaN(this.#last)) this.#last = time
    const distance = later(time, this.#last)
    return (this.#last += distance > WRAP / 2 ? distance - WRAP : distance)
  }
}

/** How much later one time of 33 bits is than another. */
export function later(time: number, than: number): number {
  return (((time - than) % WRAP) + WRAP) % WRAP
}
