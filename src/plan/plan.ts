import { planRate } from '#access/plan.ts'
import { type CacheStorePlan, planCacheStore } from '#cache/plan.ts'
import type { Config } from '#config/load.ts'
import { contentKey } from '#core/node.ts'
import { type Problem, sortProblems } from '#core/problem.ts'
import { checkZones } from '#dns/check.ts'
import { dnsLimits, dnsManner } from '#dns/config.ts'
import { checkSigned } from '#dns/dnssec/check.ts'
import { planDnssec } from '#dns/dnssec/config.ts'
import { type DnsPlan, draftZone, planZone, type ZoneInput } from '#dns/plan.ts'
import { planPlaces, planPools } from '#dns/pools/draft.ts'
import type { PoolPlan } from '#dns/pools/plan.ts'
import { delegateChildren } from '#dns/records/delegate.ts'
import { dividedZones, indexNames, type Names, zoneOf } from '#dns/records/names.ts'
import { type RecordDraft, readRecords, ttlAdvice, ttlFault, ttlSeconds } from '#dns/records/read-records.ts'
import { absoluteName, belowFault, checkDomain, ownerName } from '#dns/records/written-name.ts'
import { draftCatalog } from '#dns/transfer/catalog.ts'
import { type MovingDomain, planMoves } from '#dns/transfer/plan.ts'
import { parseIpv6, printIpv6 } from '#dns/wire/address.ts'
import { httpLimits } from '#http/config.ts'
import type { HostConfig } from '#http/host-config.ts'
import { type HostPlan, type HttpPlan, planHost, type WrittenAt } from '#http/plan.ts'
import type { ProcessPlan } from '#processes/plan.ts'
import type { TlsPlan } from '#tls/plan.ts'
import { planTls } from './certificates.ts'
import { checkAcross } from './check.ts'
import type { Facts } from './facts.ts'
import type { HostDraft } from './host-draft.ts'
import { type ListenerPlan, planListeners } from './listeners.ts'
import { type DraftedZone, devZones, isLocal, withLocalTargets } from './local-names.ts'
import { type ObservePlan, planObserve } from './observe.ts'

/** Everything that follows from the file: plain JSON, read-only, no time, no secrets but salted hashes. */
export type Plan = {
  readonly key: string
  /** threads that serve; null: one a core */
  readonly workers: number | null
  readonly listeners: readonly ListenerPlan[]
  readonly dns: DnsPlan
  readonly tls: TlsPlan
  readonly http: HttpPlan
  readonly processes: readonly ProcessPlan[]
  readonly observe: ObservePlan
  /** null: no route has a cache */
  readonly cache: CacheStorePlan | null
}

/**
 * Derive the Plan from the file, and check it across services. Pure.
 *
 * @returns the Plan even when there are errors, so that a person can look at it; only one without errors is served
 */
export function plan(config: Config, facts: Facts): { plan: Plan; problems: Problem[] } {
  const problems: Problem[] = []
  const { pools, problems: poolProblems } = planPools(config.value.pools, config.written)
  const { places, problems: placeProblems } = planPlaces(config.value.places, config.written)
  problems.push(...poolProblems, ...placeProblems)
  const listeners = planListeners(config, facts)
  const https = listeners.find(({ protocol }) => protocol === 'https')
  const httpsPort = https?.port ?? null
  const { hosts, zones, moving } = draftDomains(config, { facts, pools, httpsPort }, problems)
  const catalogs = new Set(moving.flatMap((domain) => (domain.config.catalog ? [domain.apex] : [])))
  const drafted = zones.map((input) => {
    const { drafts, problems: found } = draftZone(input)
    problems.push(...found, ...checkSigned(input, drafts))
    return { input, drafts: catalogs.has(input.apex) ? [...drafts, ...catalogOf(input, moving)] : drafts }
  })
  const names = indexZones(drafted)
  problems.push(...checkZones(names))
  const served = hosts.filter(({ written }) => written.alias === undefined)
  const front = planFront(served, { dev: facts.dev, httpsPort }, problems)
  problems.push(
    ...checkAcross({
      config,
      facts,
      hosts: served,
      plans: front.hosts,
      processes: front.processes,
      listeners,
      names,
      drafted,
    }),
  )
  const { keys, moves, problems: faults } = planMoves({ ...config, keys: config.value.keys, domains: moving })
  problems.push(...faults)
  const copies = facts.dev ? devZones(drafted) : []
  const dns: DnsPlan = {
    zones: delegateChildren([...drafted, ...copies]).map(({ input, drafts }) => planZone(input, drafts)),
    limits: dnsLimits(config.value.limits.dns),
    signatures: config.value.limits.dns.signatures,
    keys,
    moves,
    manner: dnsManner(config.value.dns, config.value.limits.dns),
    pools: [...pools.values()],
    places,
  }
  const slices = {
    // On a laptop others need the cores.
    workers: config.value.workers ?? (facts.dev ? 1 : null),
    listeners,
    dns,
    tls: planTls(config, facts, {
      wanted: https === undefined ? [] : front.hosts,
      hasDns: listeners.some(({ protocol }) => protocol === 'dns'),
      apexes: zones.map(({ apex }) => apex.slice(0, -1)),
      names,
      problems,
    }),
    http: {
      hosts: front.hosts,
      limits: httpLimits(config.value.limits.http),
      trust: config.value.trust,
      httpsPort,
      ...planSharedLimits(config, problems),
    },
    processes: front.processes,
    observe: planObserve(config.value),
    cache: planCacheStore(config.value.cache, front.hosts.some(isKept)),
  }
  return { plan: { key: planKey(slices), ...slices }, problems: sortProblems(problems) }
}

