import { nearest } from '#core/nearest.ts'
import { parseNetwork } from '#core/network.ts'
import type { Position, Problem } from '#core/problem.ts'
import { formatSize } from '#core/units.ts'
import { fieldFault } from '../check.ts'
import { patternSegments } from '../pattern.ts'
import type { HostInput } from '../plan.ts'
import { FRAMING } from '../respond.ts'
import { NameSet } from '../wire/fields.ts'
import type { FieldRulesConfig, PaceConfig, TransformConfig } from './config.ts'
import { variableNames, variablesIn } from './variables.ts'

/** What the settings tables cannot tell of the options of a host and of its routes. */
export function checkTransforms({ written, at }: Pick<HostInput, 'written' | 'at'>): Problem[] {
  const { routes } = written
  // A route that says with which path requests go on does not do what its host says.
  const inheriting = Object.entries(routes ?? { '/**': {} }).filter(
    ([, { strip, rewrite }]) => !(strip ?? rewrite),
  )
  const patterns = inheriting.map(([pattern]) => pattern)
  return [
    ...checkOptions(written, patterns, (...option) => at(undefined, ...option)),
    ...Object.entries(routes ?? {}).flatMap(([pattern, route]) => {
      return checkOptions(route, [pattern], (...option) => at(pattern, ...option))
    }),
  ]
}

/** Position of an option, or of a part inside of it. */
type At = (...option: readonly string[]) => Position

/** @param patterns of the routes that the options are for */
function checkOptions(
  written: TransformConfig & { readonly limits?: PaceConfig },
  patterns: readonly string[],
  at: At,
): Problem[] {
  const { headers, errors = {}, earlyHints = [], maintenance, limits } = written
  const allow = typeof maintenance === 'object' ? (maintenance.allow ?? []) : []
  return [
    ...checkRules(headers?.request, FIXED_IN_REQUESTS, (...option) => at('headers', 'request', ...option)),
    ...checkRules(headers?.response, FRAMING, (...option) => at('headers', 'response', ...option)),
    ...checkPath(written, patterns, at),
    ...checkPace(limits, at),
    ...Object.keys(errors).flatMap((status) => checkStatus(status, at('errors', status))),
    ...earlyHints.flatMap((link): Problem[] => {
      const fault = fieldFault('Link', link)
      return fault === undefined ? [] : [{ ...fault, at: at('earlyHints') }]
    }),
    ...allow
      .filter((text) => parseNetwork(text) === undefined)
      .map((text) => strayNetwork(text, at('maintenance', 'allow'))),
  ]
}

function checkPace({ rate, rateAfter }: PaceConfig = {}, at: At): Problem[] {
  if (rateAfter === undefined || rate !== undefined) return []
  const message = `"rateAfter" is ${formatSize(rateAfter)}, but nothing says how fast a response goes after it.`
  const fix = '"rate": "500KB/s"'
  return [{ level: 'error', code: 'http/rate-after-alone', at: at('limits', 'rateAfter'), message, fix }]
}

/** What the gateway writes itself (RFC 9110 §7.2, §7.6.3; RFC 7239 §4). */
const FIXED_IN_REQUESTS = new NameSet(
  `connection content-length expect forwarded host keep-alive max-forwards proxy-connection te trailer
  transfer-encoding upgrade via x-forwarded-for x-forwarded-host x-forwarded-proto`.split(/\s+/),
)

