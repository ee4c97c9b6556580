import type { Position } from '#core/problem.ts'
import type { ActionPlan, HostPlan, RoutePlan } from '#http/plan.ts'
import { compileRoutes, type Routing, route } from '#http/route.ts'
import { createTrust } from '#http/trust.ts'
import { printSocket } from '#plan/listeners.ts'
import type { Plan } from '#plan/plan.ts'
import { leadsTo } from '#run/status.ts'
import { explainAccess, explainRate } from './access.ts'
import { explainBroadcast } from './broadcast.ts'
import { explainBucket } from './bucket.ts'
import { explainCache } from './cache.ts'
import { explainCertificate } from './certificate.ts'
import { explainLive } from './live.ts'
import { explainObserved } from './observe.ts'
import { hostOfUrl, type Question, urlOf } from './question.ts'
import { explainAddress, explainQuestion } from './record.ts'
import { explainOrigins } from './service.ts'
import { fault, type Step, step } from './step.ts'
import { explainStream } from './stream.ts'
import { explainRequestPath, explainResponse } from './transform.ts'
import type { World } from './world.ts'

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

function explainUrl(url: URL, world: World, from: string | null): Step[] {
  const { plan, live } = world
  const host = hostOfUrl(url)
  const target = `${url.pathname}${url.search}`
  const routing = route(compileRoutes(plan.http.hosts), host, target)
  return [
    ...explainAddress(host, world, from),
    explainListener(url, plan),
    ...(from === null ? [] : [explainClient(from, plan)]),
    ...(url.protocol === 'https:' ? [explainCertificate(host, plan, live)] : []),
    ...(explainRedirect(url, routing, plan) ?? [
      explainRoute(routing, target),
      ...(routing.route === null ? [] : explainRouted(url, routing.route, { routing, world, from })),
    ]),
  ]
}

function explainRedirect(url: URL, { host }: Routing, { http }: Plan): Step[] | null {
  if (url.protocol === 'https:' || host?.redirectToHttps !== true || http.httpsPort === null) return null
  const port = http.httpsPort === 443 ? '' : `:${http.httpsPort}`
  const says = `308 to https://${hostOfUrl(url)}${port}${url.pathname}${url.search}`
  return [step('redirect', says, 'plain HTTP redirects unless the host says "http": "serve"', host.from)]
}

/** What stands before the action of a route, in the order of `run/handlers.ts`, and what becomes of the response. */
function explainRouted(
  url: URL,
  routed: RoutePlan,
  { routing, world, from }: { routing: Routing; world: World; from: string | null },
): Step[] {
  const { plan, live } = world
  const { rate, access, cache, stream, action, from: at } = routed
  const target = `${url.pathname}${url.search}`
  const kept = live?.cache ?? null
  return [
    ...explainClientRoots(routing.host!),
    ...[plan.http.clientRate, rate].flatMap((limit) => (limit === undefined ? [] : [explainRate(limit, at)])),
    ...(access === undefined ? [] : explainAccess(access, from, at)),
    ...(stream === undefined ? [] : explainStream(stream, url, at, kept)),
    ...(cache === undefined ? [] : explainCache(cache, url, at, kept)),
    ...explainRequestPath(routed, target, from),
    ...explainAction(action, at, world),
    ...(action.kind === 'live' && live !== null ? explainBroadcast(action, url, at, live.onAir) : []),
    ...explainResponse(routed, target),
    ...explainObserved(plan, action.kind === 'service', from),
  ]
}

function explainClientRoots({ clientCertificates, from }: HostPlan): Step[] {
  if (clientCertificates === undefined) return []
  const says = `a certificate under ${clientCertificates}; no handshake without, and 421 on a connection of another host`
  return [step('access', says, 'clientCertificates', from)]
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
