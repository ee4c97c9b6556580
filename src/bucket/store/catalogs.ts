import { Catalog } from './catalog.ts'
import type { Apply, BucketRequest, Outcome } from './change.ts'

/** The writers of all buckets, on the thread that has them. */
export type Catalogs = {
  readonly apply: Apply
  /** A worker has died: uploads that it received can go on. */
  unlockAllOf(worker: number): void
  close(): void
}

const SWEEP_EVERY_MS = 600_000

/** Each bucket is opened when it is first asked for. */
export function createCatalogs(now: () => number): Catalogs {
  const open = new Map<string, Catalog>()
  const timer = setInterval(sweep, SWEEP_EVERY_MS).unref()

  function sweep(): void {
    // A folder that cannot be read says so to the next upload.
    for (const catalog of open.values()) catalog.sweepUploads().catch(() => {})
  }

  async function apply({ root, rules, change }: BucketRequest): Promise<Outcome> {
    const catalog = open.get(root) ?? new Catalog(root, rules, now)
    open.set(root, catalog)
    return catalog.apply(change, rules)
  }

  return {
    apply,
    unlockAllOf(worker) {
      for (const catalog of open.values()) catalog.unlockAllOf(worker)
    },
    close() {
      clearInterval(timer)
      for (const catalog of open.values()) catalog.close()
      open.clear()
    },
  }
}
