import { contentKey, type PlanNode } from '#core/node.ts'
import type { Position, Problem } from '#core/problem.ts'
import { compareText } from '#core/sorted.ts'
import type { PlacesPlan, PoolPlan, PoolUse } from '#dns/pools/plan.ts'
import type { ReadRecords, RecordDraft } from '#dns/records/read-records.ts'
import { addressFault, hostTargetFault } from '#dns/records/target-fault.ts'
import { absoluteName, looksLikeAddress, targetName } from '#dns/records/written-name.ts'
import type { DnssecPlan } from './dnssec/plan.ts'
import type { KeyPlan, MovePlan } from './transfer/plan.ts'

/**
 * Records of one owner and type (RFC 9499).
 *
 * `owner` and names in `data` are absolute, in presentation form with the final dot, A-labels, owner in lower case.
 */
export type RRsetPlan = {
  /** such as `www.example.com.` or `*.example.com.` */
  readonly owner: string
  /** mnemonic (`A`, `HTTPS`) or `TYPE65280` (RFC 3597 §5) */
  readonly type: string
  /** seconds */
  readonly ttl: number
  /** rdata in presentation form (RFC 1035 §5.1), one string a record */
  readonly data: readonly string[]
  readonly from: Position
  readonly why:
    | 'written'
    | 'derived from the host'
    | 'default'
    | 'addresses of an ALIAS'
    | 'proof for a certificate'
    | 'DNSSEC'
    | 'updated'
    | 'copied from the primary'
  /** clients get some of the addresses: those of one member */
  readonly pool?: PoolUse
}

/** A zone without its serial, which is State: it grows when `key` changes. */
export type ZonePlan = PlanNode & {
  /** `example.com.` */
  readonly apex: string
  readonly soa: SoaPlan
  /** all but the SOA, sorted by owner (canonical order is not needed) */
  readonly rrsets: readonly RRsetPlan[]
  /** how it wants to be signed; keys are State, and join the RRsets when it is served */
  readonly dnssec?: DnssecPlan
  /** a copy that is too old, or that never came: there is nothing to answer with (RFC 1034 §4.3.5) */
  readonly expired?: true
  /** names that have the addresses of others; which, is found out while they are served */
  readonly aliases?: readonly AliasPlan[]
}

/** A name with the addresses of another one: what a CNAME cannot be at the apex. Names are absolute. */
export type AliasPlan = {
  readonly owner: string
  readonly target: string
  /** the most seconds that an answer may be kept */
  readonly ttl: number
  readonly from: Position
}

/** RFC 1035 §3.3.13; times in seconds. */
export type SoaPlan = {
  /** absolute names */
  readonly mname: string
  readonly rname: string
  readonly refresh: number
  readonly retry: number
  readonly expire: number
  /** negative caching, RFC 2308 §4 */
  readonly minimum: number
  readonly ttl: number
}

export type DnsPlan = {
  readonly zones: readonly ZonePlan[]
  /** secrets that are shared with other name servers, by name alone */
  readonly keys: readonly KeyPlan[]
  /** zones that are copied from or to other servers, or changed by them */
  readonly moves: readonly MovePlan[]
  readonly limits: DnsLimits
  /** signatures that may be made in a second, by all threads together */
  readonly signatures: number
  readonly manner: MannerPlan
  readonly pools: readonly PoolPlan[]
  readonly places: PlacesPlan
}

/** How answers are given, whatever they say. */
export type MannerPlan = {
  /** what this server calls itself to clients that ask (RFC 5001) */
  readonly nsid?: string
  /** host whose certificate is shown over TLS to who sends no name; absent: the first */
  readonly name?: string
  /** who is asked for targets of ALIAS, as written; absent: the resolver of the system */
  readonly resolver?: string
  /** absent: as many answers as clients ask for */
  readonly rate?: RatePlan
}

/** How many answers over UDP a network of clients gets. */
export type RatePlan = {
  /** answers a second to one network: an IPv4 /24, an IPv6 /56 */
  readonly perSecond: number
  /** of so many answers that are held back, one goes out truncated; 0: none */
  readonly slip: number
  /** networks without limit */
  readonly exempt: readonly string[]
}

export type DnsLimits = {
  /** largest UDP answer in octets */
  readonly udpPayload: number
  readonly tcpConnections: number
  /** a TCP connection that says nothing for so long is closed */
  readonly tcpIdleMs: number
}

