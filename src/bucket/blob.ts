import { close, open } from 'node:fs'
import { promisify } from 'node:util'
import type { Descriptor } from '#core/file-content.ts'

const openDescriptor = promisify(open)

/**
 * Open a blob: it does not change, and stays readable when its name goes.
 *
 * @returns null when there is no such file
 */
export async function openBlob(path: string): Promise<Descriptor | null> {
  try {
    const descriptor = await openDescriptor(path, 'r')
    return { descriptor, close: () => close(descriptor) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
