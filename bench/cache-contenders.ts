import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { peer } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import type { Contender } from './compare.ts'
import { type Ground, startPeer, startScript } from './ground.ts'
import { startHaproxy } from './haproxy.ts'
import { startNginx } from './nginx.ts'
import { CLIENT_CORE, type Peer, SERVER_CORE, waitForPort } from './peers.ts'

export type CacheName = 'portico' | 'nginx' | 'haproxy' | 'varnish'

/** Start the origin on the load generator's core. */
export async function startOrigin(ground: Ground): Promise<number> {
  const port = await freePort()
  const script = join(import.meta.dirname, 'cache-origin.ts')
  await startPeer(ground, CLIENT_CORE, process.execPath, script, `${port}`)
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
): Promise<Record<string, Contender>> {
  const started: Record<string, Contender> = {}
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
    if (peer('haproxy') === undefined) return null
    const sections = `cache bench
  total-max-size 512
  max-object-size 200000000
  max-age 3600`
    const frontend = `  http-request cache-use bench
  http-response cache-store bench`
    return startHaproxy(ground, { port, origin }, { sections, frontend })
  },
  async varnish(ground, port, origin) {
    const varnish = peer('varnishd')
    if (varnish === undefined) return null
    const listens = [
      '-n',
      join(ground.folder, 'varnish'),
      '-a',
      `127.0.0.1:${port}`,
      '-b',
      `127.0.0.1:${origin}`,
    ]
    const keeps = ['-s', 'malloc,512m', '-t', '3600', '-j', 'none']
    return startPeer(ground, SERVER_CORE, varnish, '-F', ...listens, ...keeps)
  },
}
