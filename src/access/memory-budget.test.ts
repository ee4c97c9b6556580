import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldsOf } from '#http/wire/fields.ts'
import { ask } from '../../test/exchange.ts'
import { limitMemory } from './memory-budget.ts'

test('requests are refused with 503 while memory is short, and served again after (RFC 9110 §15.6.4)', async () => {
  let [now, octets, samples] = [0, 50, 0]
  const resident = (): number => {
    samples++
    return octets
  }
  const handle = limitMemory(100, { resident, now: () => now }, (exchange) => {
    exchange.respond({ status: 204, fields: fieldsOf([]), lengthOctets: 0 }, null)
  })
  const statuses: number[] = []
  for (const [at, used] of [
    [0, 50],
    [99, 101],
    [100, 101],
    [150, 50],
    [200, 50],
  ] as const) {
    now = at
    octets = used
    statuses.push((await ask(handle, {})).status)
  }
  assert.deepEqual(statuses, [204, 204, 503, 503, 204])
  assert.equal(samples, 3)
  now = 300
  octets = 101
  assert.equal((await ask(handle, {})).head.fields.get('retry-after'), '1')
})
