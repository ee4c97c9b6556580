import type { Log } from '#core/log.ts'
import type { Exchange, Handler } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { type Page, respondPage } from '#http/wire/page.ts'
import { pathOf } from '#http/wire/path.ts'
import { Finder, type Found } from './find.ts'
import { ALLOW, METHOD_REFUSED, NOT_OPENED } from './pages.ts'
import type { FilesPlan } from './plan.ts'
import { Resources } from './resources.ts'
import { respondResource } from './respond-resource.ts'

/** Create the handler that answers with the files of a folder. The path of the target is the path below the root. */
export function createFiles(plan: FilesPlan, { log }: { readonly log: Log }): Handler {
  const finder = new Finder(plan, log)
  const resources = new Resources()
  return (exchange) => {
    const { method, target } = exchange.request
    exchange.note.answeredBy = 'files'
    if (method === 'OPTIONS') {
      exchange.respond({ status: 204, fields: fieldsOf([ALLOW]), lengthOctets: 0 }, null)
      return
    }
    if (method !== 'GET' && method !== 'HEAD') return respondPage(exchange, METHOD_REFUSED)
    const nowMs = Date.now()
    const held = resources.get(pathOf(target), nowMs)
    if (held !== undefined) return respondResource(exchange, held, nowMs)
    finder
      .find(target, nowMs)
      .catch((failure: unknown): Page => {
        log('error', 'files/read', { path: pathOf(target), message: String(failure) })
        return NOT_OPENED.failed
      })
      .then((found) => respondFound(exchange, found, resources, nowMs))
      .catch(() => exchange.abort('portico failed'))
  }
}

function respondFound(exchange: Exchange, found: Found, resources: Resources, nowMs: number): void {
  if ('fault' in found) return respondPage(exchange, found)
  if ('to' in found) return respondRedirect(exchange, found)
  if ('listing' in found) return respondListing(exchange, found.listing)
  resources.set(pathOf(exchange.request.target), found)
  respondResource(exchange, found, nowMs)
}

function respondRedirect(exchange: Exchange, { to, status }: { to: string; status: number }): void {
  exchange.respond({ status, fields: fieldsOf([['Location', to]]), lengthOctets: 0 }, null)
}

function respondListing(exchange: Exchange, html: string): void {
  const body = Buffer.from(html)
  const fields = fieldsOf([
    ['Content-Type', 'text/html; charset=utf-8'],
    ['X-Content-Type-Options', 'nosniff'],
    ['Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'"],
    ['Cache-Control', 'no-cache'],
  ])
  exchange.respond({ status: 200, fields, lengthOctets: body.length }, body)
}
