/** How many requests, and octets, the cache answers on traces: our policy, others, and the best that could be. */
import { openStore } from '../src/cache/store/open-store.ts'
import { createStoreMemory } from '../src/cache/store/shared.ts'
import { type PolicyName, policies } from './hit-ratio-policies.ts'
import { type HitRatio, hitRatio, readTraces, type Trace } from './hit-ratio-trace.ts'

type Name = PolicyName | 'store'

export type HitRatioBench = {
  readonly bench: 'hit-ratio'
  readonly rows: readonly {
    readonly trace: string
    /** capacity as a share of all objects' octets */
    readonly share: number
    readonly policies: Readonly<Partial<Record<Name, HitRatio>>>
  }[]
}

/** Ratios at 1 % and 10 % of the footprint; `store` is the real store, whose budget also pays for keys and index. */
export async function run({ json }: { json: boolean }): Promise<void> {
  const rows = readTraces().flatMap((trace) => [0.01, 0.1].map((share) => measure(trace, share)))
  const bench: HitRatioBench = { bench: 'hit-ratio', rows }
  if (json) console.log(JSON.stringify(bench))
  else print(bench)
}

function measure(trace: Trace, share: number): HitRatioBench['rows'][number] {
  const capacity = Math.floor(trace.footprint * share)
  const ratios: Partial<Record<Name, HitRatio>> = {}
  for (const [name, create] of Object.entries(policies)) {
    ratios[name as Name] = hitRatio(trace, capacity, create(trace, capacity))
  }
  if (capacity >= LEAST_STORE_OCTETS) ratios.store = throughStore(trace, capacity)
  return { trace: trace.name, share, policies: ratios }
}

/** The trace through the store itself, with bodies of the sizes that it says. */
function throughStore({ keys, sizes }: Trace, capacity: number): HitRatio {
  const store = openStore(createStoreMemory({ budgetOctets: capacity }), { worker: 0 })
  const hits = { objects: 0, octets: 0 }
  let octets = 0
  for (const key of keys) {
    const name = `https://example.com/${key}`
    const size = sizes[key]!
    octets += size
    if (store.find(name).length > 0) {
      hits.objects++
      hits.octets += size
    } else {
      const fill = store.create(name, { meta: '{}', tags: [], lengthOctets: size, epoch: 0 })
      void fill?.write(body.subarray(0, size))
      fill?.end()
    }
  }
  return { objects: hits.objects / keys.length, octets: hits.octets / octets }
}

function print({ rows }: HitRatioBench): void {
  const percent = ({ objects, octets }: HitRatio): string =>
    `${(objects * 100).toFixed(1)}/${(octets * 100).toFixed(1)}`.padEnd(11)
  console.log('Object hits / octet hits in percent; the cache as a share of all objects')
  for (const { trace, share, policies: ratios } of rows) {
    const cells = Object.entries(ratios).map(([name, ratio]) => `${name} ${percent(ratio)}`)
    console.log(`${trace.padEnd(14)} ${`${share * 100} %`.padEnd(5)} ${cells.join(' ')}`)
  }
}

const LEAST_STORE_OCTETS = 4 * 1024 * 1024
/** The largest object of the traces is smaller. */
const body = Buffer.alloc(64 * 1024 * 1024)
