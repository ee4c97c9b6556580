import { BELOW, canonicalPath, ONE, patternSegments } from '../pattern.ts'
import { pathOf, removeDotSegments } from '../wire/path.ts'
import { Passing, type Step } from './passing.ts'
import type { RewritePlan } from './plan.ts'

/** Let requests go on with another path. */
export function rewritePath(plan: RewritePlan): Step {
  return (exchange) => {
    const { request } = exchange
    const target = rewrite(plan, request.target)
    return target === request.target ? exchange : new Passing(exchange, { ...request, target })
  }
}

/**
 * The target that a request goes on with.
 *
 * Segments stay as they were sent, escapes and all; they are compared as routes compare them. Dot segments are resolved
 * first, so that none can climb above what is put in front of them.
 *
 * @param target origin-form, which led to the route; the query is kept
 * @example rewrite({ kind: 'strip', prefix: '/api' }, '/api/a%20b?c') // '/a%20b?c'
 */
export function rewrite(plan: RewritePlan, target: string): string {
  const path = pathOf(target)
  const query = target.slice(path.length)
  const segments = removeDotSegments(path.slice(1).split('/'))
  // No such path has a route.
  if (segments === undefined) return target
  const kept = plan.kind === 'strip' ? strip(plan.prefix, segments) : fill(plan.pattern, plan.to, segments)
  if (kept === undefined) return target
  // A path that begins with two slashes is a host to who makes a link of it.
  return `/${kept.join('/').replace(/^\/+/, '')}${query}`
}

/** The segments behind the prefix; undefined when they do not begin with it. */
function strip(prefix: string, segments: readonly string[]): readonly string[] | undefined {
  const wanted = patternSegments(prefix.replace(/\/$/, ''))
  const begins = wanted.every((segment, i) => segment === canonicalPath(segments[i] ?? ''))
  return begins ? segments.slice(wanted.length) : undefined
}

/** The segments of `to`, each star replaced by what the same star of the pattern matched. */
function fill(pattern: string, to: string, segments: readonly string[]): readonly string[] {
  const from = patternSegments(pattern)
  const ones = segments.filter((_, i) => from[i] === ONE)
  const below = from.at(-1) === BELOW ? segments.slice(from.length - 1) : []
  return to
    .slice(1)
    .split('/')
    .flatMap((segment) => {
      if (segment === '*') return [ones.shift() ?? '']
      return segment === '**' ? below : [encodeURI(segment).replace(/%25(?=[0-9A-Fa-f]{2})/g, '%')]
    })
}
