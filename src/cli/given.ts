import { readFileSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { hasCode } from '#core/errors.ts'
import { absoluteName } from '#dns/records/written-name.ts'
import { UsageError } from './command.ts'

/**
 * Write a file for a person, over one that stands only when told to.
 *
 * @throws {Error} when it stands, or cannot be written
 */
export async function writeNew(path: string, text: string, force: boolean): Promise<void> {
  try {
    await writeFile(path, text, { flag: force ? 'w' : 'wx' })
  } catch (error) {
    if (hasCode(error, 'EEXIST'))
      throw new Error(`${path} stands already, and was left as it is. --force replaces it.`)
    throw error
  }
}

/**
 * Read a file that a person named.
 *
 * @throws {UsageError} when there is none
 * @throws {Error} when it cannot be read
 */
export function readGiven(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
    throw new UsageError(`There is no file ${path}.`)
  return readFileSync(path, 'utf8')
}

/**
 * Read the name of a domain as a person types it.
 *
 * @returns absolute, in A-labels
 * @throws {UsageError} when it is none
 */
export function readDomain(written: string): string {
  const name = absoluteName(written.endsWith('.') ? written : `${written}.`)
  if (typeof name !== 'string') throw new UsageError(name.message)
  return name
}
