/** Blocks of memory that are used again and again. */
export type SpareBlocks = {
  take(): Buffer
  /** Nobody reads or writes it any more. */
  give(block: Buffer): void
}

/**
 * Keep blocks of one size between uses.
 *
 * @param octets of each block
 * @param limit blocks that wait; more are left to the garbage collector
 */
export function createSpareBlocks(octets: number, limit: number): SpareBlocks {
  const spare: Buffer[] = []
  return {
    take: () => spare.pop() ?? Buffer.allocUnsafeSlow(octets),
    give(block) {
      if (spare.length < limit) spare.push(block)
    },
  }
}
