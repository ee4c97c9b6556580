import type { Problem } from '#core/problem.ts'
import type { ProcessPlan } from '#processes/plan.ts'
import type {
  CircuitConfig,
  HealthConfig,
  OriginConfig,
  PolicyName,
  ServiceConfig,
  ServiceGroup,
} from './service-config.ts'

/** Requests are passed on. What stands as by default is left out, so that plain services keep their keys. */
export type ServicePlan = {
  readonly kind: 'service'
  readonly origins: readonly OriginPlan[]
  readonly processId: string | null
  /** absent: in turn */
  readonly policy?: Exclude<PolicyName, 'round-robin'> | HashPolicy
  /** by origin; absent: all 1 */
  readonly weights?: readonly number[]
  /** the time over which the share of an origin that came back grows; absent: at once */
  readonly slowStartMs?: number
  readonly retry?: RetryPlan
  /** asked while all origins are down */
  readonly fallback?: OriginPlan
}

/** Equal values lead to the same origin; `name` of the field or cookie, lower case for fields, empty for the client. */
export type HashPolicy = { readonly hash: 'client' | 'header' | 'cookie'; readonly name: string }

export type RetryPlan = {
  /** requests that may go to another origin after one has failed, beside those that found no connection */
  readonly times: number
  /** statuses that count as failures */
  readonly status: readonly number[]
}

/** Where requests are passed on to. `id` is `origin:` and the URL, or `origin:` and the process. */
export type OriginPlan = {
  readonly id: string
  readonly scheme: 'http' | 'https'
  /** name or address without brackets; empty for a Unix socket */
  readonly host: string
  /** 0: the port of the process named by `processId`, or a Unix socket */
  readonly port: number
  /** the authority sent as Host when the request has none */
  readonly authority: string
  /** verify the origin's certificate; only for https */
  readonly verify: boolean
  readonly socketPath?: string
  /** spoken to in HTTP/2 from the first octet (h2c, RFC 9113 §3.3), or chosen by ALPN (h2); absent: HTTP/1.1 */
  readonly speaksHttp2?: true
  readonly tls?: OriginTls
  readonly health?: HealthPlan
  readonly circuit?: CircuitPlan
  /** each connection begins with the client's address */
  readonly proxyProtocol?: 1 | 2
}

/** Names of files (PEM), and the name to ask for instead of the host. */
export type OriginTls = {
  readonly ca?: string
  readonly name?: string
  readonly certificate?: string
  readonly key?: string
}

export type HealthPlan = {
  readonly path: string
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly status: readonly number[]
  /** good checks in a row until it is used again */
  readonly up: number
  /** bad checks in a row until it is not used any more */
  readonly down: number
}

export type CircuitPlan = {
  readonly failures: number
  readonly pauseMs: number
  readonly status: readonly number[]
}

/** The default of `retry`. */
export const RETRY: RetryPlan = { times: 2, status: [] }

/** Decide where requests are passed on to; `process` is what was planned for a `run`. */
export function planService(written: ServiceConfig, process: ProcessPlan | null): ServicePlan {
  if (process !== null) return { kind: 'service', origins: [processOrigin(process)], processId: process.id }
  const group = groupOf(written)
  const listed = originsOf(written)
  const origins = listed.map((origin) => planOrigin(urlOf(origin), group))
  const weights = listed.map((origin) => (typeof origin === 'string' ? 1 : (origin.weight ?? 1)))
  return {
    kind: 'service',
    origins,
    processId: null,
    ...planPolicy(group.policy),
    ...(new Set(weights).size > 1 ? { weights } : {}),
    ...((group.slowStart ?? 0) > 0 ? { slowStartMs: group.slowStart! } : {}),
    ...planRetry(group.retry),
    ...(group.fallback === undefined
      ? {}
      : { fallback: planOrigin(group.fallback, { tls: group.tls ?? {} }) }),
  }
}

/** What the settings table cannot say of one service; the caller knows the place. */
export function serviceProblems(service: ServiceConfig | undefined): Omit<Problem, 'at'>[] {
  if (service === undefined || (typeof service === 'object' && 'run' in service)) return []
  const group = groupOf(service)
  const urls = originsOf(service).map(urlOf)
  const all = group.fallback === undefined ? urls : [...urls, group.fallback]
  return [
    ...urlProblems(all, urls.length === 0),
    ...healthProblems(group),
    ...tlsProblems(group, all),
    ...proxyProblems(group, all),
  ]
}

/** The settings table has checked scheme and form; host and port are left (RFC 3986 §3.2.2). */
function urlProblems(urls: readonly string[], isEmpty: boolean): Omit<Problem, 'at'>[] {
  const odd = urls.find((url) => !isSocket(url) && !hasAuthority(url))
  if (odd === undefined && !isEmpty) return []
  const what =
    odd === undefined ? 'The list of origins is empty' : `"${odd}" has no host, or no port from 1 to 65535`
  const message = `${what}; a URL such as "http://127.0.0.1:8081" is wanted (RFC 3986 §3.2.2).`
  return [{ level: 'error', code: 'http/origin-url', message, fix: '"http://127.0.0.1:8081"' }]
}

function healthProblems({ health }: Partial<ServiceGroup>): Omit<Problem, 'at'>[] {
  const { intervalMs, timeoutMs } = planHealth(health ?? { path: '/' })
  if (timeoutMs <= intervalMs) return []
  const message = `A health check may take ${timeoutMs / 1000} s, but the next one begins after ${intervalMs / 1000} s; "timeout" is at most "interval".`
  const fix = `"interval": "${timeoutMs}ms"`
  return [{ level: 'error', code: 'http/health-times', message, fix }]
}

