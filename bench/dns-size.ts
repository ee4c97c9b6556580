import { measureZones, type ServerFigures } from './dns-zones.ts'

/** Names in the one zone. */
const SIZES = [10, 10_000, 1_000_000] as const

/** What an answer costs as a zone grows. */
export type DnsSizeBench = {
  readonly bench: 'dns-size'
  /** processor time of an answer from the largest zone / from the smallest */
  readonly growth: Readonly<Record<'portico' | 'knot' | 'nsd', number>>
  readonly sizes: Readonly<Record<string, Readonly<Record<'portico' | 'knot' | 'nsd', ServerFigures>>>>
}

/** @throws {Error} when a peer is missing, or a server does not start */
export async function run({ json }: { json: boolean }): Promise<void> {
  const sizes: Record<string, Readonly<Record<'portico' | 'knot' | 'nsd', ServerFigures>>> = {}
  for (const names of SIZES) sizes[names] = await measureZones({ zones: 1, names })
  const growth = (name: 'portico' | 'knot' | 'nsd'): number =>
    Number((sizes[SIZES[2]]![name].answerUs / sizes[SIZES[0]]![name].answerUs).toFixed(2))
  const all = { portico: growth('portico'), knot: growth('knot'), nsd: growth('nsd') }
  const result: DnsSizeBench = { bench: 'dns-size', growth: all, sizes }
  if (json) console.log(JSON.stringify(result))
  else for (const [names, servers] of Object.entries(sizes)) console.log(names, servers)
}
