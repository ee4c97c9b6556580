import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import http2 from 'node:http2'
import net from 'node:net'
import { after, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import tls from 'node:tls'
import { silent } from '#core/log.ts'
import { testCertificate } from '../../test/certificate.ts'
import { until } from '../../test/running.ts'
import { type HttpLimitsConfig, httpLimits } from './config.ts'
import type { Handler } from './exchange.ts'
import { createHttpServer, type HttpListener, type HttpServer } from './server.ts'
import { fieldsOf, noFields } from './wire/fields.ts'

const servers: HttpServer[] = []
after(() => Promise.all(servers.map((server) => server.close(0))))

function create(handler: Handler, limits: HttpLimitsConfig = {}): HttpServer {
  const server = createHttpServer({ limits: httpLimits(limits), handler, log: silent })
  servers.push(server)
  return server
}

async function listen(server: HttpServer, tlsOptions?: tls.TlsOptions): Promise<HttpListener> {
  const options = tlsOptions === undefined ? {} : { tls: tlsOptions }
  const listener = await server.prepare({ address: '127.0.0.1', port: 0, ...options })
  listener.commit()
  return listener
}

const say =
  (text: string): Handler =>
  (exchange) =>
    exchange.respond({ status: 200, fields: noFields, lengthOctets: null }, Buffer.from(text))

async function ask(socket: net.Socket, lines = ''): Promise<string> {
  socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`)
  const [octets] = await once(socket, 'data')
  return String(octets)
}

/** The kernel's "02" for a timer that probes an idle connection. */
const KEEPALIVE = '02'

/** Which timer the kernel runs for the connection between two ports of 127.0.0.1, seen from the first. */
async function timerOf(local: number, remote: number): Promise<string | undefined> {
  const end = (port: number): string => `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n')
  return lines
    .find((line) => line.includes(`${end(local)} ${end(remote)}`))
    ?.trim()
    .split(/\s+/)[5]
    ?.slice(0, 2)
}

describe('a server', () => {
  test('names address and port that it cannot listen on', async () => {
    const server = create(say('a'))
    const { port } = await listen(server)
    await assert.rejects(server.prepare({ address: '127.0.0.1', port }), {
      message: `Cannot listen on 127.0.0.1:${port}: another program listens on that port`,
    })
  })

  test('lets connections wait until its listener is committed', async () => {
    const server = create(say('a'))
    const listener = await server.prepare({ address: '127.0.0.1', port: 0 })
    const socket = net.connect(listener.port, '127.0.0.1')
    const answer = ask(socket)
    await pause(30)
    assert.equal(server.stats.requests, 0)
    listener.commit()
    assert.match(await answer, /a$/)
    socket.destroy()
  })

  test('closes connections of a listener that is given up before its commit', async () => {
    const server = create(say('a'))
    const listener = await server.prepare({ address: '127.0.0.1', port: 0 })
    const socket = net.connect(listener.port, '127.0.0.1').on('error', () => {})
    await once(socket, 'connect')
    await pause(30)
    listener.retire()
    await once(socket, 'close')
  })

  test('answers the next request with the handler that was committed', async () => {
    const server = create(say('old'))
    const { port } = await listen(server)
    const socket = net.connect(port, '127.0.0.1')
    assert.match(await ask(socket), /old$/)
    server.commit(say('new'), httpLimits())
    assert.match(await ask(socket), /new$/)
    socket.destroy()
  })

  test('keeps the connections of a listener that retired', async () => {
    const server = create(say('a'))
    const listener = await listen(server)
    const socket = net.connect(listener.port, '127.0.0.1')
    await ask(socket)
    listener.retire()
    assert.match(await ask(socket), /a$/)
    const late = net.connect(listener.port, '127.0.0.1')
    await assert.rejects(once(late, 'connect'), { code: 'ECONNREFUSED' })
    socket.destroy()
  })

  test('serves the first request of a connection that came just before it drains, and waits a second for it', async () => {
    const server = create(say('late'))
    const { port } = await listen(server)
    const [asks, silent] = [net.connect(port, '127.0.0.1'), net.connect(port, '127.0.0.1')]
    await Promise.all([once(asks, 'connect'), once(silent, 'connect')])
    await pause(30)
    const started = performance.now()
    const closed = server.close(10_000)
    await pause(100)
    assert.match(await ask(asks), /Connection: close\r\n.*late$/s)
    silent.on('error', () => {}).resume()
    asks.end()
    await closed
    assert.ok(performance.now() - started < 6000, `${performance.now() - started} ms`)
  })

  test('lets a handshake that is under way end, and serves its request, when it drains', async () => {
    const server = create(say('late'))
    const { port } = await listen(server, await testCertificate())
    const raw = net.connect(port, '127.0.0.1')
    await once(raw, 'connect')
    await pause(30)
    const closed = server.close(10_000)
    await pause(50)
    const socket = tls.connect({ socket: raw, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    assert.match(await ask(socket), /late$/)
    socket.end()
    await closed
  })

  test('closes idle connections, finishes what is under way and says close when it drains', async () => {
    const ends: string[] = []
    const server = create((exchange) => {
      exchange.onEnd = ({ reason }) => ends.push(reason)
      setTimeout(() => say('slow')(exchange), 150)
    })
    const { port } = await listen(server)
    const [idle, busy] = [net.connect(port, '127.0.0.1'), net.connect(port, '127.0.0.1')]
    await Promise.all([once(idle, 'connect'), once(busy, 'connect')])
    const answer = ask(busy)
    await pause(30)
    const closed = server.close(5000)
    await once(idle.resume(), 'end')
    assert.match(await answer, /Connection: close\r\n.*slow$/s)
    idle.end()
    busy.end()
    await closed
    assert.deepEqual(ends, ['finished'])
    assert.equal(server.openConnections(), 0)
  })

  test('breaks off what is under way at the deadline', async () => {
    const ends: string[] = []
    const server = create((exchange) => {
      exchange.onEnd = ({ reason }) => ends.push(reason)
    })
    const { port } = await listen(server)
    const socket = net.connect(port, '127.0.0.1').on('error', () => {})
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await pause(30)
    const began = performance.now()
    await server.close(100)
    assert.ok(performance.now() - began < 1000)
    assert.deepEqual(ends, ['drain'])
  })

  test('turns away connections beyond its limit', async () => {
    const server = create(say('a'), { connections: 1 })
    const { port } = await listen(server)
    const first = net.connect(port, '127.0.0.1')
    await ask(first)
    const second = net.connect(port, '127.0.0.1').on('error', () => {})
    await once(second, 'close')
    assert.equal(server.stats.turnedAway, 1)
    assert.match(await ask(first), /a$/)
    first.destroy()
  })

  test('has the kernel probe clients that say nothing', { skip: process.platform !== 'linux' }, async () => {
    const { port } = await listen(create(say('a')))
    const socket = net.connect(port, '127.0.0.1')
    await ask(socket)
    // The acknowledgement of the answer may be late.
    await pause(100)
    assert.equal(await timerOf(port, socket.localPort!), KEEPALIVE)
    socket.destroy()
  })

  test('counts', async () => {
    const server = create((exchange) => {
      const status = exchange.request.target === '/' ? 200 : 404
      exchange.respond({ status, fields: fieldsOf([]), lengthOctets: null }, Buffer.from('abc'))
    })
    const { port } = await listen(server)
    await (await fetch(`http://127.0.0.1:${port}/`)).text()
    await (await fetch(`http://127.0.0.1:${port}/x`)).text()
    const { requests, byClass, sentOctets, accepted } = server.stats
    assert.deepEqual([requests, byClass[2], byClass[4], sentOctets], [2, 1, 1, 6])
    assert.ok(accepted >= 1)
  })
})

describe('a server with TLS', () => {
  test('says that the client is secure, and moves large content both ways', async () => {
    const server = create((exchange) => {
      const { secure } = exchange.request.client
      const body = exchange.request.body!
      exchange.respond(
        { status: 200, fields: fieldsOf([['Secure', String(secure)]]), lengthOctets: null },
        body,
      )
    })
    const { port } = await listen(server, await testCertificate())
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    const content = Buffer.alloc(3_000_000, 'abcdefg')
    socket.write(`POST / HTTP/1.0\r\nContent-Length: ${content.length}\r\n\r\n`)
    socket.write(content)
    const parts: Buffer[] = []
    for await (const part of socket) parts.push(part)
    const received = Buffer.concat(parts)
    const head = received.subarray(0, received.indexOf('\r\n\r\n') + 4)
    assert.match(head.toString(), /^HTTP\/1.1 200 OK\r\nSecure: true\r\n/)
    assert.ok(received.subarray(head.length).equals(content))
  })

  test('sends what a source wrote, though the source reuses its memory', async () => {
    const server = create((exchange) => {
      const memory = Buffer.alloc(40_000)
      let parts = 0
      const read = (): Uint8Array | null => (parts < 200 ? memory.fill(parts++) : null)
      exchange.respond({ status: 200, fields: noFields, lengthOctets: null }, { read, cancel() {} })
    })
    const { port } = await listen(server, await testCertificate())
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    socket.write('GET / HTTP/1.0\r\n\r\n')
    const parts: Buffer[] = []
    for await (const part of socket) parts.push(part)
    const received = Buffer.concat(parts)
    const content = received.subarray(received.indexOf('\r\n\r\n') + 4)
    assert.equal(content.length, 8_000_000)
    for (let i = 0; i < 200; i++)
      assert.ok(content.subarray(i * 40_000, (i + 1) * 40_000).every((octet) => octet === i))
  })

  test('goes on after a handshake that fails', async () => {
    const server = create(say('a'))
    const { port } = await listen(server, await testCertificate())
    const plain = net.connect(port, '127.0.0.1').on('error', () => {})
    plain.resume().write('GET / HTTP/1.1\r\n\r\n')
    await once(plain, 'close')
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    assert.match(await ask(socket), /a$/)
    socket.destroy()
  })
})

describe('a client that begins with HTTP/2 without TLS', () => {
  test('is answered in HTTP/2 on the port of HTTP/1.1 (RFC 9113 §3.3, §3.4)', async () => {
    const server = create(say('h2'))
    const { port } = await listen(server)
    const session = http2.connect(`http://127.0.0.1:${port}`)
    const stream = session.request({ ':path': '/' })
    let content = ''
    for await (const octets of stream) content += octets
    assert.equal(content, 'h2')
    assert.equal(server.openConnections(), 1)
    session.close()
    await until(() => server.openConnections() === 0)
  })

  test('whose preface comes in two parts is known by its first line', async () => {
    const { port } = await listen(create(say('h2')))
    const socket = net.connect(port, '127.0.0.1')
    socket.write('PRI * HTTP/2.0\r\n\r\n')
    await pause(20)
    socket.write('SM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1')
    const [octets] = await once(socket, 'data')
    assert.equal(octets[3], 4, 'SETTINGS')
    socket.destroy()
  })

  test('is refused after a request of HTTP/1.1: it may be what someone has smuggled', async () => {
    const { port } = await listen(create(say('a')))
    const socket = net.connect(port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    assert.match(await ask(socket, ''), /a\r?\n?.*HTTP\/1\.1 505/s)
  })
})
