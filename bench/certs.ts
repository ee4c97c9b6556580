import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { silent } from '#core/log.ts'
import { createDnsServer } from '#dns/server.ts'
import { compileZones } from '#dns/zone.ts'
import { choosePorts, handshake, type Ports, preparePortico } from '../test/acme-portico.ts'
import { type Pebble, startPebble, writeServerCertificate } from '../test/pebble.ts'
import { peer, run as runCommand } from '../test/peers.ts'
import { checkText, fileText } from '../test/planted/planted.ts'
import { freePort } from '../test/ports.ts'
import { cpuSeconds, interleave, median, type Peer, pin, runPinned, waitForPort } from './peers.ts'

const ROOT = join(import.meta.dirname, '..')
const PACKAGE = join(ROOT, 'dist/main.js')
const SERVER_CORE = 0
const CLIENT_CORE = 1
const STARTS = 3
const ROUNDS = 3
const SECONDS = 2

const HANDSHAKERS = ['portico', 'nginx'] as const
type Handshaker = (typeof HANDSHAKERS)[number]
type PerSecond = Readonly<Record<Handshaker, number>>

export type CertsBench = {
  readonly bench: 'certs'
  /** seconds from the start of the process with no state to a handshake with a certificate of the authority */
  readonly firstCertificate: { readonly porticoWildcard: number; readonly caddySingleName: number | null }
  /** handshakes for one second of the server's processor time; `ratio` is ours / nginx's */
  readonly full: PerSecond & { readonly ratio: number }
  readonly resumed: PerSecond & { readonly ratio: number }
}

/**
 * Measure how long a public certificate takes from nothing (pebble without its sleeps), beside Caddy with http-01,
 * which cannot have a wildcard without the password of a DNS provider; and what handshakes cost beside nginx.
 *
 * @throws {Error} when pebble, nginx or openssl is missing, or one of them does not start
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const [pebble, caddy, nginx, openssl] = [peer('pebble'), peer('caddy'), peer('nginx'), peer('openssl')]
  if (pebble === undefined || nginx === undefined || openssl === undefined) {
    throw new Error(
      'The certs bench needs pebble, nginx and openssl. Fix: apt-get install pebble nginx-light openssl',
    )
  }
  await buildPackage()
  const porticoRuns: number[] = []
  const caddyRuns: number[] = []
  for (let start = 0; start < STARTS; start++) {
    porticoRuns.push(await inFolder((folder) => timePortico(folder, pebble)))
    if (caddy !== undefined) caddyRuns.push(await inFolder((folder) => timeCaddy(folder, pebble, caddy)))
  }
  const { full, resumed } = await inFolder((folder) => timeHandshakes(folder, nginx, openssl))
  const firstCertificate = {
    porticoWildcard: median(porticoRuns),
    caddySingleName: caddyRuns.length === 0 ? null : median(caddyRuns),
  }
  print({ bench: 'certs', firstCertificate, full, resumed }, json)
}

/** What people install: without types to strip at each start. */
async function buildPackage(): Promise<void> {
  const { code, stderr } = await runCommand(process.execPath, [join(ROOT, 'scripts/build.ts')], {
    cwd: ROOT,
    timeoutMs: 120_000,
  })
  if (code !== 0) throw new Error(`The package cannot be built:\n${stderr}`)
}

async function inFolder<Value>(work: (folder: string) => Promise<Value>): Promise<Value> {
  const folder = await mkdtemp(join(tmpdir(), 'portico-bench-'))
  return work(folder).finally(() => rm(folder, { recursive: true, force: true }))
}

async function timePortico(folder: string, pebble: string): Promise<number> {
  const ports = await choosePorts()
  const authority = await startPebble({ pebble, folder, dnsPort: ports.dns, env: CALM })
  const portico = await preparePortico(folder, ports, {
    program: PACKAGE,
    hosts: { '@': { respond: 'apex' }, '*': { respond: 'any' } },
    certificates: { issuer: { acme: authority.directory, root: authority.root } },
  })
  const began = performance.now()
  portico.start()
  const seconds = await untilIssued(ports.https, 'any.example.test', began)
  await portico.stop()
  await authority.stop()
  return seconds
}

const CALM = { PEBBLE_WFE_NONCEREJECT: '0' }

async function timeCaddy(folder: string, pebble: string, caddy: string): Promise<number> {
  const ports = await choosePorts()
  const names = await serveNames(ports)
  const options = {
    pebble,
    folder,
    dnsPort: ports.dns,
    httpPort: ports.http,
    tlsPort: ports.https,
    env: CALM,
  }
  const authority = await startPebble(options)
  await writeFile(join(folder, 'Caddyfile'), caddyfile(folder, ports, authority))
  const began = performance.now()
  const server = await pin(SERVER_CORE, caddy, ['run', '--config', join(folder, 'Caddyfile')])
  const seconds = await untilIssued(ports.https, 'www.example.test', began)
  await server.stop()
  await authority.stop()
  await names.close()
  return seconds
}

