import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { peer } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { untilAnswered } from './dns-ready.ts'
import {
  CLIENT_CORE,
  interleave,
  median,
  type Peer,
  pin,
  residentOctets,
  runPinned,
  SERVER_CORE,
} from './peers.ts'

const ZONES = 1000
/** Names in each zone. */
const NAMES = 1000
const QUERIES = 200_000
const ROUNDS = 3
const SECONDS = 2
const CONTENDERS = ['portico', 'knot', 'nsd'] as const
type Contender = (typeof CONTENDERS)[number]

/** What a server with a million names takes, and how many queries a second it answers: medians. */
export type DnsManyBench = {
  readonly bench: 'dns-many'
  readonly ratios: { readonly knot: number; readonly nsd: number }
  readonly servers: Readonly<
    Record<Contender, { readonly readyMs: number; readonly residentMb: number; readonly rate: number }>
  >
}

/**
 * Measure a million names in a thousand zones beside Knot and NSD: one core for each server, one for dnsperf.
 *
 * @throws {Error} when a peer is missing, or a server does not start
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const programs = { knotd: peer('knotd'), nsd: peer('nsd'), dnsperf: peer('dnsperf') }
  const missing = Object.entries(programs).filter(([, path]) => path === undefined)
  if (missing.length > 0)
    throw new Error(`The bench dns-many needs ${missing.map(([name]) => name).join(', ')}.`)
  const folder = await mkdtemp(join(tmpdir(), 'portico-bench-'))
  const peers: Peer[] = []
  try {
    await writeFiles(folder)
    const servers = {} as Record<Contender, DnsManyBench['servers'][Contender]>
    const ports = { portico: await freePort(), knot: await freePort(), nsd: await freePort() }
    const commands = commandsOf(folder, ports, { knotd: programs.knotd!, nsd: programs.nsd! })
    const started = {} as Record<Contender, { pid: number; readyMs: number }>
    for (const name of CONTENDERS) {
      const from = performance.now()
      const server = await pin(SERVER_CORE, ...(await commands[name]()))
      peers.push(server)
      await untilAnswered(ports[name], `host${NAMES - 1}.zone${ZONES - 1}.example.`)
      started[name] = { pid: server.pid, readyMs: Math.round(performance.now() - from) }
    }
    const rates = await interleave(CONTENDERS, ROUNDS, async (name) => {
      const args = ['-s', '127.0.0.1', '-p', `${ports[name]}`, '-d', join(folder, 'queries')]
      const output = await runPinned(CLIENT_CORE, programs.dnsperf!, [
        ...args,
        ...['-l', `${SECONDS}`, '-c', '4', '-q', '200', '-e'],
      ])
      return Number(/Queries per second:\s+([\d.]+)/.exec(output)?.[1])
    })
    for (const name of CONTENDERS) {
      const residentMb = Math.round(residentOctets(started[name].pid) / 1e6)
      servers[name] = { readyMs: started[name].readyMs, residentMb, rate: Math.round(median(rates[name])) }
    }
    const ratio = (other: Contender): number =>
      Number((servers.portico.rate / servers[other].rate).toFixed(3))
    const result: DnsManyBench = {
      bench: 'dns-many',
      ratios: { knot: ratio('knot'), nsd: ratio('nsd') },
      servers,
    }
    if (json) console.log(JSON.stringify(result))
    else console.table(result.servers)
  } finally {
    await Promise.all(peers.map((one) => one.stop()))
    await rm(folder, { recursive: true })
  }
}

/** One zone file that serves as all: its names are relative. */
async function writeFiles(folder: string): Promise<void> {
  const hosts = Array.from({ length: NAMES }, (_, i) => `host${i} A 192.0.2.3`)
  const zone = ['$TTL 3600', '@ SOA ns1 hostmaster 1 10800 3600 1209600 300', '@ NS ns1', 'ns1 A 192.0.2.1']
  await writeFile(join(folder, 'any.zone'), `${[...zone, ...hosts].join('\n')}\n`)
  // A stride that is coprime to their number meets each name once.
  const order = Array.from({ length: QUERIES }, (_, i) => (i * 618_033) % (ZONES * NAMES))
  const queries = order.map((i) => `host${i % NAMES}.zone${Math.floor(i / NAMES)}.example A\n`)
  await writeFile(join(folder, 'queries'), queries.join(''))
}

type Command = () => Promise<[command: string, args: string[]]>

function commandsOf(
  folder: string,
  ports: Readonly<Record<Contender, number>>,
  { knotd, nsd }: { knotd: string; nsd: string },
): Readonly<Record<Contender, Command>> {
  const zones = Array.from({ length: ZONES }, (_, i) => `zone${i}.example`)
  const file = join(folder, 'any.zone')
  return {
    portico: async () => {
      const script = join(import.meta.dirname, 'dns-many-portico.ts')
      return [process.execPath, [script, `${ports.portico}`, `${ZONES}`, `${NAMES}`]]
    },
    knot: async () => {
      await mkdir(join(folder, 'knot'))
      const server = `server:\n    rundir: ${folder}/knot\n    listen: 127.0.0.1@${ports.knot}\n    udp-workers: 1\n    tcp-workers: 1\n`
      const template = `database:\n    storage: ${folder}/knot\ntemplate:\n  - id: default\n    file: ${file}\n    zonefile-sync: -1\n    journal-content: none\nzone:\n`
      const config = join(folder, 'knot.conf')
      await writeFile(config, server + template + zones.map((zone) => `  - domain: ${zone}\n`).join(''))
      return [knotd, ['-c', config]]
    },
    nsd: async () => {
      const own = `server:\n ip-address: 127.0.0.1\n port: ${ports.nsd}\n server-count: 1\n username: ""\n chroot: ""\n zonesdir: ${folder}\n pidfile: ${folder}/nsd.pid\n xfrdfile: ${folder}/xfrd\n zonelistfile: ${folder}/zones\n xfrdir: ${folder}\n database: ""\n rrl-ratelimit: 0\nremote-control:\n control-enable: no\n`
      const config = join(folder, 'nsd.conf')
      await writeFile(
        config,
        own + zones.map((zone) => `zone:\n name: ${zone}\n zonefile: ${file}\n`).join(''),
      )
      return [nsd, ['-d', '-c', config]]
    },
  }
}
