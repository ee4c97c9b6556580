import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { peer } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { cpuSeconds, interleave, median, type Peer, pin, runPinned, waitForPort } from './peers.ts'

// The origin and the load generator share a core: together they can do more than any of the contenders.
const PROXY_CORE = 0
const CLIENT_CORE = 1
const ROUNDS = 5
const SECONDS = 2
const CONNECTIONS = 64
const CONTENT_OCTETS = 1024

const CONTENDERS = ['portico', 'nginx', 'haproxy'] as const
type Contender = (typeof CONTENDERS)[number]

type Figures = {
  readonly requestsPerSecond: number
  /** processor time of the proxy for a request, in user and kernel mode */
  readonly cpuMicroseconds: number
}

export type ProxyBench = {
  readonly bench: 'proxy'
  /** ours / theirs, requests per second, when clients send the same head again and again */
  readonly ratios: Ratios
  readonly contenders: Readonly<Record<Contender, Figures>>
  /** the same when every request has a target and a field of its own */
  readonly varied: { readonly ratios: Ratios; readonly contenders: Readonly<Record<Contender, Figures>> }
}

type Ratios = { readonly nginx: number; readonly haproxy: number }

/**
 * Measure Portico beside nginx and HAProxy as reverse proxies: 1 KiB from a local origin, keep-alive on both sides,
 * 64 connections, one worker on one core each.
 *
 * Portico reads and writes a head that comes again only once (`http/wire/last-head.ts`), so it is measured with equal
 * heads and with varied ones.
 *
 * @throws {Error} when nginx, HAProxy or wrk is missing, or one of them does not start
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const [nginx, haproxy, wrk] = [peer('nginx'), peer('haproxy'), peer('wrk')]
  if (nginx === undefined || haproxy === undefined || wrk === undefined) {
    throw new Error(
      'The proxy bench needs nginx, haproxy and wrk. Fix: apt-get install nginx-light haproxy wrk',
    )
  }
  const folder = await mkdtemp(join(tmpdir(), 'portico-bench-'))
  const origin = await freePort()
  const ports = { portico: await freePort(), nginx: await freePort(), haproxy: await freePort() }
  const peers: Peer[] = []
  try {
    peers.push(await startNginx(CLIENT_CORE, nginx, folder, 'origin', originConfig(origin)))
    const proxies = {
      portico: await startPortico(ports.portico, origin),
      nginx: await startNginx(PROXY_CORE, nginx, folder, 'proxy', nginxConfig(ports.nginx, origin)),
      haproxy: await startHaproxy(haproxy, folder, ports.haproxy, origin),
    }
    peers.push(...Object.values(proxies))
    await Promise.all([origin, ...Object.values(ports)].map((port) => waitForPort(port)))
    const script = join(folder, 'varied.lua')
    await writeFile(script, VARIED)
    const same = summarize(await measure(wrk, [], ports, proxies))
    const varied = summarize(await measure(wrk, ['-s', script], ports, proxies))
    print({ bench: 'proxy', ...same, varied }, json)
  } finally {
    await Promise.all(peers.map((one) => one.stop()))
    await rm(folder, { recursive: true })
  }
}

/** A target and a field of its own for every request. */
const VARIED = `local n = 0
request = function()
  n = n + 1
  return wrk.format("GET", "/item/" .. n .. "?q=" .. (n % 977), { ["X-Request"] = tostring(n) })
end
`

function summarize(contenders: Readonly<Record<Contender, Figures>>) {
  const ratioTo = (name: Contender): number =>
    Number((contenders.portico.requestsPerSecond / contenders[name].requestsPerSecond).toFixed(3))
  return { ratios: { nginx: ratioTo('nginx'), haproxy: ratioTo('haproxy') }, contenders }
}

