import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { loadCLibrary } from './c-library.ts'

/** What is written or read past the kernel's memory begins at multiples of this, in the file and in ours. */
export const PAGE_OCTETS = 4096

const library = loadCLibrary({})

/** Memory that begins at a page, where that can be known: it can be written past the kernel's. */
export function alignedBlock(octets: number): Buffer {
  if (library === undefined) return Buffer.allocUnsafeSlow(octets)
  const memory = Buffer.allocUnsafeSlow(octets + PAGE_OCTETS)
  const beyondOctets = Number(library.addressOf(memory) % BigInt(PAGE_OCTETS))
  const start = (PAGE_OCTETS - beyondOctets) % PAGE_OCTETS
  return memory.subarray(start, start + octets)
}

/**
 * Open a file again so that what is written goes to the disk past the kernel's memory (O_DIRECT).
 *
 * @returns null where that is not to be had: on other systems, and some file systems
 */
export async function openDirect(file: FileHandle): Promise<FileHandle | null> {
  if (library === undefined) return null
  return open(`/proc/self/fd/${file.fd}`, constants.O_WRONLY | constants.O_DIRECT).catch(() => null)
}
