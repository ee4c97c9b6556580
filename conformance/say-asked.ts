import { createHash } from 'node:crypto'
import type { Exchange } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'

/** What `/large` and `/stream` have. */
export const LARGE: number = 100_000_000
export const large: Buffer = Buffer.alloc(LARGE, 'The quick brown fox jumps over the lazy dog. ')

/** `/large` is 100 MB, `/stream` the same without length, `/refused` 413; everything else says what was asked. */
export function sayAsked(exchange: Exchange): void {
  const { method, target, version, body } = exchange.request
  if (target === '/large' || target === '/stream') {
    const fields = fieldsOf([['Content-Type', 'text/plain']])
    const lengthOctets = target === '/large' ? LARGE : null
    let at = 0
    const read = (limit: number): Uint8Array | null => (at < LARGE ? large.subarray(at, (at += limit)) : null)
    exchange.respond({ status: 200, fields, lengthOctets }, { read, cancel() {} })
    return
  }
  if (target === '/refused')
    return exchange.respond({ status: 413, fields: fieldsOf([]), lengthOctets: 2 }, Buffer.from('no'))
  const hash = createHash('sha256')
  const answer = async (): Promise<void> => {
    let octets = 0
    for (let part = await body?.read(262_144); part; part = await body?.read(262_144)) {
      hash.update(part)
      octets += part.length
    }
    const text = `${version} ${method} ${target} ${octets} ${hash.digest('hex')}`
    exchange.respond({ status: 200, fields: fieldsOf([]), lengthOctets: text.length }, Buffer.from(text))
  }
  answer().catch(() => exchange.abort('client broke the protocol'))
}

export function sha256(octets: Uint8Array): string {
  return createHash('sha256').update(octets).digest('hex')
}
