import type { Log } from '#core/log.ts'
import type { DnsServer } from '#dns/server.ts'
import type { HttpServer } from '#http/server.ts'
import { type ListenerPlan, printSocket } from '#plan/listeners.ts'
import type { Handshake } from '#tls/handshake.ts'
import type { PassedSockets } from './passed-sockets.ts'

/** A socket that is open. */
type Open = {
  readonly plan: ListenerPlan
  commit(): void
  retire(): void | Promise<void>
}

/** The sockets of the Plan, over all servers. */
export type Listeners = {
  /**
   * Open what is new. When one that somebody wrote cannot be opened, those opened so far are closed again.
   *
   * @returns puts the new ones to use and retires those that left
   * @throws {Error} that names address, port and who holds it
   */
  prepare(plans: readonly ListenerPlan[]): Promise<() => void>
  /** what is open now */
  open(): readonly ListenerPlan[]
  retire(): Promise<void>
}

export type ListenersOptions = {
  readonly dns: DnsServer
  readonly http: HttpServer
  readonly handshake: Handshake
  readonly holderOf: (port: number) => Promise<string | undefined>
  /** what the service manager holds open for us */
  readonly passed: PassedSockets
  readonly log: Log
}

/** @example const commit = await createListeners(options).prepare(plan.listeners); commit() */
export function createListeners(options: ListenersOptions): Listeners {
  const { holderOf, passed, log } = options
  let running = new Map<string, Open>()

  async function prepare(plans: readonly ListenerPlan[]): Promise<() => void> {
    const next = new Map<string, Open>()
    const opened: Open[] = []
    // The admin listener is opened by whoever answers it.
    for (const plan of plans.filter(({ protocol }) => protocol !== 'admin')) {
      const kept = running.get(plan.id)
      const open = kept ?? (await openOrExplain(plan, opened))
      if (open === null) continue
      if (kept === undefined) opened.push(open)
      next.set(plan.id, open)
    }
    return () => {
      for (const [id, open] of running) if (!next.has(id)) void open.retire()
      for (const open of opened) open.commit()
      running = next
      for (const { transport, address, port } of passed.left())
        log('warning', 'socket passed in vain', { transport, socket: printSocket(address, port) })
    }
  }

  async function openOrExplain(plan: ListenerPlan, opened: readonly Open[]): Promise<Open | null> {
    try {
      return await openListener(plan, options)
    } catch (error) {
      const socket = printSocket(plan.address, plan.port)
      if (plan.optional) {
        log('info', 'listener left out', { protocol: plan.protocol, socket, why: String(error) })
        return null
      }
      for (const open of opened) await open.retire()
      throw await listenFailure(error, plan, holderOf)
    }
  }

  return {
    prepare,
    open: () => [...running.values()].map(({ plan }) => plan),
    async retire() {
      await Promise.all([...running.values()].map((open) => open.retire()))
      running.clear()
    },
  }
}

async function openListener(
  plan: ListenerPlan,
  { dns, http, handshake, passed }: ListenersOptions,
): Promise<Open> {
  const { protocol, address, port } = plan
  const fd = passed.take('TCP', address, port)
  if (protocol === 'dns') {
    const listener = await dns.listen(address, port, { tcp: fd, udp: passed.take('UDP', address, port) })
    return { plan, commit: () => {}, retire: () => listener.close() }
  }
  const tls = protocol === 'https' ? { tls: handshake.options, attach: handshake.attach } : {}
  const open = fd === undefined ? {} : { fd }
  const listener = await http.prepare({ address, port, ipv6Only: true, ...open, ...tls })
  return { plan, commit: () => listener.commit(), retire: () => listener.retire() }
}

/** What went wrong with a listener, who is in the way, and what to do. */
export async function listenFailure(
  error: unknown,
  { protocol, address, port, from }: ListenerPlan,
  holderOf: ListenersOptions['holderOf'],
): Promise<Error> {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined
  const reason = code ?? (cause !== undefined && 'code' in cause ? cause.code : undefined)
  const what = `Cannot listen on ${printSocket(address, port)} for ${protocol}`
  const where = from.line === 0 ? '' : ` (${from.file}:${from.line})`
  if (reason === 'EADDRINUSE') {
    const holder = await holderOf(port)
    return new Error(`${what}${where}: the port is taken${holder === undefined ? '' : ` by ${holder}`}.`, {
      cause: error,
    })
  }
  if (reason === 'EACCES') {
    const fix = `Ports below 1024 need a right: run as root, or "sudo setcap cap_net_bind_service=+ep $(command -v node)", or use --dev.`
    return new Error(`${what}${where}: this user may not. ${fix}`, { cause: error })
  }
  if (reason === 'EADDRNOTAVAIL') {
    return new Error(`${what}${where}: this machine does not have that address.`, { cause: error })
  }
  return new Error(`${what}${where}: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  })
}
