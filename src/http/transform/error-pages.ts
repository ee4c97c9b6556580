import type { ResponseHead, Source } from '../exchange.ts'
import { type Fields, fieldsOf, NameSet } from '../wire/fields.ts'
import type { PageFile } from './page-file.ts'
import { Passing, type Response, type Step } from './passing.ts'
import type { ErrorPagePlan } from './plan.ts'

/** A page of the owner's own and what it stands for. */
export type ErrorPage = Omit<ErrorPagePlan, 'page'> & { readonly page: PageFile }

/** Answer errors with pages of the owner's own: status and fields stay, the content is theirs. */
export function showErrorPages(pages: readonly ErrorPage[]): Step {
  return (exchange) => new Passing(exchange, exchange.request, (head, body) => replaced(head, body, pages))
}

function replaced(
  head: ResponseHead,
  body: Source | Uint8Array | null,
  pages: readonly ErrorPage[],
): Response {
  if (head.status < 400) return { head, body }
  const exact = String(head.status)
  const page =
    pages.find(({ status }) => status === exact) ?? pages.find(({ status }) => status === `${exact[0]}xx`)
  if (page === undefined || (head.isPage !== true && !page.origin)) return { head, body }
  if (body !== null && !(body instanceof Uint8Array)) body.cancel('finished')
  const content = page.page.content()
  const fields = pageFields(head.fields, page.page.mediaType)
  return { head: { status: head.status, fields, lengthOctets: content.length, isPage: true }, body: content }
}

/** What the error says beside its content stays, such as Retry-After, Allow and WWW-Authenticate. */
function pageFields(fields: Fields, mediaType: string): Fields {
  const pairs: [string, string][] = [['Content-Type', mediaType]]
  fields.each((name, value) => {
    if (!OF_CONTENT.has(name, 0, name.length)) pairs.push([name, value])
  })
  return fieldsOf(pairs)
}

/** RFC 9110 §8: what describes the content that is not sent. */
const OF_CONTENT = new NameSet(
  `accept-ranges content-digest content-disposition content-encoding content-language content-location content-md5
  content-security-policy content-type etag last-modified repr-digest`.split(/\s+/),
)
