import { formatSize } from '#core/units.ts'
import type { RouteConfig } from '#http/host-config.ts'
import { readSize } from './limits.ts'
import { type Ledger, note, remark, take } from './notes.ts'
import type { Directive } from './parse.ts'
import { allInForce, inForce, type Scope } from './scope.ts'

/** What one client may ask, and how fast one response goes. */
export const RATES: readonly string[] = ['limit_req', 'limit_rate', 'limit_rate_after', 'limit_conn']

/** `limit_req`, `limit_rate` and `limit_rate_after` as `limits`; what they count by other things is noted. */
export function readRates(scope: Scope, ledger: Ledger): Pick<RouteConfig, 'limits'> {
  const limits: object = { ...readRequests(scope, ledger), ...readPace(scope, ledger) }
  for (const directive of allInForce(scope, ['limit_conn'])) noteConnections(scope, ledger, directive)
  return Object.keys(limits).length === 0 ? {} : { limits: limits as NonNullable<RouteConfig['limits']> }
}

function readRequests(scope: Scope, ledger: Ledger): object {
  for (const directive of allInForce(scope, ['limit_req'])) {
    const zone = findZone(scope, 'limit_req_zone', directive)
    const rate = /^rate=([1-9]\d{0,6})r\/([sm])$/.exec(
      zone?.args.find((arg) => arg.startsWith('rate=')) ?? '',
    )
    if (zone === undefined || rate === null || !isByClient(zone)) continue
    take(ledger, zone)
    take(ledger, directive)
    const burst = Number(
      /^burst=(\d{1,6})$/.exec(directive.args.find((arg) => arg.startsWith('burst=')) ?? '')?.[1] ?? 0,
    )
    const message = directive.args.includes('nodelay')
      ? 'What is too much gets 429 with Retry-After; nginx answered 503.'
      : 'What is too much gets 429 with Retry-After; nginx made some of it wait, and answered 503 to the rest.'
    remark(ledger, directive, { level: 'assumed', message })
    return { requests: `${rate[1]}/${rate[2]}`, burst: burst + 1 }
  }
  return {}
}

/** Octets a second, and how many go at once before. */
function readPace(scope: Scope, ledger: Ledger): object {
  const rate = inForce(scope, 'limit_rate')
  const octets = readSize(rate?.args[0] ?? '')
  if (rate === undefined || octets === undefined) return {}
  take(ledger, rate)
  const after = inForce(scope, 'limit_rate_after')
  const free = readSize(after?.args[0] ?? '')
  if (free !== undefined) take(ledger, after)
  const kibibytes = Math.max(1, Math.round(octets / 1024))
  return {
    rate: kibibytes < 1_000_000 ? `${kibibytes}KiB/s` : `${Math.round(kibibytes / 1024)}MiB/s`,
    ...(free === undefined ? {} : { rateAfter: formatSize(free) }),
  }
}

function noteConnections(scope: Scope, ledger: Ledger, directive: Directive): void {
  const [, connections = ''] = directive.args
  const zone = findZone(scope, 'limit_conn_zone', directive)
  const message = `Connections of a client are bounded over all hosts: "limits": { "client": { "connections": ${connections} } }`
  for (const one of [directive, zone])
    if (one !== undefined) note(ledger, one, { level: 'not understood', message })
}

/** The zone that a limit counts in: `limit_req zone=api`, `limit_conn api 10`. */
function findZone(scope: Scope, kind: string, { args }: Directive): Directive | undefined {
  const name = /^zone=(.+)$/.exec(args.find((arg) => arg.startsWith('zone=')) ?? '')?.[1] ?? args[0]
  return scope
    .flat()
    .find((zone) => zone.name === kind && zone.args.some((arg) => arg.startsWith(`zone=${name}:`)))
}

function isByClient({ args: [key] }: Directive): boolean {
  return key === '$binary_remote_addr' || key === '$remote_addr'
}