/** A host of the domain, as DNS sees it. */
export type NamedHost = {
  /** absolute */
  readonly name: string
  /** target of an alias as written, else null: the host is served here */
  readonly alias: string | null
  /** browsers may go to HTTPS at once: plain HTTP would send them there */
  readonly isHttps?: boolean
  readonly from: Position
  /** as written in the file */
  readonly text: string
}

export type ZoneInput = {
  /** absolute */
  readonly apex: string
  readonly from: Position
  readonly hosts: readonly NamedHost[]
  readonly records: ReadRecords
  /** where hosts served here are reached */
  readonly addresses: readonly string[]
  /** where HTTPS of the hosts is; null while nothing listens for it */
  readonly httpsPort: number | null
  /** seconds */
  readonly defaultTtl: number
  readonly contact: string | undefined
  readonly dnssec?: DnssecPlan | undefined
}

/**
 * Decide the records of a zone: what was written, what follows from the hosts, and what every zone needs.
 *
 * @returns drafts with a position each, for the checks, and what could not become one
 */
export function draftZone(input: ZoneInput): { drafts: RecordDraft[]; problems: Problem[] } {
  const { drafts: written, emptied } = input.records
  const has = typesOfDerived(input)
  const hides = (owner: string, type: string): boolean =>
    has.has(`${owner} ${type}`) || emptied.has(`${owner} ${type}`)
  const problems: Problem[] = []
  const drafts = [...written]
  for (const host of input.hosts) {
    if (host.alias !== null) {
      const alias = draftAlias(host, host.alias, input)
      if ('code' in alias) problems.push(alias)
      else drafts.push(alias)
    } else if (!['A', 'AAAA', 'ALIAS'].some((type) => hides(host.name, type))) {
      drafts.push(...draftAddresses(host.name, input, { from: host.from, why: 'derived from the host' }))
      drafts.push(...draftService(host, input).filter(({ owner }) => !hides(owner, 'HTTPS')))
    }
  }
  if (!hides(input.apex, 'NS')) drafts.push(...draftNameserver(input, drafts))
  if (emptied.has(`${input.apex} NS`) && !has.has(`${input.apex} NS`)) problems.push(noNameServer(input))
  return { drafts, problems }
}

/** `owner type` of what was written for the names that records are derived for: of a million names few. */
function typesOfDerived({ apex, hosts, records }: ZoneInput): Set<string> {
  const derived = new Set([apex, ...hosts.map(({ name }) => name)])
  const has = new Set<string>()
  const isDerived = (owner: string): boolean => (hosts.length === 0 ? owner === apex : derived.has(owner))
  for (const { owner, type } of records.drafts) if (isDerived(owner)) has.add(`${owner} ${type}`)
  return has
}

/** Gather drafts of one zone into its Plan. */
export function planZone(input: ZoneInput, drafts: readonly RecordDraft[]): ZonePlan {
  const aliases = drafts.filter(({ type }) => type === 'ALIAS').map(planAlias)
  const rrsets = planRRsets(drafts.filter(({ type }) => type !== 'ALIAS'))
  const soa = planSoa(input, rrsets)
  const key = contentKey([
    input.apex,
    soa,
    rrsets.map(({ owner, type, ttl, data, pool }) => [owner, type, ttl, data, pool]),
    ...aliases.map(({ owner, target, ttl }) => [owner, target, ttl]),
    ...(input.dnssec === undefined ? [] : [input.dnssec]),
  ])
  const { apex, from, dnssec } = input
  return {
    ...{ id: `zone:${apex.slice(0, -1)}`, key, from, apex, soa, rrsets },
    ...(aliases.length === 0 ? {} : { aliases }),
    ...(dnssec === undefined ? {} : { dnssec }),
  }
}

/** Sorted by owner and type; records of a set stay in the order in which they were written. */
function planRRsets(drafts: RecordDraft[]): RRsetPlan[] {
  drafts.sort((a, b) => compareText(a.owner, b.owner) || compareText(a.type, b.type))
  const rrsets: RRsetPlan[] = []
  for (let start = 0, end = 0; start < drafts.length; start = end) {
    const { owner, type, ttl, from, why, pool } = drafts[start]!
    while (drafts[end]?.owner === owner && drafts[end]!.type === type) end++
    const set = drafts.slice(start, end).map((draft) => draft.data)
    const data = set.length === 1 ? set : [...new Set(set)]
    const rrset = { owner, type, ttl, data, from, why }
    rrsets.push(pool === undefined ? rrset : { ...rrset, pool })
  }
  return rrsets
}

