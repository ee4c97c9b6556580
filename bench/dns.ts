import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { peer } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { IN_FLIGHT, untilAnswered, untilIdle } from './dns-ready.ts'
import {
  CLIENT_CORE,
  cpuSeconds,
  interleave,
  median,
  type Peer,
  pin,
  runPinned,
  SERVER_CORE,
} from './peers.ts'

const ROUNDS = 5
const SECONDS = 1.5

/** Names in the zone, and queries in each set. */
const NAMES = 1000
const COLD_NAMES = 100_000
/** More than are asked for in a run. */
const UNSEEN_NAMES = 500_000

/**
 * Unsigned, then with DO in a zone that both servers sign. Cold: names in no order, each asked for once in a row of
 * `COLD_NAMES`, so that nothing of the last answer helps; signed, each is asked for the first time.
 */
const KINDS = [
  'A',
  'cold',
  'NXDOMAIN',
  'wildcard',
  'pooled',
  'TCP',
  'signed',
  'signed NXDOMAIN',
  'signed NXDOMAIN, cold',
  'signed NXDOMAIN by NSEC, cold',
] as const
type Kind = (typeof KINDS)[number]

const CONTENDERS = ['portico', 'knot'] as const

/** Medians of `ROUNDS` rounds; what is by processor time hardly depends on what else the machine does. */
export type DnsBench = {
  readonly bench: 'dns'
  /** ours / theirs: the lowest of the unsigned kinds, and names that are there in a signed zone */
  readonly ratios: { readonly knot: number; readonly signed: number; readonly byProcessorTime: number }
  readonly kinds: Readonly<Record<Kind, Readonly<Figures>>>
}

type Figures = {
  /** answers per second */
  portico: number
  knot: number
  ratio: number
  /** processor time of an answer in µs, the kernel's with it */
  porticoUs: number
  knotUs: number
  /** theirs / ours */
  ratioByTime: number
}

