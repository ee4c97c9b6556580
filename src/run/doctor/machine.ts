import { execFile } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { connect } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { AcmeError, createAcmeClient } from '#acme/client.ts'
import type { ListenerPlan } from '#plan/listeners.ts'
import { addressesOf, type Plan } from '#plan/plan.ts'
import { portRows, type RunningPorts } from '#run/listen/ports.ts'
import type { Planned } from '#run/portico.ts'
import type { CertificateRow } from '#run/tls/certificate-rows.ts'
import { openAuthority } from '#tls/authority.ts'
import { gatherTrustFacts, surroundingsOf } from '#tls/trust.ts'
import { type TrustStep, trustSteps } from '#tls/trust-steps.ts'
import type { CertificateFacts, MachineFacts } from './doctor.ts'
import { checkLive, type LiveOptions } from './live.ts'

/** Files beside connections: logs, state, sockets of programs. */
const OTHER_FILES = 256
const HANDSHAKE_MS = 2000
const COMMAND_MS = 2000
/** Bit of CAP_NET_BIND_SERVICE in the masks of /proc (capabilities(7)). */
const NET_BIND_SERVICE = 10n

/** A Portico that runs, and how its certificates are doing. */
export type Running = RunningPorts & {
  readonly certificates: readonly Pick<CertificateRow, 'names' | 'tookMs'>[]
}

/** Look at this machine, as a Portico for this file would find it. */
export async function gatherMachineFacts(
  { plan, config, facts, folder }: Planned & { readonly plan: Plan },
  running: Running | null,
  live: LiveOptions,
): Promise<MachineFacts> {
  const isLocal = config?.value.certificates.issuer === 'local'
  const stateFolder = resolve(folder, config?.value.state ?? 'state')
  const [ports, isClockSynchronized, trust, certificate, seen] = await Promise.all([
    portRows(plan, running),
    askClock(),
    isLocal ? trustOf(join(stateFolder, 'tls')) : null,
    running === null
      ? lookAtAuthority(plan, folder, live.timeoutMs)
      : lookAtCertificate(plan, running.certificates),
    checkLive({ plan, config, facts, folder, problems: [] }, live),
  ])
  return {
    listeners: plan.listeners,
    ports,
    freePortsFrom: readNumber('/proc/sys/net/ipv4/ip_unprivileged_port_start'),
    mayOpenLowPorts: mayOpenLowPorts(),
    files: { limit: openFileLimit(), wanted: 2 * plan.http.limits.connections + OTHER_FILES },
    isClockSynchronized,
    now: Date.now(),
    installedAt: statSync(fileURLToPath(import.meta.url)).mtimeMs,
    publicAddresses: facts.addresses,
    addresses: config === null ? [] : addressesOf(config, facts),
    trust,
    certificate,
    delegations: seen.filter(({ what }) => /^(delegation|glue|DS) of /.test(what)),
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function readNumber(path: string): number | null {
  const text = read(path).trim()
  return /^\d+$/.test(text) ? Number(text) : null
}

function mayOpenLowPorts(): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(read('/proc/self/status'))?.[1]
  if (mask === undefined) return process.getuid?.() === 0 || process.platform === 'win32'
  return ((BigInt(`0x${mask}`) >> NET_BIND_SERVICE) & 1n) === 1n
}

/** The hard limit: Node raises the soft one to it when it starts. */
function openFileLimit(): number | null {
  const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(read('/proc/self/limits'))?.[1]
  return hard === undefined ? null : Number(hard)
}

async function askClock(): Promise<boolean | null> {
  const run = promisify(execFile)
  const said = await run('timedatectl', ['show', '--property=NTPSynchronized', '--value'], {
    timeout: COMMAND_MS,
  }).catch(() => null)
  const word = said?.stdout.trim()
  return word === 'yes' ? true : word === 'no' ? false : null
}

/** Where the root is known; nothing is made for a look. */
async function trustOf(folder: string): Promise<readonly TrustStep[] | 'no root yet'> {
  if (!existsSync(join(folder, 'root.pem'))) return 'no root yet'
  const { root } = await openAuthority({ folder, host: hostname(), now: Date.now(), log: () => {} })
  return trustSteps(await gatherTrustFacts(surroundingsOf(root)), 'trust')
}

function firstHost({ listeners, http }: Plan): { host: string; listener: ListenerPlan } | null {
  const listener = listeners.find(({ protocol }) => protocol === 'https')
  const host = http.hosts.find(({ name }) => !name.startsWith('*.'))?.name
  return listener === undefined || host === undefined ? null : { host, listener }
}

/** Ask the authority for what everyone may read, twice: the first answer pays for the connection. */
async function lookAtAuthority(plan: Plan, folder: string, timeoutMs: number): Promise<CertificateFacts> {
  if (firstHost(plan) === null) return { kind: 'no https' }
  const [first] = plan.tls.acme.authorities
  if (first === undefined) return { kind: 'not running', authority: null }
  const { host } = new URL(first.directory)
  const roots = first.root === undefined ? null : read(resolve(folder, first.root))
  const client = createAcmeClient({ url: first.directory, roots, now: Date.now })
  const timer = setTimeout(() => client.close(), timeoutMs)
  try {
    await client.directory()
    const began = performance.now()
    await client.get(first.directory)
    return { kind: 'not running', authority: { host, answer: performance.now() - began } }
  } catch (error) {
    const answer = error instanceof AcmeError ? error.problem.detail : String(error)
    return { kind: 'not running', authority: { host, answer } }
  } finally {
    clearTimeout(timer)
    client.close()
  }
}

/** Shake hands with the running Portico as a browser would. */
async function lookAtCertificate(
  plan: Plan,
  certificates: Running['certificates'],
): Promise<CertificateFacts> {
  const found = firstHost(plan)
  if (found === null) return { kind: 'no https' }
  const { host, listener } = found
  const covers = [host, `*${host.slice(host.indexOf('.'))}`]
  const own = certificates.find(({ names }) => names.some((name) => covers.includes(name)))
  const began = performance.now()
  const address = { '0.0.0.0': '127.0.0.1', '::': '::1' }[listener.address] ?? listener.address
  return new Promise((done) => {
    const socket = connect({
      host: address,
      port: listener.port,
      servername: host,
      rejectUnauthorized: false,
    })
    socket.setTimeout(HANDSHAKE_MS, () => end({ kind: 'failed', host, why: 'no handshake in time' }))
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end({ kind: 'failed', host, why: error.code ?? error.message }),
    )
    socket.once('secureConnect', () => {
      const { issuer, valid_to } = socket.getPeerCertificate()
      end({
        kind: 'shown',
        host,
        issuer: String(issuer['CN'] ?? issuer['O'] ?? 'an authority'),
        validTo: Date.parse(valid_to),
        handshakeMs: performance.now() - began,
        tookMs: own?.tookMs ?? null,
      })
    })

    function end(found: CertificateFacts): void {
      socket.destroy()
      done(found)
    }
  })
}