async function measure(
  wrk: string,
  script: readonly string[],
  ports: Readonly<Record<Contender, number>>,
  proxies: Readonly<Record<Contender, Peer>>,
): Promise<Record<Contender, Figures>> {
  const cpu: Record<Contender, number[]> = { portico: [], nginx: [], haproxy: [] }
  const load = async (name: Contender): Promise<number> => {
    const args = ['-t1', `-c${CONNECTIONS}`, `-d${SECONDS}`, ...script, `http://127.0.0.1:${ports[name]}/`]
    const before = cpuSeconds(proxies[name].pid)
    const output = await runPinned(CLIENT_CORE, wrk, args)
    const requests = Number(/(\d+) requests in/.exec(output)?.[1])
    if (!(requests > 0) || /Non-2xx|Socket errors/.test(output)) {
      throw new Error(`wrk gave no usable figure for ${name}:\n${output}`)
    }
    cpu[name].push(((cpuSeconds(proxies[name].pid) - before) * 1e6) / requests)
    return requests / SECONDS
  }
  // The first seconds are the compiler's.
  for (const name of CONTENDERS) await load(name)
  const runs = await interleave(CONTENDERS, ROUNDS, load)
  const figures = (name: Contender): Figures => ({
    requestsPerSecond: Math.round(median(runs[name])),
    cpuMicroseconds: Number(median(cpu[name]).toFixed(1)),
  })
  return { portico: figures('portico'), nginx: figures('nginx'), haproxy: figures('haproxy') }
}

function startPortico(port: number, origin: number): Promise<Peer> {
  return pin(PROXY_CORE, process.execPath, [
    join(import.meta.dirname, 'proxy-portico.ts'),
    `${port}`,
    `${origin}`,
  ])
}

/** An nginx with this `http` block on one core. */
export async function startNginx(
  core: number,
  nginx: string,
  folder: string,
  name: string,
  http: string,
): Promise<Peer> {
  const file = join(folder, `${name}.conf`)
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${join(folder, `${name}-${kind}`)};`)
    .join('\n  ')
  await writeFile(
    file,
    `daemon off;
worker_processes 1;
pid ${join(folder, `${name}.pid`)};
error_log ${join(folder, `${name}.log`)} crit;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  ${paths}
  ${http}
}
`,
  )
  return pin(core, nginx, ['-c', file, '-e', join(folder, `${name}.log`)])
}

/** 1 KiB for every request. */
export function originConfig(port: number): string {
  return `server { listen 127.0.0.1:${port}; location / { return 200 "${'x'.repeat(CONTENT_OCTETS)}"; } }`
}

/** The same duties as ours: who asked, and keep-alive on both sides. */
function nginxConfig(port: number, origin: number): string {
  return `upstream origin { server 127.0.0.1:${origin}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header Forwarded "for=$remote_addr;host=$host;proto=$scheme";
      proxy_set_header Via "1.1 nginx";
      add_header Via "1.1 nginx";
    }
  }`
}

async function startHaproxy(haproxy: string, folder: string, port: number, origin: number): Promise<Peer> {
  const file = join(folder, 'haproxy.cfg')
  await writeFile(
    file,
    `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option http-keep-alive
  http-reuse always
frontend front
  bind 127.0.0.1:${port}
  default_backend origin
backend origin
  option forwardfor
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Proto http
  http-request set-header Forwarded for=%[src];host=%[req.hdr(host)];proto=http
  http-request add-header Via "1.1 haproxy"
  http-response add-header Via "1.1 haproxy"
  server one 127.0.0.1:${origin}
`,
  )
  return pin(PROXY_CORE, haproxy, ['-f', file, '-db'])
}

function print(result: ProxyBench, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(result))
    return
  }
  console.log('Reverse proxy, 1 KiB over keep-alive connections, one core for the proxy')
  for (const [what, { ratios, contenders }] of [
    ['equal heads', result],
    ['varied heads', result.varied],
  ] as const) {
    console.table(contenders)
    console.log(
      `${what}, requests per second, ours / theirs: nginx ${ratios.nginx}, HAProxy ${ratios.haproxy}`,
    )
  }
}
