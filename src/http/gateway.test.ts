import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Request, Source } from './exchange.ts'
import { countPasses, maxForwards, requestHead, responseFields } from './gateway.ts'
import { fieldsOf, serializeFields } from './wire/fields.ts'

type Pairs = readonly (readonly [string, string])[]

function request(pairs: Pairs, changes: Partial<Request> = {}): Request {
  return {
    method: 'GET',
    authority: 'example.com',
    host: 'example.com',
    target: '/a?b',
    version: '1.1',
    fields: fieldsOf(pairs),
    client: { address: '203.0.113.7', port: 40000, secure: true, localPort: 443 },
    body: null,
    lengthOctets: 0,
    upgrade: undefined,
    ...changes,
  }
}

const plain = {
  pseudonym: 'portico',
  originAuthority: 'origin:81',
  isTrusted: false,
  asksUpgrade: false,
  awaitsContinue: false,
}
const noBody: Source = { read: () => null, cancel() {} }

/** The field lines of the head that goes to the origin, those about who asked left out. */
function lines(pairs: Pairs, changes: Partial<Request> = {}, gateway: Partial<typeof plain> = {}): string[] {
  return requestHead(request(pairs, changes), { ...plain, ...gateway })
    .split('\r\n')
    .filter((line) => line !== '' && !/^(X-Forwarded|Forwarded|Via|GET|Host)/.test(line))
}

/** The value of one field line in the head that goes to the origin. */
function value(
  name: string,
  pairs: Pairs,
  changes: Partial<Request> = {},
  isTrusted = false,
): string | undefined {
  const head = requestHead(request(pairs, changes), { ...plain, isTrusted })
  return new RegExp(`^${name}: (.*)\r$`, 'm').exec(head)?.[1]
}

test('requestHead() writes request line, Host, fields in order, who asked, and Via', () => {
  assert.equal(
    requestHead(
      request([
        ['host', 'Example.com'],
        ['Accept', '*/*'],
        ['X-Custom', 'a, b'],
      ]),
      plain,
    ),
    'GET /a?b HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\nX-Custom: a, b\r\n' +
      'X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Host: example.com\r\nX-Forwarded-Proto: https\r\n' +
      'Forwarded: for=203.0.113.7;host=example.com;proto=https\r\nVia: 1.1 portico\r\n\r\n',
  )
})

test('requestHead() keeps Proxy from CGI programs, which would ask the proxy it names (CVE-2016-5385)', () => {
  const pairs: Pairs = [
    ['Proxy', 'http://attacker.example/'],
    ['X-Custom', 'a'],
  ]
  assert.deepEqual(lines(pairs), ['X-Custom: a'])
  assert.deepEqual(lines(pairs, {}, { isTrusted: true }), ['X-Custom: a'])
})

test('requestHead() gives a request without Host the authority of the origin', () => {
  assert.equal(value('Host', [], { authority: '', version: '1.0' }), 'origin:81')
  assert.equal(value('X-Forwarded-Host', [], { authority: '' }), undefined)
  assert.equal(value('Forwarded', [], { authority: '' }), 'for=203.0.113.7;proto=https')
})