function tlsProblems({ tls = {} }: Partial<ServiceGroup>, urls: readonly string[]): Omit<Problem, 'at'>[] {
  if ((tls.certificate === undefined) !== (tls.key === undefined)) {
    const [has, lacks] = tls.key === undefined ? ['certificate', 'key'] : ['key', 'certificate']
    const message = `"tls" has a "${has}" but no "${lacks}"; a client certificate needs both.`
    return [{ level: 'error', code: 'http/client-certificate', message, fix: `"${lacks}": "./client.pem"` }]
  }
  const plain = urls.find((url) => !isSecure(url))
  if (plain === undefined || Object.keys(tls).length === 0) return []
  const message = `"tls" says how origins are spoken to over https or h2, but "${plain}" is not.`
  const secure = plain.replace('http:', 'https:').replace('h2c:', 'h2:')
  const fix = isSocket(plain) ? 'remove "tls"' : `"${secure}"`
  return [{ level: 'warning', code: 'http/tls-unused', message, fix }]
}

function proxyProblems(
  { proxyProtocol }: Partial<ServiceGroup>,
  urls: readonly string[],
): Omit<Problem, 'at'>[] {
  const other = urls.find((url) => isSecure(url) || url.startsWith('h2c:'))
  if (proxyProtocol === undefined || other === undefined) return []
  const why = isSecure(other) ? 'is reached over TLS' : 'has connections that clients share'
  const message = `"proxyProtocol" is ${proxyProtocol}, but "${other}" ${why}; Portico tells clients' addresses to http origins only.`
  const fix = `"${other.replace(/^\w+:/, 'http:')}", or remove "proxyProtocol"`
  return [{ level: 'error', code: 'http/proxy-protocol-tls', message, fix }]
}

function groupOf(service: ServiceConfig): Partial<ServiceGroup> {
  return typeof service === 'object' && 'url' in service ? service : {}
}

function originsOf(service: ServiceConfig): readonly OriginConfig[] {
  if (typeof service === 'number') return [`http://127.0.0.1:${service}`]
  if (typeof service === 'string') return [service]
  if (isList(service)) return service
  if ('run' in service) return []
  return typeof service.url === 'string' ? [service.url] : service.url
}

function isList(service: ServiceConfig): service is readonly OriginConfig[] {
  return Array.isArray(service)
}

/** The URL of an origin, however it is written. */
export function urlOf(origin: OriginConfig): string {
  return typeof origin === 'string' ? origin : origin.url
}

function isSocket(url: string): boolean {
  return url.startsWith('unix:')
}

function isSecure(url: string): boolean {
  return url.startsWith('https:') || url.startsWith('h2:')
}

function hasAuthority(url: string): boolean {
  const http = withHttp(url)
  return URL.canParse(http) && new URL(http).port !== '0'
}

/** URLs with other schemes are not taken apart in the same way: the host stays as it was written. */
function withHttp(url: string): string {
  return url.replace(/^h2c:/, 'http:').replace(/^h2:/, 'https:')
}

function planOrigin(text: string, group: Partial<ServiceGroup>): OriginPlan {
  const checks = {
    ...(group.health === undefined ? {} : { health: planHealth(group.health) }),
    ...(group.circuit === undefined ? {} : { circuit: planCircuit(group.circuit) }),
    ...(group.proxyProtocol === undefined ? {} : { proxyProtocol: group.proxyProtocol }),
  }
  if (isSocket(text)) {
    const socketPath = text.slice('unix:'.length)
    const socket = { scheme: 'http', host: '', port: 0, authority: 'localhost', verify: true } as const
    return { id: `origin:${text}`, ...socket, socketPath, ...checks }
  }
  const url = new URL(withHttp(text))
  const scheme = url.protocol === 'https:' ? 'https' : 'http'
  const port = url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const written = text.slice(0, text.indexOf(':'))
  const base = { id: `origin:${written}://${url.host}`, scheme, host, port, authority: url.host } as const
  const http2 = written.startsWith('h2') ? ({ speaksHttp2: true } as const) : {}
  const tls = scheme === 'https' && Object.keys(group.tls ?? {}).length > 0 ? { tls: group.tls! } : {}
  return { ...base, ...http2, verify: group.verify !== false, ...tls, ...checks }
}

function processOrigin(process: ProcessPlan): OriginPlan {
  const id = `origin:${process.id}`
  return { id, scheme: 'http', host: '127.0.0.1', port: 0, authority: process.name, verify: false }
}

function planPolicy(written: ServiceGroup['policy']): Pick<ServicePlan, 'policy'> {
  if (written === undefined || written === 'round-robin') return {}
  if (typeof written === 'string') return { policy: written }
  const [hash, name = ''] = written.hash.split(':') as [HashPolicy['hash'], string?]
  return { policy: { hash, name: hash === 'header' ? name.toLowerCase() : name } }
}

function planRetry(written: ServiceGroup['retry']): Pick<ServicePlan, 'retry'> {
  const retry = { times: written?.times ?? RETRY.times, status: written?.status ?? RETRY.status }
  return retry.times === RETRY.times && retry.status.length === 0 ? {} : { retry }
}

function planHealth({ path, interval, timeout, status, up, down }: HealthConfig): HealthPlan {
  return {
    path,
    intervalMs: interval ?? 10_000,
    timeoutMs: timeout ?? 2000,
    status: status ?? [200],
    up: up ?? 2,
    down: down ?? 3,
  }
}

function planCircuit({ failures, pause, status }: CircuitConfig): CircuitPlan {
  return { failures, pauseMs: pause ?? 5000, status: status ?? [500, 502, 503, 504] }
}
