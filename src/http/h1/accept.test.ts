import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { httpLimitSettings, httpLimits } from '#http/config.ts'
import { parseRequestHead } from '#http/wire/head.ts'
import { isRefusal, type Refusal } from '#http/wire/refusal.ts'
import { type AcceptedRequest, acceptRequest } from './accept.ts'

const limits = httpLimits({ body: 1000 })

function accept(head: string, secure = false): AcceptedRequest | Refusal {
  const octets = Buffer.from(`${head.replaceAll('\n', '\r\n')}\r\n\r\n`, 'latin1')
  const parsed = parseRequestHead(octets, 0, octets.length, limits)
  return isRefusal(parsed) ? parsed : acceptRequest(parsed, limits, secure)
}

describe('acceptRequest()', () => {
  const accepted: [what: string, head: string, expected: Partial<AcceptedRequest>, secure?: boolean][] = [
    [
      'origin-form',
      'GET /a?b HTTP/1.1\nHost: X.example:80',
      { target: '/a?b', authority: 'x.example:80', host: 'x.example' },
    ],
    ['HTTP/1.0 without Host', 'GET / HTTP/1.0', { authority: '', host: '' }],
    ['two slashes as a path', 'GET //b/c HTTP/1.1\nHost: a', { target: '//b/c', host: 'a' }],
    [
      'absolute-form, whose authority wins (RFC 9112 §3.2.2)',
      'GET http://B:81/c HTTP/1.1\nHost: a',
      { target: '/c', authority: 'b:81' },
    ],
    ['absolute-form without path', 'GET http://b HTTP/1.1\nHost: a', { target: '/', host: 'b' }],
    ['absolute-form with query alone', 'GET http://b?c HTTP/1.1\nHost: a', { target: '/?c', host: 'b' }],
    [
      'absolute-form with https over TLS',
      'GET https://b/ HTTP/1.1\nHost: a',
      { target: '/', host: 'b' },
      true,
    ],
    ['asterisk-form (RFC 9112 §3.2.4)', 'OPTIONS * HTTP/1.1\nHost: a', { target: '*', host: 'a' }],
    [
      'OPTIONS for a URI without path (RFC 9112 §3.2.4)',
      'OPTIONS http://b HTTP/1.1\nHost: a',
      { target: '*', host: 'b' },
    ],
    ['HTTP/1.1 as persistent (RFC 9112 §9.3)', 'GET / HTTP/1.1\nHost: a', { keepsAlive: true }],
    [
      'HTTP/1.1 with close (RFC 9112 §9.3)',
      'GET / HTTP/1.1\nHost: a\nConnection: x, Close',
      { keepsAlive: false },
    ],
    ['HTTP/1.0 as not persistent', 'GET / HTTP/1.0', { keepsAlive: false }],
    ['HTTP/1.0 with keep-alive', 'GET / HTTP/1.0\nConnection: Keep-Alive', { keepsAlive: true }],
    [
      '100-continue (RFC 9110 §10.1.1)',
      'PUT / HTTP/1.1\nHost: a\nExpect: 100-Continue\nContent-Length: 5',
      { expectsContinue: true },
    ],
    [
      '100-continue without content',
      'PUT / HTTP/1.1\nHost: a\nExpect: 100-continue',
      { expectsContinue: false },
    ],
    [
      'an expectation in HTTP/1.0 (RFC 9110 §10.1.1)',
      'PUT / HTTP/1.0\nExpect: tea\nContent-Length: 5',
      { expectsContinue: false },
    ],
    [
      'Upgrade (RFC 9110 §7.8)',
      'GET / HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: WebSocket',
      { upgrade: 'websocket' },
    ],
    [
      'Upgrade without the connection option',
      'GET / HTTP/1.1\nHost: a\nUpgrade: websocket',
      { upgrade: undefined },
    ],
    [
      'Upgrade in HTTP/1.0',
      'GET / HTTP/1.0\nConnection: upgrade\nUpgrade: websocket',
      { upgrade: undefined },
    ],
    [
      'Upgrade with content',
      'GET / HTTP/1.1\nHost: a\nConnection: upgrade\nUpgrade: websocket\nContent-Length: 5',
      { upgrade: undefined },
    ],
    ['content as large as may be', 'POST / HTTP/1.1\nHost: a\nContent-Length: 1000', { length: 1000 }],
    ['chunked content', 'POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked', { length: 'chunked' }],
  ]
  for (const [what, head, expected, secure] of accepted) {
    test(`accepts ${what}`, () => {
      const result = accept(head, secure)
      assert.ok(!isRefusal(result), JSON.stringify(result))
      for (const [key, value] of Object.entries(expected))
        assert.equal(result[key as keyof AcceptedRequest], value, key)
    })
  }

  const refused: [what: string, head: string, status: number][] = [
    ['HTTP/1.1 without Host (RFC 9112 §3.2)', 'GET / HTTP/1.1', 400],
    ['an empty Host', 'GET / HTTP/1.1\nHost:', 400],
    ['two Host fields (RFC 9112 §3.2)', 'GET / HTTP/1.1\nHost: a\nHost: a', 400],
    ['two Host fields in HTTP/1.0', 'GET / HTTP/1.0\nHost: a\nHost: b', 400],
    ['userinfo in Host', 'GET / HTTP/1.1\nHost: me@a', 400],
    ['userinfo in the target (RFC 9110 §4.2.4)', 'GET http://me@b/ HTTP/1.1\nHost: b', 400],
    ['a bad Host beside absolute-form', 'GET http://b/ HTTP/1.1\nHost: a b', 400],
    ['absolute-form without host', 'GET http:///x HTTP/1.1\nHost: a', 400],
    ['another scheme', 'GET ftp://b/ HTTP/1.1\nHost: a', 400],
    ['https without TLS (RFC 9110 §7.4)', 'GET https://b/ HTTP/1.1\nHost: a', 421],
    ['a target that is no path', 'GET index.html HTTP/1.1\nHost: a', 400],
    ['asterisk-form for GET', 'GET * HTTP/1.1\nHost: a', 400],
    ['CONNECT', 'CONNECT a:443 HTTP/1.1\nHost: a:443', 501],
    ['TRACE', 'TRACE / HTTP/1.1\nHost: a', 501],
    [
      'another expectation (RFC 9110 §10.1.1)',
      'PUT / HTTP/1.1\nHost: a\nExpect: tea\nContent-Length: 5',
      417,
    ],
    ['content that is too large', 'POST / HTTP/1.1\nHost: a\nContent-Length: 1001', 413],
    [
      'both lengths (RFC 9112 §6.1)',
      'POST / HTTP/1.1\nHost: a\nContent-Length: 5\nTransfer-Encoding: chunked',
      400,
    ],
  ]
  for (const [what, head, status] of refused) {
    test(`refuses ${what}: ${status}`, () => {
      const result = accept(head)
      assert.ok(isRefusal(result), 'accepted')
      assert.equal(result.status, status, result.reason)
    })
  }
})

describe('httpLimits()', () => {
  test('has a limit for every setting, within its own bounds', () => {
    const values = Object.values(httpLimits())
    assert.equal(values.length, Object.keys(httpLimitSettings.fields).length)
    for (const value of values) assert.ok(value > 0)
    for (const [name, setting] of Object.entries(httpLimitSettings.fields)) {
      assert.ok('min' in setting && Number(setting.initial) >= setting.min!, name)
      assert.ok('max' in setting && Number(setting.initial) <= setting.max!, name)
    }
  })

  test('takes what was written', () => {
    assert.equal(httpLimits({ header: 65_536 }).headerOctets, 65_536)
  })
})
