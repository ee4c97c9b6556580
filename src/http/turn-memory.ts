/**
 * Memory in which the connections of a thread gather what they send in one turn of the event loop: each a run of its
 * own, one behind the other. It is used again as soon as all of them were written, so that nothing is left to collect.
 */
export class TurnMemory {
  readonly octets: Buffer = Buffer.allocUnsafeSlow(RUN_OCTETS)
  /** where the next run begins */
  end = 0
  /** runs that were begun and not written yet */
  #runs = 0
  /** the kernel has yet to take some of it */
  #isLent = false

  get roomOctets(): number {
    return RUN_OCTETS - this.end
  }

  begin(): void {
    this.#runs++
  }

  /** @param isTaken the kernel has taken all of the run; else this memory is left to it, and then to the collector */
  finish(isTaken: boolean): void {
    this.#isLent ||= !isTaken
    if (--this.#runs > 0) return
    this.end = 0
    if (this.#isLent) current = current === this ? undefined : current
    else if (current !== this && spare.length < LIMIT_SPARE) spare.push(this)
  }
}

/** Memory with room for so many octets, at most `RUN_OCTETS`. */
export function turnMemory(octets: number): TurnMemory {
  if (current === undefined || current.roomOctets < octets) current = spare.pop() ?? new TurnMemory()
  return current
}

/** The longest run; also what a client that takes nothing holds on to. */
export const RUN_OCTETS = 65_536
/** A mebibyte, for turns that answer many. */
const LIMIT_SPARE = 16

let current: TurnMemory | undefined
const spare: TurnMemory[] = []
