import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type OpenBlob, openBlob } from '#bucket/store/blob.ts'
import type { Apply, Change, Outcome } from '#bucket/store/change.ts'
import { type BucketPaths, blobPath, pathsOf } from '#bucket/store/folder.ts'
import { Reader } from '#bucket/store/reader.ts'
import { openStore, type S3Store } from '#bucket/store/s3-store.ts'
import type { Log } from '#core/log.ts'
import type { OctetRange } from '#http/wire/range.ts'
import { isRefusal, type Refusal } from '#http/wire/refusal.ts'
import { type Asker, admit, type Right } from './admit.ts'
import type { Key } from './identify.ts'
import type { BucketPlan } from './plan.ts'
import { Tallies } from './upload/tally.ts'

export type BucketOptions = {
  readonly plan: BucketPlan
  /** absolute */
  readonly root: string
  readonly keys: ReadonlyMap<string, Key>
  readonly apply: Apply
  /** number of this thread: what holds locks */
  readonly worker: number
  readonly log: Log
  readonly now: () => number
}

/** A bucket as one thread has it: it reads itself, and asks the writer for changes. */
export class Bucket {
  readonly plan: BucketPlan
  readonly keys: ReadonlyMap<string, Key>
  readonly paths: BucketPaths
  readonly worker: number
  readonly log: Log
  readonly now: () => number
  readonly tallies: Tallies = new Tallies()
  readonly #root: string
  readonly #apply: Apply
  readonly #store: S3Store | null
  #reader: Promise<Reader> | undefined

  constructor({ plan, root, keys, apply, worker, log, now }: BucketOptions) {
    this.plan = plan
    this.keys = keys
    this.paths = pathsOf(root)
    this.worker = worker
    this.log = log
    this.now = now
    this.#root = root
    this.#apply = apply
    this.#store = openStore(plan.store, now)
  }

  /** Ask the writer for a change. */
  async change(change: Change): Promise<Outcome> {
    if (change.kind !== 'put' || this.#store === null) return this.#ask(change)
    const hashes = change.objects.map(({ sha256 }) => sha256)
    await this.#ask({ kind: 'hold', hashes, worker: this.worker })
    try {
      for (const { sha256, draft, octets } of change.objects) {
        // Whoever settles the doubt after a crash ends an upload in parts that stands there.
        const doubt = join(this.paths.doubts, sha256)
        await this.#store.keep(sha256, draft, octets, (uploadId) => writeFile(doubt, uploadId))
      }
      return await this.#ask(change)
    } finally {
      await this.#ask({ kind: 'let go', hashes, worker: this.worker })
    }
  }

  /**
   * Open a part of a content.
   *
   * @returns null when it has gone
   */
  open(sha256: string, range: OctetRange): Promise<OpenBlob | null> {
    if (this.#store === null) return openBlob(blobPath(this.paths.blobs, sha256), range)
    return this.#store.open(sha256, range).then((source) => source && { source })
  }

  #ask(change: Change): Promise<Outcome> {
    const { versions, quotaOctets, sync, incompleteMs } = this.plan
    const rules = { versions, quotaOctets, sync, incompleteMs, store: this.plan.store }
    return this.#apply({ root: this.#root, rules, change })
  }

  /** The bucket is there when this resolves: the writer makes it. */
  reader(): Promise<Reader> {
    this.#reader ??= this.change({ kind: 'open' }).then(() => new Reader(this.paths.database))
    this.#reader.catch(() => (this.#reader = undefined))
    return this.#reader
  }

  /** @returns null when it is allowed */
  refuses(right: Right, key: string, asker: Asker): Refusal | null {
    const verdict = admit(this.plan, right, key, asker)
    return isRefusal(verdict) ? verdict : null
  }
}
