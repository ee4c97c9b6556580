import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { silent } from '#core/log.ts'
import { frame, GET, POST, RawClient, settingsFrame, uint32 } from '../../../test/http2-client.ts'
import { type HttpLimitsConfig, httpLimits } from '../config.ts'
import type { EndReason, Exchange } from '../exchange.ts'
import { createHttpServer, type HttpServer } from '../server.ts'
import { noFields } from '../wire/fields.ts'
import * as errors from './wire/error.ts'
import * as wire from './wire/frame.ts'

const servers: HttpServer[] = []
after(() => Promise.all(servers.map((server) => server.close(0))))

type Served = { port: number; server: HttpServer; ends: EndReason[] }

/** Answers with a megabyte, but `/wait` not at all and a POST when its content was read. */
async function serve(limits: HttpLimitsConfig = {}): Promise<Served> {
  const ends: EndReason[] = []
  const server = createHttpServer({ limits: httpLimits(limits), handler, log: silent })
  servers.push(server)
  const listener = await server.prepare({ address: '127.0.0.1', port: 0, http2: true })
  listener.commit()
  return { port: listener.port, server, ends }

  function handler(exchange: Exchange): void {
    exchange.onEnd = ({ reason }) => ends.push(reason)
    const { body, target } = exchange.request
    const answer = async (): Promise<void> => {
      while (await body?.read(65_536)) {}
      exchange.respond({ status: 200, fields: noFields, lengthOctets: null }, LARGE)
    }
    if (target !== '/wait') answer().catch(() => exchange.abort('client left'))
  }
}

const LARGE = Buffer.alloc(1_000_000, 'x')
const WAIT = [...GET.slice(0, 3), [':path', '/wait']] as const

/** What a hostile client sends, over and over, until the connection is gone. */
const floods: [attack: string, piece: (client: RawClient, i: number) => Uint8Array[]][] = [
  ['PING', () => [frame(wire.PING, 0, 0, Buffer.alloc(8))]],
  ['SETTINGS', () => [settingsFrame([[4, 65_535]])]],
  ['SETTINGS with ACK', () => [frame(wire.SETTINGS, wire.ACK, 0)]],
  ['PRIORITY', () => [frame(wire.PRIORITY, 0, 1, Buffer.alloc(5))]],
  ['PRIORITY_UPDATE', (_, i) => [frame(wire.PRIORITY_UPDATE, 0, 0, uint32(2 * i + 1))]],
  ['WINDOW_UPDATE', () => [frame(wire.WINDOW_UPDATE, 0, 0, uint32(1))]],
  ['unknown frames', () => [frame(0xbb, 0, 0)]],
  ['empty DATA', (client, i) => (i === 0 ? [client.headers(1, POST, true)] : [frame(wire.DATA, 0, 1)])],
  [
    'RST_STREAM on streams that have ended',
    (client, i) => (i === 0 ? [client.headers(1, WAIT)] : [frame(wire.RST_STREAM, 0, 1, uint32(8))]),
  ],
  [
    'rapid reset (CVE-2023-44487)',
    (client, i) => [client.headers(2 * i + 1, WAIT), frame(wire.RST_STREAM, 0, 2 * i + 1, uint32(8))],
  ],
  [
    'faults that make us reset (CVE-2025-8671)',
    (client, i) => [client.headers(2 * i + 1, WAIT), frame(wire.WINDOW_UPDATE, 0, 2 * i + 1, uint32(0))],
  ],
  ['malformed requests', (client, i) => [client.headers(2 * i + 1, [...GET, ['connection', 'close']])]],
  ['streams beyond the limit', (client, i) => [client.headers(2 * i + 1, WAIT)]],
  [
    'CONTINUATION (CVE-2024-27983)',
    (_, i) => [
      i === 0
        ? frame(wire.HEADERS, 0, 1, Buffer.of(0x82))
        : frame(wire.CONTINUATION, 0, 1, Buffer.alloc(1, 0x82)),
    ],
  ],
  [
    'empty CONTINUATION',
    (_, i) => [i === 0 ? frame(wire.HEADERS, 0, 1, Buffer.of(0x82)) : frame(wire.CONTINUATION, 0, 1)],
  ],
]

