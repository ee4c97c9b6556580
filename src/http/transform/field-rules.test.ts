import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ask } from '../../../test/exchange.ts'
import { originAt } from '../../../test/origin.ts'
import { startProxy, startScript, talk } from '../../../test/proxy.ts'

import { handlerOf, transformOf } from '../../../test/transform.ts'
import { fieldFault } from '../check.ts'
import { fieldsOf } from '../wire/fields.ts'
import type { TransformConfig } from './config.ts'
import { compileTemplate, variablesIn } from './variables.ts'

const OK = 'HTTP/1.1 200 OK\r\nServer: x\r\nX-Powered-By: y\r\nContent-Length: 2\r\n\r\nok'

async function start(written: TransformConfig): Promise<{ port: number; heads: string[] }> {
  const origin = await startScript(OK)
  const { port } = await startProxy([originAt(origin.port)], { transform: transformOf(written) })
  return { port, heads: origin.heads }
}

describe('rules of requests', () => {
  test('remove, set and add fields for the origin', async () => {
    const rules = { set: { 'X-Env': 'live', 'X-A': 'ours' }, add: { 'X-B': 'more' }, remove: ['Cookie'] }
    const { port, heads } = await start({ headers: { request: rules } })
    await talk(port, [
      'GET / HTTP/1.1\r\nHost: a\r\nCookie: s\r\nx-a: theirs\r\nX-B: one\r\nConnection: close\r\n\r\n',
    ])
    const lines = heads[0]!.split('\r\n').filter((line) => /^(?:x-env|x-a|x-b|cookie)/i.test(line))
    assert.deepEqual(lines, ['X-B: one', 'X-Env: live', 'X-A: ours', 'X-B: more'])
  })

  test('may say who asked where a client may not, also when Connection names it (RFC 9110 §7.6.1)', async () => {
    const { port, heads } = await start({
      headers: { request: { set: { 'X-Real-IP': '{client.address}' } } },
    })
    await talk(port, [
      'GET / HTTP/1.1\r\nHost: a\r\nX-Real-IP: 192.0.2.9\r\nConnection: close, x-real-ip\r\n\r\n',
    ])
    assert.deepEqual(heads[0]!.match(/x-real-ip: .*/gi), ['X-Real-IP: 127.0.0.1'])
  })

  test('are made anew for each request of a connection', async () => {
    const set = {
      'X-Say': '{request.method} {request.scheme} {request.host} {request.path} {request.query}',
      'X-Id': '{request.id}',
    }
    const { port, heads } = await start({ headers: { request: { set } } })
    const get = (rest: string): string => `GET /p?q=1 HTTP/1.1\r\nHost: a:1\r\n${rest}\r\n`
    await talk(port, [get(''), get('Connection: close\r\n')])
    const says = heads.map((head) => /X-Say: (.*)/.exec(head)?.[1])
    assert.deepEqual(says, ['GET http a /p q=1', 'GET http a /p q=1'])
    const ids = heads.map((head) => /X-Id: ([0-9a-f-]{36})/.exec(head)?.[1])
    assert.ok(ids[0] !== undefined && ids[1] !== undefined && ids[0] !== ids[1])
  })

  test('add no line that the file does not have, whatever octets come (RFC 9110 §5.5)', async () => {
    const set = { 'X-Say': '{request.target}{request.authority}{request.method}' }
    const { port, heads } = await start({ headers: { request: { set } } })
    const octet = fc.constantFrom(
      '\r',
      '\n',
      '\r\nEvil: 1\r\n',
      '%0d%0aEvil:1',
      ' ',
      '\u0000',
      'é',
      '{request.id}',
      'x',
      '/',
    )
    const text = fc.array(octet, { maxLength: 6 }).map((parts) => parts.join(''))
    await fc.assert(
      fc.asyncProperty(text, text, async (target, host) => {
        await send(port, `GET /${target} HTTP/1.1\r\nHost: a${host}\r\nConnection: close\r\n\r\n`)
      }),
      { numRuns: 60 },
    )
    for (const head of heads) {
      assert.equal(head.match(/^X-Say: /gm)?.length, 1)
      assert.equal(head.match(/[^\r]\n|\r[^\n]/), null)
    }
  })
})

/** As `talk`, for what may be refused at once. */
async function send(port: number, octets: string): Promise<void> {
  const socket = net.connect(port, '127.0.0.1')
  socket.on('error', () => {}).resume()
  socket.end(octets, 'latin1')
  await once(socket, 'close')
}

test('rules of responses remove, set and add fields, those of a route after those of its host', async () => {
  const response = {
    remove: ['server', 'X-Powered-By'],
    set: { 'X-Robots-Tag': 'noindex', 'X-Host': '{request.host}' },
  }
  const { port } = await start({ headers: { response } })
  const answer = await talk(port, ['GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'])
  assert.equal(
    answer,
    'HTTP/1.1 200 OK\r\nVia: 1.1 portico\r\nX-Robots-Tag: noindex\r\nX-Host: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok',
  )
})

describe('"security"', () => {
  const handler = handlerOf(
    { security: true, headers: { response: { remove: ['Referrer-Policy'] } } },
    (exchange) => {
      const fields = fieldsOf([['X-Frame-Options', 'DENY']])
      exchange.respond({ status: 200, fields, lengthOctets: 0 }, null)
    },
  )

  test('says what the response does not, and rules have the last word (RFC 7034 §2.1)', async () => {
    const { fields } = (await ask(handler, {})).head
    const names = ['x-frame-options', 'x-content-type-options', 'referrer-policy']
    assert.deepEqual(
      names.map((name) => fields.all(name).join()),
      ['DENY', 'nosniff', ''],
    )
  })

  test('asks for TLS over TLS only, and not on a laptop (RFC 6797 §6.1, §7.2)', async () => {
    const strictness = async (secure: boolean, host: string): Promise<string | undefined> =>
      (await ask(handler, { secure, host })).head.fields.get('strict-transport-security')
    assert.equal(await strictness(true, 'example.com'), 'max-age=31536000')
    assert.equal(await strictness(false, 'example.com'), undefined)
    assert.equal(await strictness(true, 'example.com.localhost'), undefined)
  })
})

test('braces around anything but a name with a dot are text', () => {
  const text = '{"group":"x"} {} {a} {request.id} {client.adress}'
  assert.deepEqual(variablesIn(text), ['request.id', 'client.adress'])
  const scope = { request: {} as never, requestId: () => '7' }
  assert.equal(compileTemplate(text).fill(scope), '{"group":"x"} {} {a} 7 {client.adress}')
})

test('what check lets through can be sent, and nothing else (RFC 9110 §5.1, §5.5)', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom('X-A', 'a b', 'é', 'x\r\ny', '\t x'),
  )
  fc.assert(
    fc.property(text, text, (name, value) => {
      const isRefused = fieldFault(name, value) !== undefined
      if (isRefused)
        assert.throws(() => fieldsOf([[name, value.replace(/^[ \t]+|[ \t]+$/g, '')]]), RangeError)
      else assert.equal(fieldsOf([[name, value]]).size, 1)
    }),
  )
})