/** A name server that says where the name is, as a DNS provider would. */
async function serveNames(ports: Ports): Promise<{ close(): Promise<void> }> {
  const text = fileText({ hosts: '"www": { "respond": "x" }' }).replace('203.0.113.10', '127.0.0.1')
  const { dns } = checkText(text.replaceAll('example.com', 'example.test')).plan!
  const server = createDnsServer({
    zones: compileZones(dns.zones, new Map()),
    limits: dns.limits,
    log: silent,
  })
  await server.listen('127.0.0.1', ports.dns)
  return server
}

function caddyfile(folder: string, ports: Ports, { directory, root }: Pebble): string {
  return `{
  admin off
  http_port ${ports.http}
  https_port ${ports.https}
  acme_ca ${directory}
  acme_ca_root ${root}
  storage file_system ${join(folder, 'caddy')}
}
www.example.test {
  respond "www"
}
`
}

async function untilIssued(port: number, name: string, began: number): Promise<number> {
  for (const deadline = began + 60_000; performance.now() < deadline; await sleep(10)) {
    const issuer = await handshake(port, name).then(
      ({ peer: certificate }) => String(certificate.issuer.CN),
      () => '',
    )
    if (issuer.startsWith('Pebble')) return Number(((performance.now() - began) / 1000).toFixed(2))
  }
  throw new Error(`No certificate for ${name} within 60 s`)
}

async function timeHandshakes(
  folder: string,
  nginx: string,
  openssl: string,
): Promise<Pick<CertsBench, 'full' | 'resumed'>> {
  const ports = { portico: await freePort(), nginx: await freePort() }
  const place = join(folder, 'certificate')
  await mkdir(place)
  await writeServerCertificate(place)
  const servers = {
    portico: await startPortico(folder, place, ports.portico),
    nginx: await startNginx(folder, place, nginx, ports.nginx),
  }
  try {
    for (const port of Object.values(ports)) await waitForPort(port, 10_000)
    const measure = async (how: '-new' | '-reuse'): Promise<PerSecond & { ratio: number }> => {
      const rate = (name: Handshaker) => handshakeRate(openssl, how, ports[name], servers[name])
      for (const name of HANDSHAKERS) await rate(name)
      const runs = await interleave(HANDSHAKERS, ROUNDS, rate)
      const [ours, theirs] = [Math.round(median(runs.portico)), Math.round(median(runs.nginx))]
      return { portico: ours, nginx: theirs, ratio: Number((ours / theirs).toFixed(3)) }
    }
    return { full: await measure('-new'), resumed: await measure('-reuse') }
  } finally {
    await Promise.all(Object.values(servers).map((server) => server.stop()))
  }
}

/** TLS 1.2, because openssl does not read the tickets of 1.3; the client is slower than a server, so its time counts. */
async function handshakeRate(openssl: string, how: string, port: number, { pid }: Peer): Promise<number> {
  const words = ['s_time', '-connect', `127.0.0.1:${port}`, how, '-tls1_2', '-time', `${SECONDS}`]
  const before = cpuSeconds(pid)
  const output = await runPinned(CLIENT_CORE, openssl, words)
  const count = Number(/(\d+) connections in \d+ real seconds/.exec(output)?.[1])
  if (!(count > 0)) throw new Error(`openssl s_time gave no figure:\n${output}`)
  return count / (cpuSeconds(pid) - before)
}

async function startPortico(folder: string, place: string, https: number): Promise<Peer> {
  const file = join(folder, 'portico.jsonc')
  const files = [{ cert: join(place, 'server.pem'), key: join(place, 'server.key') }]
  const listen = { dns: 'off', http: 'off', https: `127.0.0.1:${https}`, admin: 'off' }
  const domains = { localhost: { hosts: { '@': { respond: 'x' } } } }
  await writeFile(file, JSON.stringify({ address: ['127.0.0.1'], listen, domains, certificates: { files } }))
  return pin(SERVER_CORE, process.execPath, [PACKAGE, 'up', '--config', file])
}

async function startNginx(folder: string, place: string, nginx: string, port: number): Promise<Peer> {
  const file = join(folder, 'nginx.conf')
  const text = `daemon off; worker_processes 1; pid ${join(folder, 'nginx.pid')};
events { worker_connections 1024; }
http {
  access_log off;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_tickets on;
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${join(place, 'server.pem')};
    ssl_certificate_key ${join(place, 'server.key')};
    location / { return 200 "x"; }
  }
}
`
  await writeFile(file, text)
  return pin(SERVER_CORE, nginx, ['-c', file, '-e', join(folder, 'nginx.log')])
}

function print(result: CertsBench, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(result))
    return
  }
  const { firstCertificate, full, resumed } = result
  const { porticoWildcard, caddySingleName } = firstCertificate
  console.log(`First certificate from nothing: Portico ${porticoWildcard} s (wildcard, dns-01)`)
  if (caddySingleName !== null)
    console.log(`                                Caddy   ${caddySingleName} s (one name, http-01)`)
  for (const [what, { portico, nginx, ratio }] of Object.entries({ full, resumed })) {
    console.log(
      `Handshakes, ${what}: Portico ${portico}, nginx ${nginx} a second of processor time (${ratio})`,
    )
  }
}
