import type { Config } from '#config/load.ts'
import type { Finding } from '#core/finding.ts'
import { isPrivateAddress } from '#dns/check/addresses.ts'
import { keyTag } from '#dns/dnssec/key.ts'
import type { ZonePlan } from '#dns/plan.ts'
import { isPrivateName } from '#dns/records/special-names.ts'
import { parseIpv6 } from '#dns/wire/address.ts'
import { printHex } from '#dns/wire/encoding.ts'
import { parseRdata } from '#dns/wire/rdata.ts'
import { TYPE } from '#dns/wire/types.ts'
import { publicAuthoritiesOf } from './authorities.ts'
import type { Plan } from './plan.ts'

/** Data of one type as a resolver gave it, or why it gave none. */
export type Seen = { readonly data: readonly string[] } | { readonly failure: string }

/** What is to be looked at in the world for a Plan. */
export type Looks = {
  readonly zones: readonly ZoneLooks[]
  /** ports that the world connects to */
  readonly ports: readonly { readonly address: string; readonly port: number; readonly what: string }[]
  /** addresses of this machine, and of servers of mail, which must be known by the name `host` */
  readonly pointers: readonly Pointer[]
}

type Pointer = { readonly name: string; readonly address: string; readonly host: string | null }

export type ZoneLooks = {
  readonly apex: string
  /** name servers of the file, with the addresses that it knows */
  readonly servers: readonly { readonly name: string; readonly addresses: readonly string[] }[]
  readonly hosts: readonly string[]
}

/** What was seen. */
export type World = {
  readonly zones: readonly ZoneSeen[]
  readonly ports: readonly PortSeen[]
  readonly pointers: readonly (Omit<Pointer, 'name'> & { readonly names: Seen })[]
}

export type ZoneSeen = {
  readonly apex: string
  readonly ns: Seen
  readonly ds: Seen
  readonly parent:
    | {
        readonly server: string
        readonly ns: readonly string[]
        readonly glue: readonly { readonly owner: string; readonly data: string }[]
      }
    | { readonly failure: string }
  readonly servers: readonly ServerSeen[]
  readonly caa: { readonly owner: string; readonly data: readonly string[] } | { readonly failure: string }
  readonly hosts: readonly { readonly name: string; readonly A: Seen; readonly AAAA: Seen }[]
}

export type ServerSeen = {
  readonly name: string
  readonly address: string | null
  readonly said: { readonly serial: number } | { readonly failure: string }
}

export type PortSeen = Looks['ports'][number] & { /** `open`, or why not */ readonly said: string }

/** A file may have thousands: the first tell enough. */
const ZONE_LIMIT = 50
const HOST_LIMIT = 20

/**
 * Decide what to look at.
 *
 * @param all also zones that are not of the public DNS: somebody named the resolver that knows them
 */
export function looksOf(plan: Plan, addresses: readonly string[], all: boolean): Looks {
  const zones = plan.dns.zones.filter(({ apex }) => all || !isPrivateName(apex)).slice(0, ZONE_LIMIT)
  const outside = addresses.filter((address) => all || !isPrivateAddress(address))
  const ports = plan.listeners
    .filter(({ protocol, address }) => protocol !== 'admin' && !isLoopback(address))
    .map(({ protocol, port }) => ({ protocol, port }))
  const servers = new Set(zones.flatMap((zone) => dataOf(zone, zone.apex, 'NS')))
  const distinct = new Map(ports.map((port) => [`${port.protocol} ${port.port}`, port]))
  return {
    zones: zones.map((zone) => ({
      apex: zone.apex,
      servers: dataOf(zone, zone.apex, 'NS').map((name) => ({ name, addresses: knownAddresses(plan, name) })),
      hosts: zone.rrsets
        .filter(({ owner, type }) => (type === 'A' || type === 'AAAA') && !owner.startsWith('*.'))
        .filter(({ owner, why }) => why !== 'written' || servers.has(owner))
        .map(({ owner }) => owner)
        .filter((owner, index, owners) => owners.indexOf(owner) === index)
        .slice(0, HOST_LIMIT),
    })),
    ports: outside.flatMap((address) =>
      [...distinct.values()].map(({ protocol, port }) => ({ address, port, what: protocol })),
    ),
    pointers: pointersOf(plan, zones, outside),
  }
}

