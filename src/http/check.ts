import type { Problem } from '#core/problem.ts'
import type { HostPlan } from './plan.ts'
import { ties } from './pattern.ts'

/** Patterns of one host that no path can tell apart, and patterns that are none. */
export function checkRoutes(host: HostPlan): Problem[] {
  const problems: Problem[] = []
  host.routes.forEach(({ pattern, from }, index) => {
    if (!/^\/([^*]*|([^*]*\/)?\*\*|.*\/\*(\/.*)?)$/.test(pattern) || /[?#\s]/.test(pattern)) {
      const message = `"${pattern}" is no path pattern: it starts with "/", "*" stands for one whole segment, "/**" at the end for everything below.`
      problems.push({ level: 'error', code: 'http/route-pattern', at: from, message, fix: '"/api/**"' })
      return
    }
    const other = host.routes.slice(0, index).find((earlier) => ties(earlier.pattern, pattern))
    if (other === undefined) return
    const message = `"${pattern}" and "${other.pattern}" of ${host.name} are equally specific and match the same paths; order in the file decides nothing.`
    problems.push({ level: 'error', code: 'http/routes-tie', at: from, message, fix: 'make one of them more specific, or remove it' })
  })
  return problems
}
