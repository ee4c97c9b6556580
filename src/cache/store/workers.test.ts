import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { temporaryFolder } from '../../../test/folder.ts'
import { keepAwake } from '../../../test/keep-awake.ts'
import { openStore } from './open-store.ts'
import { createStoreMemory, type StoreHandle } from './shared.ts'
import type { CachedObject, CacheStore } from './store.ts'

// This file is its own worker: it hammers a store together with others, and checks every octet that it reads.

type Job = {
  readonly handle: StoreHandle
  readonly worker: number
  readonly seed: number
  readonly forMs: number
}
type Meta = { readonly start: number; readonly length: number; readonly epoch: number }
type Done = {
  readonly reads: number
  readonly octets: number
  readonly brokenOff: number
  readonly wrong: string[]
}

const MIB = 1024 * 1024
/** Bodies are parts of it: where one begins says what every octet of it is. */
const pattern = Buffer.alloc(2 * MIB)
for (let at = 0, value = 1; at < pattern.length; at++) {
  value = (Math.imul(value, 1_103_515_245) + 12_345) | 0
  pattern[at] = value >>> 16
}

class Hammer {
  readonly #store: CacheStore
  readonly #done = { reads: 0, octets: 0, brokenOff: 0, wrong: [] as string[] }
  readonly #purged = new Map<string, number>()
  #random: number

  constructor({ handle, worker, seed }: Job) {
    this.#store = openStore(handle, { worker })
    this.#random = seed | 1
  }

  async run(forMs: number): Promise<Done> {
    const end = performance.now() + forMs
    const one = async (): Promise<void> => {
      while (performance.now() < end && this.#done.wrong.length < 5) await this.#step()
    }
    await Promise.all(Array.from({ length: 8 }, one))
    return this.#done
  }

  #chance(below: number): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) | 0
    return (this.#random >>> 8) % below
  }

  async #step(): Promise<void> {
    const key = `https://example.com/${this.#chance(300)}`
    const kind = this.#chance(100)
    const [object] = this.#store.find(key)
    if (object !== undefined) this.#checkHead(object)
    if (kind < 50) await this.#get(object)
    else if (kind < 85) await this.#put(key)
    else if (kind < 90 && object) this.#store.remove(object)
    else if (kind < 95 && object) this.#store.update(object, object.meta)
    else if (kind < 98) await this.#leadOrFollow(key)
    else await this.#purge(`tag ${this.#chance(20)}`)
    if (kind % 4 === 0) await turn()
  }