function pointersOf(plan: Plan, zones: readonly ZonePlan[], addresses: readonly string[]): Pointer[] {
  const data = zones.flatMap(({ rrsets }) => rrsets.flatMap((set) => (set.type === 'MX' ? set.data : [])))
  const servers = [...new Set(data.map((mx) => mx.split(' ')[1]!.toLowerCase()))].slice(0, HOST_LIMIT)
  const hosts = new Map(addresses.map((address): [string, string | null] => [address, null]))
  for (const server of servers) for (const address of knownAddresses(plan, server)) hosts.set(address, server)
  return [...hosts].map(([address, host]) => ({ name: reverseName(address), address, host }))
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}

function knownAddresses({ dns }: Plan, name: string): string[] {
  return dns.zones.flatMap((zone) => [
    ...dataOf(zone, name.toLowerCase(), 'A'),
    ...dataOf(zone, name.toLowerCase(), 'AAAA'),
  ])
}

function dataOf({ rrsets }: ZonePlan, owner: string, type: string): readonly string[] {
  return rrsets.find((set) => set.owner === owner && set.type === type)?.data ?? []
}

/** The name that PTR of an address stands at (RFC 1035 §3.5, RFC 3596 §2.5). */
export function reverseName(address: string): string {
  const octets = parseIpv6(address)
  if (octets === undefined) return `${address.split('.').reverse().join('.')}.in-addr.arpa.`
  return `${[...printHex(octets).toLowerCase()].reverse().join('.')}.ip6.arpa.`
}

/**
 * Compare what the world says with the Plan.
 *
 * @param serials by the id of the zone, as this Portico has them
 */
export function compareWorld(
  world: World,
  { plan, config, serials }: { plan: Plan; config: Config; serials: ReadonlyMap<string, number> },
): Finding[] {
  return [
    ...world.zones.flatMap((seen) => {
      const zone = plan.dns.zones.find(({ apex }) => apex === seen.apex)!
      return [
        compareDelegation(zone, seen),
        ...compareGlue(zone, seen),
        compareDs(zone, seen),
        ...compareServers(zone, seen, serials.get(zone.id)),
        compareCaa(zone, seen, config),
        ...compareHosts(zone, seen),
      ]
    }),
    ...world.pointers.map(comparePointer),
    ...world.ports.map(comparePort),
  ]
}

function compareDelegation(zone: ZonePlan, { ns, parent }: ZoneSeen): Finding {
  const what = `delegation of ${say(zone.apex)}`
  const wanted = dataOf(zone, zone.apex, 'NS').map(fold)
  const fix = `at the registrar, name the servers ${wanted.map(say).join(', ')}`
  const [source, seen] =
    'failure' in parent
      ? ['the resolver', ns]
      : [`${say(parent.server)}, a server of the zone above,`, { data: parent.ns }]
  if ('failure' in seen)
    return { what, level: 'unknown', message: `${source} gave no answer: ${seen.failure}.` }
  const found = seen.data.map(fold)
  const named = found.map(say).join(', ')
  if (found.length === 0)
    return {
      what,
      level: 'error',
      message: `${source} knows no name servers of it: nobody is led here.`,
      fix,
    }
  const common = found.filter((name) => wanted.includes(name))
  if (common.length === 0)
    return {
      what,
      level: 'error',
      message: `${source} names ${named}, and none of them is in the file.`,
      fix,
    }
  if (common.length < found.length || common.length < wanted.length)
    return {
      what,
      level: 'warning',
      message: `${source} names ${named}; the file has ${wanted.map(say).join(', ')}.`,
      fix,
    }
  return { what, level: 'ok', message: `${source} names ${named}, as the file does.` }
}

