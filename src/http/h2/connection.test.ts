import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { silent } from '#core/log.ts'
import { frame, GET, POST, RawClient, settingsFrame, uint32 } from '../../../test/http2-client.ts'
import { type HttpLimitsConfig, httpLimits } from '../config.ts'
import type { Exchange, Handler } from '../exchange.ts'
import { createHttpServer, type HttpServer } from '../server.ts'
import { fieldsOf, noFields } from '../wire/fields.ts'
import * as errors from './wire/error.ts'
import * as wire from './wire/frame.ts'

const servers: HttpServer[] = []
after(() => Promise.all(servers.map((server) => server.close(0))))

async function serve(handler: Handler, limits: HttpLimitsConfig = {}): Promise<[number, HttpServer]> {
  const server = createHttpServer({ limits: httpLimits(limits), handler, log: silent })
  servers.push(server)
  const listener = await server.prepare({ address: '127.0.0.1', port: 0, http2: true })
  listener.commit()
  return [listener.port, server]
}

function say(exchange: Exchange, text: string): void {
  exchange.respond({ status: 200, fields: noFields, lengthOctets: null }, Buffer.from(text))
}

/** Answers with what came; `/wait` never answers. */
function echo(exchange: Exchange): void {
  const { body, target, method } = exchange.request
  if (target === '/wait') return
  const answer = async (): Promise<void> => {
    let text = `${method} ${target} `
    for (let part = await body?.read(65_536); part; part = await body?.read(65_536)) text += part.toString()
    const trailers = body?.trailers?.()?.get('x-sum')
    say(exchange, trailers === undefined ? text : `${text} ${trailers}`)
  }
  answer().catch(() => exchange.abort('client left'))
}

const WAIT = [...GET.slice(0, 3), [':path', '/wait']] as const
const [port] = await serve(echo)

