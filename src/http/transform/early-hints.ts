import { fieldsOf } from '../wire/fields.ts'
import type { Step } from './passing.ts'

/**
 * Send links before the response, while the origin still works on it (RFC 8297 §2).
 *
 * Only to who opens a page in a browser: RFC 8297 §3 warns that other clients may not expect interim responses.
 */
export function hintEarly(links: readonly string[]): Step {
  const fields = fieldsOf(links.map((link) => ['Link', link]))
  return (exchange) => {
    const { method, fields: asked } = exchange.request
    if (method === 'GET' && asked.get('sec-fetch-mode') === 'navigate') exchange.inform(103, fields)
    return exchange
  }
}
