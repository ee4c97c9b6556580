import type { Problem } from '#core/problem.ts'
import { cutAbove, type Names, typesAt, zoneOf } from '#dns/records/names.ts'
import type { RecordDraft } from '#dns/records/read-records.ts'
import { parseIpv4, parseIpv6 } from '../wire/address.ts'
import { type OwnerNode, problem, say, textOf, textsOf, warning } from './finding.ts'

/** RFC 7208 §4.6.4: a receiver that would look up more gives up, and the policy counts as broken. */
const LOOKUP_LIMIT = 10

/** One term of a policy: a mechanism with its argument behind ":" or "/", or a modifier with "=". */
type Term = {
  readonly text: string
  readonly name: string
  readonly argument: string
  readonly isModifier: boolean
}

/** Rules of sender policies as receivers read them (RFC 7208). */
export function checkSpf({ owner, types, names }: OwnerNode): Problem[] {
  const old = types.get('SPF')?.[0]
  if (old !== undefined) {
    const message = `"${say(owner)}" has its sender policy in a record of type SPF (99), which nobody asks for any more (RFC 7208 §3.1).`
    return [problem('dns/spf-type', old.from, message, `"TXT": ${JSON.stringify(textOf(old))}`)]
  }
  const all = textsOf(types)
  const policies = all.filter(({ text }) => isPolicy(text))
  const almost = all.find(({ text }) => !isPolicy(text) && LOOKS_LIKE.test(text))
  if (almost !== undefined) {
    const message = `"${almost.text.slice(0, 40)}" of "${say(owner)}" looks like a sender policy, but receivers know one by "v=spf1" and a space (RFC 7208 §4.5).`
    const fix = `"v=spf1 ${almost.text.replace(LOOKS_LIKE, '').trim()}"`
    return [problem('dns/spf-syntax', almost.draft.from, message, fix)]
  }
  if (policies.length > 1) {
    const message = `"${say(owner)}" has ${policies.length} SPF records; receivers then ignore all of them (RFC 7208 §4.5).`
    const fix = 'join their mechanisms in one "v=spf1 … -all"'
    return [problem('dns/several-spf', policies[1]!.draft.from, message, fix)]
  }
  return policies.flatMap(({ draft, text }) => checkPolicy(draft, text, names))
}

/** What people write in place of "v=spf1 ". */
const LOOKS_LIKE = /^\W*(v\s*=?\s*spf1?|spf1)\b[\s=]*/i

function isPolicy(text: string): boolean {
  return /^v=spf1( |$)/i.test(text)
}

function checkPolicy(draft: RecordDraft, text: string, names: Names): Problem[] {
  const terms = termsOf(text)
  const owner = say(draft.owner)
  const broken = terms.map((term) => faultOf(term)).find((fault) => fault !== undefined)
  if (broken !== undefined) {
    const message = `The sender policy of "${owner}" ${broken.fault}; receivers take a policy with a fault for broken as a whole (RFC 7208 §4.6).`
    return [problem('dns/spf-syntax', draft.from, message, broken.fix)]
  }
  const problems: Problem[] = []
  if (terms.some(({ name }) => name === 'ptr')) {
    const message = `The sender policy of "${owner}" has "ptr", which is slow, fails often, and is not to be used (RFC 7208 §5.5).`
    problems.push(
      problem('dns/spf-ptr', draft.from, message, 'name the senders by "ip4:", "ip6:", "a" or "mx"'),
    )
  }
  const lookups = countLookups(draft.owner, terms, names, new Set())
  if (lookups > LOOKUP_LIMIT) {
    const message = `The sender policy of "${owner}" takes ${lookups} lookups in DNS as far as this file knows, and receivers stop at ${LOOKUP_LIMIT} (RFC 7208 §4.6.4).`
    problems.push(
      problem(
        'dns/spf-lookups',
        draft.from,
        message,
        'write addresses as "ip4:" and "ip6:", or leave out includes',
      ),
    )
  }
  const nothing = terms.find((term) => includesNothing(term, names))
  if (nothing !== undefined) {
    const message = `The sender policy of "${owner}" has "${nothing.text}", but this file has no policy there, which breaks the whole (RFC 7208 §5.2).`
    problems.push(
      problem('dns/spf-include', draft.from, message, `remove "${nothing.text}", or add its "v=spf1 …"`),
    )
  }
  const end = terms.find(({ name, text: written }) => name === 'all' && !/^[-~?]/.test(written))
  if (end !== undefined) {
    const message = `The sender policy of "${owner}" ends with "${end.text}", which lets everyone send in its name (RFC 7208 §5.1).`
    problems.push(
      warning('dns/spf-passes-all', draft.from, message, '"-all", or "~all" while you are not sure'),
    )
  }
  return problems
}

