import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { hasCode, messageOf } from './errors.ts'

/**
 * Write a file that is never changed again: whole or not at all, even when the process is killed or two start
 * at once. When it stands already, it stays.
 *
 * @param mode permissions, such as 0o600
 */
export async function writeOnce(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  try {
    await writeAndSync(draft, text, mode)
    // Not rename: a link fails where the other process was first.
    await link(draft, path).catch(unless('EEXIST'))
  } finally {
    await unlink(draft).catch(unless('ENOENT'))
  }
  await syncFolder(path)
}

/**
 * Write a file in place of the one that stands: readers, and whoever starts after a crash, see the old text or
 * the new one, never a part.
 *
 * @param mode permissions, such as 0o600
 */
export async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  await mkdir(dirname(path), { recursive: true })
  try {
    await writeAndSync(draft, text, mode)
    await rename(draft, path)
  } finally {
    await unlink(draft).catch(unless('ENOENT'))
  }
  await syncFolder(path)
}

/**
 * The text of a file, or null when there is none.
 *
 * @throws {Error} when it is there and cannot be read
 */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw new Error(`Cannot read ${path}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/** A new name is safe only when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r')
  await folder.sync().finally(() => folder.close())
}

async function writeAndSync(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Let one error code pass in silence. */
function unless(code: string): (error: unknown) => void {
  return (error) => {
    if (!hasCode(error, code)) throw error
  }
}
