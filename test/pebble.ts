import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { get } from 'node:https'
import { join } from 'node:path'
import { silent } from '#core/log.ts'
import { openAuthority } from '#tls/authority.ts'
import { freePort } from './ports.ts'
import { until } from './running.ts'

/** An ACME server for tests, in a process of its own. */
export type Pebble = {
  readonly directory: string
  /** file with the root that its own server is trusted by */
  readonly root: string
  /** PEM of the root that it issues under */
  issuerRoot(): Promise<string>
  output(): string
  stop(): Promise<void>
}

export type PebbleOptions = {
  readonly pebble: string
  readonly folder: string
  /** where names are looked up */
  readonly dnsPort: number
  readonly httpPort?: number
  readonly tlsPort?: number
  readonly lifetimeSeconds?: number
  /** keys (base64url) that accounts must be bound to, by their names */
  readonly bindings?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
}

/** Start pebble, strict and with half of all nonces refused. */
export async function startPebble(options: PebbleOptions): Promise<Pebble> {
  const { pebble, dnsPort, bindings } = options
  const folder = join(options.folder, 'pebble')
  await mkdir(folder, { recursive: true })
  const root = await writeServerCertificate(folder)
  const [port, management] = [await freePort(), await freePort()]
  const config = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: join(folder, 'server.pem'),
    privateKey: join(folder, 'server.key'),
    httpPort: options.httpPort ?? 5002,
    tlsPort: options.tlsPort ?? 5001,
    externalAccountBindingRequired: bindings !== undefined,
    externalAccountMACKeys: bindings ?? {},
    certificateValidityPeriod: options.lifetimeSeconds ?? 90 * 86_400,
  }
  await writeFile(join(folder, 'config.json'), JSON.stringify({ pebble: config }))
  const words = ['-config', join(folder, 'config.json'), '-strict', '-dnsserver', `127.0.0.1:${dnsPort}`]
  const env = { PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '50', PEBBLE_AUTHZREUSE: '0', ...options.env }
  const child: ChildProcess = spawn(pebble, words, { env: { ...process.env, ...env } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (octets) => (output += octets))
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await until(() => output.includes('ACME directory available') || child.exitCode !== null)
  if (child.exitCode !== null) throw new Error(`pebble ended: ${output}`)
  return {
    directory: `https://localhost:${port}/dir`,
    root,
    issuerRoot: () => fetchText(`https://localhost:${management}/roots/0`, root),
    output: () => output,
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function fetchText(url: string, root: string): Promise<string> {
  const ca = await readFile(root)
  return new Promise((resolve, reject) => {
    const sent = get(url, { ca }, (response) => {
      let text = ''
      response.on('data', (part) => (text += part))
      response.on('end', () => resolve(text))
    })
    sent.on('error', reject)
  })
}

/** A certificate for pebble's own server, and the path of the root that it stands on. */
export async function writeServerCertificate(folder: string): Promise<string> {
  const now = Date.now()
  const authority = await openAuthority({ folder, host: 'test', now, log: silent })
  const from = { file: '', line: 0, column: 0 }
  const plan = { id: '', key: '', from, names: ['localhost'], issuer: 'local' } as const
  const { key, chain } = authority.issue(plan, now, 86_400_000)
  await writeFile(join(folder, 'server.key'), key)
  await writeFile(join(folder, 'server.pem'), chain)
  return authority.root.path
}
