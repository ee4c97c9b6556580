import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2 from 'node:http2'
import net from 'node:net'
import { after, before, describe, test } from 'node:test'
import tls from 'node:tls'
import { silent } from '#core/log.ts'
import { testCertificate } from '../../test/certificate.ts'
import { until } from '../../test/running.ts'
import { httpLimits } from './config.ts'
import type { Client } from './exchange.ts'
import { createHttpServer, type HttpListener, type HttpServer } from './server.ts'
import { proxyHeader } from './wire/proxy-protocol.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
const ends = { address: '203.0.113.7', port: 50_000, localPort: 443 }

describe('a listener behind proxies', () => {
  const clients: Client[] = []
  const counted: string[] = []
  let server: HttpServer
  let plain: HttpListener
  let secure: HttpListener

  before(async () => {
    const { key, cert } = await testCertificate('localhost')
    server = createHttpServer({
      limits: httpLimits({ headerTimeout: 300 }),
      handler: (exchange) => {
        clients.push(exchange.request.client)
        exchange.respond({ status: 200, fields: exchange.request.fields, lengthOctets: 2 }, Buffer.from('ok'))
      },
      log: silent,
      mayConnect: (address) => counted.push(address) > 0,
    })
    const at = { address: '127.0.0.1', port: 0 }
    plain = await server.prepare(at)
    secure = await server.prepare({ ...at, tls: { key, cert, ALPNProtocols: ['h2', 'http/1.1'] } })
    for (const listener of [plain, secure]) {
      listener.isProxy = (address) => address === '127.0.0.1'
      listener.commit()
    }
  })
  after(() => server.close(0))

  /** Everything that comes back, for octets sent one piece after the other. */
  async function send(...pieces: readonly string[]): Promise<string> {
    const socket = net.connect(plain.port, '127.0.0.1')
    let received = ''
    socket.on('data', (octets) => (received += octets)).on('error', () => {})
    const closed = once(socket, 'close')
    for (const piece of pieces) {
      socket.write(piece, 'latin1')
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await closed
    return received
  }

  for (const version of [1, 2] as const) {
    test(`takes the client of version ${version} for the one who asks, for limits too`, async () => {
      const header = proxyHeader(version, ends)
      assert.match(await send(header + GET), /^HTTP\/1\.1 200/)
      assert.deepEqual(clients.at(-1), { ...ends, secure: false })
      assert.equal(counted.at(-1), ends.address)
      assert.match(await send(header.slice(0, 5), header.slice(5), GET), /^HTTP\/1\.1 200/)
      assert.deepEqual(clients.at(-1), { ...ends, secure: false })
    })
  }

  test('takes the proxy itself for the client of its own connections', async () => {
    assert.match(await send(proxyHeader(2, null) + GET), /^HTTP\/1\.1 200/)
    assert.equal(clients.at(-1)?.address, '127.0.0.1')
  })

  test('closes at once what begins with no header, and after a time what does not go on', async () => {
    assert.equal(await send(GET), '')
    const before = performance.now()
    assert.equal(await send('PROXY TCP4 '), '')
    assert.ok(performance.now() - before > 250)
    assert.equal(server.openConnections(), 0)
  })

  test('looks for no header of those who are no proxies: it would be whose they like', async () => {
    plain.isProxy = () => false
    assert.match(await send(proxyHeader(1, ends) + GET), /^HTTP\/1\.1 400/)
    assert.match(await send(GET), /^HTTP\/1\.1 200/)
    assert.equal(clients.at(-1)?.address, '127.0.0.1')
    plain.isProxy = () => true
  })

  test('reads it before the TLS handshake, whatever comes with it', async () => {
    for (const ALPNProtocols of [['http/1.1'], ['h2']]) {
      const raw = net.connect(secure.port, '127.0.0.1')
      await once(raw, 'connect')
      raw.write(proxyHeader(2, ends), 'latin1')
      const socket = tls.connect({ socket: raw, rejectUnauthorized: false, ALPNProtocols })
      await once(socket, 'secureConnect')
      const count = clients.length
      if (ALPNProtocols[0] === 'h2') {
        const session = http2.connect('https://localhost', { createConnection: () => socket })
        session.request({ ':path': '/' }).resume().end()
        await until(() => clients.length > count)
        session.destroy()
      } else {
        socket.write(GET)
        await until(() => clients.length > count)
      }
      socket.destroy()
      assert.deepEqual(clients.at(-1), { ...ends, secure: true })
    }
  })
})
