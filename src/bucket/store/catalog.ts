import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { evaluatePreconditions } from '#http/wire/conditional.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import {
  type BucketRules,
  type Change,
  type Conditions,
  etagOf,
  type Outcome,
  type PutObject,
  type Stored,
} from './change.ts'
import { discard } from './discard.ts'
import { type BucketPaths, blobPath, pathsOf } from './folder.ts'
import { RemoteBlobs } from './remote-blobs.ts'
import { openStore } from './s3-store.ts'
import { createTable, storedOf } from './table.ts'

type Job = {
  readonly change: Change
  readonly rules: BucketRules
  resolve(outcome: Outcome): void
  reject(error: unknown): void
}

/**
 * The writer of one bucket. There is one for all threads, so that a precondition holds until its change is made.
 *
 * Changes that come together are one transaction: the disk is waited for once. A blob and its row cannot come and go in
 * one step, so a file in `doubts` names the blob meanwhile; whoever opens the bucket next looks into it.
 */
export class Catalog {
  readonly #paths: BucketPaths
  readonly #database: DatabaseSync
  readonly #statements: ReturnType<typeof prepare>
  /** of uploads: the worker that holds each */
  readonly #locks = new Map<string, number>()
  /** null: blobs are in the folder */
  readonly #remote: RemoteBlobs | null
  readonly #now: () => number
  readonly #incompleteMs: number
  #usedOctets: number
  #lastVersion: number
  #jobs: Job[] = []
  #isFlushing = false
  /** blobs that may stand without a row when the transaction has ended */
  #doubted = new Set<string>()
  #touched = new Set<string>()

