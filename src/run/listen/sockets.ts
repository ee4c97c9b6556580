import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, isIPv6 } from 'node:net'
import type { Descriptors } from '#core/descriptors.ts'
import type { Log } from '#core/log.ts'
import { type ListenerPlan, printSocket } from '#plan/listeners.ts'
import type { ListenerSlice, WorkerSockets } from '#run/slice.ts'
import { listenFailure } from './failure.ts'
import type { PassedSockets } from './passed-sockets.ts'

/** The addresses that all workers listen on. */
export type Sockets = {
  /**
   * Open what is new, for each worker a socket of its own: the kernel shares out what comes.
   *
   * @throws {Error} that names address, port and who holds it; nothing is open then
   */
  prepare(plans: readonly ListenerPlan[]): Promise<PreparedSockets>
  /** What one worker listens on now. */
  slices(worker: number): ListenerSlice[]
  close(): void
}

export type PreparedSockets = {
  slices(worker: number): ListenerSlice[]
  /** From now on these; those that left are closed. */
  commit(): void
  /** Close the new ones. */
  abort(): void
}

export type SocketsOptions = {
  /** undefined: the workers open what they need, and what arrives while one is replaced is refused */
  readonly descriptors: Descriptors | undefined
  readonly workers: number
  /** what the service manager holds open for us: all workers share it */
  readonly passed: PassedSockets
  readonly holderOf: (port: number) => Promise<string | undefined>
  readonly log: Log
}

/** A port that was found free, with the sockets of each worker. */
type Group = { readonly plan: ListenerPlan; readonly sockets: readonly WorkerSockets[] | null }

/** @example const sockets = await createSockets(options).prepare(plan.listeners) */
export function createSockets({ descriptors, workers, passed, holderOf, log }: SocketsOptions): Sockets {
  let running = new Map<string, Group>()

  async function prepare(plans: readonly ListenerPlan[]): Promise<PreparedSockets> {
    const next = new Map<string, Group>()
    const opened: Group[] = []
    const abort = (): void => opened.forEach(closeGroup)
    // Those of admin and metrics are opened by whoever answers them.
    for (const plan of plans.filter(({ protocol }) => protocol !== 'admin' && protocol !== 'metrics')) {
      const kept = running.get(plan.id)
      const group =
        kept === undefined ? await openOrExplain(plan, abort) : { ...kept, plan: ported(plan, kept) }
      if (group === null) continue
      if (kept === undefined) opened.push(group)
      next.set(plan.id, group)
    }
    const commit = (): void => {
      for (const [id, group] of running) if (!next.has(id)) closeGroup(group)
      running = next
      for (const { transport, address, port } of passed.left())
        log('warning', 'socket passed in vain', { transport, socket: printSocket(address, port) })
    }
    return { slices: (worker) => slicesOf(next, worker), commit, abort }
  }

  async function openOrExplain(plan: ListenerPlan, abort: () => void): Promise<Group | null> {
    try {
      const shared = takePassed(plan)
      if (shared !== undefined) return { plan, sockets: new Array<WorkerSockets>(workers).fill(shared) }
      const port = await findFree(plan)
      return { plan: { ...plan, port }, sockets: openSockets({ ...plan, port }) }
    } catch (error) {
      if (plan.optional) {
        const socket = printSocket(plan.address, plan.port)
        log('info', 'listener left out', { protocol: plan.protocol, socket, why: String(error) })
        return null
      }
      abort()
      throw await listenFailure(error, plan, holderOf)
    }
  }

  /** A socket that was passed is one: the workers accept from it in turns. */
  function takePassed({ protocol, address, port }: ListenerPlan): WorkerSockets | undefined {
    if (descriptors === undefined) return undefined
    const tcp = passed.take('TCP', address, port)
    if (tcp === undefined || protocol !== 'dns') return tcp === undefined ? undefined : { tcp }
    const udp = passed.take('UDP', address, port)
    return udp === undefined ? undefined : { tcp, udp }
  }

  /** Null when descriptors cannot do it: then each worker opens its own, and can say why not. */
  function openSockets({ protocol, address, port }: ListenerPlan): WorkerSockets[] | null {
    const shared = { address, port, reusePort: true }
    const sockets: WorkerSockets[] = []
    for (let worker = 0; worker < workers; worker++) {
      const tcp = descriptors?.open({ protocol: 'tcp', ...shared })
      const udp = protocol === 'dns' ? descriptors?.open({ protocol: 'udp', ...shared }) : undefined
      if (tcp !== undefined) sockets.push({ tcp, ...(udp === undefined ? {} : { udp }) })
      if (tcp !== undefined && (protocol !== 'dns' || udp !== undefined)) continue
      closeSockets(sockets)
      return null
    }
    return sockets
  }

  function closeGroup({ sockets }: Group): void {
    closeSockets(new Set(sockets))
  }

  function closeSockets(sockets: Iterable<WorkerSockets>): void {
    for (const { tcp, udp } of sockets) {
      descriptors?.close(tcp)
      if (udp !== undefined) descriptors?.close(udp)
    }
  }

  return {
    prepare,
    slices: (worker) => slicesOf(running, worker),
    close() {
      for (const group of running.values()) closeGroup(group)
      running.clear()
    },
  }
}

/** A socket that stays is at the port that it got, whatever else the Plan now says of it. */
function ported(plan: ListenerPlan, { plan: { port } }: Group): ListenerPlan {
  return { ...plan, port }
}

function slicesOf(groups: ReadonlyMap<string, Group>, worker: number): ListenerSlice[] {
  return [...groups.values()].map(({ plan, sockets }) => ({ ...plan, sockets: sockets?.[worker] ?? null }))
}

/** Tries to find a port that is free for both protocols. */
const FREE_PORT_TRIES = 10

/**
 * Listen alone for a moment: ports that are shared could be shared with another program too, even with another Portico.
 *
 * @returns the port; one that is free when the plan says 0
 * @throws {Error} of Node with the code of the system
 */
async function findFree({ protocol, address, port }: ListenerPlan): Promise<number> {
  for (let tries = 1; ; tries++) {
    const free = await probeTcp(address, port)
    if (protocol !== 'dns') return free
    try {
      await probeUdp(address, free)
      return free
    } catch (error) {
      if (port !== 0 || tries === FREE_PORT_TRIES) throw error
    }
  }
}

async function probeTcp(address: string, port: number): Promise<number> {
  const server = createServer((socket) => socket.destroy())
  const listening = once(server, 'listening')
  server.listen({ host: address, port, ipv6Only: true, exclusive: true })
  await listening
  const { port: bound } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return bound
}

async function probeUdp(address: string, port: number): Promise<void> {
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', ipv6Only: isIPv6(address) })
  const listening = once(socket, 'listening')
  socket.bind({ address, port, exclusive: true })
  try {
    await listening
  } finally {
    socket.close()
  }
}
