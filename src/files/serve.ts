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

export type FilesOptions = {
  readonly log: Log
  /** name of the page below a file that shows it, for listings; null when there is none */
  readonly pageOf?: (name: string) => string | null
}

/** Create the handler that answers with the files of a folder. The path of the target is the path below the root. */
export function createFiles(plan: FilesPlan, { log, pageOf }: FilesOptions): Handler {
  const finder = new Finder(plan, log, pageOf)
  const resources = new Resources()
  const seeking = new Map<string, Promise<Found>>()
  return (exchange) => {
    const { method } = exchange.request
    exchange.note.answeredBy = 'files'
    if (method === 'OPTIONS') {
      exchange.respond({ status: 204, fields: fieldsOf([ALLOW]), lengthOctets: 0 }, null)
      return
    }
    if (method !== 'GET' && method !== 'HEAD') return respondPage(exchange, METHOD_REFUSED)
    answer(exchange, Date.now())
  }

  function answer(exchange: Exchange, nowMs: number): void {
    const { target } = exchange.request
    const path = pathOf(target)
    const held = resources.get(path, nowMs)
    if (held !== undefined) return respondResource(exchange, held, nowMs)
    const sought = seeking.get(target)
    // What many ask for at once is looked for once. What is found is open as long as it is kept: it is asked for again.
    const answered =
      sought === undefined
        ? seek(target, nowMs).then((found) => {
            seeking.delete(target)
            if ('plain' in found) resources.set(path, found)
            respondFound(exchange, found, nowMs)
          })
        : sought.then((found) => {
            if ('plain' in found) answer(exchange, nowMs)
            else respondFound(exchange, found, nowMs)
          })
    answered.catch(() => exchange.abort('portico failed'))
  }

  function seek(target: string, nowMs: number): Promise<Found> {
    const sought = finder.find(target, nowMs).catch((failure: unknown): Page => {
      log('error', 'files/read', { path: pathOf(target), message: String(failure) })
      return NOT_OPENED.failed
    })
    seeking.set(target, sought)
    return sought
  }
}

function respondFound(exchange: Exchange, found: Found, nowMs: number): void {
  if ('fault' in found) return respondPage(exchange, found)
  if ('to' in found) return respondRedirect(exchange, found)
  if ('listing' in found) return respondListing(exchange, found.listing)
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
