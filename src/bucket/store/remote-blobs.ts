import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { S3Store } from './s3-store.ts'

export type RemoteOptions = {
  readonly store: Pick<S3Store, 'remove' | 'abort' | 'close'>
  /** folder of the names of blobs that may stand without an object */
  readonly doubts: string
  /** an object has the blob */
  readonly isUsed: (sha256: string) => boolean
}

/**
 * Which blobs of a store go, decided by the one writer. Workers send blobs themselves: one that is held stays, and one
 * that is being removed is gone before it is held.
 */
export class RemoteBlobs {
  readonly #options: RemoteOptions
  /** the workers that send each, as often as they do */
  readonly #held = new Map<string, number[]>()
  readonly #removing = new Map<string, Promise<void>>()

  constructor(options: RemoteOptions) {
    this.#options = options
  }

  /** Blobs stay from when this resolves, and are in doubt until they are let go. */
  async hold(hashes: readonly string[], worker: number): Promise<void> {
    for (const sha256 of hashes) {
      await this.#removing.get(sha256)
      // What stands in it stays: an upload in parts that another worker has begun.
      writeFileSync(join(this.#options.doubts, sha256), '', { flag: 'a' })
      this.#held.set(sha256, [...(this.#held.get(sha256) ?? []), worker])
    }
  }

  letGo(hashes: readonly string[], worker: number): void {
    for (const sha256 of hashes) {
      const holders = this.#held.get(sha256) ?? []
      const at = holders.indexOf(worker)
      if (at >= 0) this.#keepHolders(sha256, holders.toSpliced(at, 1))
    }
  }

  /** A worker has died. */
  letGoAllOf(worker: number): void {
    for (const [sha256, holders] of this.#held) {
      if (holders.includes(worker))
        this.#keepHolders(
          sha256,
          holders.filter((holder) => holder !== worker),
        )
    }
  }

  /** Remove a blob that nothing has. What the store does not do now stays in doubt for the next start. */
  settle(sha256: string): void {
    const { store, isUsed } = this.#options
    if (this.#held.has(sha256) || this.#removing.has(sha256)) return
    const uploadId = this.#uploadInDoubt(sha256)
    if (uploadId === '' && isUsed(sha256)) return this.#forgetDoubt(sha256)
    const isOver = uploadId === '' ? Promise.resolve() : store.abort(sha256, uploadId)
    const removing = isOver
      .then(() => (isUsed(sha256) ? undefined : store.remove(sha256)))
      .then(
        () => this.#forgetDoubt(sha256),
        () => {},
      )
    this.#removing.set(sha256, removing)
    removing.finally(() => this.#removing.delete(sha256))
  }

  close(): void {
    this.#options.store.close()
  }

  #keepHolders(sha256: string, holders: number[]): void {
    if (holders.length > 0) return void this.#held.set(sha256, holders)
    this.#held.delete(sha256)
    this.settle(sha256)
  }

  /** An upload in parts that nobody ended. */
  #uploadInDoubt(sha256: string): string {
    try {
      return readFileSync(join(this.#options.doubts, sha256), 'utf8')
    } catch {
      return ''
    }
  }

  #forgetDoubt(sha256: string): void {
    rmSync(join(this.#options.doubts, sha256), { force: true })
  }
}
