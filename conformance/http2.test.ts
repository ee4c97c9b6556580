import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import tls from 'node:tls'
import { WebSocketServer } from 'ws'
import { silent } from '#core/log.ts'
import { httpLimits } from '#http/config.ts'
import type { Exchange } from '#http/exchange.ts'
import { createHttpServer, type HttpServer } from '#http/server.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { originAt } from '../test/origin.ts'
import { peer, run } from '../test/peers.ts'
import { type StartedProxy, startProxy } from '../test/proxy.ts'
import { LARGE, large, sayAsked, sha256 } from './say-asked.ts'

const curl = peer('curl')
const h2load = peer('h2load')
const nghttp = peer('nghttp')
const openssl = peer('openssl')

const folder = mkdtempSync(join(tmpdir(), 'portico-http2-'))
let server: HttpServer
/** over TLS, HTTP/2 or HTTP/1.1 as the client likes; '' without openssl */
let url = ''
/** HTTP/2 with prior knowledge */
let plainUrl = ''

before(async () => {
  writeFileSync(join(folder, 'large'), large)
  server = createHttpServer({ limits: httpLimits(), handler: sayAsked, log: silent })
  const plain = await server.prepare({ address: '127.0.0.1', port: 0, http2: true })
  plain.commit()
  plainUrl = `http://127.0.0.1:${plain.port}`
  if (openssl === undefined) return
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const selfSigned = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  await run(openssl, ['req', ...selfSigned, '-subj', '/CN=localhost', '-keyout', key, '-out', cert])
  const tls = { key: readFileSync(key), cert: readFileSync(cert), ALPNProtocols: ['h2', 'http/1.1'] }
  const secure = await server.prepare({ address: '127.0.0.1', port: 0, tls })
  secure.commit()
  url = `https://127.0.0.1:${secure.port}`
})

after(async () => {
  await server.close(0)
  rmSync(folder, { recursive: true })
})

const out = async (command: string | undefined, ...words: string[]): Promise<string> =>
  (await run(command!, words, { timeoutMs: 60_000 })).stdout

describe('curl', { skip: (curl === undefined || openssl === undefined) && 'needs curl and openssl' }, () => {
  const ask = (...words: string[]): Promise<string> => out(curl, '-sSk', '--max-time', '30', ...words)

  test('is given the protocol that it asks for (RFC 9113 §3.2, §3.3)', async () => {
    assert.match(await ask('--http2', `${url}/a`), /^2 GET \/a 0 /)
    assert.match(await ask('--http1.1', `${url}/a`), /^1.1 GET \/a 0 /)
    assert.match(await ask('--http2-prior-knowledge', `${plainUrl}/a`), /^2 GET \/a 0 /)
  })

  test('cannot negotiate anew under TLS 1.2 (RFC 9113 §9.2.1)', async () => {
    const options = { rejectUnauthorized: false, maxVersion: 'TLSv1.2', ALPNProtocols: ['h2'] } as const
    const socket = tls.connect(Number(new URL(url).port), '127.0.0.1', options)
    await once(socket, 'secureConnect')
    assert.equal(socket.alpnProtocol, 'h2')
    socket.on('error', () => {}).resume()
    socket.renegotiate({}, () => {})
    await once(socket, 'close')
  })

  test('sends requests beside one another on one connection', async () => {
    const urls = Array.from({ length: 50 }, (_, i) => `${url}/${i}`)
    const lines = await ask('--http2', '-Z', '--parallel-max', '50', '-w', '\n', ...urls)
    assert.equal(new Set(lines.match(/GET \/\d+ /g)).size, 50)
  })

  for (const target of ['/large', '/stream']) {
    test(`downloads 100 MB from ${target}`, async () => {
      const path = join(folder, 'got')
      await ask('--http2', '-o', path, `${url}${target}`)
      assert.equal(sha256(readFileSync(path)), sha256(large))
    })
  }

  test('uploads 100 MB, and after 100 Continue (RFC 9110 §10.1.1)', async () => {
    const expected = `2 PUT /a ${LARGE} ${sha256(large)}`
    assert.equal(await ask('--http2', '-T', join(folder, 'large'), `${url}/a`), expected)
    const told = await ask(
      '--http2',
      '-v',
      '--stderr',
      '-',
      '-H',
      'Expect: 100-continue',
      '-T',
      join(folder, 'large'),
      `${url}/a`,
    )
    assert.match(told, /< HTTP\/2 100/)
    assert.ok(told.includes(expected))
  })

  test('is told that its upload is refused while it sends (RFC 9113 §8.1)', async () => {
    for (let i = 0; i < 5; i++) {
      const upload = ['-T', join(folder, 'large'), '-w', ' %{http_code} %{exitcode}', `${url}/refused`]
      assert.equal(await ask('--http2', ...upload), 'no 413 0')
    }
  })

  test('sees HEAD as GET without content (RFC 9110 §9.3.2)', async () => {
    assert.match(await ask('--http2', '-I', `${url}/large`), /content-length: 100000000\r\n/)
  })

  const odd: [what: string, words: string[], status: string][] = [
    ['many fields', Array.from({ length: 200 }, (_, i) => ['-H', `X-${i}: y`]).flat(), '431'],
    ['a large field', ['-H', `X: ${'y'.repeat(60_000)}`], '431'],
    ['a target that is too long', ['--request-target', `/${'a'.repeat(20_000)}`], '414'],
    ['TRACE', ['-X', 'TRACE'], '501'],
    ['OPTIONS *', ['-X', 'OPTIONS', '--request-target', '*'], '200'],
    ['an expectation that is not known', ['-H', 'Expect: tea'], '417'],
  ]
  for (const [what, words, status] of odd) {
    test(`with ${what} gets ${status}`, async () => {
      const code = ['-o', join(folder, 'page'), '-w', '%{http_version} %{http_code}']
      assert.equal(await ask('--http2', ...code, ...words, `${url}/`), `2 ${status}`)
    })
  }
})

