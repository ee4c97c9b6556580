import { type ListenerPlan, printSocket } from '#plan/listeners.ts'
import type { Plan } from '#plan/plan.ts'
import type { ProcessState } from '#processes/process.ts'
import { type Holder, listHolders, printHolder } from './port-holder.ts'

/** One port: who uses it, for what, and whether that can be. Plain JSON. */
export type PortRow = {
  /** where clients come from: the world, or Portico itself */
  readonly side: 'outside' | 'inside'
  readonly transport: 'TCP' | 'UDP'
  /** `0.0.0.0:443` */
  readonly socket: string
  /** protocol, or what answers there */
  readonly use: string
  /** hosts and zones that are reached through it */
  readonly names: readonly string[]
  readonly state: 'listens' | 'free' | 'taken'
  /** `process 812 (nginx)`; null when nobody has it */
  readonly holder: string | null
}

/** What is known of a Portico that runs; null when none does. */
export type RunningPorts = { readonly pid: number; readonly processes: readonly ProcessState[] }

/** Every port of a Plan, outside and inside, with the process that has it now. */
export async function portRows(plan: Plan, running: RunningPorts | null): Promise<PortRow[]> {
  const wanted = [
    ...plan.listeners.flatMap((listener) => outsidePorts(listener, plan)),
    ...insidePorts(plan, running),
  ]
  const holders = await listHolders(new Set(wanted.map(({ port }) => port)))
  return wanted.map(({ address, port, ...row }): PortRow => {
    const here = holders.filter((holder) => holder.transport === row.transport && holder.port === port)
    const overlapping = here.filter((holder) => overlaps(holder.address, address))
    const isOwn = ({ pid }: Holder): boolean => pid === running?.pid
    // The socket of another process is in the way, whatever else has the port too.
    const found =
      (row.side === 'outside' ? overlapping.find((holder) => !isOwn(holder)) : undefined) ?? overlapping[0]
    const state = found === undefined ? 'free' : row.side === 'inside' || isOwn(found) ? 'listens' : 'taken'
    return {
      ...row,
      socket: printSocket(address, port),
      state,
      holder: found === undefined ? null : printHolder(found),
    }
  })
}

/** Whether something is in the way: a port of ours that another process has. */
export function hasConflict(rows: readonly PortRow[]): boolean {
  return rows.some(({ state }) => state === 'taken')
}

type WantedPort = Pick<PortRow, 'side' | 'transport' | 'use' | 'names'> & {
  readonly address: string
  readonly port: number
}

/** DNS is answered over both (RFC 7766 §5), everything else over TCP. */
function outsidePorts({ protocol, address, port }: ListenerPlan, plan: Plan): WantedPort[] {
  const transports = protocol === 'dns' ? (['UDP', 'TCP'] as const) : (['TCP'] as const)
  return transports.map((transport) => ({
    side: protocol === 'admin' ? 'inside' : 'outside',
    transport,
    address,
    port,
    use: protocol,
    names: namesOf(protocol, plan),
  }))
}

function namesOf(protocol: ListenerPlan['protocol'], { dns, http }: Plan): string[] {
  if (protocol === 'admin' || protocol === 'metrics') return []
  return protocol === 'dns'
    ? dns.zones.map(({ apex }) => apex.slice(0, -1))
    : http.hosts.map(({ name }) => name)
}

/** Services of this machine that requests are passed on to. */
function insidePorts({ http, processes }: Plan, running: RunningPorts | null): WantedPort[] {
  const rows = new Map<string, WantedPort & { names: string[] }>()
  const add = (name: string, address: string, port: number): void => {
    const key = `${address} ${port}`
    const row = rows.get(key) ?? {
      side: 'inside',
      transport: 'TCP',
      address,
      port,
      use: 'service',
      names: [],
    }
    if (!row.names.includes(name)) row.names.push(name)
    rows.set(key, row)
  }
  for (const { name, routes } of http.hosts) {
    for (const { action } of routes) {
      if (action.kind !== 'service') continue
      const port = running?.processes.find(({ id }) => id === action.processId)?.port
      const fixed = processes.find(({ id }) => id === action.processId)?.port
      const picked = port ?? fixed ?? 0
      if (picked !== 0) add(name, '127.0.0.1', picked)
      for (const origin of action.origins) {
        if (origin.port === 0 || !/^(127\.|localhost$|::1$)/.test(origin.host)) continue
        add(name, origin.host === 'localhost' ? '127.0.0.1' : origin.host, origin.port)
      }
    }
  }
  return [...rows.values()]
}

/** `::` takes IPv4 as well unless it was told otherwise, which /proc does not say. */
function overlaps(held: string, wanted: string): boolean {
  if (held === wanted || held === '::') return true
  if (held.includes(':') !== wanted.includes(':')) return false
  return held === '0.0.0.0' || wanted === '0.0.0.0' || wanted === '::'
}
