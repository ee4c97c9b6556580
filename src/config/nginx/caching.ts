import { formatDuration } from '#core/units.ts'
import type { RouteConfig } from '#http/host-config.ts'
import { type Ledger, note, remark, take } from './notes.ts'
import { allInForce, inForce, type Scope } from './scope.ts'

/** Units of nginx's times, in seconds. */
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/**
 * `proxy_cache` and `proxy_cache_valid` as `cache`.
 *
 * What passes the cache by is not carried over, and then nothing is kept: a page of one person for all would be worse.
 */
export function readCache(scope: Scope, ledger: Ledger): Pick<RouteConfig, 'cache'> {
  const directive = inForce(scope, 'proxy_cache')
  if (directive === undefined || directive.args[0] === 'off') {
    take(ledger, directive)
    return {}
  }
  const other = ['proxy_cache_bypass', 'proxy_no_cache', 'proxy_cache_key', 'proxy_ignore_headers']
    .flatMap((name) => allInForce(scope, [name]))
    .find(
      ({ name, args }) =>
        name !== 'proxy_ignore_headers' || args.some((arg) => /^(set-cookie|vary)$/i.test(arg)),
    )
  if (other !== undefined) {
    const message = `Nothing is kept, because ${other.name} is not carried over; "cache" says by which cookies and fields requests pass it by, and what is in its key.`
    note(ledger, directive, { level: 'not understood', message })
    return {}
  }
  take(ledger, directive)
  const ttl: Record<string, string> = {}
  for (const valid of allInForce(scope, ['proxy_cache_valid'])) {
    const seconds = readTime(valid.args.at(-1) ?? '')
    const statuses = valid.args.slice(0, -1)
    if (seconds === undefined || !statuses.every((status) => /^([1-5]\d\d|any)$/.test(status))) continue
    take(ledger, valid)
    for (const status of statuses.length === 0 ? ['200', '301', '302'] : statuses)
      ttl[status] = formatDuration(seconds * 1000)
  }
  const message =
    'Kept as responses allow (RFC 9111), in one store for all hosts; "cache" at the top says how large.'
  remark(ledger, directive, { level: 'assumed', message })
  return { cache: (Object.keys(ttl).length === 0 ? true : { ttl }) as NonNullable<RouteConfig['cache']> }
}

/** `10m`, `1h 30m`, or seconds alone. */
function readTime(text: string): number | undefined {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  if (!/^(\d{1,6}[smhdw])+$/.test(text)) return undefined
  const parts = text.matchAll(/(\d+)([smhdw])/g)
  const seconds = [...parts].reduce((sum, [, amount, unit]) => sum + Number(amount) * SECONDS[unit!]!, 0)
  return seconds <= 31_536_000 ? seconds : undefined
}
