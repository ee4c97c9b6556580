import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { until } from '../test/running.ts'

/** The secret of `transfer`, the key that all sides share, by hmac-sha256. */
export const SECRET = 'c2VjcmV0IG9mIGEgdGVzdCB0aGF0IG5vYm9keSBrZWVwcw=='

/** A name server of other people, on loopback. */
export type NameServer = {
  readonly port: number
  readonly folder: string
  /** what it has printed */
  output(): string
  stop(): Promise<void>
}

export type NameServerConfig = {
  /** files beside its own, by name */
  readonly files?: Readonly<Record<string, string>>
  /** port of Portico */
  readonly peerPort: number
  /** given before, because the other side must know it */
  readonly port?: number
}

/** Start knotd; `zones` and `templates` are parts of its configuration, FOLDER in them its folder. */
export async function startKnot(
  knotd: string,
  { files = {}, peerPort, port: given, ...parts }: NameServerConfig & { zones: string; templates?: string },
): Promise<NameServer> {
  const port = given ?? (await freePort())
  return start(port, files, (folder) => ({
    command: knotd,
    args: ['-c', join(folder, 'knot.conf')],
    config: [
      'knot.conf',
      `server:
  listen: 127.0.0.1@${port}
  rundir: ${folder}
  tcp-workers: 1
  udp-workers: 1
  background-workers: 1
database:
  storage: ${folder}
log:
  - target: stderr
    any: info
key:
  - id: transfer
    algorithm: hmac-sha256
    secret: ${SECRET}
remote:
  - id: portico
    address: 127.0.0.1@${peerPort}
    key: transfer
acl:
  - id: peer
    address: 127.0.0.1
    key: transfer
    action: [notify, transfer, update]
template:
  - id: default
    storage: ${folder}
    zonefile-sync: -1
${(parts.templates ?? '').replaceAll('FOLDER', folder)}
zone:
${parts.zones}
`,
    ],
  }))
}

/** Start nsd. */
export async function startNsd(
  nsd: string,
  { files = {}, peerPort, port: given, zones }: NameServerConfig & { zones: (peer: string) => string },
): Promise<NameServer> {
  const port = given ?? (await freePort())
  return start(port, files, (folder) => ({
    command: nsd,
    args: ['-d', '-c', join(folder, 'nsd.conf')],
    config: [
      'nsd.conf',
      `server:
  ip-address: 127.0.0.1@${port}
  username: ""
  database: ""
  chroot: ""
  zonesdir: "${folder}"
  pidfile: "${folder}/nsd.pid"
  xfrdfile: "${folder}/xfrd.state"
  zonelistfile: "${folder}/zone.list"
  xfrdir: "${folder}"
  verbosity: 2
  server-count: 1
remote-control:
  control-enable: no
key:
  name: transfer
  algorithm: hmac-sha256
  secret: "${SECRET}"
${zones(`127.0.0.1@${peerPort}`)}
`,
    ],
  }))
}

/** Start named. */
export async function startNamed(
  named: string,
  { files = {}, peerPort, port: given, zones }: NameServerConfig & { zones: (peer: string) => string },
): Promise<NameServer> {
  const port = given ?? (await freePort())
  return start(port, files, (folder) => ({
    command: named,
    args: ['-g', '-n', '1', '-c', join(folder, 'named.conf')],
    config: [
      'named.conf',
      `options {
  directory "${folder}";
  listen-on port ${port} { 127.0.0.1; };
  listen-on-v6 { none; };
  pid-file "${folder}/named.pid";
  session-keyfile "${folder}/session.key";
  recursion no;
  notify-delay 0;
  serial-query-rate 1000;
  min-refresh-time 1;
  min-retry-time 1;
  dnssec-validation no;
};
controls { };
key "transfer" { algorithm hmac-sha256; secret "${SECRET}"; };
${zones(`127.0.0.1 port ${peerPort}`)}
`,
    ],
  }))
}

type Launch = { readonly command: string; readonly args: string[]; readonly config: [string, string] }

async function start(
  port: number,
  files: Readonly<Record<string, string>>,
  launch: (folder: string) => Launch,
): Promise<NameServer> {
  const folder = await mkdtemp(join(tmpdir(), 'portico-ns-'))
  await mkdir(folder, { recursive: true })
  const { command, args, config } = launch(folder)
  for (const [name, text] of [config, ...Object.entries(files)]) await writeFile(join(folder, name), text)
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder })
  let output = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (octets) => (output += octets))
  const server: NameServer = {
    port,
    folder,
    output: () => output,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit')
        child.kill('SIGTERM')
        const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
        await ended
        clearTimeout(timer)
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`${command} ended: ${output}`)
    const { stdout } = await run('kdig', ['@127.0.0.1', '-p', `${port}`, '+tcp', '+timeout=1', 'x.invalid'])
    return stdout.includes('HEADER')
  })
  return server
}

/** Ask a name server; the data of the answer, sorted, or the status when it is not NOERROR. */
export async function ask(port: number, name: string, type: string): Promise<string> {
  const args = [
    '@127.0.0.1',
    '-p',
    `${port}`,
    '+timeout=2',
    '+retry=2',
    '+noauthority',
    '+noadditional',
    name,
    type,
  ]
  const { stdout } = await run('kdig', args)
  const status = /status: (\w+)/.exec(stdout)?.[1] ?? 'no answer'
  if (status !== 'NOERROR') return status
  const lines = stdout.split('\n').filter((line) => line !== '' && !line.startsWith(';'))
  const data = lines.map((line) => line.split(/\s+/).slice(4).join(' '))
  return data.sort().join(' | ')
}

/** The serial that a name server has of a zone; -1 while it has none. */
export async function serialAt(port: number, zone: string): Promise<number> {
  const soa = await ask(port, zone, 'SOA')
  return Number(soa.split(' ')[2] ?? -1)
}
