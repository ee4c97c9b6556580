import type { Descriptors } from '#core/descriptors.ts'
import type { DnsServer } from '#dns/server.ts'
import type { HttpServer, ListenTarget } from '#http/server.ts'
import { createTrust } from '#http/trust.ts'
import type { ListenerSlice, WorkerSockets } from '#run/slice.ts'
import type { Handshake } from '#tls/handshake.ts'

/** A socket that is open. */
type Open = {
  commit(): void
  /** What the Plan says of it now, whether it is new or stays. */
  adopt?(slice: ListenerSlice): void
  retire(): void | Promise<void>
}

/** The sockets of one worker, over all servers. */
export type Listeners = {
  /**
   * Open what is new. When one cannot be opened, those opened so far are closed again.
   *
   * @throws {Error} when one cannot be opened
   */
  prepare(slices: readonly ListenerSlice[]): Promise<PreparedListeners>
  retire(): Promise<void>
}

export type PreparedListeners = {
  /** Put the new ones to use, and retire those that left. */
  commit(): void
  /** Close the new ones. */
  abort(): void
}

export type ListenersOptions = {
  readonly dns: DnsServer
  readonly http: HttpServer
  readonly handshake: Handshake
  /** of DNS over TLS */
  readonly dnsHandshake: Handshake
  readonly descriptors: Descriptors | undefined
  /** how many workers listen on each port */
  readonly workers: number
}

/** @example const { commit } = await createListeners(options).prepare(slice.listeners); commit() */
export function createListeners(options: ListenersOptions): Listeners {
  let running = new Map<string, Open>()

  async function prepare(slices: readonly ListenerSlice[]): Promise<PreparedListeners> {
    const next = new Map<string, Open>()
    const opened: Open[] = []
    const abort = (): void => {
      for (const open of opened) void open.retire()
    }
    for (const slice of slices) {
      const kept = running.get(slice.id)
      const open =
        kept ??
        (await openListener(slice, options).catch((error: unknown) => {
          abort()
          throw error
        }))
      if (kept === undefined) opened.push(open)
      next.set(slice.id, open)
    }
    const commit = (): void => {
      for (const slice of slices) next.get(slice.id)?.adopt?.(slice)
      for (const [id, open] of running) if (!next.has(id)) void open.retire()
      for (const open of opened) open.commit()
      running = next
    }
    return { commit, abort }
  }

  return {
    prepare,
    async retire() {
      await Promise.all([...running.values()].map((open) => open.retire()))
      running.clear()
    },
  }
}

async function openListener(slice: ListenerSlice, options: ListenersOptions): Promise<Open> {
  const { dns, http, handshake, dnsHandshake, descriptors, workers } = options
  const { protocol, address, port, sockets } = slice
  const own = sockets === null ? undefined : duplicate(sockets, descriptors!)
  const reusePort = workers > 1
  if (protocol === 'dns') {
    const sharing = own === undefined ? { reusePort } : { tcp: own.tcp, fd: own.udp! }
    const listener = await dns.listen(address, port, sharing)
    return { commit: () => {}, retire: () => listener.close() }
  }
  if (protocol === 'dot') {
    const sharing = own === undefined ? { reusePort } : { fd: own.tcp }
    const listener = await dns.listenTls(address, port, dnsHandshake, sharing)
    return { commit: () => {}, retire: () => listener.close() }
  }
  const tls = protocol === 'https' ? { tls: handshake.options, attach: handshake.attach } : {}
  const target: ListenTarget = { address, port, ipv6Only: true, ...tls }
  const listener = await http.prepare({ ...target, ...(own === undefined ? { reusePort } : { fd: own.tcp }) })
  const adopt = ({ proxies }: ListenerSlice): void => {
    listener.isProxy = createTrust(proxies ?? [])
  }
  return { adopt, commit: () => listener.commit(), retire: () => listener.retire() }
}

/** The main thread keeps its own, so that what arrives while a worker is replaced waits for the next one. */
function duplicate({ tcp, udp }: WorkerSockets, { duplicate }: Descriptors): WorkerSockets {
  return { tcp: duplicate(tcp), ...(udp === undefined ? {} : { udp: duplicate(udp) }) }
}
