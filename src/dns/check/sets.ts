import type { Problem } from '#core/problem.ts'
import type { RecordDraft } from '#dns/records/read-records.ts'
import { type OwnerNode, problem, say, warning } from './finding.ts'

/** Rules within one RRset: no doubles (RFC 2181 §5), one TTL (RFC 2181 §5.2). */
export function checkSets({ types }: OwnerNode): Problem[] {
  return types.isSeveral ? types.sets().flatMap(checkSet) : []
}

function checkSet(set: readonly RecordDraft[]): Problem[] {
  const problems: Problem[] = []
  const seen = new Set<string>()
  const { owner, type, ttl } = set[0]!
  for (const draft of set) {
    const data = foldsCase(type) ? draft.data.toLowerCase() : draft.data
    if (seen.has(data)) {
      const message = `${type} ${draft.data} of "${say(owner)}" stands twice; an RRset has no doubles (RFC 2181 §5).`
      problems.push(problem('dns/duplicate-record', draft.from, message, 'remove one of them'))
    }
    seen.add(data)
  }
  const other = set.find((draft) => draft.ttl !== ttl)
  if (other !== undefined) {
    const message = `${type} of "${say(owner)}" has the TTLs ${ttl} and ${other.ttl}; records of one RRset share one TTL (RFC 2181 §5.2).`
    problems.push(problem('dns/ttl-differs', other.from, message, `"ttl": ${Math.min(ttl, other.ttl)}`))
  }
  return problems
}

function foldsCase(type: string): boolean {
  return ['CNAME', 'DNAME', 'MX', 'NS', 'PTR', 'SRV'].includes(type)
}

/** A domain whose one server is away is away itself (RFC 2182 §5); Portico's own default is not told. */
export function checkNameServers({ owner, apex, types }: OwnerNode): Problem[] {
  const servers = types.get('NS') ?? []
  const only = servers[0]
  if (owner !== apex || only === undefined || only.why !== 'written' || servers.length > 1) return []
  const message = `"${say(owner)}" has one name server, ${say(only.data)}; with a second one in another network the domain stays when the first is away (RFC 2182 §5).`
  return [
    warning('dns/one-name-server', only.from, message, `"NS": ["${say(only.data)}", "ns2.example.net"]`),
  ]
}
