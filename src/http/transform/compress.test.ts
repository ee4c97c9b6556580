import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import http, { type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { brotliDecompressSync, createGunzip, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { ask as askHandler } from '../../../test/exchange.ts'
import { originAt } from '../../../test/origin.ts'
import { peer } from '../../../test/peers.ts'
import { startProxy } from '../../../test/proxy.ts'
import { handlerOf, transformOf } from '../../../test/transform.ts'
import { fieldsOf } from '../wire/fields.ts'

const curl = peer('curl')
const TEXT = 'The same words again and again. '.repeat(4000)

const servers: http.Server[] = []
after(() => {
  for (const server of servers) server.closeAllConnections()
  for (const server of servers) server.close()
})

/** Portico with "compress" in front of an origin. */
async function start(listener: RequestListener): Promise<number> {
  const server = http.createServer(listener).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const origin = originAt((server.address() as AddressInfo).port)
  return (await startProxy([origin], { transform: transformOf({ compress: true }) })).port
}

async function ask(port: number, headers: Record<string, string>, method = 'GET'): Promise<IncomingMessage> {
  const request = http.request({ port, host: '127.0.0.1', headers, method, agent: false }).end()
  return (await once(request, 'response'))[0] as IncomingMessage
}

async function octetsOf(response: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

const decoders = { gzip: gunzipSync, br: brotliDecompressSync, zstd: zstdDecompressSync }

describe('content comes back as it was (RFC 9110 §8.4.1, RFC 8878 §7)', () => {
  for (const [coding, decode] of Object.entries(decoders)) {
    for (const octets of [1500, 4097, 16_385, TEXT.length]) {
      test(`${octets} octets with ${coding}`, async () => {
        const port = await start((_, response) => {
          response.setHeader('Content-Type', 'text/plain').setHeader('Content-Length', octets)
          response.end(TEXT.slice(0, octets))
        })
        const response = await ask(port, { 'Accept-Encoding': coding })
        assert.equal(response.headers['content-encoding'], coding)
        const content = await octetsOf(response)
        const length = response.headers['content-length']
        assert.ok(length === undefined || Number(length) === content.length)
        assert.ok(content.length < octets / 5, `${content.length} octets came`)
        assert.equal(decode(content).toString(), TEXT.slice(0, octets))
      })
    }
  }

  test('64 MiB in pieces, slowly read, with bounded memory', async () => {
    const block = Buffer.from(TEXT.repeat(8))
    let sent = 0
    const port = await start((_, response) => {
      response.setHeader('Content-Type', 'text/plain')
      const write = (): void => {
        while (sent < 64 * 2 ** 20) {
          sent += block.length
          if (!response.write(block)) return void response.once('drain', write)
        }
        response.end()
      }
      write()
    })
    const response = await ask(port, { 'Accept-Encoding': 'gzip' })
    let octets = 0
    for await (const part of response.pipe(createGunzip())) octets += (part as Buffer).length
    assert.equal(octets, sent)
  })
})

describe('the fields of a compressed response', () => {
  const origin: RequestListener = (request, response) => {
    response
      .setHeader('Content-Type', 'text/css')
      .setHeader('ETag', '"v1"')
      .setHeader('Accept-Ranges', 'bytes')
    response.setHeader('Repr-Digest', 'sha-256=:AAAA:').setHeader('Vary', 'Origin')
    if (request.headers['if-none-match'] !== undefined) response.writeHead(304).end()
    else response.end(TEXT)
  }

  test('weaken the ETag, name what it varies by, and promise nothing of other octets (RFC 9110 §8.8.1, §12.5.5; RFC 9530 §2, §3)', async () => {
    const port = await start(origin)
    const { headers } = await ask(port, { 'Accept-Encoding': 'br' })
    assert.equal(headers.etag, 'W/"v1"')
    assert.equal(headers.vary, 'Origin, Accept-Encoding')
    assert.equal(headers['accept-ranges'] ?? headers['repr-digest'], undefined)
  })

  test('are those of the origin for who accepts no coding, but for Vary (RFC 9110 §12.5.5)', async () => {
    const port = await start(origin)
    const response = await ask(port, {})
    assert.equal(response.headers.etag, '"v1"')
    assert.equal(response.headers.vary, 'Origin, Accept-Encoding')
    assert.equal(response.headers['content-encoding'], undefined)
    assert.equal((await octetsOf(response)).toString(), TEXT)
  })

  test('of 304 are those of the response that the client holds (RFC 9111 §4.3.4, RFC 9110 §15.4.5)', async () => {
    const port = await start(origin)
    for (const held of ['W/"v1"', '"v1"']) {
      const { headers, statusCode } = await ask(port, { 'Accept-Encoding': 'br', 'If-None-Match': held })
      assert.deepEqual([statusCode, headers.etag, headers.vary], [304, held, 'Origin, Accept-Encoding'])
    }
  })

  test('are those of plain content when it gets no shorter', async () => {
    const noise = randomBytes(2000)
    const fields = fieldsOf([
      ['Content-Type', 'text/plain'],
      ['ETag', '"n"'],
    ])
    const handler = handlerOf({ compress: true }, (exchange) => {
      exchange.respond({ status: 200, fields, lengthOctets: 2000 }, noise)
    })
    for (const coding of Object.keys(decoders)) {
      const { head, body } = await askHandler(handler, { fields: [['Accept-Encoding', coding]] })
      const [etag, vary, sent] = ['etag', 'vary', 'content-encoding'].map((name) => head.fields.get(name))
      assert.deepEqual([etag, vary, sent], ['"n"', 'Accept-Encoding', undefined])
      assert.equal(body, noise)
    }
  })

  test('of HEAD are those of plain content', async () => {
    const port = await start((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/css', 'Content-Length': 5000 }).end()
    })
    const { headers } = await ask(port, { 'Accept-Encoding': 'br' }, 'HEAD')
    assert.deepEqual([headers['content-length'], headers['content-encoding']], ['5000', undefined])
  })
})

for (const coding of ['gzip', 'br', 'zstd']) {
  test(`an event is sent when it happens, with ${coding}`, async () => {
    let send: (event: string) => void = () => {}
    let isGone = false
    const port = await start((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      send = (event) => response.write(event)
      response.on('close', () => (isGone = true))
      response.flushHeaders()
    })
    const response = await ask(port, { 'Accept-Encoding': coding })
    assert.equal(response.headers['content-encoding'], coding)
    for (let i = 0; i < 5; i++) {
      const arrived = once(response, 'data', { signal: AbortSignal.timeout(2000) })
      send(`data: ${i}\n\n`)
      await arrived
    }
    // The client leaves: the origin must learn it.
    response.socket.resetAndDestroy()
    for (let i = 0; !isGone && i < 200; i++) await pause(10)
    assert.ok(isGone, 'the origin was told')
  })
}

test('an origin that breaks off does not look complete, and frees the compressor', async () => {
  const port = await start((request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain' })
    response.write('x'.repeat(5000))
    if (request.url === '/') response.end()
    else setTimeout(() => response.destroy(), 5)
  })
  const options = {
    port,
    host: '127.0.0.1',
    path: '/broken',
    headers: { 'Accept-Encoding': 'gzip' },
    agent: false,
  }
  // More than there may be compressors at a time.
  for (let i = 0; i < 150; i++) {
    const request = http.get(options, (response) => {
      response.on('error', () => {}).on('end', () => assert.fail('it looked complete'))
      response.resume()
    })
    request.on('error', () => {})
    await new Promise((resolve) => request.once('close', resolve))
  }
  const response = await ask(port, { 'Accept-Encoding': 'gzip' })
  assert.equal(response.headers['content-encoding'], 'gzip')
  assert.equal(gunzipSync(await octetsOf(response)).length, 5000)
})

test('curl --compressed reads it', { skip: curl ? false : 'needs curl' }, async () => {
  const port = await start((_, response) => {
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify(TEXT))
  })
  const { stdout } = await promisify(execFile)(curl!, ['-s', '--compressed', `http://127.0.0.1:${port}/`])
  assert.equal(stdout, JSON.stringify(TEXT))
})
