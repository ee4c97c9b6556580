import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { silent } from '#core/log.ts'
import { httpLimits } from './config.ts'
import { createHttpServer } from './server.ts'
import { fieldsOf } from './wire/fields.ts'

const LENGTH_OCTETS = 2 ** 30
/** Larger than what the kernel's window opens by at a time. */
const PIECE_OCTETS = 2 ** 22

/** A server that answers with octets without end, and what it says of its one client. */
async function serve() {
  const piece = Buffer.alloc(PIECE_OCTETS)
  const limits = { ...httpLimits(), bodyTimeoutMs: 800 }
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
  await once(client, 'readable')
  return { server, client, ends }
}

test('a client that takes a large piece slowly is not too slow: each part of it is progress', async () => {
  const { server, client, ends } = await serve()
  let taken = 0
  // A piece takes 2.5 s: longer than the limit.
  for (let i = 0; i < 65; i++) {
    taken += (client.read(65_536) ?? client.read())?.length ?? 0
    await pause(40)
  }
  const [transfer] = server.transfers()
  assert.deepEqual(ends, [])
  assert.ok(transfer!.sentOctets >= taken && transfer!.sentOctets < LENGTH_OCTETS)
  assert.ok(transfer!.aheadOctets > 0 && transfer!.aheadOctets <= PIECE_OCTETS)
  assert.equal(transfer!.lengthOctets, LENGTH_OCTETS)
  client.destroy()
  await server.close(0)
})

test('a client that takes nothing is paused, then too slow', async () => {
  const { server, client, ends } = await serve()
  await pause(500)
  const [before] = server.transfers()
  assert.equal(before?.pausedMs, 0, 'not yet a second')
  for (let i = 0; i < 100 && ends.length === 0; i++) await pause(20)
  assert.deepEqual(ends, ['client too slow'])
  assert.deepEqual(server.transfers(), [])
  client.destroy()
  await server.close(0)
})
