import type { Problem } from '#core/problem.ts'
import { type Names, typesAt } from '#dns/records/names.ts'
import type { RecordDraft } from '#dns/records/read-records.ts'
import { type OwnerNode, problem, say, warning } from './finding.ts'

/** A CNAME stands alone, once, and never at the apex (RFC 1034 §3.6.2, RFC 2181 §10.1). */
export function checkAlias({ owner, apex, types }: OwnerNode): Problem[] {
  const aliases = types.get('CNAME')
  if (aliases === undefined) return []
  const alias = aliases[0]!
  const problems: Problem[] = []
  const targets = [...new Set(aliases.map(({ data }) => data))]
  if (targets.length > 1) {
    const at = aliases.find(({ data }) => data === targets[1])!.from
    const message = `"${say(owner)}" is a CNAME to ${targets.map(say).join(' and to ')}; a name has one canonical name (RFC 2181 §10.1).`
    problems.push(problem('dns/several-cnames', at, message, 'keep one of them'))
  }
  if (owner === apex) {
    const message = `"${say(owner)}" is the apex of the zone: it has SOA and NS, and a CNAME stands alone (RFC 1912 §2.4).`
    const fix = 'give the apex an address, or redirect it: "@": { "redirect": "https://www.…" }'
    problems.push(problem('dns/cname-at-apex', alias.from, message, fix))
    return problems
  }
  const others = types.keys().filter((type) => !['CNAME', 'RRSIG', 'NSEC', 'KEY'].includes(type))
  if (others.length > 0) {
    const message = `"${say(owner)}" is a CNAME and has ${others.join(', ')} too; a CNAME stands alone (RFC 1034 §3.6.2).`
    const derived = types.get(others[0]!)![0]!.why === 'derived from the host'
    const fix = derived
      ? 'remove the CNAME, or make the host an "alias"'
      : `put ${others.join(', ')} at ${say(alias.data)}, or remove the CNAME`
    problems.push(problem('dns/cname-and-other-data', alias.from, message, fix))
  }
  return problems
}

/** What an ALIAS leads to takes the place of addresses, so that nothing else says some. */
export function checkFlattened({ owner, types }: OwnerNode): Problem[] {
  const [alias] = types.get('ALIAS') ?? []
  const others = ['A', 'AAAA'].filter((type) => types.has(type))
  if (alias === undefined || others.length === 0) return []
  const message = `"${say(owner)}" has an ALIAS to ${say(alias.data)} and ${others.join(' and ')} too; its addresses are those of the target.`
  return [
    problem('dns/alias-and-addresses', alias.from, message, `remove the ALIAS, or ${others.join(' and ')}`),
  ]
}

/** A DNAME stands once, not beside the NS of a delegation, and leads out of its own subtree (RFC 6672 §2.3, §2.4). */
export function checkDname({ owner, apex, types }: OwnerNode): Problem[] {
  const dnames = types.get('DNAME') ?? []
  const [first, second] = dnames
  if (first === undefined) return []
  if (second !== undefined && second.data !== first.data) {
    const message = `"${say(owner)}" is a DNAME to ${dnames.map(({ data }) => say(data)).join(' and to ')}; a name has one (RFC 6672 §2.4).`
    return [problem('dns/dname', second.from, message, 'keep one of them')]
  }
  if (owner !== apex && types.has('NS')) {
    const message = `"${say(owner)}" is delegated by NS and redirected by DNAME; whoever has the zone says what stands below it (RFC 6672 §2.3).`
    return [problem('dns/dname', first.from, message, 'remove the NS or the DNAME')]
  }
  if (!`.${first.data.toLowerCase()}`.endsWith(`.${owner}`)) return []
  const message = `The DNAME of "${say(owner)}" leads to ${say(first.data)}, which is below it: the names never end (RFC 6672 §2.2).`
  return [problem('dns/dname', first.from, message, 'lead it to another domain')]
}

/** Resolvers give up on long chains; what they follow at most differs, and 8 is the least that is known. */
const CHAIN_LIMIT = 8

/** A chain of aliases that comes back to itself has no end (RFC 1034 §3.6.2); a long one is not followed to its. */
export function checkChains(names: Names): Problem[] {
  const problems: Problem[] = []
  const aliasAt = (name: string): RecordDraft | undefined => typesAt(name, names)?.get('CNAME')?.[0]
  /** how many aliases follow from a name; undefined for what ends in a circle */
  const lengths = new Map<string, number | undefined>()
  for (const { owners } of names.zones.values()) {
    for (const owner of owners) {
      if (names.owners.get(owner)?.has('CNAME') !== true) continue
      const chain: string[] = []
      let name = owner
      for (let alias = aliasAt(name); alias !== undefined; alias = aliasAt(name)) {
        if (lengths.has(name) || chain.includes(name)) break
        chain.push(name)
        name = alias.data.toLowerCase()
      }
      const isLoop = chain.includes(name)
      const rest = lengths.has(name) ? lengths.get(name) : isLoop ? undefined : 0
      chain.forEach((passed, index) => {
        lengths.set(passed, rest === undefined ? undefined : rest + chain.length - index)
      })
      if (isLoop) problems.push(loopProblem(chain.slice(chain.indexOf(name)), name, aliasAt(name)!))
    }
  }
  return [...problems, ...longChains(names, lengths)]
}

function loopProblem(loop: readonly string[], name: string, alias: RecordDraft): Problem {
  const message = `The CNAMEs go in a circle: ${[...loop, name].map(say).join(' → ')} (RFC 1034 §3.6.2).`
  return problem('dns/cname-loop', alias.from, message, 'point one of them at a name that has an address')
}

/** Only where a chain becomes too long: what leads there is longer still, and would be told again and again. */
function longChains(names: Names, lengths: ReadonlyMap<string, number | undefined>): Problem[] {
  return [...lengths].flatMap(([owner, length]) => {
    const alias = names.owners.get(owner)?.get('CNAME')?.[0]
    if (length !== CHAIN_LIMIT + 1 || alias === undefined) return []
    const message = `"${say(owner)}" is the first of ${length} CNAMEs in a row; resolvers give up on chains longer than ${CHAIN_LIMIT} (RFC 1034 §5.2.2).`
    return [warning('dns/cname-chain', alias.from, message, 'point it at the name at the end of the chain')]
  })
}
