import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { peer } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { type Ground, startScript } from './ground.ts'
import { startNginx } from './nginx.ts'
import { CLIENT_CORE, cpuSeconds, type Peer, pin, runPinned, SERVER_CORE, waitForPort } from './peers.ts'

/** A cache before the origin of these benches. */
export type CacheContender = { readonly port: number; readonly peer: Peer }

export type CacheName = 'portico' | 'nginx' | 'haproxy' | 'varnish'

/** Start the origin on the load generator's core. */
export async function startOrigin(ground: Ground): Promise<number> {
  const port = await freePort()
  const started = await pin(CLIENT_CORE, process.execPath, [
    join(import.meta.dirname, 'cache-origin.ts'),
    `${port}`,
  ])
  ground.peers.push(started)
  await waitForPort(port)
  return port
}

/** How often the origin was asked. */
export async function originRequests(port: number): Promise<number> {
  return Number(await (await fetch(`http://127.0.0.1:${port}/count`)).text())
}

/**
 * Start caches, each with one worker on one core and 512 MiB.
 *
 * @param names those that are there; HAProxy and Varnish are left out where they are not installed
 * @param mode `h2`: with prior knowledge, Portico and nginx only. `disk`: Portico has a disk tier too, as nginx has anyway;
 *   `large disk`: what is large lies there alone
 */
export async function startCaches(
  ground: Ground,
  origin: number,
  names: readonly CacheName[],
  mode: CacheMode = 'memory',
): Promise<Partial<Record<CacheName, CacheContender>>> {
  const started: Partial<Record<CacheName, CacheContender>> = {}
  for (const name of names) {
    const port = await freePort()
    const one = await START[name](ground, port, origin, mode)
    if (one === null) continue
    started[name] = { port, peer: one }
    await waitForPort(port)
  }
  return started
}

export type CacheMode = 'memory' | 'disk' | 'large disk' | 'h2'

type Start = (ground: Ground, port: number, origin: number, mode: CacheMode) => Promise<Peer | null>

const START: Readonly<Record<CacheName, Start>> = {
  portico: (ground, port, origin, mode) =>
    startScript(
      ground,
      'cache-portico.ts',
      `${port}`,
      `${origin}`,
      mode,
      join(ground.folder, `disk-${port}`),
    ),
  async nginx(ground, port, origin, mode) {
    // Where the workers of nginx, which are somebody else, can write.
    const folder = join(ground.folder, `nginx-${port}`)
    await mkdir(folder)
    await chmod(folder, 0o777)
    await chmod(ground.folder, 0o755)
    return startNginx(
      ground,
      SERVER_CORE,
      `cache-${port}`,
      `sendfile on;
  proxy_cache_path ${folder} levels=1:2 keys_zone=bench:64m max_size=2g use_temp_path=off;
  server {
    listen 127.0.0.1:${port}${mode === 'h2' ? ' http2' : ''};
    location / { proxy_cache bench; proxy_cache_lock on; proxy_pass http://127.0.0.1:${origin}; add_header Via "1.1 nginx"; }
  }`,
    )
  },
  async haproxy(ground, port, origin) {
    const haproxy = peer('haproxy')
    if (haproxy === undefined) return null
    const file = join(ground.folder, 'haproxy.cfg')
    const text = `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
cache bench
  total-max-size 512
  max-object-size 200000000
  max-age 3600
frontend front
  bind 127.0.0.1:${port}
  http-request cache-use bench
  http-response cache-store bench
  default_backend origin
backend origin
  server one 127.0.0.1:${origin}
`
    await writeFile(file, text)
    return keep(ground, await pin(SERVER_CORE, haproxy, ['-f', file, '-db']))
  },
  async varnish(ground, port, origin) {
    const varnish = peer('varnishd')
    if (varnish === undefined) return null
    const words = [
      '-F',
      '-n',
      join(ground.folder, 'varnish'),
      '-a',
      `127.0.0.1:${port}`,
      '-b',
      `127.0.0.1:${origin}`,
    ]
    return keep(
      ground,
      await pin(SERVER_CORE, varnish, [...words, '-s', 'malloc,512m', '-t', '3600', '-j', 'none']),
    )
  },
}

function keep(ground: Ground, started: Peer): Peer {
  ground.peers.push(started)
  return started
}

export type CacheFigures = { readonly requestsPerSecond: number; readonly cpuMicroseconds: number }

/**
 * Load one cache with wrk.
 *
 * @param seconds at most; a script may end it before
 * @param words for the script
 */
export async function loadHttp1(
  { port, peer: server }: CacheContender,
  {
    target,
    seconds,
    script,
    words = [],
  }: {
    readonly target: string
    readonly seconds: number
    readonly script?: string
    readonly words?: readonly string[]
  },
): Promise<CacheFigures> {
  const before = cpuSeconds(server.pid)
  const lua = script === undefined ? [] : ['-s', script]
  const url = `http://127.0.0.1:${port}${target}`
  const output = await runPinned(CLIENT_CORE, peer('wrk')!, [
    '-t1',
    '-c64',
    `-d${seconds}`,
    ...lua,
    url,
    '--',
    ...words,
  ])
  const [, requests, took] = (/(\d+) requests in ([\d.]+)s/.exec(output) ?? []).map(Number)
  if (!(requests! > 0) || /Non-2xx|Socket errors/.test(output))
    throw new Error(`wrk gave no usable figure:\n${output}`)
  return {
    requestsPerSecond: requests! / took!,
    cpuMicroseconds: ((cpuSeconds(server.pid) - before) * 1e6) / requests!,
  }
}

/** Load one cache with h2load: 16 streams on each of 16 connections, HTTP/2 with prior knowledge. */
export async function loadHttp2(
  { port, peer: server }: CacheContender,
  target: string,
  requests: number,
): Promise<CacheFigures> {
  const before = cpuSeconds(server.pid)
  const words = ['-n', `${requests}`, '-c', '16', '-m', '16', `http://127.0.0.1:${port}${target}`]
  const output = await runPinned(CLIENT_CORE, peer('h2load')!, words)
  const rate = Number(/finished in [^,]+, ([\d.]+) req\/s/.exec(output)?.[1])
  if (!(rate > 0) || !output.includes(`status codes: ${requests} 2xx`))
    throw new Error(`h2load gave no usable figure:\n${output}`)
  return { requestsPerSecond: rate, cpuMicroseconds: ((cpuSeconds(server.pid) - before) * 1e6) / requests }
}
