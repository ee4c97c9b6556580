import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseAuthority } from './authority.ts'
import { ChunkedDecoder } from './chunked.ts'
import { fieldsOf } from './fields.ts'
import { type BodyLength, requestBodyLength, responseBodyLength } from './framing.ts'
import { Input } from './input.ts'
import { isRefusal } from './refusal.ts'

const CL = 'Content-Length'
const TE = 'Transfer-Encoding'
type Pairs = [string, string][]

describe('requestBodyLength()', () => {
  const cases: [pairs: Pairs, minor: 0 | 1, length: BodyLength | `refused ${number}`][] = [
    [[], 1, 0],
    [[[CL, '0']], 1, 0],
    [[[CL, '42']], 1, 42],
    [[[CL, '042']], 1, 42],
    [[[CL, '42']], 0, 42],
    [[[CL, '']], 1, 'refused 400'],
    [[[CL, '+1']], 1, 'refused 400'],
    [[[CL, '-1']], 1, 'refused 400'],
    [[[CL, '1 2']], 1, 'refused 400'],
    [[[CL, '0x10']], 1, 'refused 400'],
    [[[CL, '1e3']], 1, 'refused 400'],
    [[[CL, '5, 5']], 1, 'refused 400'],
    [
      [
        [CL, '5'],
        [CL, '5'],
      ],
      1,
      'refused 400',
    ],
    [
      [
        [CL, '0'],
        [CL, '5'],
      ],
      1,
      'refused 400',
    ],
    [[[CL, '9'.repeat(16)]], 1, 'refused 400'],
    [[[TE, 'chunked']], 1, 'chunked'],
    [[[TE, 'Chunked']], 1, 'chunked'],
    [[[TE, ', chunked,']], 1, 'chunked'],
    [[[TE, 'chunked']], 0, 'refused 400'],
    [
      [
        [TE, 'chunked'],
        [CL, '5'],
      ],
      1,
      'refused 400',
    ],
    [
      [
        [CL, '0'],
        [TE, 'chunked'],
      ],
      1,
      'refused 400',
    ],
    [[[TE, '']], 1, 'refused 400'],
    [[[TE, 'identity']], 1, 'refused 400'],
    [[[TE, 'gzip']], 1, 'refused 400'],
    [[[TE, 'gzip, chunked']], 1, 'refused 501'],
    [[[TE, 'chunked, gzip']], 1, 'refused 400'],
    [[[TE, 'chunked, chunked']], 1, 'refused 400'],
    [
      [
        [TE, 'chunked'],
        [TE, 'chunked'],
      ],
      1,
      'refused 400',
    ],
    [[[TE, 'chunked;a=b']], 1, 'refused 400'],
    [[[TE, 'xchunked']], 1, 'refused 400'],
    [[[TE, '"chunked"']], 1, 'refused 400'],
  ]
  for (const [pairs, minor, length] of cases) {
    test(`HTTP/1.${minor} with ${JSON.stringify(pairs)} is ${length} (RFC 9112 §6, §6.1, §6.3, RFC 9110 §8.6)`, () => {
      const result = requestBodyLength(fieldsOf(pairs), minor)
      assert.equal(isRefusal(result) ? `refused ${result.status}` : result, length)
    })
  }
})

