import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2 from 'node:http2'
import net, { type AddressInfo } from 'node:net'
import { after, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import tls from 'node:tls'
import { WebSocket } from 'ws'
import { testCertificate } from '../../../test/certificate.ts'
import { originAt } from '../../../test/origin.ts'
import {
  type ProxyOptions,
  type StartedProxy,
  startOrigin,
  startProxy,
  startScript,
  talk,
} from '../../../test/proxy.ts'
import { until } from '../../../test/running.ts'

const servers: http2.Http2Server[] = []
const clients: http2.ClientHttp2Session[] = []
after(() => {
  for (const client of clients) client.destroy()
  for (const server of servers) server.close()
})

type Serve = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders, count: number) => void

/** An origin that speaks HTTP/2, and Portico before it. */
async function start(
  serve: Serve,
  { settings = {}, ...options }: ProxyOptions & { readonly settings?: http2.Settings } = {},
): Promise<StartedProxy & { sessions: http2.ServerHttp2Session[]; streams: http2.ServerHttp2Stream[] }> {
  const server = http2.createServer({ settings })
  const sessions: http2.ServerHttp2Session[] = []
  const streams: http2.ServerHttp2Stream[] = []
  server.on('session', (session) => sessions.push(session))
  server.on('stream', (stream: http2.ServerHttp2Stream, headers) => {
    stream.on('error', () => {})
    streams.push(stream)
    serve(stream, headers, streams.length)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  servers.push(server)
  const { port } = server.address() as AddressInfo
  return { ...(await startProxy([originAt(port, { speaksHttp2: true })], options)), sessions, streams }
}

const get = (port: number, lines = ''): Promise<string> =>
  talk(port, [`GET /a?b HTTP/1.1\r\nHost: x.example\r\n${lines}Connection: close\r\n\r\n`])

const post = (port: number, content: string): Promise<string> => {
  const head = `POST / HTTP/1.1\r\nHost: x.example\r\nContent-Length: ${content.length}\r\nConnection: close\r\n\r\n`
  return talk(port, [head + content])
}

describe('a client of HTTP/1.1 before an origin of HTTP/2', () => {
  test('is passed on, with what a gateway says of it, and the answer comes back (RFC 9113 §8.3.1)', async () => {
    let asked: http2.IncomingHttpHeaders = {}
    const { port } = await start((stream, headers) => {
      asked = headers
      stream.respond({ ':status': 200, 'set-cookie': ['a=1', 'b=2'], 'content-length': 5 })
      stream.end('hello')
    })
    const answer = await get(port, 'Accept: a, b\r\nKeep-Alive: 3\r\n')
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n/)
    assert.match(answer, /Via: 2 portico\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello$/)
    const { ':method': method, ':path': path, ':authority': authority, accept, via } = asked
    assert.deepEqual([method, path, authority, accept], ['GET', '/a?b', 'x.example', 'a, b'])
    assert.equal(via, '1.1 portico')
    assert.equal(asked['x-forwarded-for'], '127.0.0.1')
    assert.equal('keep-alive' in asked, false)
  })

  test('has answers without content, and interim ones (RFC 9110 §6.4.1, §15.2)', async () => {
    const { port } = await start((stream) => {
      stream.additionalHeaders({ ':status': 103, link: '</a.css>; rel=preload' })
      stream.respond({ ':status': 304, etag: '"1"' }, { endStream: true })
    })
    assert.match(await get(port), /^HTTP\/1\.1 103 .*\r\nlink: <\/a\.css>.*HTTP\/1\.1 304 .*etag: "1"/s)
    const head = await talk(port, ['HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'])
    assert.match(head, /304/)
  })

  test('has its trailers passed on, and gets those of the origin (RFC 9110 §6.5)', async () => {
    let trailers: unknown
    const { port } = await start((stream) => {
      stream.on('trailers', (fields) => (trailers = { ...fields }))
      stream.resume()
      stream.on('end', () => {
        stream.respond({ ':status': 200 }, { waitForTrailers: true })
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }))
        stream.end('body')
      })
    })
    const lines = 'Host: a\r\nTE: trailers\r\nConnection: close, TE\r\nTransfer-Encoding: chunked\r\n'
    const answer = await talk(port, [`POST / HTTP/1.1\r\n${lines}\r\n3\r\nabc\r\n0\r\nx-md5: 5\r\n\r\n`])
    assert.match(answer, /4\r\nbody\r\n0\r\nx-sum: 7\r\n\r\n$/)
    assert.equal((trailers as { 'x-md5'?: string })['x-md5'], '5')
  })

  test('may say a field twice, in trailers too: what it means is for the origin to judge (RFC 9110 §5.3)', async () => {
    let raw: readonly string[] = []
    const { port } = await start((stream, headers) => {
      raw = Object.keys(headers)
      stream.on('trailers', () => {})
      stream.resume().on('end', () => {
        stream.respond({ ':status': 200 })
        stream.end('ok')
      })
    })
    const lines = 'Content-Type: a/b\r\nContent-Type: c/d\r\nIf-Match: "1"\r\nIf-Match: "2"\r\n'
    const head = `POST / HTTP/1.1\r\nHost: a\r\n${lines}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n`
    assert.match(
      await talk(port, [`${head}1\r\nx\r\n0\r\nX-A: 1\r\nLast-Modified: 1\r\nLast-Modified: 2\r\n\r\n`]),
      / 200 /,
    )
    assert.ok(raw.includes('if-match'))
  })

  test('that waits for 100 sends when the origin wants it (RFC 9110 §10.1.1)', async () => {
    const { port } = await start((stream) => {
      stream.additionalHeaders({ ':status': 100 })
      stream.respond({ ':status': 200 })
      stream.pipe(stream)
    })
    const socket = net.connect(port, '127.0.0.1')
    let received = ''
    socket.on('data', (octets) => (received += octets))
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n')
    await until(() => received.includes('100 Continue'))
    socket.write('ok')
    await until(() => received.includes('\r\nok\r\n'))
    socket.destroy()
  })

  test('opens a WebSocket by extended CONNECT (RFC 8441 §5, §5.1)', async () => {
    let asked: http2.IncomingHttpHeaders = {}
    const { port, streams } = await start(
      (stream, headers) => {
        asked = headers
        stream.respond({ ':status': 200, 'sec-websocket-protocol': 'chat' })
        // A frame of text, "hi", which servers do not mask.
        stream.write(Buffer.from([0x81, 2, 0x68, 0x69]))
      },
      { settings: { enableConnectProtocol: true } },
    )
    const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`, 'chat')
    const [message] = await once(socket, 'message')
    assert.equal(String(message), 'hi')
    assert.deepEqual(
      [asked[':method'], asked[':protocol'], asked[':path']],
      ['CONNECT', 'websocket', '/chat'],
    )
    assert.equal('sec-websocket-key' in asked, false)
    socket.terminate()
    await until(() => streams[0]!.destroyed || streams[0]!.readableEnded)
  })

  test('asks an origin that takes no tunnels without one (RFC 9110 §7.8)', async () => {
    const { port } = await start((stream, headers) => {
      stream.respond({ ':status': headers[':method'] === 'GET' ? 400 : 500 }, { endStream: true })
    })
    const lines =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n'
    assert.match(await talk(port, [`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`], /\r\n\r\n/), / 400 /)
  })
})

describe('a stream that the origin ends', () => {
  test('with REFUSED_STREAM is asked for again with its content (RFC 9113 §8.7)', async () => {
    const { port, streams } = await start((stream, _headers, count) => {
      if (count < 3) return stream.close(http2.constants.NGHTTP2_REFUSED_STREAM)
      stream.respond({ ':status': 200 })
      stream.pipe(stream)
    })
    assert.match(await post(port, 'content'), /200 OK.*\r\ncontent\r\n/s)
    assert.equal(streams.length, 3)
  })

  test('with REFUSED_STREAM again and again is refused', async () => {
    const { port, streams } = await start((stream) => stream.close(http2.constants.NGHTTP2_REFUSED_STREAM))
    assert.match(await post(port, 'content'), /502 .*The origin refused the request\./s)
    assert.equal(streams.length, 4)
  })

  test('by a GOAWAY that does not name it is asked for again on another connection (RFC 9113 §6.8)', async () => {
    const goaway = frame(7, 0, 0, '00000000 00000000')
    const { port, connections } = await startFrames((count) =>
      count === 1 ? [goaway] : [frame(1, 5, 1, '89')],
    )
    assert.match(await post(port, 'content'), /204 No Content/)
    assert.equal(connections(), 2)
  })

  test('with another code before the answer gives 502, and is not asked for again', async () => {
    const { port, streams, ends } = await start((stream) =>
      stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR),
    )
    assert.match(await post(port, 'content'), /502/)
    assert.equal(streams.length, 1)
    assert.equal(ends[0]?.note.reason, 'the origin ended the stream with INTERNAL_ERROR')
  })

  for (const [code, name] of [
    ['08', 'CANCEL'],
    ['02', 'INTERNAL_ERROR'],
  ] as const) {
    test(`with ${name} in the middle ends the client's in the same way (RFC 9113 §7)`, async () => {
      const reset = frame(3, 0, 1, `000000 ${code}`)
      const answer = Buffer.concat([frame(1, 4, 1, '88'), frame(0, 0, 1, '61')])
      const { port } = await startFrames(() => [answer, reset], { http2: true })
      const client = http2.connect(`http://127.0.0.1:${port}`)
      clients.push(client)
      const stream = client.request({ ':path': '/' })
      stream.on('error', () => {}).resume()
      await new Promise((resolve) => stream.on('close', resolve))
      assert.equal(stream.rstCode, http2.constants[`NGHTTP2_${name}`])
    })
  }

  test('is cancelled when the client leaves (RFC 9113 §8.1)', async () => {
    const { port, streams } = await start((stream) => {
      stream.respond({ ':status': 200 })
      stream.write('some')
    })
    const socket = net.connect(port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await once(socket, 'data')
    socket.resetAndDestroy()
    await until(() => streams[0]!.closed)
    assert.equal(streams[0]!.rstCode, http2.constants.NGHTTP2_CANCEL)
  })
})

