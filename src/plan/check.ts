import { isIP } from 'node:net'
import { authoritiesOf, challengesOf } from '#acme/config.ts'
import { checkCache } from '#cache/check-plan.ts'
import { parseNetwork } from '#core/network.ts'
import type { Problem } from '#core/problem.ts'
import { isPrivateAddress } from '#dns/check/addresses.ts'
import type { ZoneInput } from '#dns/plan.ts'
import { dividedZones, type Names, zoneOf } from '#dns/records/names.ts'
import type { RecordDraft } from '#dns/records/read-records.ts'
import { isPrivateName } from '#dns/records/special-names.ts'
import { absoluteName, nameBelow } from '#dns/records/written-name.ts'
import { checkRoutes } from '#http/check.ts'
import { checkTransforms } from '#http/transform/check.ts'
import type { Across } from '#plan/check/across.ts'
import { checkBuckets } from '#plan/check/buckets.ts'
import { checkCertificates } from '#plan/check/certificates.ts'
import { checkDepth } from '#plan/check/depth.ts'
import { checkLiveStreams } from '#plan/check/live.ts'
import { checkMtaSts } from '#plan/check/mta-sts.ts'
import { checkPaths } from '#plan/check/paths.ts'
import { indexServed, servedBy } from '#plan/check/served.ts'
import { checkStreams } from '#plan/check/streams.ts'
import type { HostDraft } from './host-draft.ts'
import { checkListeners, type LocalService } from './listeners.ts'

/** Rules that no service can check alone. */
export function checkAcross(across: Across): Problem[] {
  const targets = targetNames(across.names)
  return [
    ...checkAddresses(across),
    ...checkPaths(across),
    ...checkTrust(across),
    ...checkContact(across),
    ...checkCertificates(across),
    ...checkDepth(across, targets),
    ...checkMtaSts(across),
    ...checkWildcardIssuer(across),
    ...checkOtherZones(across),
    ...across.hosts.flatMap((host) => checkHostAddress(host, across)),
    ...checkStrayAddresses(across, targets),
    ...checkClearText(across),
    ...checkListeners(across.listeners, localServices(across)),
    ...across.plans.filter(({ name }) => !name.endsWith('.localhost')).flatMap(checkRoutes),
    ...across.hosts.flatMap(checkTransforms),
    ...across.hosts.flatMap(checkCaches),
    ...checkBuckets(across),
    ...checkStreams(across),
    ...checkLiveStreams(across),
  ]
}

/** The option of the host, then those of its routes. */
function checkCaches({ written, at }: HostDraft): Problem[] {
  const routes = Object.entries(written.routes ?? {})
  const hasService = [written, ...routes.map(([, route]) => route)].some(
    ({ service }) => service !== undefined,
  )
  return [
    ...checkCache({ cache: written.cache ?? false, hasService, at: (...option) => at(undefined, ...option) }),
    ...routes.flatMap(([pattern, route]) =>
      checkCache({
        cache: route.cache ?? false,
        hasService: route.service !== undefined,
        at: (...option) => at(pattern, ...option),
      }),
    ),
  ]
}

function checkAddresses(across: Across): Problem[] {
  const { config, facts, hosts } = across
  const { address } = config.value
  const problems: Problem[] = (address ?? []).flatMap((text, index) => {
    if (isIP(text) !== 0 && !text.includes('%')) return []
    const at = config.written.at(['address', index])
    const message = `address is "${text}"; an IPv4 or IPv6 address is wanted, for A and AAAA records (RFC 1035 §3.4.1, RFC 3596 §2.2).`
    return [{ level: 'error', code: 'plan/not-an-address', at, message, fix: '"address": ["203.0.113.10"]' }]
  })
  problems.push(...checkPrivate(across))
  if (address !== undefined || facts.dev || facts.addresses.length > 0 || hosts.length === 0) return problems
  const message =
    'The file has no "address", and this machine has no public one: hosts get 127.0.0.1, which only this machine reaches.'
  problems.push({
    level: 'warning',
    code: 'plan/no-address',
    at: config.written.at([]),
    message,
    fix: '"address": ["203.0.113.10"]',
  })
  return problems
}

/** Hosts of a public domain that get an address of a private network (RFC 1918 §3). */
function checkPrivate({ config, facts, hosts }: Across): Problem[] {
  const host = hosts.find(({ name }) => !isPrivateName(name))
  if (facts.dev || host === undefined) return []
  return (config.value.address ?? []).flatMap((text, index): Problem[] => {
    if (isIP(text) === 0 || !isPrivateAddress(text)) return []
    const at = config.written.at(['address', index])
    const message = `address is ${text}, which only its own network reaches, and ${host.name.slice(0, -1)} is a name that the world asks for (RFC 1918 §3).`
    const fix = 'the public address of the router, or a domain of its own such as "home.arpa"'
    return [{ level: 'warning', code: 'plan/private-address', at, message, fix }]
  })
}

