import type { ExchangeEnd, ExchangeNote, Request } from '#http/exchange.ts'
import { pathOf } from '#http/wire/path.ts'

/** Attributes of a span by the semantic conventions of OpenTelemetry for HTTP, stable since 1.23. */
export type Attributes = Readonly<Record<string, string | number>>

/** Methods that stand in span names; others could be made up by clients without end. */
const KNOWN = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'QUERY',
  'TRACE',
])

/** `GET /api/**`; the method alone while the route is not known. */
export function spanName(method: string, routeId: string): string {
  const route = patternOf(routeId)
  return `${KNOWN.has(method) ? method : 'HTTP'}${route === '' ? '' : ` ${route}`}`
}

/** What is known of a request when it comes. */
export function serverAttributes(request: Request, keepsQuery: boolean): Attributes {
  const { target, host, authority, client, version, fields } = request
  const path = pathOf(target)
  const query = target.slice(path.length + 1)
  const userAgent = fields.get('user-agent')
  return {
    ...methodAttributes(request.method),
    'url.scheme': client.secure ? 'https' : 'http',
    'url.path': path,
    ...(query !== '' && keepsQuery ? { 'url.query': query } : {}),
    'server.address': host,
    'server.port': Number(/:(\d+)$/.exec(authority)?.[1] ?? client.localPort),
    'client.address': client.address,
    'network.peer.address': client.address,
    'network.peer.port': client.port,
    'network.protocol.name': 'http',
    'network.protocol.version': version,
    ...(userAgent === undefined ? {} : { 'user_agent.original': userAgent }),
  }
}

/** What is known when the exchange has ended. */
export function serverEndAttributes(
  { status, sentOctets, receivedOctets, reason }: ExchangeEnd,
  { routeId, answeredBy }: ExchangeNote,
): Attributes {
  const route = patternOf(routeId)
  const error = status === 0 ? reason : status >= 500 ? String(status) : undefined
  return {
    ...(status === 0 ? {} : { 'http.response.status_code': status }),
    ...(route === '' ? {} : { 'http.route': route }),
    ...(error === undefined ? {} : { 'error.type': error }),
    'http.request.body.size': receivedOctets,
    'http.response.body.size': sentOctets,
    'portico.answered_by': answeredBy,
    'portico.end': reason,
  }
}

/** @param origin `host:port` @param attempts those before this one */
export function clientAttributes(request: Request, origin: string, attempts: number): Attributes {
  const [, host = origin, port] = /^(.*):(\d+)$/.exec(origin) ?? []
  return {
    ...methodAttributes(request.method),
    'server.address': host.replace(/^\[|\]$/g, ''),
    ...(port === undefined ? {} : { 'server.port': Number(port) }),
    'url.path': pathOf(request.target),
    ...(attempts === 0 ? {} : { 'http.request.resend_count': attempts }),
  }
}

function methodAttributes(method: string): Attributes {
  if (KNOWN.has(method)) return { 'http.request.method': method }
  return { 'http.request.method': '_OTHER', 'http.request.method_original': method }
}

/** `route:app.example.com/api/**` → `/api/**` */
function patternOf(routeId: string): string {
  const slash = routeId.indexOf('/')
  return slash === -1 ? '' : routeId.slice(slash)
}
