import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import { frame, GET, POST, RawClient, uint32 } from '../../../test/http2-client.ts'
import { httpLimits } from '../config.ts'
import type { Exchange } from '../exchange.ts'
import { createHttpServer } from '../server.ts'
import { noFields } from '../wire/fields.ts'
import * as wire from './wire/frame.ts'

const logged: string[] = []
const server = createHttpServer({
  limits: httpLimits(),
  handler,
  log: (level, event) => void (level === 'error' && logged.push(event)),
})
after(() => server.close(0))
const listener = await server.prepare({ address: '127.0.0.1', port: 0, http2: true })
listener.commit()

function handler(exchange: Exchange): void {
  const { body } = exchange.request
  const answer = async (): Promise<void> => {
    while (await body?.read(1000)) {}
    exchange.respond({ status: 200, fields: noFields, lengthOctets: null }, Buffer.alloc(50_000))
  }
  answer().catch(() => exchange.abort('client left'))
}

const streamId = fc.integer({ min: 0, max: 9 })
/** What a client may send, right or wrong, in any order. */
const piece = fc.oneof(
  fc.record({ kind: fc.constant('get' as const), streamId }),
  fc.record({ kind: fc.constant('post' as const), streamId }),
  fc.record({ kind: fc.constant('data' as const), streamId, flags: fc.integer({ min: 0, max: 15 }) }),
  fc.record({ kind: fc.constant('window' as const), streamId, by: fc.integer({ min: 0, max: 2 ** 31 }) }),
  fc.record({ kind: fc.constant('reset' as const), streamId }),
  fc.record({
    kind: fc.constant('any' as const),
    streamId,
    type: fc.integer({ min: 0, max: 17 }),
    flags: fc.integer({ min: 0, max: 255 }),
    payload: fc.uint8Array({ maxLength: 40 }),
  }),
)

type Piece = typeof piece extends fc.Arbitrary<infer T> ? T : never

function octetsOf(client: RawClient, one: Piece): Buffer {
  switch (one.kind) {
    case 'get':
      return client.headers(one.streamId, GET)
    case 'post':
      return client.headers(one.streamId, POST, true)
    case 'data':
      return frame(wire.DATA, one.flags, one.streamId, Buffer.alloc(20, 3))
    case 'window':
      return frame(wire.WINDOW_UPDATE, 0, one.streamId, uint32(one.by))
    case 'reset':
      return frame(wire.RST_STREAM, 0, one.streamId, uint32(8))
    case 'any':
      return frame(one.type, one.flags, one.streamId, one.payload)
  }
}

test('whatever a client sends, the server has no fault and lets go of every stream', async () => {
  let begun = 0
  let ended = 0
  const { stats } = server
  const property = fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
    const client = await RawClient.connect(listener.port)
    client.send(...pieces.map((one) => octetsOf(client, one)))
    // The end comes before, between or after the answers.
    if (pieces.length % 2 === 0) client.socket.end()
    await Promise.race([once(client.socket, 'close'), pause(pieces.length)])
    client.socket.destroy()
    begun++
  })
  await fc.assert(property, { numRuns: 300 })
  for (let tries = 0; server.openConnections() > 0 && tries < 100; tries++) {
    await pause(10)
  }
  ended = stats.byClass.reduce((sum, count) => sum + count)
  assert.deepEqual(logged, [])
  assert.equal(server.openConnections(), 0)
  assert.ok(begun === 300 && ended >= stats.requests, `${stats.requests} requests, ${ended} have ended`)
})