function checkTrust({ config }: Across): Problem[] {
  const { trust, listen } = config.value
  const proxied = (['http', 'https'] as const).flatMap((protocol) => {
    return listen[protocol].flatMap((listener, index) => {
      if (typeof listener === 'string') return []
      const path = ['listen', protocol, ...(listen[protocol].length > 1 ? [index] : [])]
      const networks = listener.proxyProtocol
      const isList = networks.length > 1
      return networks.map((text, i) => ({ text, path: [...path, 'proxyProtocol', ...(isList ? [i] : [])] }))
    })
  })
  const written = [...trust.map((text, index) => ({ text, path: ['trust', index] })), ...proxied]
  return written.flatMap(({ text, path }): Problem[] => {
    if (parseNetwork(text) !== undefined) return []
    const key = path.find((part) => part === 'trust' || part === 'proxyProtocol')
    const message = `"${key}" has "${text}"; an address, or a network with the length of its prefix (RFC 4632 §3.1), is wanted.`
    const fix = `"${key}": ["10.0.0.0/8", "2001:db8::/32"]`
    return [{ level: 'error', code: 'plan/not-a-network', at: config.written.at(path), message, fix }]
  })
}

/** The SOA record carries the address as a name (RFC 1035 §8); whoever looks after the domain reads it (RFC 1912 §2.2). */
function checkContact({ config, names }: Across): Problem[] {
  const host = config.value.contact?.split('@')[1]
  const name = host === undefined ? '' : absoluteName(`${host}.`)
  const at = config.written.at(['contact'])
  const fix = '"contact": "admin@example.com"'
  if (typeof name !== 'string') return [{ level: 'error', ...name, at, fix }]
  const takesNone =
    names.owners
      .get(name)
      ?.get('MX')
      ?.every(({ data }) => data.endsWith(' .')) === true
  if (!takesNone) return []
  const message = `contact is ${config.value.contact}, but MX of ${host} says that it takes no mail: nobody can be told of faults (RFC 1912 §2.2).`
  return [
    { level: 'warning', code: 'plan/contact-without-mail', at, message, fix: 'an address that takes mail' },
  ]
}

/** A wildcard is proved through DNS alone (RFC 8555 §8.3, §8.4). */
function checkWildcardIssuer({ config, facts, plans, listeners }: Across): Problem[] {
  const { issuer, challenges } = config.value.certificates
  if (facts.dev || authoritiesOf(issuer, undefined).length === 0) return []
  const hasDns = listeners.some(({ protocol }) => protocol === 'dns')
  if (challengesOf(challenges, hasDns).some((type) => type.startsWith('dns-'))) return []
  const wildcard = plans.find(({ name }) => name.startsWith('*.'))
  if (wildcard === undefined) return []
  const why = hasDns ? '"challenges" does not have dns-01' : '"listen" has no DNS'
  const message = `A certificate for "${wildcard.name}" is proved by a record that Portico serves (RFC 8555 §8.4), but ${why}: the local authority issues it, which browsers do not trust.`
  const fix = hasDns ? '"challenges": ["dns-01"]' : '"listen": { "dns": ":53" }, or name the hosts'
  return [{ level: 'warning', code: 'tls/wildcard-without-dns', at: wildcard.from, message, fix }]
}

/** What stands in another zone of ours is answered from there; a delegation to it may stand in both (RFC 1034 §4.2.1). */
function checkOtherZones({ drafted, names }: Across): Problem[] {
  const divided = dividedZones(names.zones)
  const concerned = drafted.filter(({ input }) => divided.has(input.apex))
  return concerned.flatMap(({ input, drafts }) => checkDivided(input, drafts, names))
}

function checkDivided(input: ZoneInput, drafts: readonly RecordDraft[], names: Names): Problem[] {
  const told = new Set<string>()
  return drafts.flatMap(({ owner, type, from }): Problem[] => {
    const zone = zoneOf(owner, names.zones)
    if (zone === undefined || zone === input.apex || told.has(owner)) return []
    if (owner === zone && (type === 'NS' || type === 'DS')) return []
    told.add(owner)
    const [domain, other] = [input.apex.slice(0, -1), zone.slice(0, -1)]
    const message = `${type} of ${owner.slice(0, -1)} stands under "${domain}", but that name is in the domain "${other}" of this file: it is answered from there (RFC 1034 §4.3.2).`
    return [
      {
        level: 'error',
        code: 'dns/name-in-other-zone',
        at: from,
        message,
        fix: `move it to "${other}", as "${nameBelow(owner, zone)}"`,
      },
    ]
  })
}