describe('a flood ends the connection with ENHANCE_YOUR_CALM:', () => {
  for (const [attack, piece] of floods) {
    test(attack, async () => {
      const { port, server } = await serve()
      const client = await RawClient.connect(port)
      for (let i = 0; i < 4000; i++) client.send(...piece(client, i))
      assert.equal(await client.goaway(), errors.ENHANCE_YOUR_CALM)
      await pause(20)
      assert.equal(server.openConnections(), 0)
    })
  }

  test('a large field block in CONTINUATION', async () => {
    const { port } = await serve()
    const client = await RawClient.connect(port)
    client.send(frame(wire.HEADERS, 0, 1, Buffer.alloc(16_384, 0x82)))
    for (let i = 0; i < 5; i++) client.send(frame(wire.CONTINUATION, 0, 1, Buffer.alloc(16_384, 0x82)))
    assert.equal(await client.goaway(), errors.ENHANCE_YOUR_CALM)
  })
})

describe('a client that', () => {
  test('sends as a busy page does, and breaks it off, is served on', async () => {
    const { port } = await serve()
    const client = await RawClient.connect(port)
    const ids = Array.from({ length: 128 }, (_, i) => 2 * i + 1)
    client.send(...ids.map((id) => client.headers(id, WAIT)))
    client.send(...ids.map((id) => frame(wire.RST_STREAM, 0, id, uint32(8))))
    client.send(client.headers(1001, GET))
    assert.equal((await client.next(wire.HEADERS, 1001)).fields[':status'], '200')
    client.socket.destroy()
  })

  test('lets a small block say much gets 431 (HPACK bomb)', async () => {
    const { port } = await serve()
    const client = await RawClient.connect(port)
    const name = Buffer.from('\x40\x06x-bomb', 'latin1') // literal with incremental indexing, not Huffman-coded
    const value = Buffer.concat([Buffer.of(0x7f, 0xb9, 0x16), Buffer.alloc(3000, 'x')])
    const bomb = Buffer.concat([client.block(GET), name, value, Buffer.alloc(100, 0xbe)])
    // :method GET, :scheme http, :path / and, behind the bomb in the table, :authority a
    const harmless = Buffer.of(0x82, 0x86, 0x84, 0xbf)
    client.send(frame(wire.HEADERS, 5, 1, bomb), frame(wire.HEADERS, 5, 3, harmless))
    assert.equal((await client.next(wire.HEADERS, 1)).fields[':status'], '431')
    assert.equal((await client.next(wire.HEADERS, 3)).fields[':status'], '200')
    client.socket.destroy()
  })

  test('sends too many fields gets 431, and one that sends too much content 413', async () => {
    const { port } = await serve({ body: 10 })
    const client = await RawClient.connect(port)
    const many: [string, string][] = Array.from({ length: 200 }, (_, i) => [`x-${i}`, ''])
    client.send(client.headers(1, [...GET, ...many]))
    assert.equal((await client.next(wire.HEADERS, 1)).fields[':status'], '431')
    client.send(client.headers(3, [...POST, ['content-length', '11']], true))
    assert.equal((await client.next(wire.HEADERS, 3)).fields[':status'], '413')
    const much = frame(wire.DATA, 0, 5, Buffer.alloc(11))
    client.send(client.headers(5, POST, true), much, much)
    assert.equal((await client.next(wire.HEADERS, 5)).fields[':status'], '413')
    assert.equal((await client.next(wire.RST_STREAM, 5)).number, errors.NO_ERROR)
    client.socket.destroy()
  })

  test('holds the window of a stream loses the stream (RFC 9113 §10.5)', async () => {
    const { port, ends } = await serve({ bodyTimeout: 100 })
    const client = await RawClient.connect(port, [[4, 1]])
    client.send(client.headers(1, GET))
    await client.next(wire.DATA, 1)
    const drip = setInterval(() => client.send(frame(wire.WINDOW_UPDATE, 0, 1, uint32(1))), 40)
    assert.equal((await client.next(wire.RST_STREAM, 1)).number, errors.CANCEL)
    clearInterval(drip)
    assert.deepEqual(ends, ['client too slow'])
    await client.settled()
    client.socket.destroy()
  })

  test('holds the window of the connection loses the connection (RFC 9113 §10.5)', async () => {
    const { port, ends } = await serve({ bodyTimeout: 100 })
    const client = await RawClient.connect(port, [[4, 1_000_000]])
    client.send(client.headers(1, GET), client.headers(3, GET))
    assert.equal(await client.goaway(), errors.ENHANCE_YOUR_CALM)
    assert.equal(ends.length, 2)
  })

  test('reads nothing loses the connection, and so does one that pings meanwhile', async () => {
    const { port, server, ends } = await serve({ bodyTimeout: 100, http2Control: 1_000_000 })
    const client = await RawClient.connect(port, [[4, 2 ** 31 - 1]])
    client.socket.pause()
    client.send(frame(wire.WINDOW_UPDATE, 0, 0, uint32(2 ** 30)))
    for (let id = 1; id < 60; id += 2) client.send(client.headers(id, GET))
    const ping = setInterval(() => client.send(frame(wire.PING, 0, 0, Buffer.alloc(8))), 10)
    for (let tries = 0; server.openConnections() > 0 && tries < 200; tries++) await pause(10)
    clearInterval(ping)
    assert.equal(server.openConnections(), 0)
    assert.ok(ends.includes('client too slow'))
    client.socket.destroy()
  })

  test('does not end its head loses the connection', async () => {
    const { port } = await serve({ headerTimeout: 100 })
    for (const pieces of [
      [frame(wire.HEADERS, 0, 1, Buffer.of(0x82))],
      [frame(wire.HEADERS, 4, 1, Buffer.alloc(20)).subarray(0, 15)],
    ]) {
      const client = await RawClient.connect(port)
      client.send(...pieces)
      assert.equal(await client.goaway(), errors.ENHANCE_YOUR_CALM)
    }
  })

  test('does not end its content gets 408 (half-open stream)', async () => {
    const { port, ends } = await serve({ bodyTimeout: 100 })
    const client = await RawClient.connect(port)
    client.send(client.headers(1, POST, true), frame(wire.DATA, 0, 1, Buffer.from('x')))
    assert.equal((await client.next(wire.HEADERS, 1)).fields[':status'], '408')
    await client.next(wire.RST_STREAM, 1)
    assert.deepEqual(ends, ['client too slow'])
    client.socket.destroy()
  })

  test('says nothing loses the connection: after the preface when it is idle, else sooner', async () => {
    const { port } = await serve({ headerTimeout: 100, idleTimeout: 100 })
    const silent = await RawClient.connect(port, null)
    const idle = await RawClient.connect(port)
    assert.equal(await silent.goaway(), errors.ENHANCE_YOUR_CALM)
    assert.equal(await idle.goaway(), errors.NO_ERROR)
  })

  test('sends octets one by one, each in a frame of its own, costs no more memory than its window', async () => {
    const { port } = await serve({ http2Control: 1_000_000 })
    const client = await RawClient.connect(port)
    const piece = frame(wire.DATA, 0, 1, Buffer.of(1))
    client.send(client.headers(1, [...POST.slice(0, 3), [':path', '/wait']], true))
    client.send(...Array.from({ length: 65_535 }, () => piece))
    await client.settled()
    client.send(piece)
    assert.equal((await client.next(wire.RST_STREAM, 1)).number, errors.FLOW_CONTROL_ERROR)
    client.socket.destroy()
  })
})