/** Addresses that the zone above gives for servers within this one. */
function compareGlue(zone: ZonePlan, { parent }: ZoneSeen): Finding[] {
  if ('failure' in parent) return []
  return parent.ns
    .map(fold)
    .filter((name) => `.${name}`.endsWith(`.${zone.apex}`))
    .map((name): Finding => {
      const what = `glue of ${say(name)}`
      const wanted = [...dataOf(zone, name, 'A'), ...dataOf(zone, name, 'AAAA')]
      const found = parent.glue.filter(({ owner }) => owner === name).map(({ data }) => data)
      const fix = `at the registrar, give ${say(name)} the address ${wanted.join(', ')}`
      if (found.length === 0)
        return {
          what,
          level: 'error',
          message: 'the zone above has no address for it, so nobody can ask it (RFC 9471 §3.1).',
          fix,
        }
      const stray = found.find((address) => !wanted.includes(address))
      if (stray !== undefined)
        return {
          what,
          level: 'error',
          message: `the zone above has ${stray}; the file has ${wanted.join(', ') || 'no address'}.`,
          fix,
        }
      return { what, level: 'ok', message: `the zone above has ${found.join(', ')}.` }
    })
}

/** A DS without the key that it is of makes the whole domain bogus to who validates (RFC 4035 §5.2). */
function compareDs(zone: ZonePlan, { ds }: ZoneSeen): Finding {
  const what = `DS of ${say(zone.apex)}`
  if ('failure' in ds)
    return { what, level: 'unknown', message: `the resolver gave no answer: ${ds.failure}.` }
  const keys = dataOf(zone, zone.apex, 'DNSKEY').map(tagOfDnskey)
  const isSigned = keys.length > 0
  if (ds.data.length === 0)
    return {
      what,
      level: 'ok',
      message: isSigned
        ? 'there is none, so nobody validates yet.'
        : 'there is none, and the zone is not signed.',
    }
  const tags = ds.data.map((data) => Number(data.split(' ')[0]))
  if (tags.some((tag) => keys.includes(tag)))
    return { what, level: 'ok', message: `there is one for key ${tags.join(', ')}.` }
  if (isSigned)
    return {
      what,
      level: 'error',
      message: `the zone above has one for key ${tags.join(', ')}; the zone has key ${keys.join(', ')}: who validates finds nothing (RFC 4035 §5.2).`,
      fix: `give the registrar what "portico dnssec ds ${say(zone.apex)}" prints`,
    }
  return {
    what,
    level: 'error',
    message:
      'the zone above says that the zone is signed, and it is not: who validates finds nothing (RFC 4035 §5.2).',
    fix: 'remove the DS at the registrar',
  }
}

function tagOfDnskey(data: string): number {
  const rdata = parseRdata(TYPE.DNSKEY, data)
  return typeof rdata === 'string' ? -1 : keyTag(rdata.wire)
}

/** Every server of a zone answers for it, with the same serial (RFC 1034 §4.3.5). */
function compareServers(zone: ZonePlan, { servers }: ZoneSeen, own: number | undefined): Finding[] {
  const serials = servers.flatMap(({ said }) => ('serial' in said ? [said.serial] : []))
  const newest = own ?? serials.reduce((a, b) => Math.max(a, b), 0)
  return servers.map(({ name, address, said }): Finding => {
    const what = `${say(name)}${address === null ? '' : ` (${address})`} for ${say(zone.apex)}`
    if ('failure' in said) {
      const isLame = said.failure.startsWith('it does not serve')
      const fix = isLame
        ? `let it serve the zone, or take it out of NS`
        : 'open port 53 for UDP and TCP on the way there'
      return { what, level: isLame ? 'error' : 'warning', message: `${said.failure}.`, fix }
    }
    if (said.serial === newest) return { what, level: 'ok', message: `serial ${said.serial}.` }
    const fix = 'if it stays so for longer than the refresh time, look at the transfer'
    return { what, level: 'warning', message: `serial ${said.serial}, and the newest is ${newest}.`, fix }
  })
}