describe('h2load', { skip: h2load === undefined && 'needs h2load' }, () => {
  test('loses none of 20 000 requests, over TLS and without', { skip: openssl === undefined }, async () => {
    for (const base of [url, plainUrl]) {
      const report = await out(h2load, '-n', '20000', '-c', '8', '-m', '100', `${base}/a`)
      assert.match(report, /20000 succeeded, 0 failed, 0 errored, 0 timeout/)
      assert.match(report, /20000 2xx/)
    }
  })

  test('uploads and downloads on many streams at a time', async () => {
    const words = ['-n', '40', '-c', '2', '-m', '10', '-d', join(folder, 'large')]
    writeFileSync(join(folder, 'some'), large.subarray(0, 3_000_000))
    words[words.length - 1] = join(folder, 'some')
    assert.match(await out(h2load, ...words, `${plainUrl}/a`), /40 succeeded, 0 failed/)
    assert.match(
      await out(h2load, '-n', '6', '-c', '1', '-m', '6', `${plainUrl}/stream`),
      /6 succeeded, 0 failed/,
    )
  })
})

describe('nghttp', { skip: nghttp === undefined && 'needs nghttp' }, () => {
  const ask = (...words: string[]): Promise<string> => out(nghttp, '-nv', '--timeout=10', ...words)

  test('sends CONTINUATION, padding and trailers (RFC 9113 §6.10, §6.1, §8.1)', async () => {
    const data = ['-d', join(folder, 'large'), '--trailer', 'x-sum: 1']
    const said = await ask('--continuation', '-b', '200', ...data, '-H', ':method: POST', `${plainUrl}/a`)
    assert.match(said, /:status: 200/)
    assert.match(said, /END_STREAM/)
    assert.doesNotMatch(said, /RST_STREAM|error_code=(?!NO_ERROR)/)
  })

  test('keeps a window of its own small', async () => {
    const said = await ask('-w', '10', '-W', '12', `${plainUrl}/a`, `${plainUrl}/b`)
    assert.equal(said.match(/:status: 200/g)?.length, 2)
  })
})

