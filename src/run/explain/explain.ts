import { admitAddress, compileNetworks } from '#access/admit.ts'
import type { AccessPlan, RatePlan } from '#access/plan.ts'
import { isOnDemand } from '#acme/plan.ts'
import type { Position } from '#core/problem.ts'
import { plural } from '#core/units.ts'
import type { SavedZones } from '#dns/dnssec/keyed-zones.ts'
import { type Lookup, lookup } from '#dns/lookup.ts'
import type { SecondaryState } from '#dns/transfer/secondary.ts'
import { lowerName, parseName } from '#dns/wire/name.ts'
import { rcodeName, typeNumber } from '#dns/wire/types.ts'
import type { Zones } from '#dns/zone.ts'
import type { OriginState } from '#http/origin/pool.ts'
import type { ActionPlan } from '#http/plan.ts'
import { compileRoutes, type Routing, route } from '#http/route.ts'
import { createTrust } from '#http/trust.ts'
import { printSocket } from '#plan/listeners.ts'
import type { Plan } from '#plan/plan.ts'
import type { ProcessState } from '#processes/process.ts'
import { leadsTo } from '#run/status.ts'
import type { CertificateDescription } from '#tls/keeper.ts'
import { compileCertificates, select } from '#tls/select.ts'
import { explainBroadcast, type OnAir } from './broadcast.ts'
import { explainBucket } from './bucket.ts'
import { explainCache, type LiveCache } from './cache.ts'
import { explainSigning } from './dnssec.ts'
import type { SeenFile } from './file.ts'
import { explainLive } from './live.ts'
import { explainObserved } from './observe.ts'
import { type DnsKnown, explainAlias, explainPool } from './pool.ts'
import { hostOfUrl, type Question, type RecordQuestion, urlOf } from './question.ts'
import { explainOrigins } from './service.ts'
import { fault, type Step, step } from './step.ts'
import { explainStream } from './stream.ts'
import { explainRequestPath, explainResponse } from './transform.ts'
import { explainCopy, explainTransfer, isTransfer } from './zone.ts'

/** What a running Portico knows beside its Plan. */
export type Live = {
  readonly origins: readonly OriginState[]
  readonly processes: readonly ProcessState[]
  /** of the host that is asked about */
  readonly certificate: CertificateDescription
  readonly cache: LiveCache
  /** keys of signed zones */
  readonly signed: SavedZones
  readonly nowSeconds: number
  readonly secondaries: readonly SecondaryState[]
  readonly onAir: OnAir
}

export type World = {
  readonly plan: Plan
  readonly zones: Zones
  /** null: a file alone */
  readonly live: Live | null
  /** what a running Portico found out for its zones */
  readonly dns?: DnsKnown
  /** what stands on disk where a file is asked for */
  readonly file?: SeenFile | null
}

export type Explanation = {
  readonly target: string
  readonly from: string | null
  readonly steps: readonly Step[]
}

/**
 * Walk the decisions that the servers take, and say each with its reason and its line in the file.
 *
 * @param from address of the client, or null for any
 */
export function explain(question: Question, world: World, from: string | null): Explanation {
  if (question.kind === 'record') {
    const steps = explainQuestion(question, world, from)
    return { target: `${question.name} ${question.type}`, from, steps }
  }
  const url = urlOf(question, world.plan)
  return { target: url.href, from, steps: explainUrl(url, world, from) }
}

function explainQuestion({ name, type }: RecordQuestion, world: World, from: string | null): Step[] {
  if (isTransfer(type)) return [explainTransfer(name, world.plan, from)]
  const copied = explainCopy(name, world.plan, world.live?.secondaries)
  // What a copy holds is state: the file alone does not know it.
  if (copied.length > 0 && world.live === null) return copied
  return [...copied, ...explainRecord(name, type, world, from)]
}

function explainUrl(url: URL, world: World, from: string | null): Step[] {
  const { plan, live } = world
  const secure = url.protocol === 'https:'
  const host = hostOfUrl(url)
  const steps = explainAddress(host, world, from)
  steps.push(explainListener(url, plan))
  if (from !== null) steps.push(explainClient(from, plan))
  if (secure) steps.push(explainCertificate(host, plan, live))
  const target = `${url.pathname}${url.search}`
  const routing = route(compileRoutes(plan.http.hosts), host, target)
  if (!secure && routing.host?.redirectToHttps === true && plan.http.httpsPort !== null) {
    const port = plan.http.httpsPort === 443 ? '' : `:${plan.http.httpsPort}`
    steps.push(
      step(
        'redirect',
        `308 to https://${host}${port}${target}`,
        'plain HTTP redirects unless the host says "http": "serve"',
        routing.host.from,
      ),
    )
    return steps
  }
  steps.push(explainRoute(routing, target))
  if (routing.route === null) return steps
  const { clientRate } = plan.http
  const { rate, access, cache, stream, action, from: at } = routing.route
  const clientRoots = routing.host?.clientCertificates
  if (clientRoots !== undefined) {
    const says = `a certificate under ${clientRoots}; no handshake without, and 421 on a connection of another host`
    steps.push(step('access', says, 'clientCertificates', routing.host!.from))
  }
  for (const limit of [clientRate, rate]) if (limit !== undefined) steps.push(explainRate(limit, at))
  if (access !== undefined) steps.push(...explainAccess(access, from, at))
  if (stream !== undefined) steps.push(...explainStream(stream, url, at, live?.cache ?? null))
  if (cache !== undefined) steps.push(...explainCache(cache, url, at, live?.cache ?? null))
  steps.push(...explainRequestPath(routing.route, target, from))
  steps.push(...explainAction(action, at, world))
  if (action.kind === 'live' && live !== null) steps.push(...explainBroadcast(action, url, at, live.onAir))
  steps.push(...explainResponse(routing.route, target))
  steps.push(...explainObserved(plan, action.kind === 'service', from))
  return steps
}

