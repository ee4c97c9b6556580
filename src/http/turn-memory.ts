/**
 * Memory in which the connections of a thread gather what they send in one turn of the event loop: each a run of its
 * own, one behind the other. It is used again as soon as all runs were written; no write leaves anything to collect.
 */
export class TurnMemory {
  readonly octets: Buffer = Buffer.allocUnsafeSlow(MEMORY_OCTETS)
  /** where the next run begins */
  end = 0
  /** runs that were begun and not written yet */
  #runs = 0
  /** the kernel has yet to take some of it */
  #isLent = false

  get roomOctets(): number {
    return MEMORY_OCTETS - this.end
  }

  begin(): void {
    this.#runs++
  }

  /** @param isTaken the kernel has taken all of the run; else this memory is left to it, and then to the collector */
  finish(isTaken: boolean): void {
    this.#isLent ||= !isTaken
    if (--this.#runs > 0) return
    if (!this.#isLent) this.end = 0
    else if (memory === this) memory = undefined
  }
}

/** Memory with room for so many octets, at most `RUN_OCTETS`. */
export function turnMemory(octets: number): TurnMemory {
  if (memory === undefined || memory.roomOctets < octets) memory = new TurnMemory()
  return memory
}

let memory: TurnMemory | undefined

/** The longest run. */
export const RUN_OCTETS = 65_536
const MEMORY_OCTETS = 4 * RUN_OCTETS