function planAlias({ owner, data, ttl, from }: RecordDraft): AliasPlan {
  return { owner, target: data, ttl, from }
}

function draftAlias(host: NamedHost, alias: string, input: ZoneInput): RecordDraft | Problem {
  const target = looksLikeAddress(alias)
    ? addressFault(alias, 'CNAME', host.text)
    : targetName(alias, input.apex)
  const fault = typeof target === 'string' ? hostTargetFault(alias, target) : target
  if (typeof target !== 'string' || fault !== undefined) return { level: 'error', at: host.from, ...fault! }
  return draft(host.name, 'CNAME', target, input, { from: host.from, why: 'derived from the host' })
}

function draftAddresses(owner: string, input: ZoneInput, source: Source): RecordDraft[] {
  return input.addresses.map((address) =>
    draft(owner, address.includes(':') ? 'AAAA' : 'A', address, input, source),
  )
}

/**
 * Tell browsers before they connect that a host speaks HTTPS and HTTP/2, and where (RFC 9460 §9.1). HTTP/1.1 is in the
 * default set of HTTPS (RFC 9460 §9) and need not be said. A port other than 443 stands in the owner, which a wildcard cannot.
 */
function draftService(host: NamedHost, input: ZoneInput): RecordDraft[] {
  const { httpsPort: port, addresses } = input
  if (port === null || host.isHttps !== true || (port !== 443 && host.name.startsWith('*.'))) return []
  const hint = (name: string, found: readonly string[]): string =>
    found.length === 0 ? '' : ` ${name}=${found.join(',')}`
  const ipv4 = hint(
    'ipv4hint',
    addresses.filter((address) => !address.includes(':')),
  )
  const ipv6 = hint(
    'ipv6hint',
    addresses.filter((address) => address.includes(':')),
  )
  const owner = port === 443 ? host.name : `_${port}._https.${host.name}`
  const target = port === 443 ? '.' : host.name
  const source: Source = { from: host.from, why: 'derived from the host' }
  return [draft(owner, 'HTTPS', `1 ${target} alpn=h2${ipv4}${ipv6}`, input, source)]
}

/** RFC 1035 §3.3.11: a zone has a name server; nobody named one, so it is this machine. */
function draftNameserver(input: ZoneInput, drafts: readonly RecordDraft[]): RecordDraft[] {
  const name = `ns1.${input.apex}`
  const source: Source = { from: input.from, why: 'default' }
  const exists = drafts.some((other) => other.owner === name)
  const addresses = exists ? [] : draftAddresses(name, input, source)
  return [draft(input.apex, 'NS', name, input, source), ...addresses]
}

function noNameServer({ apex, from }: ZoneInput): Problem {
  const message = `"${apex.slice(0, -1)}" has an empty list of NS; a zone has at least one name server (RFC 1034 §4.2.1).`
  return {
    level: 'error',
    code: 'dns/no-name-server',
    at: from,
    message,
    fix: 'remove the list, and Portico names itself; or "NS": ["ns1", "ns2"]',
  }
}

type Source = Pick<RecordDraft, 'from' | 'why'>

function draft(owner: string, type: string, data: string, input: ZoneInput, source: Source): RecordDraft {
  return { owner, type, data, ttl: input.defaultTtl, ...source }
}

/** Times as RFC 1912 §2.2 advises; `minimum` is short so that a new host is seen soon (RFC 2308 §5). */
function planSoa(input: ZoneInput, rrsets: readonly RRsetPlan[]): SoaPlan {
  const servers = rrsets.find(({ owner, type }) => owner === input.apex && type === 'NS')
  const [user, host] = (input.contact ?? `hostmaster@${input.apex.slice(0, -1)}`).split('@') as [
    string,
    string,
  ]
  const domain = absoluteName(`${host}.`)
  return {
    mname: servers?.data[0] ?? `ns1.${input.apex}`,
    // RFC 1035 §8: the first label is the local part, its dots escaped.
    rname: `${user.replaceAll('.', '\\.')}.${typeof domain === 'string' ? domain : input.apex}`,
    refresh: 7200,
    retry: 3600,
    expire: 1_209_600,
    minimum: 300,
    ttl: 3600,
  }
}
