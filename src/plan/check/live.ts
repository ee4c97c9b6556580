import type { Problem } from '#core/problem.ts'
import { checkLive } from '#media/live/check-plan.ts'
import type { Across } from './across.ts'

/** Live streams of each host, then those of its routes. */
export function checkLiveStreams({ hosts, facts: { secrets } }: Across): Problem[] {
  return hosts.flatMap(({ written, at }) => {
    const routes = [[undefined, written] as const, ...Object.entries(written.routes ?? {})]
    return routes.flatMap(([pattern, { live }]) => {
      if (live === undefined) return []
      return checkLive({ live, secrets, at: (...option) => at(pattern, 'live', ...option) })
    })
  })
}
