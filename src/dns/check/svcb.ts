import type { Problem } from '#core/problem.ts'
import { cutAbove, type Names, typesAt, zoneOf } from '#dns/records/names.ts'
import type { RecordDraft } from '#dns/records/read-records.ts'
import { nameBelow } from '#dns/records/written-name.ts'
import { type OwnerNode, problem, say, warning } from './finding.ts'

/** One record of SVCB or HTTPS. */
type Binding = {
  readonly draft: RecordDraft
  /** priority 0: the record is an alias (RFC 9460 §2.4.2) */
  readonly isAlias: boolean
  /** absolute; the owner where "." is written in ServiceMode */
  readonly target: string
  readonly params: readonly string[]
}

/** Rules of SVCB and HTTPS that one record alone does not show (RFC 9460 §2.4.2, §7.3). */
export function checkServiceBindings({ owner, types, names }: OwnerNode): Problem[] {
  return ['SVCB', 'HTTPS'].flatMap((type) => {
    const bindings = (types.get(type) ?? []).map(readBinding)
    return [
      ...checkAliasMode(owner, type, bindings),
      ...bindings.flatMap((binding) => checkTarget(binding, type, names)),
    ]
  })
}

function readBinding(draft: RecordDraft): Binding {
  const [priority, target = '.', ...params] = draft.data.split(' ')
  const isAlias = priority === '0'
  return { draft, isAlias, target: target === '.' && !isAlias ? draft.owner : target.toLowerCase(), params }
}

function checkAliasMode(owner: string, type: string, bindings: readonly Binding[]): Problem[] {
  const alias = bindings.find(({ isAlias }) => isAlias)
  if (alias === undefined) return []
  const { draft, target, params } = alias
  const fault = (message: string, fix: string): Problem[] => [
    problem('dns/svcb-alias', draft.from, message, fix),
  ]
  if (params.length > 0)
    return fault(
      `${type} of "${say(owner)}" is an alias (priority 0) with parameters, which clients ignore (RFC 9460 §2.4.2).`,
      `"1 ${draft.data.slice(2).replaceAll('"', '\\"')}", or no parameters`,
    )
  if (target === owner)
    return fault(
      `${type} of "${say(owner)}" is an alias of itself (RFC 9460 §2.4.2).`,
      `"1 ." to say how this host is reached`,
    )
  if (bindings.length === 1) return []
  return bindings.every(({ isAlias }) => isAlias)
    ? fault(
        `"${say(owner)}" has ${bindings.length} ${type} records in AliasMode; clients take one of them by chance (RFC 9460 §2.4.2).`,
        'keep one of them',
      )
    : fault(
        `"${say(owner)}" has ${type} with priority 0 (an alias) beside others; clients then ignore the others (RFC 9460 §2.4.1).`,
        'remove the alias, or give it a priority above 0',
      )
}

function checkTarget({ draft, isAlias, target, params }: Binding, type: string, names: Names): Problem[] {
  const apex = zoneOf(target, names.zones)
  if (apex === undefined || cutAbove(target, apex, names) !== undefined) return []
  const types = typesAt(target, names)
  const reached = ['A', 'AAAA', 'CNAME', ...(isAlias ? [type] : [])].some(
    (wanted) => types?.has(wanted) === true,
  )
  if (!reached) {
    const message = `${type} of "${say(draft.owner)}" leads to ${say(target)}, which has no address in ${say(apex)}: nobody reaches it (RFC 9460 §3).`
    return [
      warning(
        'dns/svcb-target',
        draft.from,
        message,
        `"${nameBelow(target, apex)}": { "A": "203.0.113.10" }`,
      ),
    ]
  }
  const known = ['A', 'AAAA'].flatMap((family) => types?.get(family)?.map(({ data }) => data) ?? [])
  const hints = params.flatMap((param) => /^ipv[46]hint=(.*)$/.exec(param)?.[1]?.split(',') ?? [])
  const stray = hints.find((hint) => !known.includes(hint))
  if (stray === undefined || known.length === 0) return []
  const message = `${type} of "${say(draft.owner)}" gives the hint ${stray}, but ${say(target)} has ${known.join(', ')}: clients connect to the wrong place (RFC 9460 §7.3).`
  return [warning('dns/svcb-hint', draft.from, message, 'the addresses of the target, or no hints')]
}
