import { measureZones, type ServerFigures } from './dns-zones.ts'

/** A million names in a thousand zones; ratios are ours / theirs. */
export type DnsManyBench = {
  readonly bench: 'dns-many'
  readonly ratios: { readonly knot: number; readonly nsd: number }
  readonly servers: Readonly<Record<'portico' | 'knot' | 'nsd', ServerFigures>>
}

/** @throws {Error} when a peer is missing, or a server does not start */
export async function run({ json }: { json: boolean }): Promise<void> {
  const servers = await measureZones({ zones: 1000, names: 1000 })
  const ratio = (other: 'knot' | 'nsd'): number =>
    Number((servers.portico.rate / servers[other].rate).toFixed(3))
  const result: DnsManyBench = {
    bench: 'dns-many',
    ratios: { knot: ratio('knot'), nsd: ratio('nsd') },
    servers,
  }
  if (json) console.log(JSON.stringify(result))
  else console.table(servers)
}