describe('the sessions of an origin', () => {
  test('are as few as its limit of streams allows (RFC 9113 §5.1.2)', async () => {
    let arrived = 0
    let atATime = 0
    let most = 0
    const { port, sessions } = await start(
      async (stream) => {
        arrived++
        most = Math.max(most, ++atATime)
        // However slow the machine is, nobody is answered before all have come.
        await until(() => arrived >= 8)
        atATime--
        stream.respond({ ':status': 200 })
        stream.end('ok')
      },
      { settings: { maxConcurrentStreams: 2 } },
    )
    const answers = await Promise.all(Array.from({ length: 8 }, () => get(port)))
    assert.ok(answers.every((answer) => answer.includes(' 200 ')))
    assert.equal(sessions.length, 4)
    assert.equal(most, 8)
    assert.match(await get(port), / 200 /)
    assert.equal(sessions.length, 4)
  })

  test('that the origin closes while idle are replaced', async () => {
    const { port, sessions } = await start((stream) => {
      stream.respond({ ':status': 200 })
      stream.end('ok')
    })
    assert.match(await get(port), / 200 /)
    sessions[0]!.destroy()
    assert.match(await get(port), / 200 /)
    assert.equal(sessions.length, 2)
  })

  test('need an origin that speaks HTTP/2 (RFC 9113 §3.4)', async () => {
    const { port: other } = await startScript('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')
    const { port, ends } = await startProxy([originAt(other, { speaksHttp2: true })])
    assert.match(await get(port), /502 .*The origin does not speak HTTP\/2\./s)
    assert.match(ends[0]!.note.reason, /no HTTP\/2 at this port/)
  })

  test('need one that chooses it in the TLS handshake (RFC 9113 §3.2)', async () => {
    const server = tls.createServer(await testCertificate('localhost'), (socket) =>
      socket.on('error', () => {}),
    )
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const origin = originAt((server.address() as AddressInfo).port, { scheme: 'https', verify: false })
    const { port, ends } = await startProxy([{ ...origin, speaksHttp2: true }])
    assert.match(await get(port), / 502 /)
    assert.match(ends[0]!.note.reason, /did not choose HTTP\/2/)
    server.close()
  })

  test('of an origin that says nothing are given up in time', async () => {
    const { port: other } = await startScript(() => undefined)
    const limits = { connectTimeout: 200 }
    const { port } = await startProxy([originAt(other, { speaksHttp2: true })], { limits })
    assert.match(await get(port), / 50[234] /)
  })

  test('to an origin that takes no streams at all give 503', async () => {
    const { port } = await start(() => {}, { settings: { maxConcurrentStreams: 0 } })
    assert.match(await get(port), /503 .*takes no requests/s)
  })

  test('find out by health checks whether it is well', async () => {
    const { origins } = await startChecked()
    await until(() => origins.states()[0]!.lastCheck === 'status 200', 3000)
  })
})

