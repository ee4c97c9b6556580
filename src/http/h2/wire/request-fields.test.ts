import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { NameSet, serializeFields } from '#http/wire/fields.ts'
import { parseFieldLines } from '#http/wire/head.ts'
import { isRefusal } from '#http/wire/refusal.ts'
import { isH2Error } from './error.ts'
import { Field } from './field.ts'
import { HpackDecoder } from './hpack-decoder.ts'
import { HpackEncoder } from './hpack-encoder.ts'
import { type RequestRules, readRequest, readTrailers } from './request-fields.ts'
import { RequestReader } from './request-reader.ts'

const rules: RequestRules = {
  limits: { headerOctets: 2000, headerCount: 20, targetOctets: 100 },
  isSecure: true,
  takesConnectProtocol: true,
}

/** Fields from `name: value` lines. */
function listOf(...lines: string[]): Field[] {
  return lines.map((line) => {
    const nameEnd = line.indexOf(': ')
    return new Field(line.slice(0, nameEnd), line.slice(nameEnd + 2))
  })
}

/** What becomes of a request: `stream 1`, a status, or `method authority target`. */
function judge(lines: string[], changed: Partial<RequestRules> = {}): string {
  const result = readRequest(listOf(...lines), { ...rules, ...changed })
  if (isH2Error(result)) return `${result.scope} ${result.code}`
  if (isRefusal(result)) return String(result.status)
  return `${result.method} ${result.authority} ${result.target}`
}

const GET = [':method: GET', ':scheme: https', ':path: /a?b', ':authority: example.com']
const CONNECT = [':method: CONNECT', ':authority: example.com:443']
const MALFORMED = 'stream 1'
const OK = 'GET example.com /a?b'

