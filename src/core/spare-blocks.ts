/** Blocks of memory that are used again and again. */
export type SpareBlocks = {
  take(): Buffer
  /** Nobody reads or writes it any more. */
  give(block: Buffer): void
  /** Blocks that were taken and not given back. */
  taken(): number
}

/**
 * Keep blocks of one size between uses.
 *
 * @param octets of each block
 * @param limit blocks that wait; more are left to the garbage collector
 */
export function createSpareBlocks(
  octets: number,
  limit: number,
  allocate: (octets: number) => Buffer = Buffer.allocUnsafeSlow,
): SpareBlocks {
  const spare: Buffer[] = []
  let taken = 0
  return {
    take() {
      taken++
      return spare.pop() ?? allocate(octets)
    },
    give(block) {
      taken--
      if (spare.length < limit) spare.push(block)
    },
    taken: () => taken,
  }
}
