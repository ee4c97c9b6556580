import { chmod, open } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { peer } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { round } from './compare.ts'
import { createGround, type Ground, startPeer, startScript } from './ground.ts'
import { runCurl } from './loads.ts'
import { listenPlain, proxyBlock, startNginx } from './nginx.ts'
import { CLIENT_CORE, residentOctets, SERVER_CORE, waitForPort } from './peers.ts'

const READERS = 1000
const CONTENT_OCTETS = 2 ** 30
/** Each reader takes a little from time to time: so long are they watched. */
const WATCH_MS = 5000
const SIP_MS = 500

type Cost = {
  /** resident memory of the server for each reader at its most and at the end, in KiB of 1024 octets */
  readonly mostKib: number
  readonly endKib: number
  /** one quick client beside them, and the same client alone, in MiB a second */
  readonly besideMib: number
  readonly aloneMib: number
}

type Contender =
  | 'portico files'
  | 'nginx files'
  | 'portico proxy'
  | 'nginx proxy'
  | 'portico cache'
  | 'varnish'

export type SlowReadersBench = {
  readonly bench: 'slow-readers'
  readonly readers: number
  /** without those of others that did not serve all */
  readonly costs: Readonly<Partial<Record<Contender, Cost>>>
}

/**
 * Measure what 1 000 clients cost that hardly read a response of 1 GiB, and whether they slow a quick one: from a file
 * beside nginx, from an origin beside nginx (which buffers in memory, no file), and from the cache beside Varnish; ours has it
 * on disk.
 *
 * @throws {Error} when nginx, varnishd or curl is missing, or one of them does not start
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const ground = await createGround('slow-readers', ['nginx', 'varnishd', 'curl'])
  try {
    const ports = await startAll(ground)
    const costs: [string, Cost][] = []
    for (const [name, { port, pid }] of Object.entries(ports)) {
      const measured = await cost(port, pid).catch((cause: unknown) => {
        const failure = new Error(`${name} did not serve all readers`, { cause })
        if (name.startsWith('portico')) throw failure
        console.error(failure)
      })
      if (measured !== undefined) costs.push([name, measured])
    }
    print({ bench: 'slow-readers', readers: READERS, costs: Object.fromEntries(costs) as never }, json)
  } finally {
    await ground.leave()
  }
}

type Started = { readonly port: number; readonly pid: number }

async function startAll(ground: Ground): Promise<Record<Contender, Started>> {
  const { folder } = ground
  const file = await open(join(folder, 'large'), 'w')
  await file.truncate(CONTENT_OCTETS)
  await file.close()
  // Started by root, nginx reads as somebody else.
  await chmod(folder, 0o755)
  const ports = await Promise.all(Array.from({ length: 7 }, () => freePort()))
  const [origin = 0, ours = 0, theirs = 0, ourProxy = 0, theirProxy = 0, cache = 0, varnish = 0] = ports
  const root = (port: number): string => `sendfile on; server { ${listenPlain(port)} root ${folder}; }`
  await startNginx(ground, CLIENT_CORE, 'origin', root(origin))
  const buffers = 'proxy_max_temp_file_size 0; proxy_buffers 16 64k; proxy_busy_buffers_size 512k;'
  const peers = [
    await startScript(ground, 'files-portico.ts', `${ours}`, folder),
    await startNginx(ground, SERVER_CORE, 'files', root(theirs)),
    await startScript(ground, 'proxy-portico.ts', `${ourProxy}`, `${origin}`),
    await startNginx(ground, SERVER_CORE, 'proxy', proxyBlock(listenPlain(theirProxy), origin, buffers)),
    await startScript(
      ground,
      'cache-portico.ts',
      `${cache}`,
      `${origin}`,
      'large disk',
      join(folder, 'disk'),
    ),
    await startPeer(ground, SERVER_CORE, peer('varnishd')!, ...varnishWords(folder, varnish, origin)),
  ]
  await Promise.all(ports.map((port) => waitForPort(port)))
  const started = [ours, theirs, ourProxy, theirProxy, cache, varnish].map((port, i) => ({
    port,
    pid: peers[i]!.pid,
  }))
  const names: Contender[] = [
    'portico files',
    'nginx files',
    'portico proxy',
    'nginx proxy',
    'portico cache',
    'varnish',
  ]
  return Object.fromEntries(names.map((name, i) => [name, started[i]!])) as Record<Contender, Started>
}

function varnishWords(folder: string, port: number, origin: number): string[] {
  const words = ['-F', '-a', `127.0.0.1:${port}`, '-b', `127.0.0.1:${origin}`, '-n', join(folder, 'varnish')]
  // A thread for each reader.
  const threads = ['-p', 'thread_pool_max=2000', '-p', 'thread_pools=1', '-p', 'thread_pool_min=100']
  return [...words, '-s', 'malloc,2g', ...threads]
}

async function cost(port: number, pid: number): Promise<Cost> {
  const url = `http://127.0.0.1:${port}/large`
  // Also fills the cache of one that has one.
  await runCurl(url, CONTENT_OCTETS)
  const alone = await runCurl(url, CONTENT_OCTETS)
  const before = residentOctets(pid)
  const each = (octets: number): number => round((octets - before) / READERS / 1024)
  const readers = await Promise.all(Array.from({ length: READERS }, () => askSlowly(port)))
  const sipping = setInterval(() => sip(readers), SIP_MS)
  try {
    let most = 0
    const until = performance.now() + WATCH_MS
    while (performance.now() < until) {
      most = Math.max(most, residentOctets(pid))
      await pause(100)
    }
    const end = residentOctets(pid)
    const beside = await runCurl(url, CONTENT_OCTETS)
    const gone = readers.filter(({ closed }) => closed).length
    if (gone > 0) throw new Error(`${gone} of ${READERS} readers at port ${port} were closed`)
    const rate = ({ seconds }: { seconds: number }): number => round(CONTENT_OCTETS / 2 ** 20 / seconds)
    return { mostKib: each(most), endKib: each(end), besideMib: rate(beside), aloneMib: rate(alone) }
  } finally {
    clearInterval(sipping)
    // A reset frees what the kernel holds for them on both sides at once: what is left over weighs on the next contender.
    for (const reader of readers) reader.resetAndDestroy()
    await pause(3000)
  }
}

/** A client that asks, and waits for the head only. */
async function askSlowly(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write('GET /large HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  await new Promise<void>((resolve) => socket.once('readable', resolve).once('close', resolve))
  const head: unknown = socket.read()
  if (!String(head).startsWith('HTTP/1.1 200')) throw new Error(`No answer from port ${port}: ${head}`)
  return socket
}

/** In paused mode a socket reads on when what it holds was taken. */
function sip(readers: readonly Socket[]): void {
  for (const reader of readers) reader.read()
}

function print(result: SlowReadersBench, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(result))
    return
  }
  console.log(`${result.readers} slow readers of 1 GiB`)
  console.table(result.costs)
}
