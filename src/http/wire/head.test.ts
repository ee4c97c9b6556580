import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { judgePartialHead, type ParsedRequest, parseRequestHead, parseResponseHead } from './head.ts'
import { Input } from './input.ts'
import { isRefusal, type Refusal } from './refusal.ts'

const limits = { headerOctets: 4096, headerCount: 20, targetOctets: 256 }

function parse(text: string): ParsedRequest | Refusal {
  const octets = Buffer.from(text, 'latin1')
  return parseRequestHead(octets, 0, octets.length, limits)
}

describe('parseRequestHead()', () => {
  const accepted: [what: string, head: string, method: string, target: string, minor: number][] = [
    ['a request line alone', 'GET / HTTP/1.0\r\n\r\n', 'GET', '/', 0],
    ['HTTP/1.1', 'GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n', 'GET', '/a?b=c', 1],
    ['a higher minor version as 1.1 (RFC 9110 §2.5)', 'GET / HTTP/1.9\r\n\r\n', 'GET', '/', 1],
    ['an unknown method, case kept (RFC 9110 §9.1)', 'fr-ob!c /x HTTP/1.1\r\n\r\n', 'fr-ob!c', '/x', 1],
    ['absolute-form', 'GET http://a/ HTTP/1.1\r\n\r\n', 'GET', 'http://a/', 1],
    ['what browsers send in queries', 'GET /?a|b{}^`" HTTP/1.1\r\n\r\n', 'GET', '/?a|b{}^`"', 1],
  ]
  for (const [what, head, method, target, minor] of accepted) {
    test(`accepts ${what}`, () => {
      const result = parse(head)
      assert.ok(!isRefusal(result), JSON.stringify(result))
      assert.deepEqual([result.method, result.target, result.minor], [method, target, minor])
    })
  }

  const refused: [what: string, head: string, status: number][] = [
    ['HTTP/0.9: no version', 'GET /\r\n\r\n', 400],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\n', 505],
    ['HTTP/3.0', 'GET / HTTP/3.0\r\n\r\n', 505],
    ['HTTP/0.9 in words', 'GET / HTTP/0.9\r\n\r\n', 505],
    ['a version in lower case (RFC 9112 §2.3)', 'GET / http/1.1\r\n\r\n', 400],
    ['two digits of minor version', 'GET / HTTP/1.10\r\n\r\n', 400],
    ['no digit of minor version', 'GET / HTTP/1.\r\n\r\n', 400],
    ['two spaces after the method (RFC 9112 §3)', 'GET  / HTTP/1.1\r\n\r\n', 400],
    ['two spaces after the target', 'GET /  HTTP/1.1\r\n\r\n', 400],
    ['a tab as separator', 'GET\t/ HTTP/1.1\r\n\r\n', 400],
    ['a space after the version', 'GET / HTTP/1.1 \r\n\r\n', 400],
    ['a space before the method', ' GET / HTTP/1.1\r\n\r\n', 400],
    ['an empty method', ' / HTTP/1.1\r\n\r\n', 400],
    ['a method that is no token', 'GE(T / HTTP/1.1\r\n\r\n', 400],
    ['a fragment (RFC 9112 §3.2)', 'GET /#a HTTP/1.1\r\n\r\n', 400],
    ['a target that is not ASCII', 'GET /\xe9 HTTP/1.1\r\n\r\n', 400],
    ['NUL in the target', 'GET /\0 HTTP/1.1\r\n\r\n', 400],
    ['a bare LF after the request line (RFC 9112 §2.2)', 'GET / HTTP/1.1\nHost: a\r\n\r\n', 400],
    ['a bare LF after a field (RFC 9112 §2.2)', 'GET / HTTP/1.1\r\nHost: a\nB: c\r\n\r\n', 400],
    ['a bare LF as empty line (RFC 9112 §2.2)', 'GET / HTTP/1.1\r\nHost: a\r\n\n', 400],
    ['a bare CR in a value (RFC 9112 §2.2)', 'GET / HTTP/1.1\r\nHost: a\rB: c\r\n\r\n', 400],
    ['a bare CR before a line (RFC 9112 §2.2)', 'GET / HTTP/1.1\r\n\rHost: a\r\n\r\n', 400],
    ['a folded line (RFC 9112 §5.2)', 'GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n', 400],
    ['white space before the first field (RFC 9112 §2.2)', 'GET / HTTP/1.1\r\n A: b\r\n\r\n', 400],
    ['a space before the colon (RFC 9112 §5.1)', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n', 400],
    ['a tab before the colon (RFC 9112 §5.1)', 'GET / HTTP/1.1\r\nHost\t: a\r\n\r\n', 400],
    ['an empty name', 'GET / HTTP/1.1\r\n: a\r\n\r\n', 400],
    ['a name that is no token', 'GET / HTTP/1.1\r\nHo(st: a\r\n\r\n', 400],
    ['a name that is not ASCII', 'GET / HTTP/1.1\r\nH\xf6st: a\r\n\r\n', 400],
    ['a line without colon', 'GET / HTTP/1.1\r\nHost\r\n\r\n', 400],
    ['NUL in a value (RFC 9110 §5.5)', 'GET / HTTP/1.1\r\nA: b\0c\r\n\r\n', 400],
    ['DEL in a value (RFC 9110 §5.5)', 'GET / HTTP/1.1\r\nA: b\x7fc\r\n\r\n', 400],
    ['a vertical tab in a value', 'GET / HTTP/1.1\r\nTransfer-Encoding: \x0bchunked\r\n\r\n', 400],
    ['a target that is too long', `GET /${'a'.repeat(256)} HTTP/1.1\r\n\r\n`, 414],
    ['too many fields', `GET / HTTP/1.1\r\n${'A: b\r\n'.repeat(21)}\r\n`, 431],
    ['a head that is too large', `GET / HTTP/1.1\r\nA: ${'b'.repeat(4096)}\r\n\r\n`, 431],
  ]
  for (const [what, head, status] of refused) {
    test(`refuses ${what}: ${status}`, () => {
      const result = parse(head)
      assert.ok(isRefusal(result), 'accepted')
      assert.equal(result.status, status, result.reason)
    })
  }

  test('trims white space around values and nothing inside (RFC 9112 §5, RFC 9110 §5.5)', () => {
    const result = parse('GET / HTTP/1.1\r\nA:b\r\nB: \t c d \t\r\nC:\r\nD:   \r\nE: \xe9\r\n\r\n')
    assert.ok(!isRefusal(result))
    assert.deepEqual(
      ['a', 'b', 'c', 'd', 'e'].map((name) => result.fields.get(name)),
      ['b', 'c d', '', '', '\xe9'],
    )
  })

  test('never throws, and gives back what it was given', () => {
    const octets = fc.oneof(
      fc.constantFrom(
        'GET / HTTP/1.1\r\n',
        '\r\n',
        '\n',
        '\r',
        ' ',
        ':',
        'Host: a',
        '\t',
        '\0',
        'A: "b',
        'HTTP/1.1',
      ),
      fc.string({ unit: 'binary-ascii', maxLength: 5 }),
    )
    fc.assert(
      fc.property(fc.array(octets, { maxLength: 12 }), (parts) => {
        const result = parse(parts.join(''))
        if (isRefusal(result)) return
        let text = `${result.method} ${result.target} `
        result.fields.each((name, value) => {
          assert.doesNotMatch(name + value, /[\r\n\0]/)
          text += name + value
        })
        assert.ok(text.length <= parts.join('').length)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('parseResponseHead()', () => {
  const cases: [head: string, status: number | 'refused'][] = [
    ['HTTP/1.1 200 OK\r\n\r\n', 200],
    ['HTTP/1.0 404 Not Found\r\nA: b\r\n\r\n', 404],
    ['HTTP/1.1 204 \r\n\r\n', 204],
    ['HTTP/1.1 204\r\n\r\n', 204],
    ['HTTP/1.1 200 d\xe9j\xe0 vu\tok\r\n\r\n', 200],
    ['HTTP/1.1 999 Odd\r\n\r\n', 999],
    ['HTTP/1.1 20 OK\r\n\r\n', 'refused'],
    ['HTTP/1.1 2000 OK\r\n\r\n', 'refused'],
    ['HTTP/1.1 099 OK\r\n\r\n', 'refused'],
    ['HTTP/1.1  200 OK\r\n\r\n', 'refused'],
    ['HTTP/2.0 200 OK\r\n\r\n', 'refused'],
    ['HTTP/1.1 200 O\rK\r\n\r\n', 'refused'],
    ['HTTP/1.1 200 OK\nA: b\r\n\r\n', 'refused'],
    ['HTTP/1.1 200 OK\r\nA : b\r\n\r\n', 'refused'],
    ['HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n', 'refused'],
    ['ICY 200 OK\r\n\r\n', 'refused'],
  ]
  for (const [head, status] of cases) {
    test(`reads ${JSON.stringify(head)} as ${status} (RFC 9112 §4)`, () => {
      const octets = Buffer.from(head, 'latin1')
      const result = parseResponseHead(octets, 0, octets.length, limits)
      if (status === 'refused') assert.ok(isRefusal(result) && result.status === 502)
      else assert.equal(result.status, status)
    })
  }
})

describe('judgePartialHead()', () => {
  const cases: [what: string, octets: string | Buffer, status: number | undefined][] = [
    ['the beginning of a request', 'GET / HT', undefined],
    ['a TLS ClientHello', Buffer.from('160301020001', 'hex'), 400],
    ['a target that is too long already', `GET /${'a'.repeat(400)}`, 414],
    ['fields that are too large already', `GET / HTTP/1.1\r\nA: ${'b'.repeat(4096)}`, 431],
  ]
  for (const [what, octets, status] of cases) {
    test(`says ${status} to ${what}`, () => {
      const buffer = Buffer.from(octets as string)
      assert.equal(judgePartialHead(buffer, 0, buffer.length, limits)?.status, status)
    })
  }
})

describe('Input', () => {
  test('finds the end of a head however it was split', () => {
    const head = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
    const after = 'POST'
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (sizes) => {
        const input = new Input()
        const octets = Buffer.from(head + after)
        let end = -1
        for (let at = 0, i = 0; at < octets.length; i++) {
          const size = sizes[i % sizes.length]!
          input.append(octets.subarray(at, at + size))
          at += size
          const found = input.findHeadEnd()
          if (end < 0 && found >= 0) end = found - input.start
          assert.equal(found >= 0, at >= head.length)
        }
        assert.equal(end, head.length)
        assert.equal(input.take(1000).toString(), head + after)
      }),
    )
  })

  test('finds the first empty line of any octets, with either end of a line, in any pieces', () => {
    const pieces = fc.array(fc.string({ unit: fc.constantFrom('\r', '\n', 'a'), minLength: 1, maxLength: 5 }))
    fc.assert(
      fc.property(fc.constantFrom('', 'a', 'aa'), pieces, (used, arrived) => {
        const input = new Input()
        input.append(Buffer.from(`${used}a`))
        input.use(used.length)
        let text = 'a'
        for (const piece of arrived) {
          input.append(Buffer.from(piece))
          text += piece
          const found = /\n\r?\n/.exec(text)
          const end = found === null ? -1 : input.start + found.index + found[0].length
          assert.equal(input.findHeadEnd(), end, JSON.stringify(text))
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('costs no more than the sum of its octets when they come one by one', () => {
    const input = new Input()
    const octet = Buffer.from('a')
    const began = performance.now()
    for (let i = 0; i < 200_000; i++) {
      input.append(octet)
      assert.equal(input.findHeadEnd(), -1)
    }
    // Quadratic work would be 20 thousand million octets.
    assert.ok(performance.now() - began < 2000)
  })
})
