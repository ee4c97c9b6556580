import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { peer } from '../test/peers.ts'
import { cpuSeconds, interleave, median, type Peer, pin, runPinned } from './peers.ts'

// The load generator, and the origin of a proxy, share the other core.
export const SERVER_CORE = 0
export const CLIENT_CORE = 1
const ROUNDS = 7
const CONNECTIONS = 16
const STREAMS = 16

export type Figures = {
  readonly requestsPerSecond: number
  /** processor time of the server for a request, in user and kernel mode */
  readonly cpuMicroseconds: number
}

/** What the benches of HTTP/2 work with: one folder, and one certificate for all. */
export type Ground = {
  readonly folder: string
  readonly certificate: string
  readonly key: string
  readonly nginx: string
  /** stopped by `leave` */
  readonly peers: Peer[]
  leave(): Promise<void>
}

/** @throws {Error} when nginx, h2load or openssl is missing */
export async function createGround(): Promise<Ground> {
  const [nginx, openssl] = [peer('nginx'), peer('openssl')]
  if (nginx === undefined || openssl === undefined || peer('h2load') === undefined) {
    throw new Error(
      'The h2 benches need nginx, h2load and openssl. Fix: apt-get install nginx-light nghttp2-client openssl',
    )
  }
  const folder = await mkdtemp(join(tmpdir(), 'portico-bench-'))
  const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const selfSigned = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  await runPinned(CLIENT_CORE, openssl, [
    'req',
    ...selfSigned,
    ...['-subj', '/CN=localhost', '-keyout', key, '-out', certificate],
  ])
  const peers: Peer[] = []
  return {
    folder,
    certificate,
    key,
    nginx,
    peers,
    async leave() {
      await Promise.all(peers.map((one) => one.stop()))
      await rm(folder, { recursive: true })
    },
  }
}

/** Start nginx with one worker and what stands in its http block. */
export async function startNginx(ground: Ground, core: number, name: string, block: string): Promise<Peer> {
  const { folder } = ground
  const file = join(folder, `${name}.conf`)
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${join(folder, `${name}-${kind}`)};`)
    .join('\n  ')
  const text = `daemon off;
worker_processes 1;
pid ${join(folder, `${name}.pid`)};
error_log ${join(folder, `${name}.log`)} crit;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  ${paths}
  ${block}
}
`
  await writeFile(file, text)
  const started = await pin(core, ground.nginx, ['-c', file, '-e', join(folder, `${name}.log`)])
  ground.peers.push(started)
  return started
}

/** Start a program of this folder under this Node, on the server's core. */
export async function startScript(ground: Ground, name: string, ...words: string[]): Promise<Peer> {
  const started = await pin(SERVER_CORE, process.execPath, [join(import.meta.dirname, name), ...words])
  ground.peers.push(started)
  return started
}

/** The nginx directives for HTTP/2 over TLS on a port. */
export function listenDirectives(port: number, { certificate, key }: Ground): string {
  return `listen 127.0.0.1:${port} ssl http2; ssl_certificate ${certificate}; ssl_certificate_key ${key};`
}

/**
 * Measure in turns: 16 streams on each of 16 connections, over TLS.
 *
 * @param requests of one round
 */
export async function measure<Name extends string>(
  contenders: Readonly<Record<Name, { readonly port: number; readonly peer: Peer }>>,
  requests: number,
): Promise<Record<Name, Figures>> {
  const names = Object.keys(contenders) as Name[]
  const cpu = new Map<Name, number[]>(names.map((name) => [name, []]))
  const load = async (name: Name): Promise<number> => {
    const { port, peer: server } = contenders[name]
    const before = cpuSeconds(server.pid)
    const args = [
      '-n',
      `${requests}`,
      '-c',
      `${CONNECTIONS}`,
      '-m',
      `${STREAMS}`,
      `https://127.0.0.1:${port}/`,
    ]
    const output = await runPinned(CLIENT_CORE, peer('h2load')!, args)
    const rate = Number(/finished in [^,]+, ([\d.]+) req\/s/.exec(output)?.[1])
    if (!(rate > 0) || !output.includes(`status codes: ${requests} 2xx`)) {
      throw new Error(`h2load gave no usable figure for ${name}:\n${output}`)
    }
    cpu.get(name)!.push(((cpuSeconds(server.pid) - before) * 1e6) / requests)
    return rate
  }
  // The first seconds are the compiler's.
  for (const name of names) await load(name)
  for (const figures of cpu.values()) figures.length = 0
  const runs = await interleave(names, ROUNDS, load)
  const figures = names.map((name): [Name, Figures] => [
    name,
    {
      requestsPerSecond: Math.round(median(runs[name])),
      cpuMicroseconds: Number(median(cpu.get(name)!).toFixed(2)),
    },
  ])
  return Object.fromEntries(figures) as Record<Name, Figures>
}

/** Ours / theirs, requests per second. */
export function ratio(ours: Figures, theirs: Figures): number {
  return Number((ours.requestsPerSecond / theirs.requestsPerSecond).toFixed(3))
}
