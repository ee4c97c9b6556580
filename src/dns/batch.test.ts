import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../test/ports.ts'
import { openBatch } from './batch.ts'

/** "answer" → "answer!", and nothing for what begins with "-". */
function shout(query: Uint8Array, length: number, out: Uint8Array): number {
  if (query[0] === 0x2d) return 0
  out.set(query.subarray(0, length))
  out[length] = 0x21
  return length + 1
}

const supported = process.platform === 'linux' && process.getBuiltinModule('node:ffi') !== undefined

test('a batch answers each datagram to where it came from', {
  skip: !supported && 'needs node:ffi',
}, async () => {
  const port = await freePort()
  const batch = openBatch('127.0.0.1', port, {
    answer: shout,
    onElsewhere: () => {},
    onDrop: () => assert.fail(),
  })
  assert.ok(batch !== undefined)
  const clients = ['a', 'b', 'c'].map((name) => ({
    name,
    socket: createSocket('udp4').unref(),
    got: [] as string[],
  }))
  for (const { name, socket, got } of clients) {
    socket.on('message', (message) => got.push(String(message)))
    for (let i = 0; i < 30; i++) socket.send(`${i % 3 === 0 ? '-' : ''}${name}${i}`, port, '127.0.0.1')
  }
  for (let waits = 0; clients.some(({ got }) => got.length < 20) && waits < 200; waits++) {
    await sleep(5)
    batch.answerWaiting()
  }
  const wanted = Array.from({ length: 30 }, (_, i) => i).filter((i) => i % 3 !== 0)
  for (const { name, socket, got } of clients) {
    assert.deepEqual(got.sort(), wanted.map((i) => `${name}${i}!`).sort())
    socket.close()
  }
  const owner = createSocket('udp4').unref()
  // Node says so before bind() returns.
  const listening = once(owner, 'listening')
  owner.bind({ fd: batch.fd })
  await listening
  assert.equal(
    openBatch('127.0.0.1', port, { answer: shout, onElsewhere: () => {}, onDrop: () => {} }),
    undefined,
  )
  owner.close()
})