/** A frame (RFC 9113 §4.1); HEADERS of one octet, 88 and 89, say status 200 and 204 (RFC 7541 §A). */
function frame(type: number, flags: number, streamId: number, hex: string): Buffer {
  const content = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  return Buffer.concat([Buffer.from([0, 0, content.length, type, flags, 0, 0, 0, streamId]), content])
}

/** An origin that sends frames when HEADERS have come. */
async function startFrames(
  answer: (count: number) => readonly Buffer[],
  options: ProxyOptions = {},
): Promise<StartedProxy & { connections(): number }> {
  let count = 0
  const port = await startOrigin(async (socket) => {
    const frames = answer(++count)
    socket.write(frame(4, 0, 0, ''))
    let received = Buffer.alloc(0)
    while (!hasHeaders(received)) received = Buffer.concat([received, (await once(socket, 'data'))[0]])
    for (const part of frames) {
      socket.write(part)
      await pause(20)
    }
    socket.resume()
  })
  const proxy = await startProxy([originAt(port, { speaksHttp2: true })], options)
  return { ...proxy, connections: () => count }
}

function hasHeaders(received: Buffer): boolean {
  const prefaceOctets = 24
  for (let at = prefaceOctets; at + 9 <= received.length; at += 9 + received.readUIntBE(at, 3)) {
    if (received[at + 3] === 1) return true
  }
  return false
}

async function startChecked(): Promise<StartedProxy> {
  const server = http2.createServer((_request, response) => response.end('well'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  servers.push(server)
  const { port } = server.address() as AddressInfo
  const health = { path: '/healthz', intervalMs: 200, timeoutMs: 200, status: [200], up: 1, down: 1 }
  return startProxy([originAt(port, { speaksHttp2: true, health })], { limits: { connectTimeout: 200 } })
}