/** A host that nobody can find, or that is found elsewhere than here. */
function checkHostAddress(host: HostDraft, { names, config, drafted }: Across): Problem[] {
  const types = names.owners.get(host.name)
  // A CNAME beside the host was reported as such; a host below a delegation or in another zone too.
  if (types?.has('CNAME') === true || zoneOf(host.name, names.zones) !== host.apex) return []
  const addresses = [...(types?.get('A') ?? []), ...(types?.get('AAAA') ?? [])]
  if (addresses.length === 0) {
    const message = `"${host.text}" answers requests, but nothing gives ${host.name.slice(0, -1)} an address: nobody finds it.`
    return [
      {
        level: 'error',
        code: 'plan/host-without-address',
        at: host.at(),
        message,
        fix: 'remove its empty "A" or "AAAA" from "records", or set "address"',
      },
    ]
  }
  const ours = new Set(
    drafted.find(({ input }) => input.apex === host.apex)?.input.addresses ?? config.value.address,
  )
  const elsewhere = addresses.filter(({ data, why }) => why === 'written' && !ours.has(data))
  const first = elsewhere[0]
  if (first === undefined || elsewhere.length < addresses.length) return []
  const message = `"${host.text}" is a host here, but the record written for it points at ${first.data}; what is written wins over the address ${[...ours].join(', ')} that follows from the host.`
  return [
    {
      level: 'warning',
      code: 'plan/host-points-elsewhere',
      at: first.from,
      message,
      fix: `remove the record, or remove the host "${host.text}"`,
    },
  ]
}

/** An address of ours without a host: whoever asks for it over HTTP gets an error page. */
function checkStrayAddresses({ hosts, drafted }: Across, targets: ReadonlySet<string>): Problem[] {
  const served = indexServed(hosts.map(({ name }) => name))
  return drafted.flatMap(({ input, drafts }) => {
    const ours = new Set(input.addresses)
    const strays = drafts.filter(({ why, type, data, owner }) => {
      const isOurs = why === 'written' && (type === 'A' || type === 'AAAA') && ours.has(data)
      return isOurs && !targets.has(owner) && servedBy(owner, served) === undefined
    })
    return strays.map((draft): Problem => {
      const text = draft.owner === input.apex ? '@' : draft.owner.slice(0, -input.apex.length - 1)
      const message = `"${text}" has the address ${draft.data} of this machine, but no host of that name answers here.`
      const fix = `"hosts": { "${text}": { "service": 8080 } }, or remove the record`
      return { level: 'warning', code: 'plan/address-without-host', at: draft.from, message, fix }
    })
  })
}

/** Passwords and tokens that anyone on the way can read, unless a proxy of ours stands there. */
function checkClearText({ plans, config, facts }: Across): Problem[] {
  if (facts.dev || config.value.trust.length > 0) return []
  const open = plans.filter(({ redirectToHttps }) => !redirectToHttps)
  return open.flatMap(({ name, routes }) => {
    const guarded = routes.find(
      ({ access }) => access !== undefined && (access.basic ?? access.bearer) !== null,
    )
    if (guarded === undefined) return []
    const message = `"${name}" asks for passwords or tokens over plain HTTP too, where anyone on the way can read them (RFC 7617 §4, RFC 6750 §5.3).`
    const fix = '"http": "redirect"'
    return [{ level: 'warning', code: 'access/in-clear', at: guarded.from, message, fix } satisfies Problem]
  })
}

const LEADS_ON: ReadonlySet<string> = new Set(['MX', 'NS', 'SRV', 'CNAME', 'SVCB', 'HTTPS'])

/** Names that MX, NS, SRV and the like lead to: they need an address, not a host. */
function targetNames(names: Names): Set<string> {
  const targets = new Set<string>()
  for (const types of names.owners.values()) {
    for (const { type, data } of types.drafts) {
      if (!LEADS_ON.has(type)) continue
      for (const word of data.split(' ')) targets.add(word.toLowerCase())
    }
  }
  return targets
}

/** Services at fixed ports of this machine. */
function localServices({ plans, processes }: Across): LocalService[] {
  const fixed = processes
    .filter(({ port }) => port !== 0)
    .map(({ port, name, from }) => ({ port, name, from, address: null }))
  const origins = plans
    .filter(({ name }) => !name.endsWith('.localhost'))
    .flatMap(({ name, routes }) => {
      return routes.flatMap(({ action, from }) => {
        if (action.kind !== 'service') return []
        return action.origins
          .filter(({ host, port }) => port !== 0 && /^(127\.|localhost$|::1$)/.test(host))
          .map(({ host, port }) => ({ port, name, from, address: host }))
      })
    })
  return [...fixed, ...origins]
}
