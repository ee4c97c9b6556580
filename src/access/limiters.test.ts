import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Exchange } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { ask } from '../../test/exchange.ts'
import { clientKey } from './client-key.ts'
import { createBucketMemory, createLimiters } from './limiters.ts'

const rate = { id: 'host:a', intervalMs: 1000, burst: 2 }
const isTrusted = (address: string): boolean => address === '192.0.2.1'

function handler(exchange: Exchange): void {
  exchange.respond({ status: 200, fields: fieldsOf([]), lengthOctets: 0 }, null)
}

/** Ask for clients behind a proxy, one after the other. */
async function statuses(handle: typeof handler, ...clients: string[]): Promise<number[]> {
  const answers: number[] = []
  for (const client of clients) {
    answers.push((await ask(handle, { fields: [['X-Forwarded-For', client]] })).status)
  }
  return answers
}

test('a client that asks too often gets 429 and the time to wait (RFC 6585 §4, RFC 9110 §10.2.3)', async () => {
  let now = 0
  const handle = createLimiters({ isTrusted, now: () => now, memory: createBucketMemory() }).limit(
    rate,
    handler,
  )
  assert.deepEqual(await statuses(handle, '10.0.0.1', '10.0.0.1', '10.0.0.2'), [200, 200, 200])
  now = 200
  const { status, head, note } = await ask(handle, { fields: [['X-Forwarded-For', '10.0.0.1']] })
  assert.deepEqual([status, head.fields.get('retry-after'), note.answeredBy], [429, '1', 'limits'])
  now = 1000
  assert.deepEqual(await statuses(handle, '10.0.0.1', '10.0.0.1', '10.0.0.2'), [200, 429, 200])
})

test('a client of IPv6 is its /64 (RFC 4291 §2.5.1)', async () => {
  assert.equal(clientKey('2001:db8::1'), clientKey('2001:db8:0:0:ffff::2'))
  assert.notEqual(clientKey('2001:db8::1'), clientKey('2001:db8:0:1::1'))
  const handle = createLimiters({ isTrusted, now: () => 0, memory: createBucketMemory() }).limit(
    rate,
    handler,
  )
  assert.deepEqual(await statuses(handle, '2001:db8::1', '2001:db8::2', '2001:db8::3'), [200, 200, 429])
})

test('handlers with one rate count together, and the count survives a reload', async () => {
  const limiters = createLimiters({ isTrusted, now: () => 0, memory: createBucketMemory() })
  const [a, b, other] = [rate, rate, { ...rate, id: 'host:b' }].map((plan) => limiters.limit(plan, handler))
  assert.deepEqual(await statuses(a!, '10.0.0.1'), [200])
  assert.deepEqual(await statuses(b!, '10.0.0.1', '10.0.0.1'), [200, 429])
  assert.deepEqual(await statuses(other!, '10.0.0.1'), [200])
  assert.deepEqual(await statuses(limiters.limit(rate, handler), '10.0.0.1'), [429])
  const another = limiters.limit({ ...rate, burst: 3 }, handler)
  assert.deepEqual(await statuses(another, '10.0.0.1'), [200])
})

test('threads that share memory share the buckets', async () => {
  const memory = createBucketMemory()
  const [a, b] = [0, 1].map(() => createLimiters({ isTrusted, now: () => 0, memory }).limit(rate, handler))
  assert.deepEqual(await statuses(a!, '10.0.0.1'), [200])
  assert.deepEqual(await statuses(b!, '10.0.0.1', '10.0.0.1', '10.0.0.2'), [200, 429, 200])
})

test('of more clients than there is room for, the one that may ask most is forgotten', async () => {
  let now = 0
  const options = { isTrusted, now: () => now, memory: createBucketMemory(8) }
  const handle = createLimiters(options).limit({ ...rate, burst: 1 }, handler)
  const clients = Array.from({ length: 9 }, (_, i) => `10.0.0.${i}`)
  for (const client of clients) {
    now += 10
    assert.deepEqual(await statuses(handle, client), [200])
  }
  assert.deepEqual(await statuses(handle, ...clients.slice(1)), new Array(8).fill(429))
  assert.deepEqual(await statuses(handle, '10.0.0.0'), [200])
})
