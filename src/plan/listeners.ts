import { isIP } from 'node:net'
import type { Config } from '#config/load.ts'
import type { PlanNode } from '#core/node.ts'
import { contentKey } from '#core/node.ts'
import type { Position, Problem } from '#core/problem.ts'
import type { Facts } from './facts.ts'

export type Protocol = 'dns' | 'dot' | 'http' | 'https' | 'admin' | 'metrics'

/** A socket that is wanted. `id` is `listener:` protocol, address and port. */
export type ListenerPlan = PlanNode & {
  readonly protocol: Protocol
  /** `0.0.0.0` and `::` are all addresses of a family */
  readonly address: string
  readonly port: number
  /** serving goes on without it: nobody wrote it, or the machine lacks the family */
  readonly optional: boolean
  /** networks whose peers begin with the PROXY protocol; absent: none */
  readonly proxies?: readonly string[]
}

const DEV_PORTS: Readonly<Record<Protocol, number>> = {
  dns: 5300,
  dot: 8853,
  http: 8080,
  https: 8443,
  admin: 9053,
  metrics: 9100,
}

/** Decide the sockets: what the file says; on a laptop loopback only and no privileged port. */
export function planListeners(config: Config, facts: Facts): ListenerPlan[] {
  const { listen, metrics } = config.value
  const protocols = ['dns', 'dot', 'http', 'https', 'admin'] as const
  const planned = protocols.flatMap((protocol) => {
    const texts = protocol === 'admin' ? [listen.admin] : listen[protocol]
    return texts.flatMap((written, index) => {
      const path = ['listen', protocol, ...(texts.length > 1 ? [index] : [])]
      const [text, proxies] = typeof written === 'string' ? [written] : [written.at, written.proxyProtocol]
      const sockets = expand(protocol, text, config.written.at(path), facts)
      return proxies === undefined ? sockets : sockets.map((socket) => behind(socket, proxies))
    })
  })
  if (metrics.listen !== undefined) {
    // Nobody is asked for a token there: a port alone is one of this machine.
    const text = metrics.listen.startsWith(':') ? `127.0.0.1${metrics.listen}` : metrics.listen
    planned.push(...expand('metrics', text, config.written.at(['metrics', 'listen']), facts))
  }
  // On a laptop several listeners of one protocol may come out as the same socket.
  return facts.dev ? [...new Map(planned.map((listener) => [listener.id, listener])).values()] : planned
}

function expand(protocol: Protocol, text: string, from: Position, facts: Facts): ListenerPlan[] {
  if (text === 'off') return []
  const colon = text.lastIndexOf(':')
  const host = text.slice(0, colon).replace(/^\[|\]$/g, '')
  const written = Number(text.slice(colon + 1))
  const port = facts.dev && written < 1024 ? DEV_PORTS[protocol] : written
  const addresses = facts.dev && !isLoopback(host) ? ['127.0.0.1', '::1'] : expandHost(host)
  return addresses.map((address) => {
    const content = { protocol, address, port }
    const optional = protocol === 'admin' || (address.includes(':') && address !== host)
    return {
      id: `listener:${protocol} ${printSocket(address, port)}`,
      key: contentKey(content),
      from,
      ...content,
      optional,
    }
  })
}

function behind(listener: ListenerPlan, proxies: readonly string[]): ListenerPlan {
  return { ...listener, key: contentKey({ key: listener.key, proxies }), proxies }
}

function expandHost(host: string): string[] {
  if (host === '') return ['0.0.0.0', '::']
  return [host === 'localhost' ? '127.0.0.1' : host]
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

/** `127.0.0.1:53` or `[::1]:53`. */
export function printSocket(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** A port of this machine that something other than a listener of ours has. */
export type LocalService = {
  readonly name: string
  /** where requests for it go: a loopback address; null for a process, which may listen anywhere */
  readonly address: string | null
  readonly port: number
  readonly from: Position
}

/**
 * Two listeners cannot share a port of one address (DNS takes it over UDP and TCP, the others over TCP), nor can two
 * processes, and a service on this machine cannot be a port of ours: requests would go round in a circle.
 */
export function checkListeners(
  listeners: readonly ListenerPlan[],
  services: readonly LocalService[],
): Problem[] {
  const problems: Problem[] = []
  listeners.forEach((listener, index) => {
    const fault = socketFault(listener)
    if (fault !== undefined) problems.push(fault)
    const other = listeners.slice(0, index).find((earlier) => overlaps(earlier, listener))
    if (other === undefined || problems.some(({ at }) => at === listener.from)) return
    const socket = printSocket(listener.address, listener.port)
    const what =
      other.protocol === listener.protocol
        ? `${listener.protocol} listens twice`
        : `${listener.protocol} and ${other.protocol} both listen`
    problems.push(clash(listener.from, `${what} on ${socket}`))
  })
  const started = new Map<number, LocalService>()
  for (const service of services) {
    const { port, name, address, from } = service
    const listener = listeners.find(
      (candidate) => candidate.port === port && (address === null || answersAt(candidate, address)),
    )
    const other = address === null ? started.get(port) : undefined
    if (address === null) started.set(port, service)
    if (listener !== undefined) {
      const what = `${name} leads to port ${port}, where Portico itself listens for ${listener.protocol}`
      problems.push(clash(from, what))
    } else if (other !== undefined) {
      problems.push(clash(from, `${name} and ${other.name} both start a program on port ${port}`))
    }
  }
  return problems
}

function socketFault({ address, port, protocol, from }: ListenerPlan): Problem | undefined {
  if (isIP(address) !== 0 && port <= 65_535) return undefined
  const message = `${protocol} listens on ${printSocket(address, port)}; an address of this machine and a port up to 65535 are wanted.`
  return {
    level: 'error',
    code: 'plan/listener-address',
    at: from,
    message,
    fix: '":443" or "127.0.0.1:8443"',
  }
}

/** Whether a listener answers what is sent to a loopback address. */
function answersAt({ address }: ListenerPlan, loopback: string): boolean {
  if (loopback === 'localhost') return isLoopback(address) || address === '0.0.0.0' || address === '::'
  return address === loopback || address === (loopback.includes(':') ? '::' : '0.0.0.0')
}

function overlaps(a: ListenerPlan, b: ListenerPlan): boolean {
  if (a.port !== b.port || a.port === 0) return false
  if (a.address.includes(':') !== b.address.includes(':')) return false
  const wildcard = a.address.includes(':') ? '::' : '0.0.0.0'
  return a.address === b.address || a.address === wildcard || b.address === wildcard
}

function clash(at: Position, what: string): Problem {
  return {
    level: 'error',
    code: 'plan/listener-clash',
    at,
    message: `${what}; one port has one listener.`,
    fix: 'give one of them another port',
  }
}
