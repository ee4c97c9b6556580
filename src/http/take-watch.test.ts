import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { silent } from '#core/log.ts'
import { httpLimits } from './config.ts'
import { createHttpServer } from './server.ts'
import { fieldsOf } from './wire/fields.ts'

const LENGTH_OCTETS = 2 ** 30
/** Larger than what the kernel's window opens by at a time. */
const PIECE_OCTETS = 2 ** 22

/** Longer than a loaded machine stands still, and shorter than the slow client takes for a piece. */
const LIMIT_MS = 2000

/** A server that answers with octets without end, and what it says of its one client. */
async function serve(t: TestContext) {
  const piece = Buffer.alloc(PIECE_OCTETS)
  const limits = { ...httpLimits(), bodyTimeoutMs: LIMIT_MS }
  const ends: string[] = []
  const server = createHttpServer({
    limits,
    log: silent,
    handler(exchange) {
      exchange.onEnd = ({ reason }) => ends.push(reason)
      const source = { read: () => piece, cancel: () => {} }
      exchange.respond({ status: 200, fields: fieldsOf([]), lengthOctets: LENGTH_OCTETS }, source)
    },
  })
  const listener = await server.prepare({ address: '127.0.0.1', port: 0 })
  listener.commit()
  const client: Socket = connect(listener.port, '127.0.0.1')
  client.on('error', () => {}).pause()
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  t.after(async () => {
    client.destroy()
    await server.close(0)
  })
  await once(client, 'readable')
  return { server, client, ends }
}

test('a client that takes a large piece slowly is not too slow: each part of it is progress', async (t) => {
  const { server, client, ends } = await serve(t)
  let taken = 0
  // A piece takes 2.6 s.
  for (let i = 0; i < 65; i++) {
    taken += (client.read(65_536) ?? client.read())?.length ?? 0
    await pause(40)
  }
  const [transfer] = server.transfers()
  assert.deepEqual(ends, [])
  assert.ok(transfer!.sentOctets >= taken && transfer!.sentOctets < LENGTH_OCTETS)
  assert.ok(transfer!.aheadOctets > 0 && transfer!.aheadOctets <= PIECE_OCTETS)
  assert.equal(transfer!.lengthOctets, LENGTH_OCTETS)
})

test('a client that takes nothing is paused, then too slow', async (t) => {
  const { server, ends } = await serve(t)
  await pause(500)
  const [before] = server.transfers()
  assert.equal(before?.pausedMs, 0, 'not yet a second')
  for (let i = 0; i < 500 && ends.length === 0; i++) await pause(20)
  assert.deepEqual(ends, ['client too slow'])
  assert.deepEqual(server.transfers(), [])
})
