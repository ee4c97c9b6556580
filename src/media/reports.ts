import type { Exchange } from '#http/exchange.ts'
import { noFields } from '#http/wire/fields.ts'
import { respondPage } from '#http/wire/page.ts'
import { readAll } from './read-all.ts'
import { respondFault } from './respond.ts'
import type { Sessions } from './sessions.ts'
import { readReports } from './wire/cmcd.ts'

/**
 * Take what a player reports of itself beside its requests (CTA-5004, event mode). Nobody is asked who it is: what is
 * said counts for its own session alone.
 */
export function takeReports(
  { sessions, now }: { readonly sessions: Sessions; readonly now: () => number },
  exchange: Exchange,
  film: string,
): void {
  const { request } = exchange
  if (request.method !== 'POST' || request.body === null) {
    const detail = 'Reports of players (CMCD) come with POST.'
    return respondPage(exchange, {
      status: 405,
      detail,
      fault: 'client',
      fields: [['Allow', 'POST, OPTIONS']],
    })
  }
  readAll(request.body, LIMIT_REPORT_OCTETS).then(
    (octets) => {
      const heard = { client: request.client.address, film, nowMs: now() }
      for (const cmcd of readReports(Buffer.from(octets).toString())) sessions.hear(cmcd, heard)
      exchange.note.reason = 'reports'
      exchange.respond({ status: 204, fields: noFields, lengthOctets: 0 }, null)
    },
    (error: unknown) => respondFault(exchange, error),
  )
}

/** Reports of a player for some seconds. */
const LIMIT_REPORT_OCTETS = 65_536
