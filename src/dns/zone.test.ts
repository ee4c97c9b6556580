import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zonePlan } from '../../test/zone-fixture.ts'
import { NameTable } from './table.ts'
import { compileZone, compileZones } from './zone.ts'

test('a reload keeps the zones whose id, key and serial are equal', () => {
  const plans = [zonePlan('a.test.', []), zonePlan('b.test.', []), zonePlan('c.test.', [])]
  const before = compileZones(plans, new Map([['zone:c.test.', 1]]))
  const [a, b, c] = before.list
  const after = compileZones(
    [zonePlan('c.test.', []), zonePlan('b.test.', ['@ A 192.0.2.1'], 'other'), zonePlan('a.test.', [])],
    new Map([['zone:c.test.', 2]]),
    before,
  )
  assert.equal(after.list[2], a)
  assert.notEqual(after.list[1], b)
  assert.notEqual(after.list[0], c)
  assert.equal(after.list[0]?.serial, 2)
})

test('every prepared RRset leads back to its plan', () => {
  const plan = zonePlan('a.test.', ['www A 192.0.2.1'])
  const zone = compileZone(plan, 7)
  const rrsets = zone.names.values.flatMap((node) => node.rrsets)
  assert.equal(rrsets[1]?.plan, plan.rrsets[0])
  assert.equal(rrsets[0]?.plan.data[0], 'ns1.example.com. hostmaster.example.com. 7 10800 3600 1209600 300')
})

test('a plan that was not checked is a bug, and says where', () => {
  assert.throws(() => compileZone(zonePlan('a.test.', ['www A localhost']), 1), /www\.a\.test\. A localhost/)
  assert.throws(() => compileZone(zonePlan('a.test.', ['www NOTYPE 1']), 1), /NOTYPE/)
})

test('10 000 zones and 100 000 names are compiled in seconds, and all are found', () => {
  const started = performance.now()
  const zones = compileZones(
    Array.from({ length: 10_000 }, (_, i) => zonePlan(`d${i}.test.`, ['www A 192.0.2.1'])),
    new Map(),
  )
  const big = compileZone(
    zonePlan(
      'big.test.',
      Array.from({ length: 100_000 }, (_, i) => `h${i} A 192.0.2.1`),
    ),
    1,
  )
  assert.ok(performance.now() - started < 10_000)
  assert.equal(zones.apexes.values.length, 10_000)
  assert.equal(big.names.values.length, 100_001)
})

test('NameTable finds what was added, whatever it was told to expect (RFC 1035 §3.1)', () => {
  for (const expected of [0, 10, 5000]) {
    const table = new NameTable<number>(expected)
    const names = Array.from({ length: 5000 }, (_, i) => Buffer.from(`..${i}`))
    for (const [i, name] of names.entries()) table.add(name, 2, name.length, i)
    for (const [i, name] of names.entries()) assert.equal(table.find(name, 2, name.length), i)
    assert.equal(table.find(Buffer.from('5000'), 0, 4), undefined)
    assert.equal(table.find(Buffer.from('12345'), 0, 0), undefined)
  }
})
