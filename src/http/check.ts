import type { Problem } from '#core/problem.ts'
import { canonicalPath, ties } from './pattern.ts'
import type { ActionPlan, HostPlan, RoutePlan } from './plan.ts'
import { FRAMING } from './respond.ts'
import { isToken, skipValue } from './wire/characters.ts'

/** Everything about one host that only HTTP knows: patterns, and what their routes answer. */
export function checkRoutes(host: HostPlan): Problem[] {
  return host.routes.flatMap((route, index) => {
    const pattern = checkPattern(route) ?? checkTie(route, host.routes.slice(0, index), host.name)
    return [...(pattern === undefined ? [] : [pattern]), ...checkAction(route)]
  })
}

function checkPattern({ pattern, from }: RoutePlan): Problem | undefined {
  const segments = pattern.split('/').slice(1)
  const stars = segments.every((segment, i) => {
    return !segment.includes('*') || segment === '*' || (segment === '**' && i === segments.length - 1)
  })
  const isPath = pattern.startsWith('/') && !/[?#\s]/.test(pattern) && canonicalPath(pattern) !== undefined
  if (stars && isPath) return undefined
  const message = `"${pattern}" is no path pattern: it starts with "/", "*" stands for one whole segment, "/**" at the end for everything below, and "%" for an escape (RFC 3986 §3.3).`
  const fix = stars && /^[\w.-]/.test(pattern) ? `"/${pattern.replace(/[?#\s].*$/, '')}"` : '"/api/**"'
  return { level: 'error', code: 'http/route-pattern', at: from, message, fix }
}

/** Patterns of one host that no path can tell apart. */
function checkTie(route: RoutePlan, earlier: readonly RoutePlan[], host: string): Problem | undefined {
  const other = earlier.find(({ pattern }) => ties(pattern, route.pattern))
  if (other === undefined) return undefined
  const message = `"${route.pattern}" and "${other.pattern}" of ${host} are equally specific and match the same paths; order in the file decides nothing.`
  const fix = 'make one of them more specific, or remove it'
  return { level: 'error', code: 'http/routes-tie', at: route.from, message, fix }
}

function checkAction({ action, from }: RoutePlan): Problem[] {
  if (action.kind === 'redirect') return checkRedirect(action.to).map((problem) => ({ ...problem, at: from }))
  if (action.kind === 'respond') return checkFields(action).map((problem) => ({ ...problem, at: from }))
  return []
}

/** Location takes any URI reference (RFC 9110 §10.2.2); what is neither a URL nor a path is a typing mistake. */
function checkRedirect(to: string): Omit<Problem, 'at'>[] {
  const isUrl = /^https?:\/\/[^/]/i.test(to) && URL.canParse(to)
  if (isUrl || /^\/(?![/\\])/.test(to)) return []
  const message = `The redirect leads to "${to}"; a URL with http or https, or a path that starts with one "/", is wanted (RFC 9110 §10.2.2).`
  const host = /^(?:[a-z][a-z0-9+.-]*:)?(?:\/\/)?([a-z0-9-]+(?:\.[a-z0-9-]+)+(?:[:/].*)?)$/i.exec(to)?.[1]
  const fix = host === undefined ? '"https://example.com"' : `"https://${host}"`
  return [{ level: 'error', code: 'http/redirect-target', message, fix }]
}

function checkFields({ fields }: Extract<ActionPlan, { kind: 'respond' }>): Omit<Problem, 'at'>[] {
  return fields.flatMap(([name, value]): Omit<Problem, 'at'>[] => {
    const fault = fieldFault(name, value)
    if (fault !== undefined) return [fault]
    if (!FRAMING.has(name, 0, name.length)) return []
    const message = `The field ${name} belongs to the connection; Portico writes it itself, and leaves this one out (RFC 9110 §7.6.1).`
    return [{ level: 'warning', code: 'http/field-left-out', message, fix: `remove "${name}"` }]
  })
}

/** Names are tokens, values are visible characters, spaces and tabs (RFC 9110 §5.1, §5.5). */
export function fieldFault(name: string, value: string): Omit<Problem, 'at'> | undefined {
  if (!isToken(name)) {
    const message = `"${name}" is no name of a field: letters, digits and !#$%&'*+-.^_\`|~ (RFC 9110 §5.1).`
    const plain = name.trim().replace(/:.*$/, '').replace(/\s+/g, '-')
    return { level: 'error', code: 'http/field', message, fix: isToken(plain) ? `"${plain}"` : '"X-Name"' }
  }
  if (skipValue(value, 0) === value.length) return undefined
  const message = `The value of ${name} is ${JSON.stringify(value)}; visible characters, spaces and tabs of Latin-1 may stand in it (RFC 9110 §5.5).`
  const visible = value.replace(/[^\x20-\x7e]+/g, ' ').trim()
  return { level: 'error', code: 'http/field', message, fix: `"${name}": ${JSON.stringify(visible)}` }
}
