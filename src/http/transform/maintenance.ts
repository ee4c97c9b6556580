import { createTrust } from '../trust.ts'
import { fieldsOf } from '../wire/fields.ts'
import { respondPage } from '../wire/page.ts'
import type { PageFile } from './page-file.ts'
import type { Step } from './passing.ts'
import type { MaintenancePlan } from './plan.ts'

/**
 * Answer everyone with 503 but those whose address may see what is worked on (RFC 9110 §15.6.4).
 *
 * @param page of the owner's own, or null
 */
export function maintain({ allow, retryAfterSeconds }: MaintenancePlan, page: PageFile | null): Step {
  const isAllowed = createTrust(allow)
  // RFC 9110 §10.2.3
  const retry: [string, string][] =
    retryAfterSeconds === null ? [] : [['Retry-After', `${retryAfterSeconds}`]]
  return (exchange) => {
    if (isAllowed(exchange.request.client.address)) return exchange
    exchange.note.answeredBy = 'maintenance'
    if (page === null) {
      const detail = 'This site is being worked on. Please come back later.'
      respondPage(exchange, { status: 503, detail, fault: null, fields: retry })
      return null
    }
    const content = page.content()
    const fields = fieldsOf([['Content-Type', page.mediaType], ['Cache-Control', 'no-store'], ...retry])
    exchange.respond({ status: 503, fields, lengthOctets: content.length }, content)
    return null
  }
}
