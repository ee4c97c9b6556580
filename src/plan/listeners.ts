import type { Config } from '#config/load.ts'
import type { PlanNode } from '#core/node.ts'
import { contentKey } from '#core/node.ts'
import type { Position, Problem } from '#core/problem.ts'
import type { Facts } from './facts.ts'

export type Protocol = 'dns' | 'http' | 'https' | 'admin'

/** A socket that is wanted. `id` is `listener:` protocol, address and port. */
export type ListenerPlan = PlanNode & {
  readonly protocol: Protocol
  /** `0.0.0.0` and `::` are all addresses of a family */
  readonly address: string
  readonly port: number
  /** serving goes on without it: nobody wrote it, or the machine lacks the family */
  readonly optional: boolean
}

const DEV_PORTS: Readonly<Record<Protocol, number>> = { dns: 5300, http: 8080, https: 8443, admin: 9053 }

/** Decide the sockets: what the file says; on a laptop loopback only and no privileged port. */
export function planListeners(config: Config, facts: Facts): ListenerPlan[] {
  const { listen } = config.value
  const protocols: readonly Protocol[] = ['dns', 'http', 'https', 'admin']
  return protocols.flatMap((protocol) => {
    const texts = protocol === 'admin' ? [listen.admin] : listen[protocol]
    return texts.flatMap((text, index) => {
      const path = ['listen', protocol, ...(texts.length > 1 ? [index] : [])]
      return expand(protocol, text, config.written.at(path), facts)
    })
  })
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

/**
 * Two listeners cannot share a port of one address (DNS takes it over UDP and TCP, the others over TCP),
 * and a service on this machine cannot be a port of ours: requests would go round in a circle.
 */
export function checkListeners(
  listeners: readonly ListenerPlan[],
  services: readonly { port: number; name: string; from: Position }[],
): Problem[] {
  const problems: Problem[] = []
  listeners.forEach((listener, index) => {
    const other = listeners.slice(0, index).find((earlier) => overlaps(earlier, listener))
    if (other === undefined || problems.some(({ at }) => at === listener.from)) return
    problems.push(
      clash(
        listener.from,
        `${listener.protocol} and ${other.protocol} both listen on ${printSocket(listener.address, listener.port)}`,
      ),
    )
  })
  for (const { port, name, from } of services) {
    const listener = listeners.find((candidate) => candidate.port === port)
    if (listener === undefined) continue
    problems.push(
      clash(from, `${name} leads to port ${port}, where Portico itself listens for ${listener.protocol}`),
    )
  }
  return problems
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
