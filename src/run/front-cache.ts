import { join, resolve } from 'node:path'
import { openStore } from '#cache/store/open-store.ts'
import { createStoreMemory, type StoreHandle } from '#cache/store/shared.ts'
import type { CacheStore } from '#cache/store/store.ts'
import type { Log } from '#core/log.ts'
import type { Plan } from '#plan/plan.ts'

/** The store of all caches: the main thread makes it, keeps its disk, and takes out what a dead worker held. */
export type FrontCache = {
  /** null while no route has a cache */
  readonly store: CacheStore | null
  /** What workers open; the first Plan with a cache decides its size: another one counts after a restart. */
  handleFor(plan: Plan): StoreHandle | null
}

type FrontCacheOptions = { readonly folder: string; readonly stateFolder: string; readonly log: Log }

/** The main thread has the first number in the store. */
export function storeNumber(worker: number): number {
  return worker + 1
}

/** @example const cache = createFrontCache({ folder, stateFolder, log }); cache.handleFor(plan) */
export function createFrontCache({ folder, stateFolder, log }: FrontCacheOptions): FrontCache {
  let handle: StoreHandle | null = null
  let store: CacheStore | null = null
  return {
    get store() {
      return store
    },
    handleFor({ cache }) {
      if (handle !== null || cache === null) return handle
      const { disk, memoryOctets: budgetOctets } = cache
      const at = disk?.folder == null ? join(stateFolder, 'cache') : resolve(folder, disk.folder)
      const onDisk = disk === null ? {} : { disk: { folder: at, budgetOctets: disk.octets } }
      handle = createStoreMemory({ budgetOctets, ...onDisk })
      store = openStore(handle, { worker: 0, keepsDisk: true, log })
      return handle
    },
  }
}
