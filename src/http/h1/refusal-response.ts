import { serializeFields } from '#http/wire/fields.ts'
import { renderPage } from '#http/wire/page.ts'
import type { Refusal } from '#http/wire/refusal.ts'
import { statusLine } from '#http/wire/status.ts'

/**
 * The whole response to a request that cannot be served; the connection closes after it.
 *
 * @param dateLine Date with its CRLF
 * @param isHead the request was HEAD, so that no content follows
 */
export function refusalResponse(
  { status, reason }: Refusal,
  dateLine: string,
  isHead: boolean,
): { readonly head: string; readonly body: Uint8Array } {
  const detail = `${reason[0]!.toUpperCase()}${reason.slice(1)}.`
  const { fields, body } = renderPage({ status, detail, fault: status === 500 ? 'portico' : 'client' }, false)
  const lines = `${serializeFields(fields)}Content-Length: ${body.length}\r\nConnection: close\r\n`
  return { head: `${statusLine(status)}${lines}${dateLine}\r\n`, body: isHead ? body.subarray(0, 0) : body }
}
