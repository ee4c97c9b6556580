import type { Position } from '#core/problem.ts'
import { type Lookup, lookup } from '#dns/lookup.ts'
import { lowerName, parseName } from '#dns/wire/name.ts'
import { rcodeName, typeNumber } from '#dns/wire/types.ts'
import type { Zones } from '#dns/zone.ts'
import type { OriginState } from '#http/origin/pool.ts'
import type { ActionPlan } from '#http/plan.ts'
import { compileRoutes, type Routing, route } from '#http/route.ts'
import { createTrust } from '#http/trust.ts'
import { parseAuthority } from '#http/wire/authority.ts'
import { printSocket } from '#plan/listeners.ts'
import type { Plan } from '#plan/plan.ts'
import type { ProcessState } from '#processes/process.ts'
import { compileCertificates, select } from '#tls/select.ts'
import type { CertificateDescription } from '#tls/store.ts'
import { explainOrigins } from './explain-service.ts'
import { leadsTo } from './status.ts'

/** What is asked: a URL, a name and a type, or a name alone. */
export type Question =
  | { readonly kind: 'url'; readonly url: URL }
  | { readonly kind: 'host'; readonly name: string }
  | { readonly kind: 'record'; readonly name: string; readonly type: string }

/** What a running Portico knows beside its Plan. */
export type Live = {
  readonly origins: readonly OriginState[]
  readonly processes: readonly ProcessState[]
  certificate(name: string): CertificateDescription
}

export type World = {
  readonly plan: Plan
  readonly zones: Zones
  /** null: a file alone */
  readonly live: Live | null
}

/** One decision on the way of a request, in the words of the function that takes it. */
export type Step = {
  readonly step:
    | 'record'
    | 'listener'
    | 'client'
    | 'certificate'
    | 'redirect'
    | 'route'
    | 'origin'
    | 'transfer'
  /** what comes of it */
  readonly says: string
  readonly reason: string
  /** the place in the file that it follows from */
  readonly at: Position | null
  /** the way ends here, or not as the file's owner would want */
  readonly isFault: boolean
}

export type Explanation = {
  readonly target: string
  readonly from: string | null
  readonly steps: readonly Step[]
}

/**
 * Read what a person wants explained.
 *
 * @param words `https://…`, `NAME`, or `NAME TYPE`
 * @returns the question, or a sentence that says what is wanted
 */
export function parseQuestion(words: readonly string[]): Question | string {
  const [target = '', type] = words.length === 1 ? words[0]!.trim().split(/\s+/) : words
  if (target.includes('://')) {
    const url = URL.canParse(target) ? new URL(target) : null
    if (url === null || !/^https?:$/.test(url.protocol)) return `"${target}" is no http or https URL.`
    return { kind: 'url', url }
  }
  if (type !== undefined) {
    return typeNumber(type) === undefined
      ? `"${type}" is no record type, such as A or MX.`
      : { kind: 'record', name: target, type }
  }
  if (!URL.canParse(`https://${target}/`)) return `"${target}" is neither a URL nor a name.`
  return { kind: 'host', name: target }
}

/**
 * Walk the decisions that the servers take, and say each with its reason and its line in the file.
 *
 * @param from address of the client, or null for any
 */
export function explain(question: Question, world: World, from: string | null): Explanation {
  if (question.kind === 'record') {
    const steps = explainRecord(question.name, question.type, world)
    return { target: `${question.name} ${question.type}`, from, steps }
  }
  const url = question.kind === 'url' ? question.url : urlOfHost(question.name, world.plan)
  return { target: url.href, from, steps: explainUrl(url, world, from) }
}

/** The first page of a host, over HTTPS where that is served, at the port it is served on. */
function urlOfHost(name: string, { listeners }: Plan): URL {
  const listener =
    listeners.find(({ protocol }) => protocol === 'https') ??
    listeners.find(({ protocol }) => protocol === 'http')
  const url = new URL(`${listener?.protocol ?? 'https'}://${name}/`)
  if (url.port === '' && listener !== undefined) url.port = String(listener.port)
  return url
}

function explainUrl(url: URL, world: World, from: string | null): Step[] {
  const { plan, live } = world
  const secure = url.protocol === 'https:'
  const host = parseAuthority(url.host)?.host ?? url.hostname
  const steps = explainAddress(host, world)
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
  if (routing.route !== null) steps.push(...explainAction(routing.route.action, routing.route.from, world))
  return steps
}

/** A and AAAA of the host: whichever there is, or why there is none. */
function explainAddress(host: string, world: World): Step[] {
  if (host.startsWith('[') || /^[0-9.]+$/.test(host)) {
    return [step('record', `${host} is an address`, 'no name to look up', null)]
  }
  const steps = ['A', 'AAAA'].map((type) => explainRecord(host, type, world))
  const found = steps.filter((list) => list.some(({ isFault }) => !isFault))
  return found.length > 0 ? found.flat() : steps[0]!
}

function explainRecord(name: string, type: string, { zones }: World): Step[] {
  const wire = parseName(name.endsWith('.') ? name : `${name}.`)
  if (typeof wire === 'string') return [fault('record', wire, 'not a name', null)]
  const found = lookup(zones, lowerName(wire), typeNumber(type)!)
  const steps = found.answers.flatMap((rrset) => {
    const { owner, ttl, data, from, why } = rrset.plan
    // The answer carries the name that was asked for, also where a wildcard gives the data (RFC 4592 §2.2.1).
    const shown = found.reason === 'answer: wildcard' ? `${name} (by ${owner})` : owner
    return data.map((rdata) =>
      step('record', `${shown} ${ttl} ${rrset.plan.type} ${rdata}`, `${found.reason}, ${why}`, from),
    )
  })
  return isAnswered(found) ? steps : [...steps, explainAbsence(name, type, found)]
}

function isAnswered({ reason }: Lookup): boolean {
  return (
    reason.startsWith('answer') &&
    reason !== 'answer: alias to elsewhere' &&
    reason !== 'answer: alias without end'
  )
}

function explainAbsence(name: string, type: string, { reason, rcode, zone, authority }: Lookup): Step {
  if (reason === 'referral') {
    return step(
      'record',
      `${name} is delegated to ${authority?.plan.data.join(', ')}`,
      reason,
      authority?.plan.from ?? null,
    )
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
      `port ${port}`,
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
  if (certificate === null)
    return fault('certificate', `none for ${host}: the handshake is refused`, reason, null)
  const described = live?.certificate(host).certificate
  const until = described == null ? '' : `, until ${new Date(described.notAfter).toISOString().slice(0, 16)}Z`
  return step(
    'certificate',
    `${certificate.names.join(', ')}, by ${described?.issuer ?? 'the local authority'}${until}`,
    reason,
    certificate.from,
  )
}

function explainRoute({ host, route: found, reason }: Routing, target: string): Step {
  if (found === null) return fault('route', `none for ${target}`, reason, host?.from ?? null)
  return step('route', `${found.id.replace('route:', '')} → ${leadsTo(found.action)}`, reason, found.from)
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
        step('transfer', 'from disk as the client takes it; one range, conditional requests', 'files', at),
      ]
    case 'redirect':
      return [
        step(
          'transfer',
          `${action.status} with Location ${action.to}${action.keepPath ? ' and the path' : ''}`,
          'redirect',
          at,
        ),
      ]
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

function step(name: Step['step'], says: string, reason: string, at: Position | null): Step {
  return { step: name, says, reason, at, isFault: false }
}

function fault(name: Step['step'], says: string, reason: string, at: Position | null): Step {
  return { step: name, says, reason, at, isFault: true }
}