/**
 * Measure Portico beside Knot: one core for the server, one for dnsperf, in turns.
 *
 * @throws {Error} when knotd or dnsperf is missing, or a server does not start
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const knotd = peer('knotd')
  const dnsperf = peer('dnsperf')
  if (knotd === undefined || dnsperf === undefined) {
    throw new Error('The DNS bench needs knotd and dnsperf. Fix: apt-get install knot dnsperf')
  }
  const folder = await mkdtemp(join(tmpdir(), 'portico-bench-'))
  const peers: Peer[] = []
  try {
    const ports = { portico: await freePort(), knot: await freePort() }
    const portico = await startPortico(ports.portico)
    peers.push(portico)
    const knot = await startKnot(knotd, folder, ports.knot)
    peers.push(knot)
    const pids = { portico: portico.pid, knot: knot.pid }
    for (const zone of ['example.com', 'example.net', 'example.org'])
      await Promise.all(CONTENDERS.map((name) => untilAnswered(ports[name], `ns1.${zone}.`)))
    await untilIdle(Object.values(pids))
    const kinds = {} as Record<Kind, DnsBench['kinds'][Kind]>
    for (const kind of KINDS) kinds[kind] = await measureKind(kind, { dnsperf, folder, ports, pids })
    const unsigned = KINDS.filter((kind) => !kind.startsWith('signed'))
    const least = (figure: 'ratio' | 'ratioByTime') =>
      Math.min(...unsigned.map((kind) => kinds[kind][figure]))
    const signed = kinds.signed.ratio
    const ratios = { knot: least('ratio'), signed, byProcessorTime: least('ratioByTime') }
    print({ bench: 'dns', ratios, kinds }, json)
  } finally {
    await Promise.all(peers.map((one) => one.stop()))
    await rm(folder, { recursive: true })
  }
}

function startPortico(port: number): Promise<Peer> {
  return pin(SERVER_CORE, process.execPath, [
    join(import.meta.dirname, 'dns-portico.ts'),
    `${port}`,
    `${COLD_NAMES}`,
  ])
}

async function startKnot(knotd: string, folder: string, port: number): Promise<Peer> {
  const hosts = Array.from({ length: COLD_NAMES }, (_, i) => `host${i} A 192.0.2.3`)
  const zone = [
    '$ORIGIN example.com.',
    '$TTL 3600',
    '@ SOA ns1 hostmaster 1 10800 3600 1209600 300',
    '@ NS ns1',
    'ns1 A 192.0.2.1',
    '*.wild A 192.0.2.2',
    // Knot has no pools: it answers with a record instead.
    'pool A 192.0.2.4',
    ...hosts,
  ]
  await writeFile(join(folder, 'example.com.zone'), `${zone.join('\n')}\n`)
  for (const name of ['example.net', 'example.org'])
    await writeFile(join(folder, `${name}.zone`), `${zone.join('\n').replace('example.com', name)}\n`)
  const config = `
server:
    rundir: ${folder}
    listen: 127.0.0.1@${port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: ${folder}
zone:
  - domain: example.com
    storage: ${folder}
    file: example.com.zone
  - domain: example.net
    storage: ${folder}
    file: example.net.zone
    dnssec-signing: on
  - domain: example.org
    storage: ${folder}
    file: example.org.zone
    dnssec-signing: on
`
  const file = join(folder, 'knot.conf')
  await writeFile(file, config)
  return pin(SERVER_CORE, knotd, ['-c', file])
}

type Setting = {
  readonly dnsperf: string
  readonly folder: string
  readonly ports: Readonly<Record<'portico' | 'knot', number>>
  readonly pids: Readonly<Record<'portico' | 'knot', number>>
}

async function measureKind(
  kind: Kind,
  { dnsperf, folder, ports, pids }: Setting,
): Promise<DnsBench['kinds'][Kind]> {
  const file = join(folder, kind)
  let round = 0
  const costsUs: Record<'portico' | 'knot', number[]> = { portico: [], knot: [] }
  const runs = await interleave(CONTENDERS, ROUNDS, async (name) => {
    await writeFile(file, queries(kind, round++))
    const args = [
      '-s',
      '127.0.0.1',
      '-p',
      `${ports[name]}`,
      '-d',
      file,
      '-m',
      kind === 'TCP' ? 'tcp' : 'udp',
      '-l',
      `${SECONDS}`,
      '-c',
      '4',
      '-q',
      `${IN_FLIGHT}`,
      '-e',
      ...(kind.startsWith('signed') ? ['-D'] : []),
    ]
    const before = cpuSeconds(pids[name])
    const output = await runPinned(CLIENT_CORE, dnsperf, args)
    const answers = Number(/Queries completed:\s+(\d+)/.exec(output)?.[1])
    costsUs[name].push(((cpuSeconds(pids[name]) - before) / answers) * 1e6)
    return queriesPerSecond(output)
  })
  const [portico, knot] = [median(runs.portico), median(runs.knot)]
  const [porticoUs, knotUs] = [median(costsUs.portico), median(costsUs.knot)]
  return {
    portico: Math.round(portico),
    knot: Math.round(knot),
    ratio: Number((portico / knot).toFixed(3)),
    porticoUs: Number(porticoUs.toFixed(2)),
    knotUs: Number(knotUs.toFixed(2)),
    ratioByTime: Number((knotUs / porticoUs).toFixed(3)),
  }
}

/** @param round makes names that were not asked for before, where they shall be cold */
function queries(kind: Kind, round: number): string {
  if (kind === 'pooled') return 'pool.example.com A\n'.repeat(NAMES)
  if (kind === 'cold') {
    // A stride that is coprime to their number meets each name once.
    const order = Array.from({ length: COLD_NAMES }, (_, i) => (i * 61_803) % COLD_NAMES)
    return order.map((i) => `host${i}.example.com A\n`).join('')
  }
  const isCold = kind.endsWith('cold')
  const name = kind === 'wildcard' ? 'any' : kind.includes('NXDOMAIN') ? 'none' : 'host'
  const signed = kind.includes('by NSEC') ? 'example.org' : 'example.net'
  const zone = kind === 'wildcard' ? 'wild.example.com' : kind.startsWith('signed') ? signed : 'example.com'
  const prefix = isCold ? `${name}-${round}-` : name
  const count = isCold ? UNSEEN_NAMES : NAMES
  return Array.from({ length: count }, (_, i) => `${prefix}${i}.${zone} A\n`).join('')
}

/** @throws {Error} when queries were lost in numbers: then the figure says nothing */
function queriesPerSecond(output: string): number {
  const rate = Number(/Queries per second:\s+([\d.]+)/.exec(output)?.[1])
  const lost = Number(/Queries lost:\s+\d+ \(([\d.]+)%\)/.exec(output)?.[1])
  if (!(rate > 0) || !(lost < 1)) throw new Error(`dnsperf gave no usable figure:\n${output}`)
  return rate
}

function print(result: DnsBench, json: boolean): void {
  if (json) console.log(JSON.stringify(result))
  else {
    console.log('Answers per second over UDP, one core for the server (more is better)')
    console.table(result.kinds)
  }
}
