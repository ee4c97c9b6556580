import { loadCLibrary } from './c-library.ts'

const SYMBOLS = { madvise: { arguments: ['pointer', 'u64', 'i32'], return: 'i32' } } as const

/** `madvise(2)` of Linux: large pages from now on. */
const MADV_HUGEPAGE = 14
const PAGE = 4096n
/** Less has no page of 2 MiB for itself. */
const LEAST_OCTETS = 4_194_304

/**
 * Zeros; much of it in pages of 2 MiB where Linux has them to give.
 *
 * What is read in no order needs the table of pages at each access: with pages of 4 KiB that is as slow as the access.
 */
export function allocateLarge(octets: number): Uint8Array<ArrayBuffer> {
  return inLargePages(new Uint8Array(octets))
}

/** The same, for all threads. */
export function allocateShared(octets: number): Uint8Array<SharedArrayBuffer> {
  return inLargePages(new Uint8Array(new SharedArrayBuffer(octets)))
}

function inLargePages<Memory extends Uint8Array>(memory: Memory): Memory {
  const octets = memory.length
  if (octets < LEAST_OCTETS) return memory
  const library = loadCLibrary(SYMBOLS)
  if (library === undefined) return memory
  // Whole pages, which nobody has touched yet. When the system refuses, small pages do as well.
  const start = library.addressOf(Buffer.from(memory.buffer))
  const from = ((start + PAGE - 1n) / PAGE) * PAGE
  library.madvise(from, ((start + BigInt(octets) - from) / PAGE) * PAGE, MADV_HUGEPAGE)
  return memory
}
