/** How long a purge takes until nothing that it names is found any more: 10 000 objects of a tag among 1 000 000. */
import { openStore } from '../src/cache/store/open-store.ts'
import { createStoreMemory } from '../src/cache/store/shared.ts'
import type { CacheStore, PurgeReceipt } from '../src/cache/store/store.ts'
import { median } from './peers.ts'
import { purgeVarnish } from './purge-varnish.ts'

const OBJECTS = 1_000_000
const TAGS = 100
const ROUNDS = 5
const BODY_OCTETS = 100
const BUDGET_OCTETS = 1_280 * 1024 * 1024

export type PurgeBench = {
  readonly bench: 'purge'
  readonly objects: number
  /** objects that each purge named */
  readonly named: number
  /** medians */
  readonly ms: { readonly tag: number; readonly key: number }
  /** the longest time that the event loop stood still during a purge by tag */
  readonly stallMs: number
  /** Varnish with its module xkey, by tag over HTTP; null when it is missing. nginx and HAProxy know no tags. */
  readonly varnish: { readonly ms: number; readonly named: number } | null
}

/** @throws {Error} when the store loses objects on the way */
export async function run({ json }: { json: boolean }): Promise<void> {
  const store = openStore(createStoreMemory({ budgetOctets: BUDGET_OCTETS }), { worker: 0 })
  fillWithTags(store)
  const byTag: number[] = []
  const byKey: number[] = []
  const stalls: number[] = []
  let named = 0
  for (let round = 0; round < ROUNDS; round++) {
    const stall = watchStalls()
    const { ms, receipt } = await timed(() => store.purge({ tags: [`tag ${round}`] }, 'hard'))
    stalls.push(stall())
    named = receipt.objects
    if (named !== OBJECTS / TAGS)
      throw new Error(`${named} objects were named, ${OBJECTS / TAGS} have the tag`)
    byTag.push(ms)
    byKey.push(
      (await timed(() => store.purge({ keys: [`https://example.com/${TAGS - 1 - round}`] }, 'hard'))).ms,
    )
  }
  await store.close()
  const ms = { tag: median(byTag), key: median(byKey) }
  const theirs = await purgeVarnish(OBJECTS, TAGS, ROUNDS)
  const varnish = theirs === null ? null : { ms: median(theirs.ms), named: theirs.named }
  const stallMs = Math.max(...stalls)
  const bench: PurgeBench = { bench: 'purge', objects: OBJECTS, named, ms, stallMs, varnish }
  if (json) console.log(JSON.stringify(bench))
  else {
    console.log(
      `${named} objects of a tag among ${OBJECTS}: ${ms.tag.toFixed(1)} ms, one by key: ${ms.key.toFixed(3)} ms`,
    )
    const rival =
      varnish === null ? 'is missing, or its module xkey' : `${varnish.ms.toFixed(1)} ms for ${varnish.named}`
    console.log(`Varnish ${rival}`)
    console.log(`The event loop stood still for ${bench.stallMs.toFixed(1)} ms at most`)
  }
}

function fillWithTags(store: CacheStore): void {
  const body = Buffer.alloc(BODY_OCTETS, 'x')
  for (let n = 0; n < OBJECTS; n++) {
    const options = { meta: '{"status":200}', tags: [`tag ${n % TAGS}`], lengthOctets: BODY_OCTETS, epoch: 0 }
    const fill = store.create(`https://example.com/${n}`, options)
    void fill?.write(body)
    fill?.end()
  }
  const { evictions } = store.stats()
  if (evictions > 0)
    throw new Error(`The store has no room for ${OBJECTS} objects: ${evictions} were dropped`)
}

async function timed(purge: () => Promise<PurgeReceipt>): Promise<{ ms: number; receipt: PurgeReceipt }> {
  const started = performance.now()
  const receipt = await purge()
  return { ms: performance.now() - started, receipt }
}

/** @returns a function that ends the watch and tells the longest turn of the event loop, in milliseconds */
function watchStalls(): () => number {
  let longest = 0
  let before = performance.now()
  let handle = setImmediate(look)
  function look(): void {
    longest = Math.max(longest, performance.now() - before)
    before = performance.now()
    handle = setImmediate(look)
  }
  return () => {
    clearImmediate(handle)
    return longest
  }
}