describe('requestHead() leaves behind what concerns the connection (RFC 9110 §7.6.1)', () => {
  const table: readonly (readonly [string, Pairs, string[]])[] = [
    [
      'Keep-Alive and Proxy-Connection',
      [
        ['Keep-Alive', '5'],
        ['Proxy-Connection', 'close'],
        ['A', '1'],
      ],
      ['A: 1'],
    ],
    [
      'fields that Connection names',
      [
        ['Connection', 'close, X-A'],
        ['X-A', '1'],
        ['x-a', '2'],
        ['X-B', '3'],
      ],
      ['X-B: 3'],
    ],
    [
      'fields that several Connection lines name',
      [
        ['Connection', 'x-a'],
        ['X-A', '1'],
        ['Connection', 'x-b'],
        ['X-B', '1'],
      ],
      [],
    ],
    [
      'but never what is meant for all',
      [
        ['Connection', 'Authorization, cookie'],
        ['Authorization', 'a'],
        ['Cookie', 'b'],
      ],
      ['Authorization: a', 'Cookie: b'],
    ],
    ['credentials for a proxy', [['Proxy-Authorization', 'Basic eA==']], []],
    [
      'an Upgrade that is not passed on',
      [
        ['Connection', 'Upgrade'],
        ['Upgrade', 'h2c'],
        ['HTTP2-Settings', 'x'],
      ],
      [],
    ],
    [
      'TE but for trailers (RFC 9110 §10.1.4)',
      [
        ['TE', 'gzip, trailers'],
        ['Connection', 'TE'],
      ],
      ['TE: trailers', 'Connection: TE'],
    ],
    ['TE without trailers', [['TE', 'gzip']], []],
  ]
  for (const [name, pairs, expected] of table) test(name, () => assert.deepEqual(lines(pairs), expected))
})

describe('requestHead() frames the content (RFC 9112 §6)', () => {
  test('with its length', () => {
    const changes = { method: 'POST', body: noBody, lengthOctets: 12 }
    assert.equal(value('Content-Length', [['Content-Length', '12']], changes), '12')
  })
  test('in chunks when the length is not known (RFC 9112 §7.1)', () => {
    const changes = { method: 'POST', body: noBody, lengthOctets: null }
    const head = lines([['Transfer-Encoding', 'Chunked']], changes).slice(1)
    assert.deepEqual(head, ['Transfer-Encoding: chunked'])
  })
  test('a length of 0 stays', () => {
    assert.equal(value('Content-Length', [['Content-Length', '0']]), '0')
    assert.equal(value('Content-Length', []), undefined)
  })
})

test('requestHead() passes a wish for another protocol on (RFC 9110 §7.8)', () => {
  const pairs: Pairs = [
    ['Connection', 'keep-alive, Upgrade'],
    ['Upgrade', 'websocket, h2c'],
    ['Sec-WebSocket-Key', 'x'],
  ]
  const expected = ['Sec-WebSocket-Key: x', 'Connection: Upgrade', 'Upgrade: websocket']
  assert.deepEqual(lines(pairs, { upgrade: 'websocket' }, { asksUpgrade: true }), expected)
})

test('requestHead() passes an expectation on only when it is waited for (RFC 9110 §10.1.1)', () => {
  assert.deepEqual(lines([['Expect', '100-continue']]), [])
  assert.deepEqual(lines([['Expect', '100-continue']], {}, { awaitsContinue: true }), [
    'Expect: 100-continue',
  ])
})

test('requestHead() counts Max-Forwards of OPTIONS down (RFC 9110 §7.6.2)', () => {
  assert.equal(value('Max-Forwards', [['Max-Forwards', '3']], { method: 'OPTIONS' }), '2')
  assert.equal(value('Max-Forwards', [['Max-Forwards', '3']]), undefined)
  assert.equal(maxForwards(request([['Max-Forwards', '0']], { method: 'OPTIONS' })), 0)
  assert.equal(maxForwards(request([['Max-Forwards', '-1']], { method: 'OPTIONS' })), undefined)
})

