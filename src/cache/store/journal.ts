import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import {
  decodeJournalRecord,
  encodeJournalRecord,
  JOURNAL_MARK,
  type JournalRecord,
} from './wire/journal-record.ts'

/**
 * The journal of the disk tier: which files hold which objects. One process appends to it; after a crash it is read
 * up to the last whole record.
 */
export class Journal {
  readonly #path: string
  #descriptor: number | undefined
  #records = 0
  #octets = 0

  constructor(folder: string) {
    this.#path = join(folder, 'journal')
  }

  /** Records since it was written anew. */
  get records(): number {
    return this.#records
  }

  /**
   * Read it, and make it ready to append to.
   *
   * @returns the last word about each file that holds an object, in the order in which they were stored
   * @throws {Error} when the disk fails
   */
  load(): Iterable<Stored> {
    const octets = existsSync(this.#path) ? readFileSync(this.#path) : Buffer.alloc(0)
    if (!octets.subarray(0, JOURNAL_MARK.length).equals(JOURNAL_MARK)) {
      mkdirSync(dirname(this.#path), { recursive: true })
      writeFileSync(this.#path, JOURNAL_MARK, { mode: MODE })
      this.#descriptor = openSync(this.#path, 'a', MODE)
      this.#octets = JOURNAL_MARK.length
      return []
    }
    // Places only: a hundred thousand records at once would keep the garbage collector busy.
    const places = new Map<number, number>()
    let at = JOURNAL_MARK.length
    for (let one = decodeJournalRecord(octets, at); one !== null; one = decodeJournalRecord(octets, at)) {
      // Set anew, so that what was stored last comes last.
      places.delete(one.record.file)
      if (one.record.kind === 'stored') places.set(one.record.file, at)
      this.#records++
      at = one.next
    }
    this.#descriptor = openSync(this.#path, 'a', MODE)
    // What follows was cut by a crash: nothing may come behind it.
    if (at < octets.length) ftruncateSync(this.#descriptor, at)
    this.#octets = at
    return storedAt(octets, places.values())
  }

  /** Append records. @throws {Error} when the disk is full or fails: nothing was appended then */
  append(records: readonly JournalRecord[]): void {
    if (records.length === 0) return
    if (this.#descriptor === undefined) throw new Error('The journal is not open')
    const octets = Buffer.concat(records.map(encodeJournalRecord))
    try {
      writeFully(this.#descriptor, octets)
    } catch (error) {
      ftruncateSync(this.#descriptor, this.#octets)
      throw error
    }
    this.#octets += octets.length
    this.#records += records.length
  }

  /**
   * Write it anew with these records alone, a batch in each turn; the old one stands until the new one is complete.
   * Nothing may be appended meanwhile.
   */
  async replace(records: Iterable<JournalRecord>): Promise<void> {
    const draft = `${this.#path}.new`
    mkdirSync(dirname(this.#path), { recursive: true })
    const descriptor = openSync(draft, 'w', MODE)
    const journal = { records: 0, octets: JOURNAL_MARK.length }
    try {
      writeFully(descriptor, JOURNAL_MARK)
      for (const batch of batches(records)) {
        const octets = Buffer.concat(batch.map(encodeJournalRecord))
        writeFully(descriptor, octets)
        journal.records += batch.length
        journal.octets += octets.length
        await turn()
      }
      renameSync(draft, this.#path)
    } finally {
      closeSync(descriptor)
    }
    this.close()
    this.#descriptor = openSync(this.#path, 'a', MODE)
    this.#records = journal.records
    this.#octets = journal.octets
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }
}

/** An object that lies in a file. */
export type Stored = JournalRecord & { readonly kind: 'stored' }

function* storedAt(octets: Buffer, places: Iterable<number>): Generator<Stored> {
  for (const at of places) {
    const record = decodeJournalRecord(octets, at)?.record
    if (record?.kind === 'stored') yield record
  }
}

function writeFully(descriptor: number, octets: Uint8Array): void {
  for (let at = 0; at < octets.length; ) at += writeSync(descriptor, octets, at)
}

function* batches(records: Iterable<JournalRecord>): Generator<JournalRecord[]> {
  let batch: JournalRecord[] = []
  for (const record of records) {
    batch.push(record)
    if (batch.length < BATCH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

const BATCH = 256
const MODE = 0o600