const sockets = new WebSocketServer({ noServer: true })
sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${data}`)))
const origin = http.createServer(serveOrigin)
origin.on('upgrade', (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request))
})
let broken = 0

function serveOrigin(request: http.IncomingMessage, response: http.ServerResponse): void {
  response.on('close', () => !response.writableFinished && broken++)
  switch (request.url) {
    case '/events':
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      response.write('data: 1\n\n')
      break
    case '/early':
      response.writeEarlyHints({ link: '</a.css>; rel=preload' })
      response.writeHead(200, { Trailer: 'x-sum' })
      response.write('content')
      response.addTrailers({ 'x-sum': '7' })
      response.end()
      break
    case '/endless': {
      const piece = Buffer.alloc(65_536)
      const more = (): void => {
        while (response.write(piece)) {}
        response.once('drain', more)
      }
      more()
      break
    }
    default: {
      let octets = 0
      request.on('data', (chunk: Buffer) => (octets += chunk.length))
      request.on('end', () => response.end(`${request.method} ${octets} ${request.trailers['x-sum'] ?? ''}`))
    }
  }
}

describe('node:http2 through Portico to an origin', () => {
  let proxy: StartedProxy
  let client: http2.ClientHttp2Session

  before(async () => {
    origin.listen(0, '127.0.0.1')
    await once(origin, 'listening')
    proxy = await startProxy([originAt((origin.address() as AddressInfo).port)], { http2: true })
    client = http2.connect(`http://127.0.0.1:${proxy.port}`)
  })
  after(() => {
    client.destroy()
    origin.closeAllConnections()
    origin.close()
  })

  async function fetch(fields: http2.OutgoingHttpHeaders, content?: Buffer): Promise<string> {
    const stream = client.request(fields, { endStream: content === undefined })
    if (content !== undefined) stream.end(content)
    let text = ''
    for await (const chunk of stream) text += chunk
    return text
  }

  test('makes 1 000 requests on one connection', async () => {
    for (let i = 0; i < 1000; i++) assert.equal(await fetch({ ':path': `/${i}` }), 'GET 0 ')
    assert.equal(proxy.ends.filter(({ end }) => end.reason === 'finished').length, 1000)
  })

  test('sends content with and without length, so that no framing of one is taken for the other', async () => {
    const post = { ':method': 'POST', ':path': '/same' }
    for (const content of [undefined, Buffer.from('abc'), undefined, Buffer.alloc(1_000_000)]) {
      assert.equal(await fetch(post, content), `POST ${content?.length ?? 0} `)
    }
    assert.equal(await fetch({ ...post, 'content-length': 3 }, Buffer.from('abc')), 'POST 3 ')
  })

  test('gets 103 and trailers, and sends trailers (RFC 9113 §8.1)', async () => {
    const stream = client.request({ ':path': '/early', te: 'trailers' })
    const [early] = await once(stream, 'headers')
    assert.deepEqual([early[':status'], early.link], [103, '</a.css>; rel=preload'])
    const trailers = once(stream, 'trailers')
    stream.resume()
    assert.equal((await trailers)[0]['x-sum'], '7')
    const upload = client.request(
      { ':method': 'POST', ':path': '/a' },
      { endStream: false, waitForTrailers: true },
    )
    upload.on('wantTrailers', () => upload.sendTrailers({ 'x-sum': '8' }))
    upload.end('abc')
    let text = ''
    for await (const chunk of upload) text += chunk
    assert.equal(text, 'POST 3 8')
  })

  test('gets events as they happen, while another stream is not read', async () => {
    const endless = client.request({ ':path': '/endless' })
    await once(endless, 'response')
    const events = client.request({ ':path': '/events' })
    const [event] = await once(events, 'data')
    assert.equal(String(event), 'data: 1\n\n')
    const before = broken
    events.close(http2.constants.NGHTTP2_CANCEL)
    endless.close(http2.constants.NGHTTP2_CANCEL)
    for (let tries = 0; broken < before + 2 && tries < 200; tries++) await pause(10)
    assert.equal(broken, before + 2, 'the origin sees that nobody listens any more')
  })

  test('holds an origin up that is faster than its client', async () => {
    const heapBefore = process.memoryUsage().rss
    const streams = Array.from({ length: 20 }, () => client.request({ ':path': '/endless' }))
    await Promise.all(streams.map((stream) => once(stream, 'response')))
    await pause(500)
    const growth = process.memoryUsage().rss - heapBefore
    for (const stream of streams) stream.close(http2.constants.NGHTTP2_CANCEL)
    assert.ok(growth < 100e6, `memory grew by ${growth} octets`)
  })

  test('speaks WebSocket as if over HTTP/1.1 (RFC 8441 §5, §5.1, RFC 6455 §4.1)', async () => {
    if (client.remoteSettings.enableConnectProtocol !== true) await once(client, 'remoteSettings')
    const stream = client.request(
      {
        ':method': 'CONNECT',
        ':protocol': 'websocket',
        ':path': '/socket',
        'sec-websocket-version': '13',
      },
      { endStream: false },
    )
    const [head] = await once(stream, 'response')
    assert.equal(head[':status'], 200)
    assert.equal(head['sec-websocket-accept'], undefined)
    stream.write(maskedText('hello'))
    const [frame] = await once(stream, 'data')
    assert.equal(frame.subarray(2).toString(), 'echo hello')
    // RFC 6455 §5.5.1: close, answered with close, and the origin ends the stream.
    stream.write(Buffer.of(0x88, 0x80, 0, 0, 0, 0))
    stream.end()
    stream.resume()
    await once(stream, 'close')
    assert.equal(stream.rstCode, http2.constants.NGHTTP2_NO_ERROR)
  })

  test('opens a WebSocket that its client has ended already, and it ends', async () => {
    const fields = { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/socket' }
    const stream = client.request(fields, { endStream: true })
    stream.resume()
    await once(stream, 'close')
    assert.equal(await fetch({ ':path': '/still' }), 'GET 0 ')
  })

  test('is refused a WebSocket where there is none (RFC 8441 §5)', async () => {
    const handler = (exchange: Exchange): void =>
      exchange.respond({ status: 200, fields: fieldsOf([]), lengthOctets: 2 }, Buffer.from('no'))
    const files = createHttpServer({ limits: httpLimits(), handler, log: silent })
    const listener = await files.prepare({ address: '127.0.0.1', port: 0, http2: true })
    listener.commit()
    const session = http2.connect(`http://127.0.0.1:${listener.port}`)
    await once(session, 'remoteSettings')
    const stream = session.request({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/' })
    const [head] = await once(stream, 'response')
    assert.equal(head[':status'], 501)
    const ended = session.request(
      { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/' },
      { endStream: true },
    )
    assert.equal((await once(ended, 'response'))[0][':status'], 501)
    session.destroy()
    await files.close(0)
  })
})

/** A text message as clients send it, with a mask of zeros (RFC 6455 §5.2). */
function maskedText(text: string): Buffer {
  return Buffer.concat([Buffer.of(0x81, 0x80 | text.length, 0, 0, 0, 0), Buffer.from(text)])
}
