import { chmod, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../test/ports.ts'
import { compare, type Figures, round } from './compare.ts'
import { createGround, type Ground, startScript } from './ground.ts'
import { runCurl, runWrk } from './loads.ts'
import { listenPlain, startNginx } from './nginx.ts'
import { SERVER_CORE, waitForPort } from './peers.ts'

const ROUNDS = 3
const SECONDS = 2
const LARGE_OCTETS = 2 ** 30

/** What is asked for: a file, and of the ranges one in the middle of a large file. */
const loads = {
  '1 KiB': { path: '/1k.html', connections: 64, range: '' },
  '1 MiB': { path: '/1m.bin', connections: 16, range: '' },
  'range of 64 KiB': { path: '/1g.bin', connections: 64, range: 'bytes=536870912-536936447' },
  '1 GiB': { path: '/1g.bin', connections: 1, range: '' },
} as const

type Load = keyof typeof loads

type Measured = {
  /** ours / theirs in requests per second, and theirs / ours in processor time */
  readonly ratios: { readonly rate: number; readonly cpu: number }
  readonly contenders: Readonly<Record<'portico' | 'nginx', Figures>>
}

export type FilesBench = { readonly bench: 'files'; readonly loads: Readonly<Record<Load, Measured>> }

/**
 * Measure files beside nginx, which sends them with sendfile and keeps them open (open_file_cache): a short one, one of
 * middle length, a large one, and a range of that.
 *
 * wrk, and curl for the large one, share the other core with nobody; where they are the slower part, processor time is
 * what is compared.
 *
 * @throws {Error} when nginx, wrk or curl is missing, or one of them does not start
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const ground = await createGround('files', ['nginx', 'wrk', 'curl'])
  try {
    await writeFiles(ground)
    const ports = { portico: await freePort(), nginx: await freePort() }
    const portico = await startScript(ground, 'files-portico.ts', `${ports.portico}`, ground.folder)
    const cache = 'open_file_cache max=1000 inactive=20s; etag on;'
    const types = 'types { text/html html; } default_type application/octet-stream;'
    const server = `server { ${listenPlain(ports.nginx)} root ${ground.folder}; ${cache} }`
    const block = `sendfile on; tcp_nopush on; ${types} ${server}`
    const nginx = await startNginx(ground, SERVER_CORE, 'files', block)
    await Promise.all(Object.values(ports).map((port) => waitForPort(port)))
    const contenders = {
      portico: { port: ports.portico, peer: portico },
      nginx: { port: ports.nginx, peer: nginx },
    }
    const measured: [string, Measured][] = []
    for (const name of Object.keys(loads) as Load[]) {
      const figures = await compare(contenders, ROUNDS, (port) => load(ground, name, port))
      const rate = round(figures.portico.requestsPerSecond / figures.nginx.requestsPerSecond)
      const cpu = round(figures.nginx.cpuMicroseconds / figures.portico.cpuMicroseconds)
      measured.push([name, { ratios: { rate, cpu }, contenders: figures }])
    }
    print({ bench: 'files', loads: Object.fromEntries(measured) as FilesBench['loads'] }, json)
  } finally {
    await ground.leave()
  }
}

async function writeFiles({ folder }: Ground): Promise<void> {
  await writeFile(join(folder, '1k.html'), 'x'.repeat(1024))
  await writeFile(join(folder, '1m.bin'), Buffer.alloc(2 ** 20))
  // A hole takes no place on the disk.
  const file = await open(join(folder, '1g.bin'), 'w')
  await file.truncate(LARGE_OCTETS)
  await file.close()
  // Started by root, nginx reads as somebody else.
  await chmod(folder, 0o755)
}

async function load({ folder }: Ground, name: Load, port: number) {
  const { path, connections, range } = loads[name]
  if (name === '1 GiB') return runCurl(`http://127.0.0.1:${port}${path}`, LARGE_OCTETS)
  const script = join(folder, 'load.lua')
  const field = range === '' ? '' : `wrk.headers["Range"] = "${range}"`
  await writeFile(script, `wrk.path = "${path}"\n${field}\n`)
  return runWrk(port, { connections, seconds: SECONDS, script })
}

function print(result: FilesBench, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(result))
    return
  }
  for (const [name, { ratios, contenders }] of Object.entries(result.loads)) {
    console.log(`${name}: rate, ours / theirs ${ratios.rate}; processor time, theirs / ours ${ratios.cpu}`)
    console.table(contenders)
  }
}