function termsOf(text: string): Term[] {
  const words = text
    .slice('v=spf1'.length)
    .split(' ')
    .filter((word) => word !== '')
  return words.map((word) => {
    const [, name = '', sign = '', argument = ''] = /^[-+~?]?([^:=/]*)([:=/]?)(.*)$/s.exec(word) ?? []
    return {
      text: word,
      name: name.toLowerCase(),
      argument: sign === '/' ? `/${argument}` : argument,
      isModifier: sign === '=',
    }
  })
}

/** Mechanisms by what they take (RFC 7208 §5): nothing, perhaps a domain, a domain, or an address. */
const MECHANISMS: Readonly<Record<string, 'nothing' | 'optional' | 'domain' | 'ip4' | 'ip6'>> = {
  all: 'nothing',
  a: 'optional',
  mx: 'optional',
  ptr: 'optional',
  include: 'domain',
  exists: 'domain',
  ip4: 'ip4',
  ip6: 'ip6',
}

function faultOf({ text, name, argument, isModifier }: Term): { fault: string; fix: string } | undefined {
  const takes = MECHANISMS[name]
  if (isModifier && takes !== undefined)
    return { fault: `has "${text}", where "${name}" takes ":"`, fix: `"${text.replace('=', ':')}"` }
  // Unknown modifiers are passed over (RFC 7208 §6).
  if (isModifier)
    return argument === '' && name === 'redirect'
      ? { fault: `has "${text}" without a domain`, fix: '"redirect=_spf.example.net"' }
      : undefined
  if (name === 'redirect')
    return { fault: `has "${text}", where "redirect" takes "="`, fix: `"${text.replace(':', '=')}"` }
  if (takes === undefined) {
    const fix =
      parseIpv4(text) !== undefined
        ? `"ip4:${text}"`
        : parseIpv6(text) !== undefined
          ? `"ip6:${text}"`
          : `remove "${text}"`
    return { fault: `has "${text}", which is no mechanism`, fix }
  }
  if (takes === 'nothing' && argument !== '')
    return { fault: `has "${text}", and "${name}" stands alone`, fix: `"${name}"` }
  if (takes === 'domain' && argument === '')
    return { fault: `has "${text}" without a domain`, fix: `"${name}:_spf.example.net"` }
  if ((takes === 'ip4' || takes === 'ip6') && !isNetwork(argument, takes)) {
    const other = takes === 'ip4' ? 'ip6' : 'ip4'
    const fix = isNetwork(argument, other)
      ? `"${other}:${argument}"`
      : takes === 'ip4'
        ? '"ip4:203.0.113.0/24"'
        : '"ip6:2001:db8::/32"'
    return { fault: `has "${text}", which is no IPv${takes.slice(2)} address or network`, fix }
  }
  return undefined
}

function isNetwork(text: string, kind: 'ip4' | 'ip6'): boolean {
  const [address = '', prefix = '0', more] = text.split('/')
  const parsed = kind === 'ip4' ? parseIpv4(address) : parseIpv6(address)
  return (
    parsed !== undefined &&
    more === undefined &&
    /^\d{1,3}$/.test(prefix) &&
    Number(prefix) <= parsed.length * 8
  )
}

const LOOKUPS: ReadonlySet<string> = new Set(['include', 'a', 'mx', 'ptr', 'exists', 'redirect'])

/** Lookups of a policy, and of those of this file that it leads to; what others write counts as its own one. */
function countLookups(owner: string, terms: readonly Term[], names: Names, passed: Set<string>): number {
  passed.add(owner)
  return terms
    .filter(({ name }) => LOOKUPS.has(name))
    .reduce((sum, { name, argument }) => {
      const target = domainOf(argument)
      if ((name !== 'include' && name !== 'redirect') || passed.has(target)) return sum + 1
      const inner = policyAt(target, names)
      return sum + 1 + (inner === undefined ? 0 : countLookups(target, termsOf(inner), names, passed))
    }, 0)
}

function includesNothing({ name, argument }: Term, names: Names): boolean {
  if ((name !== 'include' && name !== 'redirect') || argument.includes('%')) return false
  const target = domainOf(argument)
  const types = typesAt(target, names)
  const apex = zoneOf(target, names.zones)
  if (apex === undefined || cutAbove(target, apex, names) !== undefined) return false
  if (types?.has('CNAME') === true) return false
  return policyAt(target, names) === undefined
}

function policyAt(name: string, names: Names): string | undefined {
  const types = typesAt(name, names)
  return types === undefined ? undefined : textsOf(types).find(({ text }) => isPolicy(text))?.text
}

function domainOf(argument: string): string {
  return `${argument.toLowerCase().replace(/\.$/, '')}.`
}