function compareCaa(zone: ZonePlan, { caa }: ZoneSeen, config: Config): Finding {
  const what = `CAA of ${say(zone.apex)}`
  if ('failure' in caa)
    return { what, level: 'unknown', message: `the resolver gave no answer: ${caa.failure}.` }
  const issuers = caa.data.flatMap(
    (data) => /^\d+ issue "\s*([^";\s]*)/i.exec(data)?.[1]?.toLowerCase() ?? [],
  )
  const refused = publicAuthoritiesOf(config.value.certificates).find(
    ({ caa: names }) => names !== null && issuers.length > 0 && !names.some((name) => issuers.includes(name)),
  )
  if (refused !== undefined) {
    const message = `${say(caa.owner)} allows ${issuers.map((name) => name || 'nobody').join(', ')} to issue, and not ${refused.name} (RFC 8659 §3).`
    return {
      what,
      level: 'error',
      message,
      fix: `"CAA": "0 issue \\"${refused.caa![0]}\\"" at ${say(zone.apex)}`,
    }
  }
  return {
    what,
    level: 'ok',
    message:
      caa.data.length === 0
        ? 'there is none: every authority may issue.'
        : `${caa.data.join(', ')} at ${say(caa.owner)}.`,
  }
}

/** Hosts as the world finds them; old addresses stay in caches for a while. */
function compareHosts(zone: ZonePlan, { hosts }: ZoneSeen): Finding[] {
  return hosts.map(({ name, A, AAAA }): Finding => {
    const what = `address of ${say(name)}`
    if ('failure' in A)
      return { what, level: 'unknown', message: `the resolver gave no answer: ${A.failure}.` }
    const found = [...A.data, ...('data' in AAAA ? AAAA.data : [])].toSorted()
    const wanted = [...dataOf(zone, name, 'A'), ...dataOf(zone, name, 'AAAA')].toSorted()
    if (found.join() === wanted.join()) return { what, level: 'ok', message: `${found.join(', ')}.` }
    const seen = found.length === 0 ? 'nobody finds one' : `the world finds ${found.join(', ')}`
    const fix = 'if it stays so for longer than the TTL, look at the delegation'
    return { what, level: 'warning', message: `${seen}; the file has ${wanted.join(', ')}.`, fix }
  })
}

/** Receivers of mail distrust senders whose address has no name (RFC 1912 §2.1). */
function comparePointer({ address, host, names }: World['pointers'][number]): Finding {
  const what = `PTR of ${address}`
  if ('failure' in names)
    return { what, level: 'unknown', message: `the resolver gave no answer: ${names.failure}.` }
  const known = names.data.map(say).join(', ')
  if (host === null)
    return { what, level: 'ok', message: known === '' ? 'there is none; only mail needs one.' : `${known}.` }
  if (names.data.map(fold).includes(fold(host))) return { what, level: 'ok', message: `${say(host)}.` }
  const found = known === '' ? 'there is none' : `it is ${known}`
  const message = `${found}, and ${say(host)} has that address: receivers of mail distrust it (RFC 1912 §2.1).`
  return { what, level: 'warning', message, fix: `let whoever gave the address set its name to ${say(host)}` }
}

function comparePort({ address, port, what: protocol, said }: PortSeen): Finding {
  const what = `${address.includes(':') ? `[${address}]` : address}:${port} (${protocol}, TCP)`
  if (said === 'open') return { what, level: 'ok', message: 'open, as seen from here.' }
  const fix = `start Portico, and let TCP ${port}${protocol === 'dns' ? ' and UDP' : ''} pass the firewall and the router`
  return {
    what,
    level: 'warning',
    message: `${said}, as seen from here; a router may hide it from its own side.`,
    fix,
  }
}

function fold(name: string): string {
  return name.toLowerCase()
}

function say(name: string): string {
  return name === '.' ? '.' : name.replace(/\.$/, '')
}