/** What films are cut into is kept, too. */
function isKept({ routes }: HostPlan): boolean {
  return routes.some(({ cache, stream }) => cache !== undefined || stream !== undefined)
}

/** What one client may ask of all hosts together, and what all may take. */
function planSharedLimits(
  { value, written }: Config,
  problems: Problem[],
): Pick<HttpPlan, 'clientRate' | 'clientConnections' | 'memoryOctets'> {
  const { memory, client } = value.limits
  const { connections, ...limits } = client
  const { rate, problems: found } = planRate(limits, 'all hosts', (...path) => {
    return written.at(['limits', 'client', ...path])
  })
  problems.push(...found)
  return {
    ...(rate === null ? {} : { clientRate: rate }),
    ...(connections === undefined ? {} : { clientConnections: connections }),
    ...(memory === undefined ? {} : { memoryOctets: memory }),
  }
}

/** Index each draft that its own zone answers: one in a deeper zone of ours is a fault, or a delegation to it. */
function indexZones(drafted: readonly DraftedZone[]): Names {
  const apexes = new Map(drafted.map(({ input }) => [input.apex, input]))
  const divided = dividedZones(apexes)
  return indexNames(
    drafted.map(({ input: { apex }, drafts }) => {
      const isOwn = ({ owner }: RecordDraft): boolean => zoneOf(owner, apexes) === apex
      return { apex, drafts: divided.has(apex) ? drafts.filter(isOwn) : drafts }
    }),
  )
}

type DomainFacts = {
  readonly facts: Facts
  readonly pools: ReadonlyMap<string, PoolPlan>
  readonly httpsPort: number | null
}

/** Read names of domains and hosts, and the records beside them. */
function draftDomains(
  config: Config,
  { facts, pools, httpsPort }: DomainFacts,
  problems: Problem[],
): { hosts: HostDraft[]; zones: ZoneInput[]; moving: MovingDomain[] } {
  const hosts: HostDraft[] = []
  const zones: ZoneInput[] = []
  const moving: MovingDomain[] = []
  const apexes = new Set<string>()
  const addresses = addressesOf(config, facts)
  for (const [text, domain] of Object.entries(config.value.domains)) {
    const path = ['domains', text]
    const from = config.written.keyAt(path)
    const apex = absoluteName(text.endsWith('.') ? text : `${text}.`)
    if (typeof apex !== 'string') {
      problems.push({ level: 'error', at: from, ...apex })
      continue
    }
    if (apexes.has(apex)) {
      const message = `"${text}" is the same domain as one above: case and form of letters do not tell names apart (RFC 4343 §2).`
      problems.push({ level: 'error', code: 'dns/domain-twice', at: from, message, fix: 'join the two' })
      continue
    }
    const stray = checkDomain(text, apex, from)
    if (stray !== undefined) {
      problems.push(stray)
      continue
    }
    apexes.add(apex)
    moving.push({ apex, path, config: domain })
    const defaultTtl = domain.ttl === undefined ? 300 : ttlSeconds(domain.ttl)
    const ttlAt = config.written.at([...path, 'ttl'])
    const fault = ttlFault(defaultTtl, `"${text}"`, ttlAt) ?? ttlAdvice(defaultTtl, `"${text}"`, ttlAt)
    if (fault !== undefined) problems.push(fault)
    const records = readRecords(domain.records, {
      apex,
      written: config.written,
      path: [...path, 'records'],
      defaultTtl,
      pools,
    })
    problems.push(...records.problems)
    const own = draftHosts(config, { apex, path, hosts: domain.hosts }, problems)
    hosts.push(...own)
    const named = own.map(({ name, text: hostText, written, at }) => ({
      name,
      text: hostText,
      alias: written.alias ?? null,
      isHttps: written.http !== 'serve',
      from: at(),
    }))
    // The zone of a copy is what its primary says.
    if (domain.secondary !== undefined) continue
    const { contact } = config.value
    const dnssec = planDnssec(domain.dnssec)
    // On a laptop the ports are others, and so are the names.
    const port = facts.dev ? null : httpsPort
    zones.push({ apex, from, hosts: named, records, addresses, httpsPort: port, defaultTtl, contact, dnssec })
  }
  return { hosts, zones, moving }
}

