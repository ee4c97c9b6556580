import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import * as grpc from '@grpc/grpc-js'
import { WebSocketServer } from 'ws'
import { EchoClient, startEcho, type Words } from './grpc/peers.ts'
import { startRunning, until } from './running.ts'

const RUN_MS = Number(process.env['PORTICO_LONG_MINUTES'] ?? 0.08) * 60_000
const RELOADS = Math.max(12, Math.round(RUN_MS / 10_000))
const WORD_MS = 50
/** Nothing that is sent 20 times a second may stop for so long. */
const LIMIT_SILENT_MS = 2000

/** Something that goes on for as long as it is asked to. */
type Stream = { heard: number; heardAt: number; ended: string; stop(): void }

test('a gRPC conversation, a WebSocket over HTTP/2 and events run through across reloads', {
  timeout: RUN_MS + 60_000,
}, async () => {
  const echo = await startEcho()
  const origin = await startOrigin()
  const hosts = (extra: object): object => ({
    hosts: {
      rpc: { service: `h2c://127.0.0.1:${echo.port}` },
      app: { service: origin.port },
      ...extra,
    },
  })
  const running = await startRunning(hosts({}))
  const ca = await running.root()
  const session = http2.connect(`https://127.0.0.1:${running.ports.https}`, {
    ca,
    servername: 'app.example.com',
  })
  const client = new EchoClient(
    `127.0.0.1:${running.ports.https}`,
    grpc.credentials.createSsl(Buffer.from(ca)),
    {
      'grpc.ssl_target_name_override': 'rpc.example.com',
      'grpc.default_authority': 'rpc.example.com',
    },
  )
  try {
    const streams = { talk: talk(client), socket: openSocket(session), events: readEvents(session) }
    await until(() => Object.values(streams).every(({ heard }) => heard > 0))
    for (let i = 0; i < RELOADS; i++) {
      await running.write(hosts({ [`h${i}`]: { respond: `${i}` }, other: { service: 9000 + i } }))
      await until(() => isServed(session, `h${i}.example.com`))
      await pause(RUN_MS / RELOADS)
      for (const [name, stream] of Object.entries(streams)) {
        assert.equal(stream.ended, '', `${name} after reload ${i + 1}`)
        const silentMs = performance.now() - stream.heardAt
        assert.ok(silentMs < LIMIT_SILENT_MS, `${name} is silent for ${silentMs} ms after reload ${i + 1}`)
      }
    }
    const { words, status } = await client.once('Once', { text: 'also now' })
    assert.deepEqual([words, status.code], [{ text: 'also now' }, grpc.status.OK])
    for (const stream of Object.values(streams)) stream.stop()
    await until(() => streams.talk.ended !== '')
    assert.equal(streams.talk.ended, 'status 0')
  } finally {
    client.close()
    session.destroy()
    assert.equal(await running.stop(), 0)
    echo.stop()
    origin.close()
  }
})

/** Each word is said when the one before was heard. */
function talk(client: EchoClient): Stream {
  const call = client.talk()
  const stream: Stream = { heard: 0, heardAt: 0, ended: '', stop: () => call.end() }
  call.on('error', () => {})
  call.on('status', ({ code }) => (stream.ended = `status ${code}`))
  call.on('data', async ({ count = 0 }: Words) => {
    assert.equal(count, stream.heard + 1)
    note(stream)
    await pause(WORD_MS)
    if (stream.ended === '' && call.writable) call.write({ count: count + 1 })
  })
  call.write({ count: 1 })
  return stream
}

/** RFC 8441 §5: frames of RFC 6455 in DATA, masked with zeros. */
function openSocket(session: http2.ClientHttp2Session): Stream {
  const socket = session.request(
    { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/', ':authority': 'app.example.com' },
    { endStream: false },
  )
  const stream: Stream = { heard: 0, heardAt: 0, ended: '', stop: () => socket.close() }
  const say = (): void => {
    const text = String(stream.heard).padStart(10, '0')
    socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]))
  }
  watch(socket, stream)
  socket.once('response', say)
  socket.on('data', async (frame: Buffer) => {
    assert.equal(Number(frame.subarray(2)), stream.heard)
    note(stream)
    await pause(WORD_MS)
    if (!socket.destroyed) say()
  })
  return stream
}

function readEvents(session: http2.ClientHttp2Session): Stream {
  const events = session.request({ ':path': '/events', ':authority': 'app.example.com' })
  const stream: Stream = { heard: 0, heardAt: 0, ended: '', stop: () => events.close() }
  watch(events, stream)
  let text = ''
  events.on('data', (octets: Buffer) => {
    text += octets
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      assert.equal(text.slice(0, end), `data: ${stream.heard}`)
      text = text.slice(end + 2)
      note(stream)
    }
  })
  return stream
}

function watch(request: http2.ClientHttp2Stream, stream: Stream): void {
  request.on('error', (error) => (stream.ended = error.message))
  request.on('close', () => (stream.ended ||= `closed with code ${request.rstCode}`))
}

function note(stream: Stream): void {
  stream.heard++
  stream.heardAt = performance.now()
}

async function isServed(session: http2.ClientHttp2Session, host: string): Promise<boolean> {
  const request = session.request({ ':path': '/', ':authority': host })
  const [headers] = await once(request, 'response')
  request.resume()
  return headers[':status'] === 200
}

/** An origin of HTTP/1.1: a WebSocket that says what it hears, and events. */
async function startOrigin(): Promise<{ port: number; close(): void }> {
  const server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/event-stream')
    let count = 0
    const timer = setInterval(() => response.write(`data: ${count++}\n\n`), WORD_MS)
    response.on('close', () => clearInterval(timer))
  })
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) => socket.on('message', (message) => socket.send(String(message))))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      for (const client of sockets.clients) client.terminate()
      server.close()
      server.closeAllConnections()
    },
  }
}
