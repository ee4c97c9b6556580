import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { ask, octetsOf } from '../../../test/exchange.ts'
import { temporaryFolder } from '../../../test/folder.ts'
import { originAt } from '../../../test/origin.ts'
import { startProxy, startScript, talk } from '../../../test/proxy.ts'
import { handlerOf, transformOf } from '../../../test/transform.ts'
import type { Handler } from '../exchange.ts'
import { fieldsOf } from '../wire/fields.ts'
import { respondPage } from '../wire/page.ts'
import type { TransformConfig } from './config.ts'

const folder = temporaryFolder()
writeFileSync(join(folder, '404.html'), '<h1>gone</h1>')
writeFileSync(join(folder, 'down.txt'), 'down')
writeFileSync(join(folder, 'large.html'), 'x'.repeat(2 ** 20 + 1))

const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

const respondOk: Handler = (exchange) => {
  exchange.respond({ status: 200, fields: fieldsOf([]), lengthOctets: 2 }, Buffer.from('ok'))
}

describe('pages of errors', () => {
  const errors = { '404': './404.html', '5xx': { page: './down.txt', origin: true } }

  test('stand instead of those that Portico makes, with their status and fields (RFC 9110 §8, §15.5)', async () => {
    const handler = handlerOf(
      { errors },
      (exchange) => {
        respondPage(exchange, { status: 503, detail: 'x', fault: 'origin', fields: [['Retry-After', '1']] })
      },
      folder,
    )
    const answer = await ask(handler, { fields: [['Accept', 'text/html']] })
    assert.equal(`${await octetsOf(answer)}`, 'down')
    const { fields } = answer.head
    assert.equal(answer.status, 503)
    assert.equal(fields.get('content-type'), 'text/plain; charset=utf-8')
    assert.equal(fields.get('retry-after'), '1')
    assert.equal(fields.get('content-security-policy'), undefined)
  })

  const table: readonly (readonly [name: string, origin: string, status: string, content: string])[] = [
    ['leave what an origin says alone', '404 Not Found', '404', 'its own'],
    ['stand instead of what an origin says where the file wants it', '502 Bad Gateway', '502', 'down'],
    ['leave what is no error alone', '200 OK', '200', 'its own'],
  ]
  for (const [name, line, status, content] of table) {
    test(name, async () => {
      const origin = await startScript(`HTTP/1.1 ${line}\r\nETag: "a"\r\nContent-Length: 7\r\n\r\nits own`)
      const proxy = await startProxy([originAt(origin.port)], { transform: transformOf({ errors }), folder })
      const answer = await talk(proxy.port, [GET])
      assert.equal(answer.slice(9, 12), status)
      assert.equal(answer.split('\r\n\r\n')[1], content)
      assert.equal(answer.includes('ETag'), content !== 'down')
    })
  }

  test('show for an origin that cannot be reached', async () => {
    const proxy = await startProxy([originAt(1)], { transform: transformOf({ errors }), folder })
    assert.match(await talk(proxy.port, [GET]), /^HTTP\/1\.1 502 [\s\S]*\r\n\r\ndown$/)
  })

  test('are found when the file is loaded, are bounded, and are read again', async () => {
    const open = (page: string): Handler => handlerOf({ errors: { '404': page } }, respondOk, folder)
    assert.throws(() => open('./none.html'), /none\.html/)
    assert.throws(() => open('./large.html'), /large\.html is larger than 1048576 octets/)
    writeFileSync(join(folder, 'new.html'), 'old')
    const handler = handlerOf(
      { errors: { '4xx': './new.html' } },
      (exchange) => {
        respondPage(exchange, { status: 404, detail: 'x', fault: null })
      },
      folder,
    )
    writeFileSync(join(folder, 'new.html'), 'new')
    await pause(2100)
    await ask(handler, {})
    await pause(100)
    assert.equal(`${await octetsOf(await ask(handler, {}))}`, 'new')
  })
})

describe('maintenance', () => {
  const handler = (written: TransformConfig): Handler => handlerOf(written, respondOk, folder)

  test('answers 503 (RFC 9110 §15.6.4)', async () => {
    const answer = await ask(handler({ maintenance: true }), {})
    assert.equal(answer.status, 503)
    assert.equal(answer.head.fields.get('retry-after'), undefined)
    assert.equal(answer.note.answeredBy, 'maintenance')
  })

  test('says when to come back, with a page of its own (RFC 9110 §10.2.3)', async () => {
    const answer = await ask(handler({ maintenance: { page: './down.txt', retryAfter: 600_000 } }), {})
    assert.equal(answer.head.fields.get('retry-after'), '600')
    assert.equal(`${await octetsOf(answer)}`, 'down')
  })

  test('lets those in who work on it', async () => {
    const allowed = (allow: string[]) => ask(handler({ maintenance: { allow } }), {})
    assert.equal((await allowed(['192.0.2.0/24'])).status, 200)
    assert.equal((await allowed(['192.0.2.2', '2001:db8::/32'])).status, 503)
  })

  test('is off when a route says so', async () => {
    assert.equal((await ask(handler({ maintenance: false }), {})).status, 200)
  })
})

test('early hints go before the response, to browsers that open a page (RFC 8297 §2, §3)', async () => {
  const origin = await startScript('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  const earlyHints = ['</a.css>; rel=preload; as=style', '</b.js>; rel=preload; as=script']
  const proxy = await startProxy([originAt(origin.port)], { transform: transformOf({ earlyHints }) })
  const ok = 'HTTP/1.1 200 OK\r\nVia: 1.1 portico\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok'
  assert.equal(
    await talk(proxy.port, [GET.replace('\r\n\r\n', '\r\nSec-Fetch-Mode: navigate\r\n\r\n')]),
    `HTTP/1.1 103 Early Hints\r\nLink: ${earlyHints[0]}\r\nLink: ${earlyHints[1]}\r\n\r\n${ok}`,
  )
  assert.equal(await talk(proxy.port, [GET]), ok)
})
