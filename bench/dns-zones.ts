import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { peer } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { IN_FLIGHT, untilAnswered, untilIdle } from './dns-ready.ts'
import {
  CLIENT_CORE,
  confine,
  cpuSeconds,
  interleave,
  median,
  type Peer,
  peakOctets,
  pin,
  residentOctets,
  runPinned,
  SERVER_CORE,
} from './peers.ts'

const QUERIES = 200_000
const ROUNDS = 3
const SECONDS = 2

const CONTENDERS = ['portico', 'knot', 'nsd'] as const
type Contender = (typeof CONTENDERS)[number]

type Size = {
  readonly zones: number
  /** in each zone */
  readonly names: number
}

/** What a server takes for its zones, and what its answers about names in no order cost: medians. */
export type ServerFigures = {
  /** from its start to its first answer, with all cores */
  readonly readyMs: number
  /** processor time until then, the kernel's with it */
  readonly readyCpuMs: number
  readonly peakMb: number
  /** after the questions */
  readonly residentMb: number
  /** answers per second */
  readonly rate: number
  /** processor time of an answer in µs, the kernel's with it */
  readonly answerUs: number
}

type Started = Pick<ServerFigures, 'readyMs' | 'readyCpuMs' | 'peakMb'> & { readonly pid: number }

type Programs = { readonly knotd: string; readonly nsd: string; readonly dnsperf: string }

/** @throws {Error} when one is missing */
function findPrograms(): Programs {
  const [knotd, nsd, dnsperf] = [peer('knotd'), peer('nsd'), peer('dnsperf')]
  if (knotd === undefined || nsd === undefined || dnsperf === undefined)
    throw new Error('This bench needs knotd, nsd and dnsperf. Fix: apt-get install knot nsd dnsperf')
  return { knotd, nsd, dnsperf }
}

/**
 * Measure Portico, Knot and NSD with the same zones: one core for the servers, one for dnsperf, in turns.
 *
 * @throws {Error} when a peer is missing, or a server does not start
 */
export async function measureZones(size: Size): Promise<Readonly<Record<Contender, ServerFigures>>> {
  const programs = findPrograms()
  const folder = await mkdtemp(join(tmpdir(), 'portico-bench-'))
  const peers: Peer[] = []
  try {
    const ports = { portico: await freePort(), knot: await freePort(), nsd: await freePort() }
    await writeFiles(folder, size, ports.portico)
    const commands = commandsOf(folder, size, ports, programs)
    const started = {} as Record<Contender, Started>
    for (const name of CONTENDERS) {
      const command = await commands[name]()
      const from = performance.now()
      const server = await pin('all', ...command)
      peers.push(server)
      await untilAnswered(ports[name], `host${size.names - 1}.zone${size.zones - 1}.example.`)
      started[name] = {
        pid: server.pid,
        readyMs: Math.round(performance.now() - from),
        readyCpuMs: Math.round(cpuSeconds(server.pid) * 1000),
        peakMb: Math.round(peakOctets(server.pid) / 1e6),
      }
      await confine(server.pid, SERVER_CORE)
    }
    await untilIdle(Object.values(started).map(({ pid }) => pid))
    const costs: Record<Contender, number[]> = { portico: [], knot: [], nsd: [] }
    const rates = await interleave(CONTENDERS, ROUNDS, async (name) => {
      const before = cpuSeconds(started[name].pid)
      const output = await runPinned(CLIENT_CORE, programs.dnsperf, [
        ...['-s', '127.0.0.1', '-p', `${ports[name]}`, '-d', join(folder, 'queries')],
        ...['-l', `${SECONDS}`, '-c', '4', '-q', `${IN_FLIGHT}`, '-e'],
      ])
      const answers = Number(/Queries completed:\s+(\d+)/.exec(output)?.[1])
      costs[name].push(((cpuSeconds(started[name].pid) - before) / answers) * 1e6)
      return Number(/Queries per second:\s+([\d.]+)/.exec(output)?.[1])
    })
    const figures = CONTENDERS.map((name): [Contender, ServerFigures] => {
      const { pid, ...ready } = started[name]
      const residentMb = Math.round(residentOctets(pid) / 1e6)
      const answerUs = Number(median(costs[name]).toFixed(2))
      return [name, { ...ready, residentMb, rate: Math.round(median(rates[name])), answerUs }]
    })
    return Object.fromEntries(figures) as Record<Contender, ServerFigures>
  } finally {
    await Promise.all(peers.map((one) => one.stop()))
    await rm(folder, { recursive: true })
  }
}

/** One zone file that serves Knot and NSD as all: its names are relative. Portico reads one file with all names. */
async function writeFiles(folder: string, size: Size, port: number): Promise<void> {
  const { zones, names } = size
  const hosts = Array.from({ length: names }, (_, i) => `host${i} A 192.0.2.3`)
  const zone = ['$TTL 3600', '@ SOA ns1 hostmaster 1 10800 3600 1209600 300', '@ NS ns1', 'ns1 A 192.0.2.1']
  await writeFile(join(folder, 'any.zone'), `${[...zone, ...hosts].join('\n')}\n`)
  await writeFile(join(folder, 'portico.json'), JSON.stringify(portico(size, port), null, 1))
  // A stride that is coprime to their number meets each name once.
  const order = Array.from({ length: QUERIES }, (_, i) => (i * 618_033) % (zones * names))
  const queries = order.map((i) => `host${i % names}.zone${Math.floor(i / names)}.example A\n`)
  await writeFile(join(folder, 'queries'), queries.join(''))
}

/** As its owner would write it. */
function portico({ zones, names }: Size, port: number): object {
  const records: Record<string, object> = { '@': { NS: ['ns1', 'ns2.example.net'] }, ns1: { A: '192.0.2.1' } }
  for (let i = 0; i < names; i++) records[`host${i}`] = { A: '192.0.2.3' }
  const domains = Array.from({ length: zones }, (_, i) => [`zone${i}.example`, { ttl: '1h', records }])
  return {
    address: '192.0.2.1',
    workers: 1,
    listen: { dns: `127.0.0.1:${port}`, http: 'off', https: 'off', admin: 'off' },
    domains: Object.fromEntries(domains),
  }
}

type Command = () => Promise<[command: string, args: string[]]>

function commandsOf(
  folder: string,
  { zones: count }: Size,
  ports: Readonly<Record<Contender, number>>,
  { knotd, nsd }: Programs,
): Readonly<Record<Contender, Command>> {
  const zones = Array.from({ length: count }, (_, i) => `zone${i}.example`)
  const file = join(folder, 'any.zone')
  return {
    portico: async () => {
      const main = join(import.meta.dirname, '../src/main.ts')
      return [process.execPath, [main, 'up', '--config', join(folder, 'portico.json')]]
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
