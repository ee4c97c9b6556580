import type { Client, Exchange, Handler } from './exchange.ts'
import type { HostPlan, HttpPlan, RoutePlan } from './plan.ts'
import { respondRedirect } from './redirect.ts'
import { compileRoutes, type RouteTable, type Routing, route } from './route.ts'
import { fieldsOf } from './wire/fields.ts'
import { type Page, respondPage } from './wire/page.ts'

/** What answers all exchanges of one Plan. */
export type Router = {
  readonly handle: Handler
  readonly table: RouteTable
  /** what runs for each route, by its id */
  readonly routes: ReadonlyMap<string, RoutedHandler>
}

export type RoutedHandler = { readonly plan: RoutePlan; readonly handler: Handler }

/**
 * Compose the handlers of a Plan.
 *
 * A route with the id and key that it had in `previous` keeps its handler, the same object.
 *
 * @param createHandler called once for every other route
 * @param createRefusal what answers for a path that no route of a host has, made of what does so by itself
 */
export function createRouter(
  plan: HttpPlan,
  createHandler: (route: RoutePlan) => Handler,
  previous?: Router,
  createRefusal: (host: HostPlan, refuse: Handler) => Handler = (_host, refuse) => refuse,
): Router {
  const table = compileRoutes(plan.hosts)
  const routes = new Map<string, RoutedHandler>()
  for (const routePlan of plan.hosts.flatMap((host) => host.routes)) {
    const before = previous?.routes.get(routePlan.id)
    const handler = before?.plan.key === routePlan.key ? before.handler : createHandler(routePlan)
    routes.set(routePlan.id, { plan: routePlan, handler })
  }
  const refuse: Handler = (exchange) => {
    const { host, target } = exchange.request
    respondPage(exchange, refusalOf(route(table, host, target), exchange))
  }
  const refusals = new Map(plan.hosts.map((host) => [host, createRefusal(host, refuse)]))
  const handle: Handler = (exchange) => {
    const { request, note } = exchange
    if (request.target === '*') return respondToServerOptions(exchange)
    const routing = route(table, request.host, request.target)
    note.reason = routing.reason
    if (isBadPath(routing)) return refusals.get(routing.host!)!(exchange)
    // Before the route, so that HTTP does not tell which paths there are.
    if (routing.host?.redirectToHttps === true && !request.client.secure && plan.httpsPort !== null) {
      return redirectToHttps(exchange, plan.httpsPort)
    }
    if (routing.host === null) return refuse(exchange)
    if (!isVerified(routing.host, table, request.client)) return respondPage(exchange, NOT_VERIFIED)
    if (routing.route === null) return refusals.get(routing.host)!(exchange)
    note.routeId = routing.route.id
    routes.get(routing.route.id)!.handler(exchange)
  }
  return { handle, table, routes }
}

/** RFC 9110 §9.3.7: `*` asks about the server, not about a resource of a host. */
function respondToServerOptions(exchange: Exchange): void {
  exchange.respond({ status: 204, fields: fieldsOf([]), lengthOctets: 0 }, null)
}

/** RFC 9110 §15.4.9: 308 keeps the method. The target begins with a slash, so it cannot change the host. */
function redirectToHttps(exchange: Exchange, httpsPort: number): void {
  const { host, target } = exchange.request
  exchange.note.answeredBy = 'redirect'
  respondRedirect(exchange, 308, `https://${host}${httpsPort === 443 ? '' : `:${httpsPort}`}${target}`)
}

/** Whether the handshake was for a host that wants a certificate of the same roots: its name may not be this host's. */
function isVerified({ clientCertificates }: HostPlan, table: RouteTable, { verifiedName }: Client): boolean {
  if (clientCertificates === undefined) return true
  if (verifiedName === undefined) return false
  return route(table, verifiedName, '/').host?.clientCertificates === clientCertificates
}

// RFC 9110 §15.5.20: on a connection of its own the client is asked for its certificate.
const NOT_VERIFIED: Page = {
  status: 421,
  detail: 'This host wants a client certificate, which was not shown on this connection.',
  fault: 'client',
}

function isBadPath(routing: Routing): boolean {
  return routing.reason.startsWith('path ')
}

function refusalOf(routing: Routing, exchange: Exchange): Page {
  const { host, client } = exchange.request
  if (routing.host === null) {
    // RFC 9110 §7.4, §15.5.20: a client may have sent it on a connection whose certificate covers the name, and can ask
    // again on another one. Over plain HTTP there is no such mix-up: the name leads here and nothing answers to it.
    const status = client.secure ? 421 : 404
    return { status, detail: `Nothing here answers to the name “${host}”.`, fault: 'client' }
  }
  if (isBadPath(routing)) {
    return { status: 400, detail: `This request is not passed on: its ${routing.reason}.`, fault: 'client' }
  }
  return { status: 404, detail: `Nothing at “${host}” answers to this path.`, fault: 'client' }
}