describe('readRequest()', () => {
  const cases: [what: string, lines: string[], result: string][] = [
    ['takes the four pseudo-header fields in any order (RFC 9113 §8.3.1)', [...GET].reverse(), OK],
    ['takes regular fields behind them (RFC 9113 §8.3)', [...GET, 'accept: */*'], OK],
    [
      'refuses a pseudo-header field behind a regular one (RFC 9113 §8.3)',
      [...GET.slice(1), 'a: b', GET[0]!],
      MALFORMED,
    ],
    ['refuses a pseudo-header field twice (RFC 9113 §8.3)', [...GET, ':path: /a?b'], MALFORMED],
    ['refuses an unknown pseudo-header field (RFC 9113 §8.3)', [...GET, ':version: 2'], MALFORMED],
    ['refuses a pseudo-header field of responses (RFC 9113 §8.3)', [...GET, ':status: 200'], MALFORMED],
    ['refuses a request without :method (RFC 9113 §8.3.1)', GET.slice(1), MALFORMED],
    ['refuses a request without :scheme (RFC 9113 §8.3.1)', [GET[0]!, ...GET.slice(2)], MALFORMED],
    ['refuses a request without :path (RFC 9113 §8.3.1)', [...GET.slice(0, 2), GET[3]!], MALFORMED],
    [
      'refuses an empty :path (RFC 9113 §8.3.1)',
      [':path: ', ':method: GET', ':scheme: https', GET[3]!],
      MALFORMED,
    ],
    [
      'refuses a :path that does not begin with "/" (RFC 9113 §8.3.1)',
      [':path: a', ':method: GET', ':scheme: https', GET[3]!],
      MALFORMED,
    ],
    [
      'refuses a :path that is a URI (RFC 9113 §8.3.1)',
      [':path: https://a/', ':method: GET', ':scheme: https', GET[3]!],
      MALFORMED,
    ],
    [
      'refuses "*" for GET (RFC 9113 §8.3.1)',
      [':path: *', ':method: GET', ':scheme: https', GET[3]!],
      MALFORMED,
    ],
    [
      'takes "*" for OPTIONS (RFC 9113 §8.3.1)',
      [':path: *', ':method: OPTIONS', ':scheme: https', GET[3]!],
      'OPTIONS example.com *',
    ],
    [
      'refuses a :path with a space, a request line of its own (RFC 9113 §10.3)',
      [':path: / HTTP/1.1', ':method: GET', ':scheme: https', GET[3]!],
      MALFORMED,
    ],
    [
      'refuses a :path with CR and LF (RFC 9113 §10.3)',
      [':path: /\r\nA: b', ':method: GET', ':scheme: https', GET[3]!],
      MALFORMED,
    ],
    ['refuses a :method that is no token (RFC 9113 §10.3)', [':method: GET /', ...GET.slice(1)], MALFORMED],
    ['refuses a :method with CR and LF (RFC 9113 §10.3)', [':method: GET\r\n', ...GET.slice(1)], MALFORMED],
    [
      'takes Host where there is no :authority (RFC 9113 §8.3.1)',
      [...GET.slice(0, 3), 'host: Example.com'],
      OK,
    ],
    ['takes Host that says the same in other words (RFC 9113 §8.3.1)', [...GET, 'host: EXAMPLE.com:'], OK],
    [
      'refuses Host that is another than :authority (RFC 9113 §8.3.1)',
      [...GET, 'host: example.org'],
      MALFORMED,
    ],
    [
      'refuses two Host fields (RFC 9113 §8.3.1)',
      [...GET, 'host: example.com', 'host: example.com'],
      MALFORMED,
    ],
    ['refuses a request without :authority and Host (RFC 9113 §8.3.1)', GET.slice(0, 3), MALFORMED],
    ['refuses an empty :authority (RFC 9113 §8.3.1)', [...GET.slice(0, 3), ':authority: '], MALFORMED],
    ['refuses an empty Host beside :authority (RFC 9113 §8.3.1)', [...GET, 'host: '], MALFORMED],
    [
      'refuses an :authority with userinfo (RFC 9113 §8.3.1)',
      [...GET.slice(0, 3), ':authority: a@example.com'],
      MALFORMED,
    ],
    ['answers 400 for an :authority with a path', [...GET.slice(0, 3), ':authority: example.com/a'], '400'],
    ['answers 400 for another scheme', [':scheme: ftp', GET[0]!, ...GET.slice(2)], '400'],
    [
      'answers 414 for a long target',
      [`:path: /${'a'.repeat(100)}`, ':method: GET', ':scheme: https', GET[3]!],
      '414',
    ],
    ['answers 501 to TRACE', [':method: TRACE', ...GET.slice(1)], '501'],
    ['refuses an upper-case name (RFC 9113 §8.2.1)', [...GET, 'Accept: */*'], MALFORMED],
    ['refuses an empty name (RFC 9113 §8.2.1)', [...GET, ': a'], MALFORMED],
    ['refuses a name with a space (RFC 9113 §8.2.1)', [...GET, 'a b: c'], MALFORMED],
    ['refuses a name with a colon (RFC 9113 §8.2.1)', [...GET, 'a:b: c'], MALFORMED],
    ['refuses NUL in a name (RFC 9113 §8.2.1)', [...GET, 'a\0: c'], MALFORMED],
    ['refuses a name beyond ASCII (RFC 9113 §8.2.1)', [...GET, 'a\u00e9: c'], MALFORMED],
    ['refuses NUL in a value (RFC 9113 §8.2.1)', [...GET, 'a: b\0c'], MALFORMED],
    ['refuses LF in a value (RFC 9113 §8.2.1)', [...GET, 'a: b\nc: d'], MALFORMED],
    ['refuses CR in a value (RFC 9113 §8.2.1)', [...GET, 'a: b\rc: d'], MALFORMED],
    ['refuses another control character in a value', [...GET, 'a: b\u0001'], MALFORMED],
    ['refuses a space before a value (RFC 9113 §8.2.1)', [...GET, 'a:  b'], MALFORMED],
    ['refuses a tab after a value (RFC 9113 §8.2.1)', [...GET, 'a: b\t'], MALFORMED],
    ['takes an empty value and octets beyond ASCII (RFC 9113 §8.2.1)', [...GET, 'a: ', 'b: \u00e9\tc'], OK],
    ['refuses Connection (RFC 9113 §8.2.2)', [...GET, 'connection: close'], MALFORMED],
    ['refuses Proxy-Connection (RFC 9113 §8.2.2)', [...GET, 'proxy-connection: close'], MALFORMED],
    ['refuses Keep-Alive (RFC 9113 §8.2.2)', [...GET, 'keep-alive: 5'], MALFORMED],
    ['refuses Transfer-Encoding (RFC 9113 §8.2.2)', [...GET, 'transfer-encoding: chunked'], MALFORMED],
    ['refuses Upgrade (RFC 9113 §8.2.2)', [...GET, 'upgrade: websocket'], MALFORMED],
    ['refuses TE with anything but trailers (RFC 9113 §8.2.2)', [...GET, 'te: trailers, gzip'], MALFORMED],
    ['takes TE with trailers (RFC 9113 §8.2.2)', [...GET, 'te: trailers'], OK],
    [
      'refuses two Content-Length fields (RFC 9113 §8.1.1)',
      [...GET, 'content-length: 1', 'content-length: 1'],
      MALFORMED,
    ],
    [
      'refuses a Content-Length that is no number (RFC 9113 §8.1.1)',
      [...GET, 'content-length: +1'],
      MALFORMED,
    ],
    ['refuses an empty Content-Length (RFC 9113 §8.1.1)', [...GET, 'content-length: '], MALFORMED],
    ['answers 501 to CONNECT (RFC 9113 §8.5)', CONNECT, '501'],
    [
      'refuses CONNECT with :path and :scheme (RFC 9113 §8.5)',
      [...CONNECT, ':path: /', ':scheme: https'],
      MALFORMED,
    ],
    ['refuses CONNECT without :authority (RFC 9113 §8.5)', [':method: CONNECT', 'host: a'], MALFORMED],
    [
      'takes an extended CONNECT (RFC 8441 §4)',
      [':method: CONNECT', ':protocol: websocket', ...GET.slice(1)],
      'CONNECT example.com /a?b',
    ],
    [
      'refuses an extended CONNECT without :path (RFC 8441 §4)',
      [...CONNECT, ':protocol: websocket', ':scheme: https'],
      MALFORMED,
    ],
    [
      'refuses an extended CONNECT without :scheme (RFC 8441 §4)',
      [...CONNECT, ':protocol: websocket', ':path: /'],
      MALFORMED,
    ],
    [
      'refuses an extended CONNECT without :authority (RFC 8441 §4)',
      [':method: CONNECT', ':protocol: a', ':path: /', ':scheme: https', 'host: b'],
      MALFORMED,
    ],
    [
      'refuses :protocol in another request than CONNECT (RFC 8441 §4)',
      [...GET, ':protocol: websocket'],
      MALFORMED,
    ],
    [
      'refuses a :protocol that is no token (RFC 8441 §4)',
      [':method: CONNECT', ':protocol: a b', ...GET.slice(1)],
      MALFORMED,
    ],
    ['refuses no fields at all', [], MALFORMED],
  ]
  for (const [what, lines, result] of cases) {
    test(what, () => assert.equal(judge(lines), result))
  }

  test('answers 431 to more fields than are allowed, where any number of cookies is one (RFC 9113 §8.2.3)', () => {
    const { headerCount } = rules.limits
    const cookies: string[] = Array.from({ length: 30 }, (_, i) => `cookie: ${i}`)
    const fields: string[] = Array.from({ length: headerCount }, (_, i) => `x-${i}: y`)
    assert.equal(judge([...GET, ...cookies, ...fields.slice(1)]), OK)
    assert.equal(judge([...GET, ...cookies, ...fields]), '431')
  })

  test('answers 421 when an https URI is asked for without TLS (RFC 9110 §7.4)', () => {
    assert.equal(judge(GET, { isSecure: false }), '421')
    assert.equal(judge([':scheme: http', GET[0]!, ...GET.slice(2)], { isSecure: false }), OK)
  })

  test('refuses :protocol unless the setting was sent (RFC 8441 §3)', () => {
    const lines = [':method: CONNECT', ':protocol: websocket', ...GET.slice(1)]
    assert.equal(judge(lines, { takesConnectProtocol: false }), MALFORMED)
  })

  test('gives fields without Host and with the parts of Cookie in one line (RFC 9113 §8.2.3)', () => {
    const lines = [
      'cookie: a=1',
      'x: y',
      'host: example.com',
      'cookie: b=2',
      'cookie: c=3',
      'content-length: 7',
    ]
    const head = readRequest(listOf(...GET, ...lines), rules)
    assert.ok(!isH2Error(head) && !isRefusal(head))
    assert.deepEqual([head.lengthOctets, head.protocol, head.host], [7, undefined, 'example.com'])
    assert.equal(serializeFields(head.fields), 'cookie: a=1; b=2; c=3\r\nx: y\r\ncontent-length: 7\r\n')
    assert.equal(head.fields.get('cookie'), 'a=1; b=2; c=3')
    assert.deepEqual(head.fields.all('host'), [])
    assert.equal(head.fields.size, 3)
    const skip = new NameSet(['cookie'])
    for (let i = 0; i < 2; i++)
      assert.equal(serializeFields(head.fields, skip), 'x: y\r\ncontent-length: 7\r\n')
    assert.equal(serializeFields(head.fields, skip, new NameSet(['X'])), 'content-length: 7\r\n')
  })

  test('lets nothing through that HTTP/1.1 reads in another way (RFC 9113 §10.3)', () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.constantFrom('a', ':', ' ', '\t', '\r', '\n', '\0', 'A', '-', '\u00e9'),
        fc.string({ minLength: 1, maxLength: 1 }),
      ),
      maxLength: 6,
    })
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 4 }), (pairs) => {
        const list = [...listOf(...GET), ...pairs.map(([name, value]) => new Field(name, value))]
        const head = readRequest(list, rules)
        if (isH2Error(head) || isRefusal(head)) return
        const lines = parseFieldLines(`${serializeFields(head.fields)}\r\n`, 0, rules.limits)
        assert.ok(!isRefusal(lines))
        const read: [string, string][] = []
        lines.each((name, value) => read.push([name, value]))
        const expected = pairs.filter(([name]) => name !== 'host' && name !== 'cookie')
        assert.deepEqual(
          read.filter(([name]) => name !== 'cookie'),
          expected,
        )
      }),
      { numRuns: 2000 },
    )
  })
})

