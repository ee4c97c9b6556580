import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fieldsOf } from '../wire/fields.ts'
import { http2Head, regularFields, withAccept } from './h2-head.ts'

describe('http2Head()', () => {
  test('says method, authority and path in pseudo-header fields, before the others (RFC 9113 §8.3.1)', () => {
    const head = 'POST /a?b HTTP/1.1\r\nHost: x.example:81\r\nAccept: text/*\r\nContent-Length: 5\r\n\r\n'
    assert.deepEqual(http2Head(head, 'https', false), [
      ':method',
      'POST',
      ':scheme',
      'https',
      ':authority',
      'x.example:81',
      ':path',
      '/a?b',
      'accept',
      'text/*',
      'content-length',
      '5',
    ])
  })

  test('leaves out what concerns the connection, but for TE: trailers (RFC 9113 §8.2.2)', () => {
    const lines =
      'Host: x\r\nTE: trailers\r\nConnection: TE\r\nKeep-Alive: 5\r\nTransfer-Encoding: chunked\r\n'
    assert.deepEqual(http2Head(`PUT * HTTP/1.1\r\n${lines}\r\n`, 'http', false).slice(8), ['te', 'trailers'])
  })

  test('asks by extended CONNECT for what Upgrade asks for (RFC 8441 §5, §5.1)', () => {
    const head =
      'GET /chat HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: a==\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
    const rest = [':scheme', 'http', ':authority', 'x', ':path', '/chat', 'sec-websocket-version', '13']
    assert.deepEqual(http2Head(head, 'http', true), [':method', 'CONNECT', ':protocol', 'websocket', ...rest])
    assert.deepEqual(http2Head(head, 'http', false), [':method', 'GET', ...rest])
  })
})

test('withAccept() answers the key of the client (RFC 6455 §1.3, §4.2.2)', () => {
  const head = 'GET / HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
  assert.equal(withAccept(fieldsOf([]), head).get('sec-websocket-accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
})

test('regularFields() leaves pseudo-header fields out and keeps each line', () => {
  const fields = regularFields([':status', '200', 'set-cookie', 'a', 'set-cookie', 'b'])
  assert.deepEqual(fields.all('set-cookie'), ['a', 'b'])
  assert.equal(fields.size, 2)
})