/** What a catalog lists: domains whose zone others may copy. */
function catalogOf({ apex, from }: ZoneInput, moving: readonly MovingDomain[]): RecordDraft[] {
  const members = moving.filter(({ config }) => config.transfer !== undefined && !config.catalog)
  return draftCatalog(
    apex,
    members.map((domain) => domain.apex),
    from,
  )
}

/** On a laptop everything is here; else what the file says, else what this machine has. */
export function addressesOf(config: Config, facts: Facts): readonly string[] {
  if (facts.dev) return ['127.0.0.1', '::1']
  if (config.value.address !== undefined) return [...new Set(config.value.address.map(canonicalAddress))]
  return facts.addresses.length > 0 ? facts.addresses : ['127.0.0.1', '::1']
}

/** As records print it, so that both compare equal (RFC 5952 §4). */
function canonicalAddress(text: string): string {
  const octets = parseIpv6(text)
  return octets === undefined ? text : printIpv6(octets)
}

function draftHosts(
  config: Config,
  domain: { apex: string; path: readonly string[]; hosts: Readonly<Record<string, HostConfig>> },
  problems: Problem[],
): HostDraft[] {
  const drafts = new Map<string, HostDraft>()
  for (const [text, written] of Object.entries(domain.hosts)) {
    const path = [...domain.path, 'hosts', text]
    const at: WrittenAt = (pattern, ...inside) =>
      config.written.keyAt([...path, ...(pattern === undefined ? [] : ['routes', pattern]), ...inside])
    const name = ownerName(text, domain.apex)
    if (typeof name !== 'string') {
      problems.push({ level: 'error', at: at(), ...name })
      continue
    }
    const stray = belowFault(text, name, domain.apex)
    if (stray !== undefined) problems.push({ ...stray, at: at() })
    if (stray?.level === 'error') continue
    if (drafts.has(name)) {
      const message = `"${text}" is the same host as "${drafts.get(name)!.text}": case and form of letters do not tell names apart (RFC 4343 §2).`
      problems.push({ level: 'error', code: 'dns/host-twice', at: at(), message, fix: 'join the two' })
    } else {
      drafts.set(name, { apex: domain.apex, name, text, written, at })
    }
  }
  return [...drafts.values()]
}

/** Each host under its name, and on a laptop under `.localhost` too (RFC 6761 §6.3). */
function planFront(
  hosts: readonly HostDraft[],
  { dev, httpsPort }: { readonly dev: boolean; readonly httpsPort: number | null },
  problems: Problem[],
): { hosts: HostPlan[]; processes: ProcessPlan[] } {
  const names = new Set(hosts.map(({ name }) => name.slice(0, -1)))
  const plans: HostPlan[] = []
  const processes: ProcessPlan[] = []
  for (const host of hosts) {
    const name = host.name.slice(0, -1)
    const planned = planHost({ name, processName: name, written: host.written, at: host.at })
    plans.push(planned.host)
    processes.push(...planned.processes)
    problems.push(...planned.problems)
    if (!dev || isLocal(host.name)) continue
    const written = withLocalTargets(host.written, names, httpsPort)
    plans.push(planHost({ name: `${name}.localhost`, processName: name, written, at: host.at }).host)
  }
  return { hosts: plans, processes }
}

function planKey(slices: Omit<Plan, 'key'>): string {
  const { workers, listeners, dns, tls, http, processes, observe, cache } = slices
  const nodes = [
    ...listeners,
    ...dns.zones,
    ...dns.keys,
    ...dns.moves,
    ...dns.pools,
    ...tls.certificates,
    ...http.hosts,
    ...processes,
  ]
  return contentKey([
    workers,
    nodes.map(({ id, key }) => [id, key]),
    tls.acme,
    tls.onDemand,
    tls.clients,
    tls.unknownNames,
    tls.limits,
    dns.limits,
    dns.signatures,
    dns.manner,
    dns.places,
    http.limits,
    http.trust,
    http.httpsPort,
    http.clientRate,
    http.clientConnections,
    http.memoryOctets,
    observe,
    cache,
  ])
}