/** One frame or more that break a rule: what is answered with GOAWAY. */
const fatal: [rule: string, code: number, send: (client: RawClient) => Uint8Array[]][] = [
  [
    'DATA on stream 0 (RFC 9113 §6.1)',
    errors.PROTOCOL_ERROR,
    () => [frame(wire.DATA, 0, 0, Buffer.from('x'))],
  ],
  [
    'DATA on an idle stream (RFC 9113 §5.1)',
    errors.PROTOCOL_ERROR,
    () => [frame(wire.DATA, 0, 5, Buffer.from('x'))],
  ],
  ['HEADERS on stream 0 (RFC 9113 §6.2)', errors.PROTOCOL_ERROR, (c) => [c.headers(0, GET)]],
  ['HEADERS on an even stream (RFC 9113 §5.1.1)', errors.PROTOCOL_ERROR, (c) => [c.headers(2, GET)]],
  [
    'a stream below the last (RFC 9113 §5.1.1)',
    errors.PROTOCOL_ERROR,
    (c) => [c.headers(5, GET), c.headers(3, GET)],
  ],
  [
    'padding as long as the payload (RFC 9113 §6.1)',
    errors.PROTOCOL_ERROR,
    (c) => [c.headers(1, POST, true), frame(wire.DATA, wire.PADDED, 1, Buffer.of(3, 0, 0))],
  ],
  [
    'RST_STREAM on an idle stream (RFC 9113 §6.4)',
    errors.PROTOCOL_ERROR,
    () => [frame(wire.RST_STREAM, 0, 7, uint32(8))],
  ],
  [
    'RST_STREAM of 3 octets (RFC 9113 §6.4)',
    errors.FRAME_SIZE_ERROR,
    (c) => [c.headers(1, WAIT), frame(wire.RST_STREAM, 0, 1, Buffer.alloc(3))],
  ],
  ['SETTINGS on a stream (RFC 9113 §6.5)', errors.PROTOCOL_ERROR, () => [frame(wire.SETTINGS, 0, 1)]],
  [
    'SETTINGS of 5 octets (RFC 9113 §6.5)',
    errors.FRAME_SIZE_ERROR,
    () => [frame(wire.SETTINGS, 0, 0, Buffer.alloc(5))],
  ],
  [
    'SETTINGS with ACK and payload (RFC 9113 §6.5)',
    errors.FRAME_SIZE_ERROR,
    () => [frame(wire.SETTINGS, wire.ACK, 0, Buffer.alloc(6))],
  ],
  ['ENABLE_PUSH of 2 (RFC 9113 §6.5.2)', errors.PROTOCOL_ERROR, () => [settingsFrame([[2, 2]])]],
  ['a window of 2^31 (RFC 9113 §6.5.2)', errors.FLOW_CONTROL_ERROR, () => [settingsFrame([[4, 2 ** 31]])]],
  ['MAX_FRAME_SIZE of 100 (RFC 9113 §6.5.2)', errors.PROTOCOL_ERROR, () => [settingsFrame([[5, 100]])]],
  ['PUSH_PROMISE (RFC 9113 §8.4)', errors.PROTOCOL_ERROR, () => [frame(wire.PUSH_PROMISE, 4, 1, uint32(2))]],
  [
    'PING on a stream (RFC 9113 §6.7)',
    errors.PROTOCOL_ERROR,
    () => [frame(wire.PING, 0, 1, Buffer.alloc(8))],
  ],
  [
    'PING of 6 octets (RFC 9113 §6.7)',
    errors.FRAME_SIZE_ERROR,
    () => [frame(wire.PING, 0, 0, Buffer.alloc(6))],
  ],
  [
    'GOAWAY on a stream (RFC 9113 §6.8)',
    errors.PROTOCOL_ERROR,
    () => [frame(wire.GOAWAY, 0, 1, uint32(0, 0))],
  ],
  [
    'WINDOW_UPDATE by 0 (RFC 9113 §6.9)',
    errors.PROTOCOL_ERROR,
    () => [frame(wire.WINDOW_UPDATE, 0, 0, uint32(0))],
  ],
  [
    'WINDOW_UPDATE of 3 octets (RFC 9113 §6.9)',
    errors.FRAME_SIZE_ERROR,
    () => [frame(wire.WINDOW_UPDATE, 0, 0, Buffer.alloc(3))],
  ],
  [
    'WINDOW_UPDATE on an idle stream (RFC 9113 §5.1)',
    errors.PROTOCOL_ERROR,
    () => [frame(wire.WINDOW_UPDATE, 0, 9, uint32(1))],
  ],
  [
    'a connection window beyond 2^31 - 1 (RFC 9113 §6.9.1)',
    errors.FLOW_CONTROL_ERROR,
    () => [frame(wire.WINDOW_UPDATE, 0, 0, uint32(2 ** 31 - 1))],
  ],
  [
    'a stream window that SETTINGS makes larger than 2^31 - 1 (RFC 9113 §6.9.2)',
    errors.FLOW_CONTROL_ERROR,
    (c) => [
      c.headers(1, WAIT),
      frame(wire.WINDOW_UPDATE, 0, 1, uint32(2 ** 31 - 1 - 65_535)),
      settingsFrame([[4, 65_536]]),
    ],
  ],
  [
    'CONTINUATION without HEADERS (RFC 9113 §6.10)',
    errors.PROTOCOL_ERROR,
    () => [frame(wire.CONTINUATION, 4, 1)],
  ],
  [
    'a frame inside a field block (RFC 9113 §6.2)',
    errors.PROTOCOL_ERROR,
    () => [frame(wire.HEADERS, 0, 1, Buffer.of(0x82)), frame(wire.PING, 0, 0, Buffer.alloc(8))],
  ],
  [
    'a frame larger than 16 384 octets (RFC 9113 §4.2)',
    errors.FRAME_SIZE_ERROR,
    (c) => [c.headers(1, POST, true), frame(wire.DATA, 0, 1, Buffer.alloc(16_385))],
  ],
  [
    'a block that cannot be decoded (RFC 9113 §4.3)',
    errors.COMPRESSION_ERROR,
    () => [frame(wire.HEADERS, 5, 1, Buffer.of(0xff, 0xff, 0xff, 0xff, 0xff))],
  ],
  [
    'PRIORITY_UPDATE about stream 0 (RFC 9218 §7.1)',
    errors.PROTOCOL_ERROR,
    () => [frame(wire.PRIORITY_UPDATE, 0, 0, uint32(0))],
  ],
]

