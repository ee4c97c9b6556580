import { rename } from 'node:fs/promises'

/** Rename `access.log` to `access.log.1`, that to `access.log.2`, and so on; what would come after `keep` goes. */
export async function moveAside(path: string, keep: number): Promise<void> {
  for (let i = keep; i >= 1; i--) {
    const from = i === 1 ? path : `${path}.${i - 1}`
    await rename(from, `${path}.${i}`).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
}