describe('readTrailers()', () => {
  const read = (...lines: string[]): string => {
    const trailers = readTrailers(listOf(...lines))
    return isH2Error(trailers) ? `${trailers.scope} ${trailers.code}` : serializeFields(trailers)
  }

  test('refuses pseudo-header fields (RFC 9113 §8.1)', () => {
    assert.equal(read('a: b', ':path: /'), MALFORMED)
  })

  test('refuses what is malformed in a header section as well (RFC 9113 §8.2.1, §8.2.2)', () => {
    assert.equal(read('A: b'), MALFORMED)
    assert.equal(read('connection: close'), MALFORMED)
  })

  test('leaves out what may not stand in trailers (RFC 9110 §6.5.1)', () => {
    assert.equal(read('content-length: 1', 'grpc-status: 0', 'host: a'), 'grpc-status: 0\r\n')
  })
})

describe('RequestReader', () => {
  const encode = (encoder: HpackEncoder, lines: string[]): Buffer => {
    encoder.begin()
    for (const { name, value } of listOf(...lines)) encoder.add(name, value, 'incremental')
    return Buffer.from(encoder.block.subarray(0, encoder.length))
  }

  test('gives the same head for the same block as long as the table stays as it is', () => {
    const encoder = new HpackEncoder(4096)
    const reader = new RequestReader(new HpackDecoder(4096))
    const read = (lines: string[], asked = rules) => {
      const block = encode(encoder, lines)
      const head = reader.read(block, 0, block.length, asked)
      assert.ok(!isH2Error(head) && !isRefusal(head))
      return head
    }
    const first = read(GET)
    const second = read(GET)
    assert.notEqual(second, first)
    assert.deepEqual(second, first)
    assert.equal(read(GET), second)
    assert.notEqual(read(GET, { ...rules }), second)
    const other = read([...GET, 'x: 1'])
    assert.equal(other.fields.get('x'), '1')
    // The block of `x: 1` is the same octets now as that of `x: 2` will be.
    assert.equal(read([...GET, 'x: 1']).fields.get('x'), '1')
    assert.equal(read([...GET, 'x: 2']).fields.get('x'), '2')
    assert.equal(read([...GET, 'x: 2']).fields.get('x'), '2')
    assert.equal(read([...GET, 'x: 1']).fields.get('x'), '1')
  })

  test('answers 431 to a list beyond the limits, and faults of the block with the end of the connection', () => {
    const reader = new RequestReader(new HpackDecoder(4096))
    const large = encode(new HpackEncoder(0), [...GET, `x: ${'y'.repeat(2000)}`])
    const refusal = reader.read(large, 0, large.length, rules)
    assert.ok(isRefusal(refusal))
    assert.equal(refusal.status, 431)
    const fault = reader.read(Buffer.from([0x80]), 0, 1, rules)
    assert.ok(isH2Error(fault))
    assert.equal(fault.scope, 'connection')
  })
})
