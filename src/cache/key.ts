import { compareText } from '#core/sorted.ts'
import type { Request } from '#http/exchange.ts'
import type { KeyPlan } from './plan.ts'
import { cookieOf } from './wire/cookie.ts'

/** What a key is made of; the target may be another than that of the request. */
export type Keyed = Pick<Request, 'authority' | 'target' | 'fields'> & {
  readonly client: { readonly secure: boolean }
}

/**
 * The cache key of a request: its URI, and what the file names beside it (RFC 9111 §2).
 *
 * The URI comes first and is followed by a space when there is more, so that a purge by prefix or by URL finds all.
 *
 * @example keyOf(plan.key, request) // 'https://example.com/a?b=1'
 */
export function keyOf(plan: KeyPlan, request: Keyed): string {
  const uri = uriOf(plan, request)
  if (plan.cookies.length === 0 && plan.fields.length === 0) return uri
  const more = [
    ...plan.cookies.map((name) => `c:${name}=${part(cookieOf(request.fields, name))}`),
    ...plan.fields.map((name) => `f:${name}=${part(request.fields.all(name).join(','))}`),
  ]
  return `${uri} ${more.join(' ')}`
}

/** The URI in a key. */
export function uriOf(plan: KeyPlan, request: Keyed): string {
  return originOf(request) + keyedTarget(plan, request.target)
}

/** The target in a key: query parameters kept, dropped and sorted as the file says. */
export function keyedTarget(plan: KeyPlan, target: string): string {
  return plan.query === 'all' && !plan.sortsQuery ? target : chosenTarget(plan, target)
}

/** Scheme and authority, without the port that the scheme has by itself (RFC 9110 §4.2.3). */
export function originOf({ authority, client }: Pick<Keyed, 'authority' | 'client'>): string {
  const [scheme, port] = client.secure ? ['https://', ':443'] : ['http://', ':80']
  return scheme + (authority.endsWith(port) ? authority.slice(0, -port.length) : authority)
}

function chosenTarget({ query, sortsQuery }: KeyPlan, target: string): string {
  const mark = target.indexOf('?')
  if (mark < 0) return target
  let parameters = target.slice(mark + 1).split('&')
  if (query !== 'all') {
    const isKept = 'keep' in query ? isNamed(query.keep) : isNot(isNamed(query.drop))
    parameters = parameters.filter((parameter) => isKept(parameter))
  }
  // Several parameters of one name keep their order: it may mean something.
  if (sortsQuery) parameters.sort((a, b) => compareText(nameOf(a), nameOf(b)))
  const path = target.slice(0, mark)
  return parameters.length === 0 ? path : `${path}?${parameters.join('&')}`
}

/** Whether a parameter is one of these; a name that ends with `*` stands for all that begin so. */
function isNamed(names: readonly string[]): (parameter: string) => boolean {
  return (parameter) => {
    const name = nameOf(parameter)
    return names.some((wanted) =>
      wanted.endsWith('*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted,
    )
  }
}

function isNot(holds: (text: string) => boolean): (text: string) => boolean {
  return (text) => !holds(text)
}

function nameOf(parameter: string): string {
  const equals = parameter.indexOf('=')
  return equals < 0 ? parameter : parameter.slice(0, equals)
}

/** Nothing that a client sends can end a part of the key and begin the next one. */
function part(value: string | undefined): string {
  return value === undefined ? '' : encodeURIComponent(value.toWellFormed())
}
