import { randomBytes } from 'node:crypto'
import { GHOSTS_PER_OBJECT } from './worth.ts'

/** What every worker opens the same store with: survives `structuredClone` to a worker thread. */
export type StoreHandle = {
  /** index, counters, leads, purges, and which parts of the arena are free */
  readonly tables: SharedArrayBuffer
  /** keys, meta, tags and bodies */
  readonly arena: SharedArrayBuffer
  readonly shape: Shape
}

/** What is fixed when the memory is made. */
export type Shape = {
  readonly budgetOctets: number
  /** bodies above go to the disk tier, or are not stored */
  readonly memoryObjectOctets: number
  /** objects that can be held, in memory and on disk together */
  readonly entries: number
  readonly units: number
  readonly disk: DiskShape | null
}

export type DiskShape = { readonly folder: string; readonly budgetOctets: number }

export type StoreOptions = {
  /** memory for everything: index, keys, meta and bodies; at least 4 MiB */
  readonly budgetOctets: number
  /** largest body kept in memory; a quarter of the budget unless said */
  readonly memoryObjectOctets?: number
  /** a folder of this store alone */
  readonly disk?: DiskShape
}

/** Workers that may have a store open at once, main among them: a bit for each in `field.pinned`. */
export const WORKERS = 64
/** The arena is dealt out in units: 128 octets. */
export const UNIT_OCTETS = 128
/** The longest run of units in one block: 256 KiB, what is read at once. */
export const BLOCK_UNITS = 2048
/** Lists of free runs by their length; a multiple of 32. */
export const LISTS = 96
/** Words of an entry. */
export const ENTRY_WORDS = 32
/** Words of a lead: low and high hash, worker + 1, and a count that followers wait on. */
export const LEAD_WORDS = 4
/** Purges that a fetch may be behind: more, and what it brings is not stored. */
export const PURGES = 8192
/** Words of a purge in the log: kind, length and hash of the name. */
export const PURGE_WORDS = 4

/** Places of the words that all share. */
export const control = {
  /** worker + 1 while it changes tables; 0 when free */
  lock: 0,
  lockWaiters: 1,
  /** how often the lock was taken */
  lockCount: 27,
  /** purges so far */
  epoch: 2,
  /** objects created so far: the clock of `worth` */
  clock: 3,
  /** first of the chain of free entries; 0 for none */
  freeEntry: 4,
  /** entries above were never used */
  freshEntry: 5,
  freeUnits: 6,
  /** units above were never used */
  freshUnit: 7,
  /** first of each of the `LISTS` of free runs */
  freeLists: 128,
  /** a bit for each list that is not empty */
  freeListBits: 8,
  /** two words of secret */
  seed: 20,
  objects: 22,
  /** first of the chain of entries that the keeper has to look at */
  choreHead: 23,
  /** grows with each chore; the keeper waits on it */
  choreCount: 24,
  /** chores that are done; a purge waits on it */
  choresDone: 25,
  /** 1 while the disk tier takes and gives */
  diskOn: 26,
  /** two words each, read as 64 bits */
  diskOctets: 28,
  nextFile: 30,
  /** grows when somebody waits for the keeper: it does not wait for more chores then */
  bell: 32,
  /** octets of the disk that a worker found no room for: the keeper makes some */
  diskWanted: 33,
  /** counts of each worker, in 64-bit floats, from here */
  counts: 256,
} as const

/** Places in a worker's row of counts. */
export const count = { memoryHits: 0, diskHits: 1, fills: 2, evictions: 3, purged: 4, row: 8 } as const

/** Words of an entry. Zero means: none. */
export const field = {
  /** odd while `record` changes; grows with each change of what `find` gives */
  version: 0,
  /** 0 free, else one of `state` */
  state: 1,
  hashLow: 2,
  hashHigh: 3,
  /** the next entry of the bucket, or of the free ones */
  next: 4,
  /** 1 while it can be found */
  linked: 5,
  /** grows when the entry is given to another object */
  generation: 6,
  /** first unit of the block with key, meta and tags */
  record: 7,
  keyOctets: 8,
  metaOctets: 9,
  tagsOctets: 10,
  /** first unit of the first block of the body; 0 when it is not in memory */
  body: 11,
  /** octets of the body that are in memory */
  bodyOctets: 12,
  /** bit of each worker that reads or fills it, two words */
  pinned: 13,
  /** bits of `flag` */
  flags: 15,
  /** bits of the hashes of its tags */
  tagBits: 16,
  hits: 17,
  /** `control.clock` when it was last asked for */
  usedAt: 18,
  /** units of its record and body */
  units: 19,
  /** worker + 1 while it grows */
  owner: 20,
  /** grows when octets arrive or `state` changes; readers wait on it */
  wake: 21,
  /** the next entry of the chores */
  nextChore: 22,
  /** low hash of the key up to its first space: what stands under one URI */
  stem: 23,
  /** 64 bits: octets that have arrived */
  stored: 24,
  /** 64 bits: octets of the whole body; -1 when not known */
  length: 26,
  /** 64 bits: number of its file; below zero, its place in a pack (`wire/pack.ts`); 0 for none */
  file: 28,
  /** 64 bits: octets of the disk budget that its own file takes */
  fileOctets: 30,
} as const

/** What an entry holds: a free one has state 0; an emptied one waits for the keeper to remove its file. */
export const state = { growing: 1, whole: 2, failed: 3, emptied: 4 } as const

