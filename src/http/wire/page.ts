import type { Exchange } from '../exchange.ts'
import { type Fields, fieldsOf } from './fields.ts'
import { reasonPhrase } from './status.ts'

/** An answer that Portico itself makes, mostly because something went wrong. */
export type Page = {
  readonly status: number
  /** one or two sentences for the person who reads it: what happened and what can be done */
  readonly detail: string
  readonly fault: Fault
  /** beside those of the page, such as Allow */
  readonly fields?: readonly (readonly [string, string])[]
}

/** Whose fault it is; null when it is nobody's. */
export type Fault = 'client' | 'origin' | 'portico' | null

export type RenderedPage = { readonly fields: Fields; readonly body: Buffer }

/** Answer with a page: HTML for clients that ask for HTML, else plain text. */
export function respondPage(exchange: Exchange, page: Page): void {
  const { fields, body } = renderPage(page, acceptsHtml(exchange.request.fields.get('accept')))
  exchange.respond({ status: page.status, fields, lengthOctets: body.length, isPage: true }, body)
}

/**
 * Render a page without an exchange, for requests that could not be read.
 *
 * Nothing in it is fetched from elsewhere and nothing in it runs; whatever the texts hold is escaped.
 */
export function renderPage(page: Page, isHtml: boolean): RenderedPage {
  const fields: (readonly [string, string])[] = [
    ['Content-Type', isHtml ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8'],
    ['X-Content-Type-Options', 'nosniff'],
    // A page about this moment: 404 and 421 would be kept without it (RFC 9110 §15.1).
    ['Cache-Control', 'no-store'],
    ...(page.fields ?? []),
  ]
  if (isHtml) fields.push(['Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'"])
  return { fields: fieldsOf(fields), body: Buffer.from(isHtml ? html(page) : text(page)) }
}

/** RFC 9110 §12.5.1: only who names HTML gets it; a range over all types is what programs send, which read text. */
function acceptsHtml(accept: string | undefined): boolean {
  const match = /(?:^|,)[ \t]*text\/html[ \t]*((?:;[^,]*)?)(?:,|$)/i.exec(accept ?? '')
  return match !== null && !/;[ \t]*q=0(?:\.0*)?[ \t]*(?:;|$)/i.test(match[1]!)
}

function text(page: Page): string {
  const lines = [`${page.status} ${reasonPhrase(page.status)}`, page.detail]
  if (page.fault !== null) lines.push(FAULTS[page.fault])
  return `${lines.join('\n')}\n`
}

const FAULTS: Readonly<Record<NonNullable<Fault>, string>> = {
  client: 'The request has to change before it can be answered.',
  origin: 'The service behind this address has the fault; the same request may work later.',
  portico: 'This server has the fault; the same request may work later.',
}

function html(page: Page): string {
  const title = escapeHtml(reasonPhrase(page.status))
  const fault = page.fault === null ? '' : `<p class="fault">${FAULTS[page.fault]}</p>\n`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${page.status} ${title}</title>
<style>${STYLE}</style>
<main>
<p class="status">${page.status}</p>
<h1>${title}</h1>
<p>${escapeHtml(page.detail)}</p>
${fault}</main>
</html>
`
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5b6575; --paper: #f6f7f9; --line: #3b6fd4 }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebf0; --soft: #9aa5b5; --paper: #14181f; --line: #7aa5ff } }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, sans-serif }
main { max-width: 34rem; margin: 2rem; padding-left: 1.5rem; border-left: 4px solid var(--line) }
p { margin: .5rem 0; overflow-wrap: anywhere }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2 }
.status { margin: 0; font: 600 .95rem ui-monospace, monospace; color: var(--line) }
.fault { color: var(--soft) }
`

/** Text that stands in HTML, also in a quoted attribute. */
export function escapeHtml(raw: string): string {
  return raw.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
}
