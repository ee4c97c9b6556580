import type { ActionPlan, HostPlan, HttpLimits, HttpPlan, RoutePlan } from '#http/plan.ts'

const from = { file: 'portico.jsonc', line: 1, column: 1 }

export const respondWith = (body: string): ActionPlan => ({ kind: 'respond', status: 200, fields: [], body })

/** A host with one route a pattern; each answers with its pattern. */
export function hostOf(
  name: string,
  patterns: readonly string[] = ['/**'],
  redirectToHttps = false,
): HostPlan {
  const routes = patterns.map((pattern) => routeOf(name, pattern, respondWith(pattern)))
  return { id: `host:${name}`, key: name, from, name, redirectToHttps, routes }
}

export function routeOf(host: string, pattern: string, action: ActionPlan): RoutePlan {
  return { id: `route:${host}${pattern}`, key: JSON.stringify(action), from, pattern, action }
}

export function planOf(hosts: readonly HostPlan[], httpsPort: number | null = 443): HttpPlan {
  return { hosts, limits: {} as HttpLimits, trust: [], httpsPort }
}
