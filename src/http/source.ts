import type { EndReason, FileSpan, Source } from './exchange.ts'

export type PumpTarget = {
  /** nothing more may be sent now; `Pump.run` is called again when it may */
  isBlocked(): boolean
  takeOctets(octets: Uint8Array): void
  /** Send octets that lie in a file. Returns how many; none when they must be read. */
  takeSpan?(span: FileSpan): number
  /** the source has nothing at hand: send what was held back */
  takePause(): void
  takeEnd(): void
  takeFailure(): void
}

/** Moves octets from a source to a target as fast as the target takes them. */
export class Pump {
  readonly #source: Source
  readonly #target: PumpTarget
  #state: 'ready' | 'waiting' | 'done' = 'ready'
  /** how much goes before others have their turn */
  #turnOctets: number

  /** @param lengthOctets of all that will come; 0 when that is not known */
  constructor(source: Source, target: PumpTarget, lengthOctets = 0) {
    this.#source = source
    this.#target = target
    const isShort = lengthOctets > 0 && lengthOctets <= SHORT_OCTETS
    this.#turnOctets = isShort ? SHORT_OCTETS : FIRST_TURN_OCTETS
  }

  run(): void {
    let movedOctets = 0
    while (this.#state === 'ready' && !this.#target.isBlocked()) {
      const passedOctets = this.#passSpan()
      if (this.#target.isBlocked()) return
      if (passedOctets === 0) {
        const octets = this.#source.read(Math.min(READ_OCTETS, this.#turnOctets))
        if (octets !== null && !(octets instanceof Uint8Array)) {
          this.#wait(octets)
          return
        }
        this.#take(octets)
        movedOctets += octets?.length ?? 0
      }
      movedOctets += passedOctets
      // What lies in a file costs by the call, hardly by the octet.
      const turnOctets = passedOctets > 0 ? TURN_OCTETS : this.#turnOctets
      if (movedOctets >= turnOctets && this.#state === 'ready') {
        this.#turnOctets = Math.min(2 * this.#turnOctets, TURN_OCTETS)
        this.#yield()
        return
      }
    }
  }

  /** From a file to the socket, without being read. Returns how many octets. */
  #passSpan(): number {
    const source = this.#source
    const span = this.#target.takeSpan === undefined ? undefined : source.span?.(TURN_OCTETS)
    if (span === undefined) return 0
    const octets = this.#target.takeSpan!(span)
    if (octets > 0) source.skip!(octets)
    return octets
  }

  /** Nobody wants the rest. */
  stop(reason: EndReason): void {
    if (this.#state === 'done') return
    this.#state = 'done'
    this.#source.cancel(reason)
  }

  #wait(octets: Promise<Uint8Array | null>): void {
    this.#state = 'waiting'
    this.#target.takePause()
    octets.then(
      (arrived) => {
        if (this.#state === 'done') return
        this.#state = 'ready'
        this.#take(arrived)
        this.run()
      },
      () => {
        if (this.#state === 'done') return
        this.#state = 'done'
        this.#target.takeFailure()
      },
    )
  }

  #take(octets: Uint8Array | null): void {
    if (octets === null) {
      this.#state = 'done'
      this.#target.takeEnd()
    } else {
      this.#target.takeOctets(octets)
    }
  }

  /** A source in memory and a client on a fast line must not keep the others waiting. */
  #yield(): void {
    this.#state = 'waiting'
    setImmediate(() => {
      if (this.#state !== 'waiting') return
      this.#state = 'ready'
      this.run()
    })
  }
}

/** 512 KiB: large enough that system calls do not count, small enough to show that a client still takes octets */
const READ_OCTETS = 524_288
const TURN_OCTETS = 4 * READ_OCTETS
/** Of what is read: of a thousand who come at once, the last has its first octet before the first has filled its socket. */
const FIRST_TURN_OCTETS = 16_384
/** What is no longer goes at once: another turn costs more than it brings. */
const SHORT_OCTETS = 65_536

/** Whether content comes in pieces, not as octets that are all there. */
export function isSource(body: Source | Uint8Array | null): body is Source {
  return body !== null && !(body instanceof Uint8Array)
}