/** A and AAAA of the host: whichever there is, or why there is none. */
function explainAddress(host: string, world: World, from: string | null): Step[] {
  if (host.startsWith('[') || /^[0-9.]+$/.test(host)) {
    return [step('record', `${host} is an address`, 'no name to look up', null)]
  }
  const steps = ['A', 'AAAA'].map((type) => explainRecord(host, type, world, from))
  const found = steps.filter((list) => list.some(({ isFault }) => !isFault))
  const [first, ...others] = found.length > 0 ? found : steps.slice(0, 1)
  // An alias or a delegation stands before both.
  const told = new Set(first!.map(({ says }) => says))
  return [...first!, ...others.flat().filter(({ says }) => !told.has(says))]
}

function explainRecord(name: string, type: string, world: World, client: string | null): Step[] {
  const wire = parseName(name.endsWith('.') ? name : `${name}.`)
  if (typeof wire === 'string') return [fault('record', wire, 'not a name', null)]
  const found = lookup(world.zones, lowerName(wire), typeNumber(type)!)
  const reason = found.reason.startsWith('answer') ? found.reason : 'alias'
  let asked = name
  const steps = found.answers.flatMap((rrset) => {
    if (rrset.members !== undefined) return explainPool(rrset, world, client)
    const { owner, ttl, data, from, why } = rrset.plan
    // The answer carries the name that was asked for, also where a wildcard gives the data (RFC 4592 §2.2.1).
    const shown = owner.startsWith('*.') ? `${asked} (by ${owner})` : owner
    if (rrset.plan.type === 'CNAME') asked = data[0]!
    return data.map((rdata) =>
      step('record', `${shown} ${ttl} ${rrset.plan.type} ${rdata}`, `${reason}, ${why}`, from),
    )
  })
  const alias = type === 'A' || type === 'AAAA' ? explainAlias(name, world) : []
  if (alias.length > 0 && world.dns === undefined) return alias
  if (!isAnswered(found)) steps.push(explainAbsence(name, type, found))
  return [...alias, ...steps, ...explainSigning(asked, type, found, world.live)]
}

function isAnswered({ reason }: Lookup): boolean {
  return (
    reason.startsWith('answer') &&
    reason !== 'answer: alias to elsewhere' &&
    reason !== 'answer: alias without end'
  )
}

function explainAbsence(name: string, type: string, { reason, rcode, zone, authority }: Lookup): Step {
  if (reason === 'referral' && authority !== undefined) {
    const { owner, data, from } = authority.plan
    return step('record', `${owner} is delegated to ${data.join(', ')}`, reason, from)
  }
  if (reason === 'answer: alias to elsewhere')
    return step('record', 'the rest is answered by the servers of that name', reason, null)
  return fault('record', `${name} ${type}: ${rcodeName(rcode)}`, reason, zone?.plan.from ?? null)
}

function explainListener(url: URL, plan: Plan): Step {
  const protocol = url.protocol.slice(0, -1)
  const port = url.port === '' ? (protocol === 'https' ? 443 : 80) : Number(url.port)
  const listeners = plan.listeners.filter((listener) => listener.protocol === protocol)
  const first = listeners.find((listener) => listener.port === port)
  if (first !== undefined)
    return step(
      'listener',
      `${protocol} on ${printSocket(first.address, first.port)}`,
      first.proxies === undefined
        ? `port ${port}`
        : `port ${port}; proxies of ${first.proxies.join(', ')} say first who the client is`,
      first.from,
    )
  const others = [...new Set(listeners.map((listener) => `port ${listener.port}`))].join(', ')
  return fault(
    'listener',
    `nothing listens for ${protocol} on port ${port}`,
    others === '' ? `no listener for ${protocol}` : `${protocol} is on ${others}`,
    listeners[0]?.from ?? null,
  )
}

function explainClient(from: string, plan: Plan): Step {
  const trusted = createTrust(plan.http.trust)(from)
  const says = trusted
    ? 'its Forwarded and X-Forwarded-* fields are believed and added to'
    : `X-Forwarded-For: ${from}; what it says of itself is replaced`
  return step('client', says, trusted ? 'in "trust"' : 'not in "trust"', null)
}