/** Bits of `field.flags`. */
export const flag = {
  stale: 1,
  /** the keeper has to look at it */
  chore: 2,
  /** its file is complete, and in the journal or on the way there */
  onDisk: 4,
  /** its file is from before a restart: blocks are checked against their sums */
  unproven: 8,
  /** its fill found no room */
  outgrown: 16,
} as const

/**
 * Make the memory of a store, once, on the main thread.
 *
 * Pages are taken from the system when they are first written to, up to the budget.
 *
 * @throws {RangeError} when the budget is too small to hold anything
 */
export function createStoreMemory(options: StoreOptions): StoreHandle {
  const { budgetOctets } = options
  if (budgetOctets < LEAST_OCTETS) {
    throw new RangeError(`The store has ${budgetOctets} octets and needs at least ${LEAST_OCTETS}`)
  }
  const entries = Math.min(Math.floor(budgetOctets / OCTETS_PER_ENTRY), MOST_ENTRIES)
  const forUnits = budgetOctets - tablesOctets({ entries, units: 0 })
  const units = Math.floor(forUnits / (UNIT_OCTETS + 1) / BLOCK_UNITS) * BLOCK_UNITS
  const shape: Shape = {
    budgetOctets,
    memoryObjectOctets: options.memoryObjectOctets ?? Math.floor(budgetOctets / 4),
    entries,
    units,
    disk: options.disk ?? null,
  }
  const handle: StoreHandle = {
    tables: new SharedArrayBuffer(tablesOctets(shape)),
    arena: new SharedArrayBuffer(units * UNIT_OCTETS),
    shape,
  }
  const words = new Int32Array(handle.tables)
  const seed = randomBytes(8)
  words[control.seed] = seed.readInt32LE(0)
  words[control.seed + 1] = seed.readInt32LE(4)
  // Entry 0 and unit 0 stay unused, so that 0 can mean none.
  words[control.freshEntry] = 1
  words[control.freshUnit] = 0
  words[control.freeUnits] = units
  return handle
}

/** A store as one worker sees it: views of the memory that all share. */
export class Shared {
  readonly shape: Shape
  readonly worker: number
  readonly control: Int32Array
  readonly controlBig: BigInt64Array
  /** this worker's row */
  readonly counts: Float64Array
  readonly allCounts: Float64Array
  readonly seed: Int32Array
  readonly leads: Int32Array
  readonly purges: Int32Array
  readonly buckets: Int32Array
  readonly entries: Int32Array
  readonly entriesBig: BigInt64Array
  readonly ghosts: Int32Array
  /** which units are the first and the last of a free run */
  readonly marks: Uint8Array
  readonly arena: Buffer
  readonly arenaWords: Int32Array

  constructor({ tables, arena, shape }: StoreHandle, worker: number) {
    const places = placesOf(shape)
    this.shape = shape
    this.worker = worker
    this.control = new Int32Array(tables, 0, CONTROL_OCTETS / 4)
    this.controlBig = new BigInt64Array(tables, 0, CONTROL_OCTETS / 8)
    this.allCounts = new Float64Array(tables, control.counts * 4, WORKERS * count.row)
    this.counts = this.allCounts.subarray(worker * count.row, (worker + 1) * count.row)
    this.seed = this.control.subarray(control.seed, control.seed + 2)
    this.leads = new Int32Array(tables, places.leads, LEADS * LEAD_WORDS)
    this.purges = new Int32Array(tables, places.purges, PURGES * PURGE_WORDS)
    this.buckets = new Int32Array(tables, places.buckets, bucketsFor(shape.entries))
    this.entries = new Int32Array(tables, places.entries, shape.entries * ENTRY_WORDS)
    this.entriesBig = new BigInt64Array(tables, places.entries, shape.entries * (ENTRY_WORDS / 2))
    this.ghosts = new Int32Array(tables, places.ghosts, bucketsFor(shape.entries) * GHOSTS_PER_OBJECT)
    this.marks = new Uint8Array(tables, places.marks, shape.units)
    this.arena = Buffer.from(arena)
    this.arenaWords = new Int32Array(arena)
  }
}

const CONTROL_OCTETS = control.counts * 4 + WORKERS * count.row * 8
const LEADS = 4096
const LEAST_OCTETS = 4 * 1024 * 1024
/** An object of 500 octets with its key and fields takes about so much: smaller ones fill the index first. */
const OCTETS_PER_ENTRY = 1024
const MOST_ENTRIES = 1 << 24

/** A power of two, one to two entries a bucket. */
function bucketsFor(entries: number): number {
  return 2 ** Math.floor(Math.log2(entries))
}

type Sizes = { readonly entries: number; readonly units: number }

function placesOf({
  entries,
}: Sizes): Record<'leads' | 'purges' | 'buckets' | 'entries' | 'ghosts' | 'marks', number> {
  const leads = CONTROL_OCTETS
  const purges = leads + LEADS * LEAD_WORDS * 4
  const buckets = purges + PURGES * PURGE_WORDS * 4
  const entriesAt = buckets + bucketsFor(entries) * 4
  const ghosts = entriesAt + entries * ENTRY_WORDS * 4
  const marks = ghosts + bucketsFor(entries) * GHOSTS_PER_OBJECT * 4
  return { leads, purges, buckets, entries: entriesAt, ghosts, marks }
}

function tablesOctets(sizes: Sizes): number {
  return placesOf(sizes).marks + sizes.units
}
