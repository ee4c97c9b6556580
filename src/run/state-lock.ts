import { accessSync, constants, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sayError } from '#core/say-error.ts'

/** SQLITE_BUSY: somebody else has the lock. */
const BUSY = 5

/**
 * Take a folder of state for this process alone: two that write keys, serials and certificates there would each undo
 * what the other did.
 *
 * The lock is one of SQLite, held by the kernel: it ends with the process, however that ends, and is seen from other
 * containers. Its database has nothing but the id of the process, for others to say who is in the way.
 *
 * @returns gives it back
 * @throws {Error} when another process has it, or the folder cannot be written
 */
export function lockState(folder: string): () => void {
  const lock = open(folder)
  try {
    // The second transaction stays open; what the first one wrote can be read meanwhile.
    lock.exec(`BEGIN IMMEDIATE; PRAGMA user_version = ${process.pid}; COMMIT; BEGIN IMMEDIATE`)
  } catch (error) {
    const isTaken = error instanceof Error && 'errcode' in error && error.errcode === BUSY
    const holder = isTaken ? lock.prepare('PRAGMA user_version').get()?.['user_version'] : null
    lock.close()
    if (!isTaken) throw unusable(folder, error)
    throw new Error(
      `The state folder ${folder} is in use by process ${holder}: two programs would undo each other's keys and certificates. Stop that one, or give this file a folder of its own: "state": "./state-2"`,
    )
  }
  return () => {
    // Who stops once more, at once, gives back what may be given back.
    if (lock.isOpen) lock.close()
  }
}

function open(folder: string): DatabaseSync {
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
    return new DatabaseSync(join(folder, 'lock'), { timeout: 0 })
  } catch (error) {
    throw unusable(folder, error)
  }
}

function unusable(folder: string, error: unknown): Error {
  const why = sayError(error).replace(/\.?$/, '.')
  return new Error(
    `The state folder ${folder} cannot be used. ${why} Keys and certificates are kept there: make room, give it to the user that Portico runs as, or name another folder: "state": "/var/lib/portico"`,
    { cause: error },
  )
}
