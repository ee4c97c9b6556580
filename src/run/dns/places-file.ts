import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createPlaces } from '#dns/pools/places.ts'
import type { PlacesPlan } from '#dns/pools/plan.ts'

/**
 * Read the file of places into memory that all threads share.
 *
 * @param folder of the file of the Plan: relative paths start here
 * @throws {Error} when it cannot be read, or is of another format
 */
export async function readPlaces({ file }: PlacesPlan, folder: string): Promise<Uint8Array | null> {
  if (file === null) return null
  try {
    const octets = await readFile(resolve(folder, file))
    const shared = new Uint8Array(new SharedArrayBuffer(octets.length))
    shared.set(octets)
    createPlaces({ networks: [] }, shared).find(new Uint8Array(4), 32)
    return shared
  } catch (error) {
    const why = error instanceof Error ? error.message : error
    throw new Error(
      `Cannot use places.file "${file}": ${why}. A file in MaxMind's format (.mmdb) is wanted.`,
      {
        cause: error,
      },
    )
  }
}