describe('a connection ends with GOAWAY (RFC 9113 §5.4.1) after', () => {
  for (const [rule, code, send] of fatal) {
    test(rule, async () => {
      const client = await RawClient.connect(port)
      client.send(...send(client))
      assert.equal(await client.goaway(), code)
    })
  }

  test('a preface that is none (RFC 9113 §3.4)', async () => {
    const client = await RawClient.connect(port, null)
    client.send(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'))
    assert.equal(await client.goaway(), errors.PROTOCOL_ERROR)
  })

  test('a first frame other than SETTINGS (RFC 9113 §3.4)', async () => {
    const client = await RawClient.connect(port, null)
    client.send(wire.PREFACE, frame(wire.PING, 0, 0, Buffer.alloc(8)))
    assert.equal(await client.goaway(), errors.PROTOCOL_ERROR)
  })

  test('HEADERS on a stream that has ended (RFC 9113 §5.1)', async () => {
    const client = await RawClient.connect(port)
    client.send(client.headers(1, GET))
    await client.next(wire.HEADERS, 1)
    await client.settled()
    client.send(client.headers(1, GET))
    assert.equal(await client.goaway(), errors.STREAM_CLOSED)
  })
})

/** One stream that breaks a rule: what RST_STREAM says, while the connection goes on. */
const reset: [rule: string, code: number, send: (client: RawClient) => Uint8Array[]][] = [
  [
    'DATA after the end (RFC 9113 §5.1)',
    errors.STREAM_CLOSED,
    (c) => [c.headers(1, WAIT), frame(wire.DATA, 0, 1, Buffer.from('x'))],
  ],
  [
    'HEADERS after the end (RFC 9113 §5.1)',
    errors.STREAM_CLOSED,
    (c) => [c.headers(1, WAIT), c.headers(1, [['x', 'y']])],
  ],
  [
    'WINDOW_UPDATE by 0 (RFC 9113 §6.9)',
    errors.PROTOCOL_ERROR,
    (c) => [c.headers(1, WAIT), frame(wire.WINDOW_UPDATE, 0, 1, uint32(0))],
  ],
  [
    'a window beyond 2^31 - 1 (RFC 9113 §6.9.1)',
    errors.FLOW_CONTROL_ERROR,
    (c) => [c.headers(1, WAIT), frame(wire.WINDOW_UPDATE, 0, 1, uint32(2 ** 31 - 1))],
  ],
  [
    'more content than Content-Length says (RFC 9113 §8.1.1)',
    errors.PROTOCOL_ERROR,
    (c) => [
      c.headers(1, [...POST, ['content-length', '1']], true),
      frame(wire.DATA, 1, 1, Buffer.from('xy')),
    ],
  ],
  [
    'less content than Content-Length says (RFC 9113 §8.1.1)',
    errors.PROTOCOL_ERROR,
    (c) => [
      c.headers(1, [...POST, ['content-length', '3']], true),
      frame(wire.DATA, 1, 1, Buffer.from('xy')),
    ],
  ],
  [
    'Content-Length without content (RFC 9113 §8.1.1)',
    errors.PROTOCOL_ERROR,
    (c) => [c.headers(1, [...POST, ['content-length', '3']])],
  ],
  [
    'trailers that do not end the stream (RFC 9113 §8.1)',
    errors.PROTOCOL_ERROR,
    (c) => [c.headers(1, POST, true), c.headers(1, [['x-sum', '1']], true)],
  ],
  [
    'a pseudo-header field in trailers (RFC 9113 §8.1)',
    errors.PROTOCOL_ERROR,
    (c) => [c.headers(1, POST, true), c.headers(1, [[':path', '/']])],
  ],
  [
    'a field of a connection (RFC 9113 §8.2.2)',
    errors.PROTOCOL_ERROR,
    (c) => [c.headers(1, [...GET, ['connection', 'close']])],
  ],
  [
    'a name in upper case (RFC 9113 §8.2.1)',
    errors.PROTOCOL_ERROR,
    (c) => [c.headers(1, [...GET, ['X-A', 'b']])],
  ],
  ['no :path (RFC 9113 §8.3.1)', errors.PROTOCOL_ERROR, (c) => [c.headers(1, GET.slice(0, 3))]],
  [
    'a stream that depends on itself (RFC 7540 §5.3.1)',
    errors.PROTOCOL_ERROR,
    (c) => [c.headers(1, WAIT), frame(wire.PRIORITY, 0, 1, Buffer.concat([uint32(1), Buffer.of(0)]))],
  ],
  [
    'PRIORITY of 4 octets (RFC 9113 §6.3)',
    errors.FRAME_SIZE_ERROR,
    (c) => [c.headers(1, WAIT), frame(wire.PRIORITY, 0, 1, Buffer.alloc(4))],
  ],
  [
    'more DATA than the window of the stream (RFC 9113 §6.9.1)',
    errors.FLOW_CONTROL_ERROR,
    (c) => [
      c.headers(1, [...POST.slice(0, 3), [':path', '/wait']], true),
      ...Array.from({ length: 5 }, () => frame(wire.DATA, 0, 1, Buffer.alloc(16_000))),
    ],
  ],
]

describe('a stream ends with RST_STREAM (RFC 9113 §5.4.2) after', () => {
  for (const [rule, code, send] of reset) {
    test(rule, async () => {
      const client = await RawClient.connect(port)
      client.send(...send(client))
      assert.equal((await client.next(wire.RST_STREAM, 1)).number, code)
      client.send(client.headers(3, GET))
      assert.equal((await client.next(wire.DATA, 3)).payload.toString(), 'GET / ')
      client.socket.destroy()
    })
  }
})

describe('a connection', () => {
  test('begins with SETTINGS, and acknowledges those of the client (RFC 9113 §3.4, §6.5.3)', async () => {
    const client = await RawClient.connect(port)
    const first = await client.next(wire.SETTINGS)
    assert.deepEqual([client.frames[0], first.flags], [first, 0])
    assert.equal((await client.next(wire.SETTINGS)).flags, wire.ACK)
    client.socket.destroy()
  })

  test('answers PING with the same octets, and not its answer (RFC 9113 §6.7)', async () => {
    const client = await RawClient.connect(port)
    client.send(
      frame(wire.PING, wire.ACK, 0, Buffer.from('answered')),
      frame(wire.PING, 0, 0, Buffer.from('12345678')),
    )
    const { flags, payload } = await client.next(wire.PING)
    assert.deepEqual([flags, payload.toString()], [wire.ACK, '12345678'])
    client.socket.destroy()
  })

  test('ignores frames and flags that it does not know (RFC 9113 §4.1, §5.5)', async () => {
    const client = await RawClient.connect(port)
    client.send(frame(0xee, 0xff, 77, Buffer.alloc(100)), frame(wire.PING, 0xfe, 0, Buffer.alloc(8)))
    client.send(frame(wire.PRIORITY, 0, 9, Buffer.alloc(5)), client.headers(1, GET))
    assert.equal((await client.next(wire.HEADERS, 1)).fields[':status'], '200')
    client.socket.destroy()
  })

  test('refuses HEAD without content (RFC 9110 §9.3.2)', async () => {
    const client = await RawClient.connect(port)
    const target = `/${'a'.repeat(10_000)}`
    const head = (method: string): [string, string][] => [
      [':method', method],
      [':scheme', 'http'],
      [':authority', 'a'],
      [':path', target],
    ]
    client.send(client.headers(1, head('HEAD')), client.headers(3, head('GET')))
    const refused = await client.next(wire.HEADERS, 1)
    assert.equal(refused.fields[':status'], '414')
    assert.equal(refused.flags & wire.END_STREAM, wire.END_STREAM)
    assert.equal((await client.next(wire.HEADERS, 3)).flags & wire.END_STREAM, 0)
    client.socket.destroy()
  })

  test('takes what comes late on a stream that it has reset (RFC 9113 §5.1)', async () => {
    const client = await RawClient.connect(port)
    client.send(
      client.headers(1, [...POST, ['content-length', '1']], true),
      frame(wire.DATA, 0, 1, Buffer.from('xy')),
    )
    await client.next(wire.RST_STREAM, 1)
    client.send(frame(wire.DATA, 0, 1, Buffer.from('late')), client.headers(1, [['x-late', 'too']]))
    client.send(frame(wire.WINDOW_UPDATE, 0, 1, uint32(1)), frame(wire.RST_STREAM, 0, 1, uint32(8)))
    client.send(client.headers(3, [...GET, ['x-late', 'too']]))
    assert.equal((await client.next(wire.HEADERS, 3)).fields[':status'], '200')
    client.socket.destroy()
  })

  test('reads fields that come in CONTINUATION, and trailers (RFC 9113 §6.10, §8.1)', async () => {
    const client = await RawClient.connect(port)
    const block = client.block(POST)
    client.send(
      frame(wire.HEADERS, 0, 1, block.subarray(0, 3)),
      frame(wire.CONTINUATION, 0, 1, block.subarray(3, 3)),
      frame(wire.CONTINUATION, wire.END_HEADERS, 1, block.subarray(3)),
      frame(wire.DATA, wire.PADDED, 1, Buffer.from('\x02hello\0\0')),
      client.headers(1, [['x-sum', '42']]),
    )
    assert.equal((await client.next(wire.DATA, 1)).payload.toString(), 'POST / hello 42')
    client.socket.destroy()
  })

  test('reads frames that come octet by octet', async () => {
    const client = await RawClient.connect(port, null)
    const octets = Buffer.concat([wire.PREFACE, settingsFrame([]), client.headers(1, GET)])
    for (const octet of octets) {
      client.socket.write(Buffer.of(octet))
      await new Promise(setImmediate)
    }
    assert.equal((await client.next(wire.DATA, 1)).payload.toString(), 'GET / ')
    client.socket.destroy()
  })

  test('sends no more than the windows allow, and what a larger one lets through (RFC 9113 §6.9)', async () => {
    const [port] = await serve((exchange) => say(exchange, 'x'.repeat(100)))
    const client = await RawClient.connect(port, [[4, 10]])
    client.send(client.headers(1, GET))
    assert.equal((await client.next(wire.DATA, 1)).payload.length, 10)
    client.send(frame(wire.WINDOW_UPDATE, 0, 1, uint32(5)))
    assert.equal((await client.next(wire.DATA, 1)).payload.length, 5)
    // RFC 9113 §6.9.2: a smaller initial window makes the stream's negative.
    client.send(settingsFrame([[4, 0]]), frame(wire.WINDOW_UPDATE, 0, 1, uint32(10)))
    await client.settled()
    client.send(frame(wire.WINDOW_UPDATE, 0, 1, uint32(1)))
    const last = await client.next(wire.DATA, 1)
    assert.deepEqual([last.payload.length, last.flags], [1, 0])
    client.send(frame(wire.WINDOW_UPDATE, 0, 1, uint32(1000)))
    const rest = await client.next(wire.DATA, 1)
    assert.deepEqual([rest.payload.length, rest.flags], [84, wire.END_STREAM])
    client.socket.destroy()
  })

  test('refuses streams beyond the limit, which may be tried again (RFC 9113 §5.1.2)', async () => {
    const [port] = await serve(echo, { http2Streams: 2 })
    const client = await RawClient.connect(port)
    client.send(client.headers(1, WAIT), client.headers(3, WAIT), client.headers(5, GET))
    assert.equal((await client.next(wire.RST_STREAM, 5)).number, errors.REFUSED_STREAM)
    client.send(frame(wire.RST_STREAM, 0, 1, uint32(8)), client.headers(7, GET))
    assert.equal((await client.next(wire.HEADERS, 7)).fields[':status'], '200')
    client.socket.destroy()
  })

  test('resets without error a request whose response is whole already (RFC 9113 §8.1)', async () => {
    const [port] = await serve((exchange) => say(exchange, 'no'))
    const client = await RawClient.connect(port)
    client.send(client.headers(1, POST, true))
    assert.equal((await client.next(wire.DATA, 1)).flags, wire.END_STREAM)
    assert.equal((await client.next(wire.RST_STREAM, 1)).number, errors.NO_ERROR)
    client.socket.destroy()
  })

  test('sends HEAD, 204 and 304 without content, and interim responses before (RFC 9113 §8.1)', async () => {
    const [port] = await serve((exchange) => {
      const status = Number(exchange.request.target.slice(1)) || 200
      exchange.inform(103, fieldsOf([['Link', '</a.css>']]))
      exchange.respond({ status, fields: noFields, lengthOctets: 3 }, Buffer.from('abc'))
    })
    const client = await RawClient.connect(port)
    client.send(client.headers(1, [[':method', 'HEAD'], ...GET.slice(1)]))
    client.send(client.headers(3, [...GET.slice(0, 3), [':path', '/204']]))
    client.send(client.headers(5, [...GET.slice(0, 3), [':path', '/304']]))
    for (const [id, status, length] of [
      [1, '200', '3'],
      [3, '204', undefined],
      [5, '304', undefined],
    ] as const) {
      const early = await client.next(wire.HEADERS, id)
      assert.deepEqual([early.fields[':status'], early.fields['link'], early.flags], ['103', '</a.css>', 4])
      const head = client.frames.find((f) => f.streamId === id && f !== early && f.type === wire.HEADERS)
      assert.deepEqual(
        [head?.fields[':status'], head?.fields['content-length'], head?.flags],
        [status, length, 5],
      )
    }
    client.socket.destroy()
  })

  test('says GOAWAY twice when it retires, and serves what is under way (RFC 9113 §6.8)', async () => {
    let waiting: Exchange | undefined
    const [port, server] = await serve((exchange) => {
      if (exchange.request.target === '/wait') waiting = exchange
      else say(exchange, 'in time')
    })
    const client = await RawClient.connect(port)
    client.send(client.headers(1, WAIT))
    await client.settled()
    const closed = server.close(3000)
    const announced = await client.next(wire.GOAWAY)
    assert.deepEqual([announced.payload.length, announced.number], [0, errors.NO_ERROR])
    const ping = await client.next(wire.PING)
    client.send(client.headers(3, GET), frame(wire.PING, wire.ACK, 0, ping.payload))
    await client.next(wire.GOAWAY)
    assert.equal((await client.next(wire.DATA, 3)).payload.toString(), 'in time')
    // RFC 9113 §6.8: streams after the last that was named are ignored, with all that comes on them.
    client.send(client.headers(5, POST, true), frame(wire.DATA, 1, 5, Buffer.from('x')))
    say(waiting!, 'finished')
    assert.equal((await client.next(wire.DATA, 1)).payload.toString(), 'finished')
    await closed
    assert.equal(
      client.frames.some(({ streamId }) => streamId === 5),
      false,
    )
    client.socket.destroy()
  })
})

describe('streams share a connection', () => {
  const large = Buffer.alloc(300_000, 'x')
  const respond: Handler = (exchange) =>
    exchange.respond({ status: 200, fields: noFields, lengthOctets: null }, large)

  async function order(priorities: readonly (string | undefined)[]): Promise<number[]> {
    const [port] = await serve(respond)
    const client = await RawClient.connect(port, [[4, 1_000_000]])
    const requests = priorities.map((priority, i) => {
      return client.headers(2 * i + 1, priority === undefined ? GET : [...GET, ['priority', priority]])
    })
    // Nothing is sent before all have asked.
    client.send(...requests, frame(wire.WINDOW_UPDATE, 0, 0, uint32(10_000_000)))
    for (const i of priorities.keys()) {
      while ((client.frames.findLast((f) => f.streamId === 2 * i + 1)?.flags ?? 0) !== wire.END_STREAM) {
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
    client.socket.destroy()
    return client.frames.filter(({ type }) => type === wire.DATA).map(({ streamId }) => streamId)
  }

  test('alike when the client says nothing', async () => {
    const sent = await order([undefined, undefined])
    assert.deepEqual(sent.slice(0, 4), [1, 3, 1, 3])
  })

  test('the most urgent first (RFC 9218 §4.1, §5)', async () => {
    const sent = await order(['u=5', 'u=1'])
    assert.ok(sent.lastIndexOf(3) < sent.indexOf(1))
  })

  test('in turns when they can be used in parts, else one after the other (RFC 9218 §4.2, §10)', async () => {
    const turns = await order(['u=3, i', 'u=3, i'])
    assert.deepEqual(turns.slice(0, 4), [1, 3, 1, 3])
    const whole = await order(['u=3', 'u=3'])
    assert.ok(whole.lastIndexOf(1) < whole.indexOf(3))
  })

  test('PRIORITY_UPDATE moves a stream, also before it is opened (RFC 9218 §7)', async () => {
    const [port] = await serve(respond)
    const client = await RawClient.connect(port, [[4, 1_000_000]])
    client.send(
      frame(wire.PRIORITY_UPDATE, 0, 0, Buffer.concat([uint32(3), Buffer.from('u=0')])),
      client.headers(1, GET),
      client.headers(3, GET),
    )
    await client.next(wire.DATA, 3)
    const sent = client.frames.filter(({ type }) => type === wire.DATA).map(({ streamId }) => streamId)
    assert.deepEqual(sent.slice(0, 3), [3, 3, 3])
    client.send(frame(wire.PRIORITY_UPDATE, 0, 0, Buffer.concat([uint32(1), Buffer.from('u=0')])))
    client.socket.destroy()
  })

  test('one that the client does not take does not hold up another (RFC 9113 §5.2)', async () => {
    const [port] = await serve((exchange) => {
      if (exchange.request.target === '/wait') respond(exchange)
      else say(exchange, 'small')
    })
    const client = await RawClient.connect(port, [[4, 1000]])
    client.send(client.headers(1, WAIT), client.headers(3, GET))
    assert.equal((await client.next(wire.DATA, 3)).payload.toString(), 'small')
    client.socket.destroy()
  })

  test('content that a handler does not read does not hold up another (RFC 9113 §5.2.2)', async () => {
    const client = await RawClient.connect(port)
    for (let id = 1; id < 100; id += 2) {
      client.send(client.headers(id, [...POST.slice(0, 3), [':path', '/wait']], true))
      for (let i = 0; i < 4; i++) client.send(frame(wire.DATA, 0, id, Buffer.alloc(16_000)))
    }
    client.send(client.headers(101, POST, true), frame(wire.DATA, 1, 101, Buffer.from('heard')))
    assert.equal((await client.next(wire.DATA, 101)).payload.toString(), 'POST / heard')
    assert.ok(!client.frames.some(({ type, streamId }) => type === wire.WINDOW_UPDATE && streamId !== 0))
    client.socket.destroy()
  })
})
