import type { Input } from './input.ts'

/** heads that differ do so in their first line most of the time, which a look at so many octets shows */
const GLANCE_OCTETS = 32
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
    for (let at = 0; at < GLANCE_OCTETS && at < count; at++) {
      if (octets[start + at] !== this.#text.charCodeAt(at)) return undefined
    }
    if (octets.toString('latin1', start, start + count) !== this.#text) return undefined
    input.use(count)
    return this.#read
  }

  /** @param text of the whole head, Latin-1 */
  keep(text: string, read: Read): void {
    const isKept = text.length <= LIMIT_OCTETS
    this.#text = isKept ? text : ''
    this.#read = isKept ? read : undefined
  }
}