function checkRules(
  { set = {}, add = {}, remove = [] }: FieldRulesConfig = {},
  fixed: NameSet,
  at: At,
): Problem[] {
  const lines = [
    ...Object.entries(set).map(([name, value]) => ({ name, value, at: at('set', name) })),
    ...Object.entries(add).map(([name, value]) => ({ name, value, at: at('add', name) })),
    ...remove.map((name) => ({ name, value: '', at: at('remove') })),
  ]
  return lines.flatMap(({ name, value, at }): Problem[] => {
    const fault = fieldFault(name, value)
    if (fault !== undefined) return [{ ...fault, at }]
    if (fixed.has(name, 0, name.length)) {
      const message = `The field ${name} says what Portico knows of the connection and of who asks; a rule cannot change it (RFC 9110 §7.6.1).`
      return [{ level: 'error', code: 'http/field-rule', at, message, fix: `remove "${name}"` }]
    }
    return variablesIn(value)
      .filter((variable) => !variableNames.includes(variable))
      .map((variable) => {
        const message = `The value of ${name} has {${variable}}, which stands for nothing; known are ${variableNames.map((known) => `{${known}}`).join(', ')}.`
        const fix = `{${nearest(variable, variableNames) ?? 'client.address'}}`
        return { level: 'error', code: 'http/unknown-variable', at, message, fix }
      })
  })
}

function checkPath({ strip, rewrite }: TransformConfig, patterns: readonly string[], at: At): Problem[] {
  if (strip !== undefined && rewrite !== undefined) {
    const message = '"strip" and "rewrite" both say with which path requests go on; one of them can.'
    return [{ level: 'error', code: 'http/rewrite', at: at('strip'), message, fix: 'remove "strip"' }]
  }
  const [first] = patterns
  if (strip !== undefined && first !== undefined && !patterns.some((pattern) => mayBegin(pattern, strip))) {
    const message = `No path of "${first}" begins with "${strip}", so nothing is stripped (RFC 3986 §3.3).`
    const fix = `"strip": "${first.replace(/\/\*.*$/, '') || '/api'}"`
    return [{ level: 'error', code: 'http/rewrite', at: at('strip'), message, fix }]
  }
  const odd = rewrite === undefined ? undefined : patterns.find((pattern) => !canMake(rewrite, pattern))
  if (odd === undefined) return []
  const message = `"${rewrite}" cannot be made of a path of "${odd}": each "*" is a whole segment and "**" the end, and stands for the same star of the route; "%" begins an escape (RFC 3986 §3.3).`
  const fix = `"rewrite": "${odd.endsWith('/**') ? '/new/**' : '/new'}"`
  return [{ level: 'error', code: 'http/rewrite', at: at('rewrite'), message, fix }]
}

/** Whether every star of a rewritten path has one in the pattern to be made of. */
function canMake(rewrite: string, pattern: string): boolean {
  const [from, to] = [pattern.split('/'), rewrite.split('/')]
  const isPath = to.every((segment, i) => {
    return !segment.includes('*') || segment === '*' || (segment === '**' && i === to.length - 1)
  })
  const fits = ['*', '**'].every((star) => countOf(star, to) <= countOf(star, from))
  return isPath && fits && !/%(?![0-9A-Fa-f]{2})/.test(rewrite)
}

/** Whether some path that the pattern matches lies below the prefix. */
function mayBegin(pattern: string, prefix: string): boolean {
  const segments = patternSegments(pattern)
  const isOpen = pattern.endsWith('/**')
  return patternSegments(prefix.replace(/\/$/, '')).every((wanted, i) => {
    const segment = segments[i]
    return segment === undefined ? isOpen : typeof segment === 'symbol' || segment === wanted
  })
}

function countOf(star: string, segments: readonly string[]): number {
  return segments.filter((segment) => segment === star).length
}

function checkStatus(status: string, at: Position): Problem[] {
  if (/^[45](?:\d\d|xx)$/.test(status)) return []
  const message = `"${status}" is no status of an error; 400 to 599, "4xx" or "5xx" is wanted (RFC 9110 §15.5, §15.6).`
  return [{ level: 'error', code: 'http/error-status', at, message, fix: '"404"' }]
}

function strayNetwork(text: string, at: Position): Problem {
  const message = `maintenance.allow has "${text}"; an address, or a network with the length of its prefix (RFC 4632 §3.1), is wanted.`
  return {
    level: 'error',
    code: 'plan/not-a-network',
    at,
    message,
    fix: '"allow": ["10.0.0.0/8", "2001:db8::1"]',
  }
}
