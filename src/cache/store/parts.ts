import type { Log } from '#core/log.ts'
import { Arena } from './arena.ts'
import { Files } from './files.ts'
import { Lock } from './lock.ts'
import { PurgeLog } from './purge-log.ts'
import { Room } from './room.ts'
import { Shared, type StoreHandle } from './shared.ts'
import { Table } from './table.ts'
import { Waits } from './waits.ts'

/** What the files of a store share, one of each in each worker. */
export type Parts = {
  readonly shared: Shared
  readonly lock: Lock
  readonly arena: Arena
  readonly table: Table
  readonly room: Room
  readonly purges: PurgeLog
  readonly waits: Waits
  /** null without a disk tier */
  readonly files: Files | null
  readonly log: Log
  /** files that are being completed */
  readonly finishing: Set<Promise<void>>
}

/** @param worker number of this worker, below `WORKERS` */
export function createParts(handle: StoreHandle, worker: number, log: Log): Parts {
  const shared = new Shared(handle, worker)
  const lock = new Lock(shared)
  const arena = new Arena(shared)
  const table = new Table(shared, arena)
  const room = new Room(shared, table, arena)
  const { disk } = handle.shape
  const files = disk === null ? null : new Files(disk, shared, table, log)
  const own = { purges: new PurgeLog(shared), waits: new Waits(shared), finishing: new Set<Promise<void>>() }
  return { shared, lock, arena, table, room, files, log, ...own }
}
