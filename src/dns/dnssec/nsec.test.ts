import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { wireName } from '../rrset.ts'
import { compareNames, NAME_LIMIT } from '../wire/name.ts'
import { printRdata } from '../wire/rdata.ts'
import { TYPE } from '../wire/types.ts'
import { nameAfter, nsecRdata } from './nsec.ts'

test('nsecRdata() has a bit for each type, in windows of 256 (RFC 4034 §4.1, §4.1.2)', () => {
  const rdata = nsecRdata(wireName('b.'), [TYPE.MX, TYPE.A, 1234])
  assert.equal(rdata.subarray(3).toString('hex'), `0006400100000003${'041b'}${'00'.repeat(26)}20`)
  assert.equal(printRdata(TYPE.NSEC, rdata), 'b. A MX RRSIG NSEC TYPE1234')
  assert.equal(printRdata(TYPE.NSEC, nsecRdata(wireName('b.'), [TYPE.NXNAME])), 'b. RRSIG NSEC NXNAME')
})

const long = (last: string): Uint8Array =>
  Buffer.from([
    63,
    ...Buffer.alloc(63, 0x61),
    63,
    ...Buffer.alloc(63, 0x62),
    63,
    ...Buffer.alloc(63, 0x63),
    61,
    ...Buffer.from(last.padStart(61, 'd'), 'latin1'),
    0,
  ])

const AFTER: readonly [string, Uint8Array, (name: Uint8Array) => Uint8Array][] = [
  ['the first name below it', wireName('a.example.'), (name) => Buffer.concat([Buffer.of(1, 0), name])],
  [
    'the next beside it when it is as long as names may be',
    long('e'),
    (name) => {
      const next = Buffer.from(name)
      next[63]! += 1
      return next
    },
  ],
]

for (const [what, name, expected] of AFTER) {
  test(`nameAfter() is ${what} (RFC 4471 §3.1.1, RFC 9824 §3.1)`, () => {
    assert.deepEqual(Buffer.from(nameAfter(name)), Buffer.from(expected(name)))
  })
}

test('nameAfter() follows in canonical order and is a name, whatever the labels', () => {
  const label = fc
    .uint8Array({ minLength: 1, maxLength: 63 })
    .map((octets) => octets.map((octet) => (octet >= 0x41 && octet <= 0x5a ? octet + 32 : octet)))
  fc.assert(
    fc.property(fc.array(label, { minLength: 1, maxLength: 8 }), (labels) => {
      const wire = Buffer.concat([
        ...labels.flatMap((octets) => [Buffer.of(octets.length), octets]),
        Buffer.of(0),
      ])
      fc.pre(wire.length <= NAME_LIMIT)
      const next = nameAfter(wire)
      assert.ok(next.length <= NAME_LIMIT)
      assert.ok(compareNames(wire, next) < 0)
    }),
  )
})
