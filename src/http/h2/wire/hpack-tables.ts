/** The static table (RFC 7541 Appendix A): entry 1 is at 0. */
export const STATIC_TABLE: readonly (readonly [name: string, value: string])[] = `:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`
  .split('\n')
  .map((line) => {
    const nameEnd = line.indexOf(' ')
    return nameEnd < 0 ? ([line, ''] as const) : ([line.slice(0, nameEnd), line.slice(nameEnd + 1)] as const)
  })

/** Symbol that ends nothing and may never be sent (RFC 7541 §5.2). */
export const EOS = 256

/** Bits of the code of each octet and of EOS (RFC 7541 Appendix B). */
const CODE_BITS: readonly number[] = `
13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28
6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6 5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10
13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6
15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28
20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23 24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24
22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23
26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25 19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27
20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23 26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26
30`
  .trim()
  .split(/\s+/)
  .map(Number)

/** Bits of each code, and the codes, flush right. */
export const HUFFMAN_BITS: Uint8Array = Uint8Array.from(CODE_BITS)
/** The code is canonical: within a length codes rise with their symbols, and so the lengths say it all. */
export const HUFFMAN_CODES: Uint32Array = canonicalCodes(CODE_BITS)

function canonicalCodes(bits: readonly number[]): Uint32Array {
  const codes = new Uint32Array(bits.length)
  let code = 0
  for (let length = 1; length <= 30; length++) {
    for (let symbol = 0; symbol < bits.length; symbol++) {
      if (bits[symbol] === length) codes[symbol] = code++
    }
    code *= 2
  }
  return codes
}
