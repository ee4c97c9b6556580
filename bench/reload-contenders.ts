/** The proxies of the reload bench: each with the same hosts before the same origin, and its own way to reload. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { peer } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { startRunning } from '../test/running.ts'
import { type Ground, startPeer } from './ground.ts'
import { listenPlain, startNginx, writeNginx } from './nginx.ts'
import { runPinned, SERVER_CORE, waitForPort } from './peers.ts'

export type Reloading = {
  readonly port: number
  /** Write the file for these hosts, and have it read. May return before they are served. */
  reload(hosts: readonly string[]): Promise<void>
  stop(): Promise<void>
}

export type Setting = { readonly ground: Ground; readonly origin: number; readonly hosts: readonly string[] }

/** The whole of Portico, which reads its file again when it changes. */
export async function startPortico({ origin, hosts }: Setting): Promise<Reloading> {
  const domain = (names: readonly string[]): object => ({
    hosts: Object.fromEntries(
      names.map((name) => [name.replace('.example.com', ''), { service: origin, http: 'serve' }]),
    ),
  })
  const running = await startRunning(domain(hosts))
  await runPinned(SERVER_CORE, 'taskset', ['-acp', `${SERVER_CORE}`, `${running.child.pid}`])
  return {
    port: running.ports.http,
    reload: (names) => running.write(domain(names)),
    async stop() {
      await running.stop()
    },
  }
}

/** nginx with keep-alive to the origin; SIGHUP starts a worker with the new file, and the old one ends. */
export async function startNginxHosts({ ground, origin, hosts }: Setting): Promise<Reloading> {
  const port = await freePort()
  const block = (names: readonly string[]): string => `server_names_hash_max_size 8192;
  upstream origin { server 127.0.0.1:${origin}; keepalive 256; }
  server { listen 127.0.0.1:${port} default_server; return 404; }
  ${names.map((name) => server(port, name)).join('\n  ')}`
  const started = await startNginx(ground, SERVER_CORE, 'hosts', block(hosts))
  await waitForPort(port)
  return {
    port,
    async reload(names) {
      await writeNginx(ground, 'hosts', block(names))
      process.kill(started.pid, 'SIGHUP')
    },
    stop: () => started.stop(),
  }
}

function server(port: number, name: string): string {
  return `server { ${listenPlain(port)} server_name ${name}; location / {
    proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; } }`
}

/** Caddy, which takes a new file over its admin API. */
export async function startCaddy({ ground, origin, hosts }: Setting): Promise<Reloading> {
  const [port, admin] = [await freePort(), await freePort()]
  const text = (names: readonly string[]): string => `{
  admin 127.0.0.1:${admin}
  auto_https off
}
${names.map((name) => `http://${name}:${port} {\n  bind 127.0.0.1\n  reverse_proxy 127.0.0.1:${origin}\n}`).join('\n')}
`
  const file = join(ground.folder, 'Caddyfile')
  await writeFile(file, text(hosts))
  const command = ['GOMAXPROCS=1', `HOME=${ground.folder}`, peer('caddy')!]
  const started = await startPeer(ground, SERVER_CORE, 'env', ...command, 'run', '--config', file)
  await waitForPort(port, 20_000)
  return {
    port,
    async reload(names) {
      const headers = { 'Content-Type': 'text/caddyfile' }
      const request = { method: 'POST', headers, body: text(names) }
      const response = await fetch(`http://127.0.0.1:${admin}/load`, request)
      if (!response.ok) throw new Error(`Caddy did not reload: ${await response.text()}`)
    },
    stop: () => started.stop(),
  }
}
