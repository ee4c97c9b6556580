import type { PlanNode } from '#core/node.ts'
import type { Plan } from './plan.ts'

/** Ids of nodes, by what a reload does to them. */
export type Changes = {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** same id, other key */
  readonly changed: readonly string[]
}

/** What differs between the Plan that runs and the next one. */
export function changesBetween(before: Plan | null, after: Plan): Changes {
  const old = new Map((before === null ? [] : nodesOf(before)).map(({ id, key }) => [id, key]))
  const next = new Map(nodesOf(after).map(({ id, key }) => [id, key]))
  const ids = [...next.keys()]
  return {
    added: ids.filter((id) => !old.has(id)),
    removed: [...old.keys()].filter((id) => !next.has(id)),
    changed: ids.filter((id) => old.has(id) && old.get(id) !== next.get(id)),
  }
}

/** What of the next Plan a running Portico cannot take up, as sentences. */
export function atNextStart(before: Plan, after: Plan): string[] {
  const adminOf = ({ listeners }: Plan): string | undefined => {
    return listeners.find(({ protocol }) => protocol === 'admin')?.key
  }
  return [
    ...(before.workers === after.workers ? [] : ['The number of workers changes at the next start.']),
    ...(adminOf(before) === adminOf(after) ? [] : ['The listener "admin" changes at the next start.']),
  ]
}

/** Every node that a running object may stand for. */
function nodesOf({ listeners, dns, tls, http, processes }: Plan): PlanNode[] {
  const routes = http.hosts.flatMap((host) => host.routes)
  return [
    ...listeners,
    ...dns.zones,
    ...dns.keys,
    ...dns.moves,
    ...tls.certificates,
    ...http.hosts,
    ...routes,
    ...processes,
  ]
}
