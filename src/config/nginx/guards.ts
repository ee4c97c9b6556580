import { cut, type Network, networkKey, parseNetwork } from '#core/network.ts'
import type { RouteConfig } from '#http/host-config.ts'
import type { Directive } from './parse.ts'

type Rule = { readonly isAllowed: boolean; readonly text: string; readonly network: Network }

const EVERYONE = ['0.0.0.0/0', '::/0']

/**
 * `allow` and `deny` as `access`; undefined when they say what it cannot say.
 *
 * In nginx the first rule that fits decides, here the longest prefix: the same, as long as no rule stands behind a wider
 * one that says the opposite.
 */
export function readAccess(directives: readonly Directive[]): RouteConfig['access'] | undefined {
  const rules = directives.flatMap(readRule)
  const written = rules.filter((rule) => rule !== undefined)
  if (written.length < rules.length || written.some((rule, i) => isHidden(rule, written.slice(0, i)))) {
    return undefined
  }
  const textsOf = (isAllowed: boolean): string[] =>
    written.filter((rule) => rule.isAllowed === isAllowed).map(({ text }) => text)
  const [allow, deny] = [textsOf(true), textsOf(false)]
  const isClosed = EVERYONE.every((everyone) => deny.includes(everyone))
  // Who is named by no rule comes in; with `allow` in the file nobody else would.
  const others = deny.filter((text) => !EVERYONE.includes(text))
  if (isClosed) return { allow, ...(others.length === 0 ? {} : { deny: others }) }
  if (deny.length === 0) return undefined
  const named = allow.filter((text) => !EVERYONE.includes(text))
  return named.length === 0 ? { deny } : { allow: [...named, ...EVERYONE], deny }
}

function readRule({ name, args: [text = ''] }: Directive): (Rule | undefined)[] {
  const texts = text === 'all' ? EVERYONE : [text]
  return texts.map((one) => {
    const network = parseNetwork(one)
    return network === undefined ? undefined : { isAllowed: name === 'allow', text: one, network }
  })
}

/** Whether an earlier rule that is wider says the opposite. */
function isHidden({ isAllowed, network }: Rule, earlier: readonly Rule[]): boolean {
  return earlier.some((rule) => rule.isAllowed !== isAllowed && holds(rule.network, network))
}

function holds(wide: Network, narrow: Network): boolean {
  if (wide.family !== narrow.family || wide.prefix > narrow.prefix) return false
  return networkKey(cut(narrow, wide.prefix)) === networkKey(wide)
}
