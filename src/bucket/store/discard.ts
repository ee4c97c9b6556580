import { randomBytes } from 'node:crypto'
import { renameSync, unlink } from 'node:fs'
import { join } from 'node:path'
import { hasCode } from '#core/errors.ts'

/**
 * Remove a file: its name is gone at once, and what it takes on the disk, which may last as long as 170 ms for each GiB,
 * while others go on. When it is not there nothing happens.
 *
 * @param drafts folder on the same disk, where it is a draft meanwhile: those of a process that was killed are removed
 */
export function discard(path: string, drafts: string): void {
  const aside = join(drafts, `${process.pid}-${randomBytes(9).toString('base64url')}.`)
  try {
    renameSync(path, aside)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return
    throw error
  }
  unlink(aside, () => {})
}
