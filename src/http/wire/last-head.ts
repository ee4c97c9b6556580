import type { Input } from './input.ts'

const LF = 10
/** longer heads are seldom the same twice, and every idle connection would hold on to one */
const LIMIT_OCTETS = 2048

/**
 * What the last head on a connection was read as.
 *
 * Whoever polls, and whoever calls one function of an API again and again, sends the same head each time: the same
 * octets are not read twice. What was read must not depend on anything but the octets, and is not changed.
 */
export class LastHead<Read> {
  #text = ''
  #read: Read | undefined

  /** @returns what was read before, when the input begins with the same head: its octets are used up then */
  match(input: Input): Read | undefined {
    const { octets, start, length } = input
    const count = this.#text.length
    if (count === 0 || length < count) return undefined
    // Most heads that differ end elsewhere, which two octets show.
    if (octets[start + count - 1] !== LF || octets[start + count - 3] !== LF) return undefined
    if (octets.toString('latin1', start, start + count) !== this.#text) return undefined
    input.use(count)
    return this.#read
  }

  /** @param end after the empty line */
  keep(octets: Buffer, start: number, end: number, read: Read): void {
    this.#text = end - start > LIMIT_OCTETS ? '' : octets.toString('latin1', start, end)
    this.#read = read
  }
}