describe('responseBodyLength()', () => {
  const cases: [
    method: string,
    status: number,
    pairs: Pairs,
    minor: 0 | 1,
    length: BodyLength | 'refused',
  ][] = [
    ['GET', 200, [[CL, '5']], 1, 5],
    ['GET', 200, [], 1, 'until close'],
    ['GET', 200, [], 0, 'until close'],
    ['GET', 200, [[TE, 'chunked']], 1, 'chunked'],
    ['GET', 200, [[TE, 'chunked']], 0, 'refused'],
    ['GET', 200, [[TE, 'gzip']], 1, 'refused'],
    ['GET', 200, [[TE, 'anan']], 1, 'until close'],
    [
      'GET',
      200,
      [
        [TE, 'chunked'],
        [CL, '5'],
      ],
      1,
      'refused',
    ],
    ['GET', 200, [[CL, 'x']], 1, 'refused'],
    ['HEAD', 200, [[CL, '5']], 1, 0],
    ['HEAD', 200, [[TE, 'chunked']], 1, 0],
    ['GET', 204, [[CL, '5']], 1, 0],
    ['GET', 304, [[CL, '5']], 1, 0],
    ['GET', 103, [], 1, 0],
  ]
  for (const [method, status, pairs, minor, length] of cases) {
    const what = `${status} to ${method} in HTTP/1.${minor} with ${JSON.stringify(pairs)}`
    test(`${what} is ${length} (RFC 9112 §6.3, RFC 9110 §6.4.1)`, () => {
      const result = responseBodyLength(fieldsOf(pairs), status, method, minor)
      if (length === 'refused') assert.ok(isRefusal(result) && result.status === 502)
      else assert.equal(result, length)
    })
  }
})

const limits = { headerOctets: 1024, headerCount: 10, targetOctets: 256 }

/** What comes out of a chunked message that arrives in pieces, and what follows it. */
function decode(message: string, sizes: readonly number[], limitOctets = 65_536): string {
  const decoder = new ChunkedDecoder(limits)
  const input = new Input()
  const octets = Buffer.from(message, 'latin1')
  let content = ''
  let at = 0
  for (let i = 0; at < octets.length; i++) {
    input.append(octets.subarray(at, (at += sizes[i % sizes.length]!)))
    for (;;) {
      const result = decoder.read(input, limitOctets)
      if (isRefusal(result)) return `refused ${result.status}`
      if (result === undefined) break
      if (result === null) {
        const trailers: string[] = []
        decoder.trailers.each((name, value) => trailers.push(`${name}=${value}`))
        const rest = input.take(1000).toString('latin1') + octets.subarray(at).toString('latin1')
        return `${content}|${trailers.join('&')}|${rest}`
      }
      content += result.toString('latin1')
    }
  }
  return 'not complete'
}

