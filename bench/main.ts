/** Run a bench: `npm run -s bench -- NAME [--json]`; `all` runs every one. */
import { parseArgs } from 'node:util'

type Bench = { run(options: { json: boolean }): Promise<void> }

const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  'cache-hit': () => import('./cache-hit.ts'),
  'cache-large': () => import('./cache-large.ts'),
  'cache-miss-storm': () => import('./cache-miss-storm.ts'),
  'cache-mixed': () => import('./cache-mixed.ts'),
  certs: () => import('./certs.ts'),
  connections: () => import('./connections.ts'),
  dns: () => import('./dns.ts'),
  'dns-many': () => import('./dns-many.ts'),
  'dns-size': () => import('./dns-size.ts'),
  files: () => import('./files.ts'),
  'first-play': () => import('./first-play.ts'),
  'h2-proxy': () => import('./h2-proxy.ts'),
  h2: () => import('./h2.ts'),
  'hit-ratio': () => import('./hit-ratio.ts'),
  large: () => import('./large.ts'),
  observe: () => import('./observe.ts'),
  proxy: () => import('./proxy.ts'),
  purge: () => import('./purge.ts'),
  reload: () => import('./reload.ts'),
  segment: () => import('./segment.ts'),
  'slow-readers': () => import('./slow-readers.ts'),
  upload: () => import('./upload.ts'),
  viewers: () => import('./viewers.ts'),
  workers: () => import('./workers.ts'),
}

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const names = positionals[0] === 'all' ? Object.keys(benches) : positionals
const unknown = names.find((name) => !Object.hasOwn(benches, name))
if (names.length === 0 || unknown !== undefined) {
  if (unknown !== undefined) console.error(`There is no bench "${unknown}".`)
  console.error(`Usage: npm run -s bench -- ${[...Object.keys(benches), 'all'].join(' | ')} [--json]`)
  process.exitCode = 2
} else {
  for (const name of names) {
    const bench = await benches[name]!()
    await bench.run(values)
  }
}