  #checkHead(object: CachedObject): void {
    const { epoch } = JSON.parse(object.meta) as Meta
    for (const tag of object.tags) {
      if (epoch <= (this.#purged.get(tag) ?? -1))
        this.#done.wrong.push(`${object.key} came back after a purge`)
    }
  }

  async #get(object: CachedObject | undefined): Promise<void> {
    if (object === undefined) return
    const { start, length } = JSON.parse(object.meta) as Meta
    const body = pattern.subarray(start, start + length)
    const small = object.octets()
    if (small !== null) {
      if (!body.equals(small)) this.#done.wrong.push(`${object.key}: ${length} small octets`)
      this.#done.reads++
      return
    }
    const from = this.#chance(length + 1)
    const source = object.read(from, null)
    let at = from
    try {
      for (let octets = await source?.read(30_000); octets; octets = await source?.read(30_000)) {
        if (this.#chance(4) === 0) await turn()
        if (!body.subarray(at, at + octets.length).equals(octets)) {
          this.#done.wrong.push(`${object.key}: octets at ${at} of ${length}`)
        }
        at += octets.length
        if (this.#chance(20) === 0) return source?.cancel('client left')
      }
      if (source !== null && at !== length) this.#done.wrong.push(`${object.key}: ${at} instead of ${length}`)
      this.#done.reads++
      this.#done.octets += at - from
    } catch (error) {
      this.#done.brokenOff++
      // Somebody filled it and died, or gave up; or it outgrew what room the others left.
      if (!/broke off|outgrown/.test(String(error))) this.#done.wrong.push(String(error))
    }
  }

  async #put(key: string): Promise<void> {
    const length = this.#chance(10) === 0 ? this.#chance(900_000) : this.#chance(9000)
    const meta: Meta = { start: this.#chance(MIB), length, epoch: this.#store.epoch() }
    if (this.#chance(3) === 0) await turn()
    const lengthOctets = this.#chance(2) === 0 ? length : null
    const tags = [`tag ${this.#chance(20)}`, `tag ${this.#chance(20)}`]
    const fill = this.#store.create(key, {
      meta: JSON.stringify(meta),
      tags,
      lengthOctets,
      epoch: meta.epoch,
    })
    for (let at = 0; fill !== null && at < length; at += 50_000) {
      await fill.write(pattern.subarray(meta.start + at, meta.start + Math.min(at + 50_000, length)))
      if (this.#chance(3) === 0) await turn()
      if (this.#chance(50) === 0) return fill.fail()
    }
    fill?.end()
  }

  async #leadOrFollow(key: string): Promise<void> {
    const lead = this.#store.lead(key)
    if (lead === null) await this.#store.follow(key, 50)
    else await turn()
    lead?.done()
  }

  async #purge(tag: string): Promise<void> {
    const before = this.#store.epoch()
    await this.#store.purge({ tags: [tag] }, 'hard')
    this.#purged.set(tag, before)
  }
}

async function hammer(job: Job): Promise<void> {
  const keepAlive = setInterval(() => {}, 1000)
  parentPort?.postMessage(await new Hammer(job).run(job.forMs))
  clearInterval(keepAlive)
}

function start(job: Job): { readonly worker: Worker; readonly done: Promise<Done | null> } {
  const worker = new Worker(new URL(import.meta.url), { workerData: job })
  let last: Done | null = null
  worker.once('message', (done: Done) => {
    last = done
  })
  const done = new Promise<Done | null>((resolve, reject) => {
    worker.once('error', reject)
    // Not at its last word: files are still being completed then.
    worker.once('exit', () => resolve(last))
  })
  return { worker, done }
}

/** Workers that die at any moment, each followed by another one with its number, until the time is over. */
async function hammerWithDeaths(store: CacheStore, handle: StoreHandle, forMs: number): Promise<Done[]> {
  const end = performance.now() + forMs
  const results: Done[] = []
  const lane = async (worker: number): Promise<void> => {
    for (let life = 0; performance.now() < end; life++) {
      const mayDie = worker > 1
      const job = {
        handle,
        worker,
        seed: worker * 1000 + life,
        forMs: mayDie ? 10_000 : end - performance.now(),
      }
      const running = start(job)
      if (mayDie) {
        await sleep(Math.min(100 + Math.random() * 250, Math.max(0, end - performance.now())))
        await running.worker.terminate()
        store.forgetWorker(worker)
      }
      const done = await running.done
      if (done !== null) results.push(done)
    }
  }
  await Promise.all([1, 2, 3].map(lane))
  return results
}

async function run(diskFolder: string | null, forMs: number, t: TestContext): Promise<void> {
  keepAwake(t)
  const disk = diskFolder === null ? {} : { disk: { folder: diskFolder, budgetOctets: 16 * MIB } }
  const handle = createStoreMemory({ budgetOctets: 8 * MIB, memoryObjectOctets: MIB / 2, ...disk })
  const store = openStore(handle, { worker: 0, keepsDisk: true })
  const empty = store.stats().memory.octets
  const results = await hammerWithDeaths(store, handle, forMs)
  const wrong = results.flatMap((done) => done.wrong)
  assert.deepEqual(wrong, [])
  const sum = (of: (done: Done) => number) => results.reduce((total, done) => total + of(done), 0)
  t.diagnostic(
    `${sum(({ reads }) => reads)} bodies, ${Math.round(sum(({ octets }) => octets) / MIB)} MiB read and checked`,
  )
  assert.ok(sum(({ reads }) => reads) > 100)
  for (const worker of [1, 2, 3]) store.forgetWorker(worker)
  await store.purge({ everything: true }, 'hard')
  await store.close()
  const { memory, objects, disk: tier } = store.stats()
  assert.equal(objects, 0)
  assert.equal(tier?.octets ?? 0, 0, 'nothing is counted for the disk')
  assert.ok(memory.octets - empty <= 128, `${memory.octets - empty} octets are lost`)
}

/** Milliseconds that each hammering takes; more by hand. */
const forMs = Number(process.env['PORTICO_HAMMER_MS'] ?? 1500)

if (isMainThread) {
  test('workers that read, fill, purge and die: no octet is wrong, nothing purged comes back, no memory is lost', async (t) => {
    await run(null, forMs, t)
  })

  test('the same with a disk tier', async (t) => {
    const folder = temporaryFolder(t)
    await run(folder, forMs, t)
  })
} else {
  await hammer(workerData as Job)
}