  /** @throws {Error} when the folder cannot be made or is no bucket */
  constructor(root: string, { sync, incompleteMs, store }: BucketRules, now: () => number) {
    this.#paths = pathsOf(root)
    this.#now = now
    this.#incompleteMs = incompleteMs
    const { database, blobs, drafts, uploads, doubts } = this.#paths
    for (const folder of [blobs, drafts, uploads, doubts]) mkdirSync(folder, { recursive: true })
    this.#database = new DatabaseSync(database)
    createTable(this.#database, sync)
    this.#statements = prepare(this.#database)
    const opened = openStore(store, now)
    const isUsed = (sha256: string): boolean => this.#statements.uses.get(sha256) !== undefined
    this.#remote = opened && new RemoteBlobs({ store: opened, doubts, isUsed })
    const { octets, version } = this.#statements.totals.get() as { octets: number; version: number }
    this.#usedOctets = octets
    this.#lastVersion = version
    this.#sweep()
  }

  apply(change: Change, rules: BucketRules): Promise<Outcome> {
    if (change.kind === 'open') return Promise.resolve({ kind: 'done' })
    if (change.kind === 'lock') return Promise.resolve(this.#lock(change.id, change.worker))
    if (change.kind === 'hold' || change.kind === 'let go') return this.#hold(change)
    if (change.kind === 'unlock') {
      this.#locks.delete(change.id)
      return Promise.resolve({ kind: 'done' })
    }
    return new Promise((resolve, reject) => {
      this.#jobs.push({ change, rules, resolve, reject })
      if (this.#isFlushing) return
      this.#isFlushing = true
      setImmediate(() => this.#flush())
    })
  }

  /** A worker has died: what it held is free. */
  unlockAllOf(worker: number): void {
    for (const [id, holder] of this.#locks) if (holder === worker) this.#locks.delete(id)
    this.#remote?.letGoAllOf(worker)
  }

  /** Forget uploads that nobody has gone on with. */
  async sweepUploads(): Promise<void> {
    const oldest = this.#now() - this.#incompleteMs
    for (const name of await readdir(this.#paths.uploads)) {
      const folder = join(this.#paths.uploads, name)
      const touched = await Promise.all(
        [folder, join(folder, 'data')].map((path) =>
          stat(path).then(
            ({ mtimeMs }) => mtimeMs,
            () => 0,
          ),
        ),
      )
      if (Math.max(...touched) < oldest && !this.#locks.has(name))
        await rm(folder, { recursive: true, force: true })
    }
  }

  close(): void {
    this.#database.close()
    this.#remote?.close()
  }

  async #hold({ kind, hashes, worker }: Extract<Change, { kind: 'hold' | 'let go' }>): Promise<Outcome> {
    if (kind === 'hold') await this.#remote?.hold(hashes, worker)
    else this.#remote?.letGo(hashes, worker)
    return { kind: 'done' }
  }

  #lock(id: string, worker: number): Outcome {
    if (this.#locks.has(id)) return { kind: 'locked' }
    this.#locks.set(id, worker)
    return { kind: 'done' }
  }

  #flush(): void {
    const jobs = this.#jobs
    this.#jobs = []
    this.#isFlushing = false
    const usedOctets = this.#usedOctets
    try {
      this.#database.exec('BEGIN IMMEDIATE')
      const outcomes = jobs.map((job) => this.#attempt(job))
      // A file system may write out all that it has for this: not where nobody waits for the disk.
      if (jobs.some(({ rules }) => rules.sync)) for (const folder of this.#touched) syncFolder(folder)
      this.#database.exec('COMMIT')
      this.#settleDoubts()
      jobs.forEach((job, i) => {
        const outcome = outcomes[i]!
        if (outcome instanceof Error) job.reject(outcome)
        else job.resolve(outcome)
      })
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      this.#usedOctets = usedOctets
      this.#settleDoubts()
      for (const { reject } of jobs) reject(error)
    }
    this.#touched.clear()
  }

  #attempt({ change, rules }: Job): Outcome | Error {
    const usedOctets = this.#usedOctets
    this.#database.exec('SAVEPOINT job')
    try {
      const outcome = this.#perform(change, rules)
      this.#database.exec('RELEASE job')
      return outcome
    } catch (error) {
      this.#usedOctets = usedOctets
      this.#database.exec('ROLLBACK TO job; RELEASE job')
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  #perform(change: Change, rules: BucketRules): Outcome {
    if (change.kind === 'put') return this.#put(change.objects, change.conditions, rules)
    if (change.kind === 'copy') return this.#copy(change, rules)
    if (change.kind === 'delete') return this.#delete(change, rules)
    throw new Error(`A catalog has no change "${change.kind}"`)
  }

  #put(objects: readonly PutObject[], conditions: Conditions, rules: BucketRules): Outcome {
    for (const { key } of objects) if (!this.#holds(conditions, this.#latest(key))) return FAILED
    const addedOctets = objects.reduce((sum, { octets }) => sum + octets, 0)
    const quota = this.#overQuota(addedOctets, objects, rules)
    if (quota !== null) return quota
    const isNew = this.#latest(objects[0]?.key ?? '') === null
    const stored = objects.map((object) => {
      this.#keepBlob(object)
      const key = object.taken === 'replace' ? object.key : this.#freeKey(object)
      return this.#insert({ ...object, key }, rules)
    })
    return { kind: 'stored', objects: stored, isNew }
  }

  #copy(change: Extract<Change, { kind: 'copy' }>, rules: BucketRules): Outcome {
    const source = this.#find(change.from.key, change.from.version)
    if (source === null || source.sha256 === '') return { kind: 'not found' }
    if (!this.#holds(change.sourceConditions, source)) return FAILED
    if (!this.#holds(change.conditions, this.#latest(change.to))) return FAILED
    const copy = {
      ...source,
      key: change.to,
      about: change.about ?? source.about,
      type: change.type ?? source.type,
    }
    const isNew = this.#latest(change.to) === null
    const quota = this.#overQuota(source.octets, [copy], rules)
    return quota ?? { kind: 'stored', objects: [this.#insert(copy, rules)], isNew }
  }

  /** RFC 9110 §9.3.5; with versions, a mark says that the object is gone. */
  #delete({ key, version, conditions }: Extract<Change, { kind: 'delete' }>, rules: BucketRules): Outcome {
    const was = this.#find(key, version)
    if (!this.#holds(conditions, was?.sha256 === '' ? null : was)) return FAILED
    if (version === null && rules.versions && was !== null && was.sha256 !== '') {
      const mark = { ...was, sha256: '', octets: 0, type: '', declared: null, detected: null, about: NOTHING }
      return { kind: 'deleted', was, mark: this.#insert(mark, rules) }
    }
    if (was === null) return { kind: 'deleted', was: null, mark: null }
    this.#remove(was)
    if (was.isLatest) this.#statements.promote.run(key, key)
    return { kind: 'deleted', was: was.sha256 === '' ? null : was, mark: null }
  }

  #insert(object: Omit<Stored, 'version' | 'createdMs' | 'isLatest'>, { versions }: BucketRules): Stored {
    const { key, sha256, octets, type, declared, detected, about } = object
    if (versions) this.#statements.demote.run(key)
    else for (const row of this.#statements.versions.all(key)) this.#remove(storedOf(row))
    const createdMs = this.#now()
    const version = Math.max(createdMs * 1000, this.#lastVersion + 1)
    this.#lastVersion = version
    const told = JSON.stringify(about)
    this.#statements.insert.run(key, version, sha256, octets, type, declared, detected, told, createdMs)
    this.#usedOctets += octets
    return { key, version, isLatest: true, sha256, octets, type, declared, detected, about, createdMs }
  }

  #remove({ key, version, sha256, octets }: Stored): void {
    if (sha256 !== '') this.#doubt(sha256)
    this.#statements.remove.run(key, version)
    this.#usedOctets -= octets
  }

  /** The file of the draft becomes the blob; when there is one already, they are the same. */
  #keepBlob({ draft, sha256 }: PutObject): void {
    const path = blobPath(this.#paths.blobs, sha256)
    this.#doubt(sha256)
    // The worker that received it has sent it to the store.
    if (this.#remote !== null || existsSync(path)) return discard(draft, this.#paths.drafts)
    mkdirSync(dirname(path), { recursive: true })
    renameSync(draft, path)
    this.#touched.add(dirname(path))
  }

  #doubt(sha256: string): void {
    if (this.#doubted.has(sha256)) return
    writeFileSync(join(this.#paths.doubts, sha256), '', { flag: 'a' })
    this.#doubted.add(sha256)
  }

  /** After a transaction, whichever way it ended: blobs without a row go. */
  #settleDoubts(): void {
    for (const sha256 of this.#doubted) this.#settle(sha256)
    this.#doubted.clear()
  }

  #settle(sha256: string): void {
    if (this.#remote !== null) return this.#remote.settle(sha256)
    if (this.#statements.uses.get(sha256) === undefined)
      discard(blobPath(this.#paths.blobs, sha256), this.#paths.drafts)
    rmSync(join(this.#paths.doubts, sha256), { force: true })
  }

  /** What a process left that was killed: bodies that were being received, and blobs in doubt. */
  #sweep(): void {
    for (const name of readdirSync(this.#paths.drafts)) {
      if (!isOfLivingProcess(name)) rmSync(join(this.#paths.drafts, name), { force: true, recursive: true })
    }
    for (const sha256 of readdirSync(this.#paths.doubts)) this.#settle(sha256)
  }

  #overQuota(
    octets: number,
    objects: readonly { readonly key: string }[],
    rules: BucketRules,
  ): Outcome | null {
    if (rules.quotaOctets === null) return null
    const freed = rules.versions
      ? 0
      : objects.reduce((sum, { key }) => sum + (this.#latest(key)?.octets ?? 0), 0)
    const isOver = this.#usedOctets + octets - freed > rules.quotaOctets
    return isOver ? { kind: 'quota', quotaOctets: rules.quotaOctets } : null
  }

  /** The name itself, or with the begin of its hash when another object has it. */
  #freeKey({ key, sha256 }: PutObject): string {
    const other = this.#latest(key)
    if (other === null || other.sha256 === sha256) return key
    const [, stem = '', extension = ''] = /^(.*?)(\.[^./]*)?$/s.exec(key)!
    return `${stem}-${sha256.slice(0, 8)}${extension}`
  }

  #holds(conditions: Conditions, stored: Stored | null): boolean {
    if (conditions.length === 0) return true
    const validators = stored && { etag: etagOf(stored), lastModifiedMs: stored.createdMs }
    return evaluatePreconditions('PUT', fieldsOf(conditions), validators, this.#now()) === 'holds'
  }

  #latest(key: string): Stored | null {
    const found = this.#find(key, null)
    return found?.sha256 === '' ? null : found
  }

  #find(key: string, version: number | null): Stored | null {
    const { latest, exact } = this.#statements
    const row = version === null ? latest.get(key) : exact.get(key, version)
    return row === undefined ? null : storedOf(row)
  }
}

const FAILED: Outcome = { kind: 'precondition failed' }
const NOTHING = { name: null, fields: null, headers: [] }

function prepare(
  database: DatabaseSync,
): Readonly<
  Record<
    'totals' | 'latest' | 'exact' | 'versions' | 'demote' | 'promote' | 'insert' | 'remove' | 'uses',
    StatementSync
  >
> {
  const statement = (sql: string): StatementSync => database.prepare(sql)
  return {
    totals: statement(
      'SELECT coalesce(sum(octets), 0) AS octets, coalesce(max(version), 0) AS version FROM objects',
    ),
    latest: statement('SELECT * FROM objects WHERE key = ? AND latest = 1'),
    exact: statement('SELECT * FROM objects WHERE key = ? AND version = ?'),
    versions: statement('SELECT * FROM objects WHERE key = ?'),
    demote: statement('UPDATE objects SET latest = 0 WHERE key = ? AND latest = 1'),
    promote: statement(
      'UPDATE objects SET latest = 1 WHERE key = ? AND version = (SELECT max(version) FROM objects WHERE key = ?)',
    ),
    insert: statement('INSERT INTO objects VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?)'),
    remove: statement('DELETE FROM objects WHERE key = ? AND version = ?'),
    uses: statement('SELECT 1 FROM objects WHERE sha256 = ? LIMIT 1'),
  }
}

/** Drafts begin with the number of their process; ours have none yet when a bucket is opened. */
function isOfLivingProcess(name: string): boolean {
  const pid = Number.parseInt(name, 10)
  if (!(pid > 0) || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
