import type { Problem } from '#core/problem.ts'
import type { RouteConfig } from '#http/host-config.ts'
import { checkStream } from '#media/check-plan.ts'
import type { Across } from './across.ts'

/** The option `stream` of each host, then those of its routes. */
export function checkStreams({ hosts, facts: { secrets } }: Across): Problem[] {
  return hosts.flatMap(({ written, at }) => {
    const routes = Object.entries(written.routes ?? {})
    const kinds = [written, ...routes.map(([, route]) => route)].filter(hasFilms)
    return [
      ...checkStream({
        stream: written.stream ?? false,
        hasFilms: kinds.length > 0,
        isService: kinds.every(({ service }) => service !== undefined),
        isGuarded: isGuarded(written),
        secrets,
        at: (...option) => at(undefined, ...option),
      }),
      ...routes.flatMap(([pattern, route]) =>
        checkStream({
          stream: route.stream ?? false,
          hasFilms: hasFilms(route),
          isService: route.service !== undefined,
          isGuarded: isGuarded(route) || isGuarded(written),
          secrets,
          at: (...option) => at(pattern, ...option),
        }),
      ),
    ]
  })
}

function hasFilms({ service, files, bucket, live }: RouteConfig): boolean {
  return [service, files, bucket, live].some((kind) => kind !== undefined)
}

/** Reading fills a group that was not written with nothing. */
function isGuarded({ access }: RouteConfig): boolean {
  return access !== 'none' && Object.keys(access ?? {}).length > 0
}