describe('requestHead() says who asked (RFC 7239 §4)', () => {
  const spoofed: Pairs = [
    ['X-Forwarded-For', '192.0.2.1'],
    ['X-Forwarded-Proto', 'gopher'],
    ['X-Forwarded-Host', 'evil'],
    ['Forwarded', 'for=192.0.2.1'],
    ['X-Real-IP', '192.0.2.1'],
    ['x_forwarded_for', '192.0.2.1'],
    ['X-Forwarded_For', '192.0.2.1'],
  ]
  test('and replaces what a client that is not trusted says', () => {
    assert.equal(value('X-Forwarded-For', spoofed), '203.0.113.7')
    assert.equal(value('X-Forwarded-Proto', spoofed), 'https')
    assert.equal(value('X-Forwarded-Host', spoofed), 'example.com')
    assert.equal(value('Forwarded', spoofed), 'for=203.0.113.7;host=example.com;proto=https')
    assert.doesNotMatch(requestHead(request(spoofed), plain), /192\.0\.2\.1|evil|gopher/)
  })
  test('and appends to what a trusted one says', () => {
    assert.equal(value('X-Forwarded-For', spoofed, {}, true), '192.0.2.1, 203.0.113.7')
    assert.equal(value('X-Forwarded-Proto', spoofed, {}, true), 'gopher')
    assert.equal(value('X-Forwarded-Host', spoofed, {}, true), 'evil')
    assert.equal(
      value('Forwarded', spoofed, {}, true),
      'for=192.0.2.1, for=203.0.113.7;host=example.com;proto=https',
    )
  })
  test('even when a trusted one names these fields in Connection', () => {
    const pairs: Pairs = [...spoofed, ['Connection', 'X-Forwarded-For, Forwarded']]
    assert.equal(value('X-Forwarded-For', pairs), '203.0.113.7')
  })
  test('with IPv6 addresses and ports in quotes (RFC 7239 §6)', () => {
    const client = { address: '2001:db8::7', port: 1, secure: false, localPort: 80 }
    const forwarded = value('Forwarded', [], { client, authority: 'example.com:8080' })
    assert.equal(forwarded, 'for="[2001:db8::7]";host="example.com:8080";proto=http')
  })
})

test('Via names the version that was received, after those before (RFC 9110 §7.6.3)', () => {
  const head = requestHead(request([['Via', '1.0 fred']], { version: '1.0' }), plain)
  assert.match(head, /Via: 1\.0 fred\r\n(?:.*\r\n)*Via: 1\.0 portico\r\n\r\n$/)
})

test('countPasses() counts our name in Via (RFC 9110 §7.6.3)', () => {
  const table: readonly (readonly [string[], number])[] = [
    [[], 0],
    [['1.1 fred'], 0],
    [['1.1 portico'], 1],
    [['1.1 fred, 1.1 portico (x, y)', '2 portico'], 2],
    [['1.1 porticos'], 0],
  ]
  for (const [values, expected] of table) {
    const fields = fieldsOf(values.map((via) => ['Via', via] as const))
    assert.equal(countPasses(fields, 'portico'), expected, values.join(' | '))
  }
})

describe('responseFields()', () => {
  const skipNothing = (pairs: Pairs, version: '1.0' | '1.1' = '1.1'): string =>
    serializeFields(responseFields(fieldsOf(pairs), version, 'portico'))

  test('leaves behind what concerns the connection (RFC 9110 §7.6.1)', () => {
    const pairs: Pairs = [
      ['Server', 'x'],
      ['Connection', 'close, X-Hop, Set-Cookie'],
      ['X-Hop', '1'],
      ['Set-Cookie', 'a=1'],
      ['Keep-Alive', 'timeout=5'],
      ['Set-Cookie', 'b=2'],
    ]
    assert.equal(
      skipNothing(pairs),
      'Server: x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nVia: 1.1 portico\r\n',
    )
  })
  test('adds Via with the version of the origin (RFC 9110 §7.6.3)', () => {
    assert.equal(skipNothing([['Via', '1.1 fred']], '1.0'), 'Via: 1.1 fred\r\nVia: 1.0 portico\r\n')
  })
  test('answers questions as if the rest had never been there', () => {
    const fields = responseFields(
      fieldsOf([
        ['A', '1'],
        ['Connection', 'B'],
        ['B', '2'],
      ]),
      '1.1',
      'portico',
    )
    assert.equal(fields.size, 2)
    assert.equal(fields.get('a'), '1')
    assert.equal(fields.get('b'), undefined)
    assert.deepEqual(fields.all('connection'), [])
    assert.equal(fields.get('via'), '1.1 portico')
    assert.deepEqual(fields.all('via'), ['1.1 portico'])
  })
})