describe('ChunkedDecoder', () => {
  const cases: [what: string, message: string, result: string][] = [
    ['chunks and what follows', '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET', 'hello world||GET'],
    ['sizes in both cases', 'a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n', '01234567890123456789||'],
    ['leading zeros', '0005\r\nhello\r\n000\r\n\r\n', 'hello||'],
    ['extensions (RFC 9112 §7.1.1)', '5;a=b;c="d;e"\r\nhello\r\n0;x\r\n\r\n', 'hello||'],
    ['an extension without name', '5;=b\r\nhello\r\n0\r\n\r\n', 'refused 400'],
    ['an extension without value', '5;a=\r\nhello\r\n0\r\n\r\n', 'refused 400'],
    ['an escaped quote in an extension', '5;a="\\";"\r\nhello\r\n0\r\n\r\n', 'hello||'],
    ['white space before an extension', '5 ;a\r\nhello\r\n0\r\n\r\n', 'hello||'],
    ['white space within an extension', '5;a = b ; c\r\nhello\r\n0\r\n\r\n', 'hello||'],
    ['an extension of two words', '5;a b\r\nhello\r\n0\r\n\r\n', 'refused 400'],
    ['white space after an extension', '5;a \r\nhello\r\n0\r\n\r\n', 'refused 400'],
    ['trailers', '0\r\nX-A: b\r\nX-C:d\r\n\r\n', '|X-A=b&X-C=d|'],
    [
      'without forbidden trailers (RFC 9110 §6.5.1)',
      '0\r\nContent-Length: 5\r\nX: y\r\nHost: z\r\nX-Real-IP: 192.0.2.1\r\n\r\n',
      '|X=y|',
    ],
    ['white space after a size', '5 \r\nhello\r\n0\r\n\r\n', 'refused 400'],
    ['white space before a size', ' 5\r\nhello\r\n0\r\n\r\n', 'refused 400'],
    ['no size', '\r\nhello', 'refused 400'],
    ['0x', '0x5\r\nhello\r\n0\r\n\r\n', 'refused 400'],
    ['a sign', '-5\r\nhello\r\n0\r\n\r\n', 'refused 400'],
    ['an underscore', '1_0\r\nhello\r\n0\r\n\r\n', 'refused 400'],
    ['a size of 14 digits', '00000000000005\r\nhello', 'refused 400'],
    ['a bare LF after a size (RFC 9112 §2.2)', '5\nhello\r\n0\r\n\r\n', 'refused 400'],
    ['a bare CR after a size', '5\rhello\r\n0\r\n\r\n', 'refused 400'],
    ['a bare LF after a chunk', '5\r\nhello\n0\r\n\r\n', 'refused 400'],
    ['a chunk longer than its size', '5\r\nhello!\r\n0\r\n\r\n', 'refused 400'],
    ['a bare LF in an extension', '5;a\nb\r\nhello\r\n0\r\n\r\n', 'refused 400'],
    ['extensions that are too long', `5;${'a'.repeat(17_000)}\r\nhello\r\n0\r\n\r\n`, 'refused 400'],
    ['a bare LF at the end', '0\r\n\n', 'refused 400'],
    ['a bare LF in trailers', '0\r\nA: b\n\r\n', 'refused 400'],
    ['a folded trailer (RFC 9112 §5.2)', '0\r\nA: b\r\n c\r\n\r\n', 'refused 400'],
    ['trailers that are too large', `0\r\nA: ${'b'.repeat(2000)}\r\n\r\n`, 'refused 431'],
    ['an unfinished message', '5\r\nhel', 'not complete'],
  ]
  for (const [what, message, result] of cases) {
    test(`reads ${what} (RFC 9112 §7.1)`, () => {
      assert.equal(decode(message, [message.length]), result)
      assert.equal(decode(message, [1]), result, 'octet by octet')
    })
  }

  test('gives the same result however the message is split', () => {
    const part = fc.constantFrom(
      '5\r\nhello\r\n',
      '1;a\r\nx\r\n',
      '0\r\n',
      '\r\n',
      'A: b\r\n',
      'ff\r\n',
      'x'.repeat(255),
      '\n',
    )
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        fc.integer({ min: 1, max: 300 }),
        (parts, sizes, limitOctets) => {
          const message = parts.join('')
          assert.equal(decode(message, sizes, limitOctets), decode(message, [message.length || 1]))
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('parseAuthority()', () => {
  const cases: [text: string, authority: string | undefined, host?: string][] = [
    ['Example.COM', 'example.com', 'example.com'],
    ['example.com:8080', 'example.com:8080', 'example.com'],
    ['example.com.:80', 'example.com.:80', 'example.com'],
    ['example.com:', 'example.com', 'example.com'],
    ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
    ['[2001:DB8::1]:443', '[2001:db8::1]:443', '[2001:db8::1]'],
    ['a_b.example', 'a_b.example', 'a_b.example'],
    ['', undefined],
    [':80', undefined],
    ['.', undefined],
    ['user@example.com', undefined],
    ['user:pass@example.com', undefined],
    ['a b', undefined],
    ['a,b', undefined],
    ['a/b', undefined],
    ['a?b', undefined],
    ['a%00', undefined],
    ['a:b', undefined],
    ['a:65536', undefined],
    ['a:80:80', undefined],
    ['[::1', undefined],
    ['2001:db8::1', undefined],
    ['\xe9.example', undefined],
  ]
  for (const [text, authority, host] of cases) {
    test(`reads "${text}" as ${authority} (RFC 9110 §7.2, §4.2.4, RFC 3986 §3.2)`, () => {
      assert.deepEqual(parseAuthority(text), authority === undefined ? undefined : { authority, host })
    })
  }
})