function explainCertificate(host: string, plan: Plan, live: Live | null): Step {
  const { certificate, reason } = select(compileCertificates(plan.tls.certificates), host)
  const described = live?.certificate.certificate
  const until = described == null ? '' : `, until ${new Date(described.notAfter).toISOString().slice(0, 16)}Z`
  if (certificate === null) {
    const { onDemand } = plan.tls
    if (onDemand === null || !isOnDemand(host, onDemand)) return explainUnknown(host, plan, reason)
    const says =
      described == null ? `ordered if ${onDemand.ask} agrees` : `${host}, by ${described.issuer}${until}`
    return step('certificate', says, 'on demand: no other has this name', null)
  }
  const { names, issuer, from } = certificate
  const who = { local: 'the local authority', acme: 'an authority over ACME', files: 'a file' }[issuer]
  const beside = certificate.pair ? ', with a key of RSA beside it for clients without ECDSA' : ''
  const says = `${names.join(', ')}, by ${described?.issuer ?? who}${until}${beside}`
  return step('certificate', says, reason, from)
}

function explainUnknown(host: string, { tls }: Plan, reason: string): Step {
  const what = {
    refuse: 'the handshake is refused',
    close: 'the connection is closed',
    default: `the client gets that of ${tls.certificates[0]?.names[0]} and will not trust it`,
  }[tls.unknownNames]
  const near = tls.certificates.flatMap(({ names }) => names).find((name) => isDeepBelow(host, name))
  const why = near === undefined ? reason : `${near} stands for one label alone (RFC 9525 §6.3)`
  return fault('certificate', `none for ${host}: ${what}`, why, null)
}

function isDeepBelow(host: string, name: string): boolean {
  return name.startsWith('*.') && host.endsWith(name.slice(1))
}

function explainRoute({ host, route: found, reason }: Routing, target: string): Step {
  if (found === null) return fault('route', `none for ${target}`, reason, host?.from ?? null)
  return step('route', `${found.id.replace('route:', '')} → ${leadsTo(found.action)}`, reason, found.from)
}

function explainRate({ id, intervalMs, burst }: RatePlan, at: Position): Step {
  const says = `${burst} requests of a client at once, then one every ${Number(intervalMs.toFixed(3))} ms; 429 beyond`
  return step('limits', says, `counted for ${id.replace(':', ' ')}`, at)
}

/** Who is let in, and whether the client of `--from` is; it is taken for the client itself, not for a proxy. */
function explainAccess(
  { networks, basic, bearer, forward }: AccessPlan,
  from: string | null,
  at: Position,
): Step[] {
  const steps: Step[] = []
  if (networks.length > 0) {
    const { isAdmitted, reason } = admitAddress(compileNetworks(networks), from)
    if (from === null)
      steps.push(
        step(
          'access',
          `${plural(networks.length, 'network')} ${networks.length === 1 ? 'decides' : 'decide'}`,
          'ask with --from IP',
          at,
        ),
      )
    else if (isAdmitted) steps.push(step('access', `${from} is admitted`, reason, at))
    else steps.push(fault('access', `${from} is refused with 403`, reason, at))
  }
  if (basic !== null) {
    const says = `a name and a password for "${basic.realm}"; 401 without (RFC 7617)`
    steps.push(step('access', says, `basic: ${plural(basic.users.length, 'user')}`, at))
  }
  if (bearer !== null) {
    const says = `a token of ${bearer.issuer} for ${bearer.audience.join(' or ')}; 401 without (RFC 6750)`
    steps.push(step('access', says, `bearer: keys at ${bearer.jwks}`, at))
  }
  if (forward !== null) steps.push(step('access', `${forward.url} is asked; 2xx admits`, 'forward', at))
  return steps
}

function explainAction(action: ActionPlan, at: Position, world: World): Step[] {
  switch (action.kind) {
    case 'service':
      return [
        ...explainOrigins(action, world.live).map((line): Step => ({ step: 'origin', at, ...line })),
        step('transfer', 'streamed both ways as it comes; the slower side sets the pace', 'a service', at),
      ]
    case 'files':
      return [
        ...(world.file ? [world.file(at)] : []),
        step('transfer', 'from disk as the client takes it; ranges, conditional requests', 'files', at),
      ]
    case 'bucket':
      return explainBucket(action, at)
    case 'live':
      return explainLive(action, at)
    case 'redirect':
      return [
        step(
          'transfer',
          `${action.status} with Location ${action.to}${action.keepPath ? ' and the path' : ''}`,
          'redirect',
          at,
        ),
      ]
    case 'dns':
      return [step('transfer', 'the same answers as over UDP and TCP (RFC 8484 §4.1)', 'dns', at)]
    case 'respond':
      return [
        step(
          'transfer',
          `${action.status} with ${Buffer.byteLength(action.body)} octets, in one write`,
          'respond',
          at,
        ),
      ]
  }
}
