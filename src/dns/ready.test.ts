import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { zonePlan } from '../../test/zone-fixture.ts'
import { createLookup, lookup } from './lookup.ts'
import { lowerName, parseName } from './wire/name.ts'
import { TYPE } from './wire/types.ts'
import { compileZones } from './zone.ts'

const OWNERS = ['@', 'a', 'b.a', 'c', '*', '*.a', 'x.c', 'old', 'y.old', 'sub', 'x.sub']
const DATA = [
  'A 192.0.2.1',
  'A 192.0.2.2',
  'AAAA 2001:db8::1',
  'TXT short',
  `TXT ${'l'.repeat(200)}`,
  'MX 10 a.example.com.',
  'MX 10 mail.example.net.',
  'NS ns.example.net.',
  'CAA 0 issue "example.net"',
  'CNAME a.example.com.',
  'DNAME c.example.com.',
  'HTTPS 1 . alpn=h2',
  'DS 1 13 2 aabb',
]
const TYPES = Object.entries(TYPE).filter(([type]) => DATA.some((data) => data.startsWith(`${type} `)))

test('what is ready says the same as what is looked up, octet by octet (RFC 1034 §4.3.2)', () => {
  const line = fc.tuple(fc.constantFrom(...OWNERS), fc.constantFrom(...DATA)).map((both) => both.join(' '))
  let ready = 0
  fc.assert(
    fc.property(fc.uniqueArray(line, { minLength: 6, maxLength: 14 }), fc.boolean(), (lines, hasChild) => {
      const plans = [zonePlan('example.com.', lines)]
      if (hasChild) plans.push(zonePlan('sub.example.com.', ['@ A 192.0.2.9', 'x A 192.0.2.10']))
      const zones = compileZones(plans, new Map())
      for (const owner of [...OWNERS, 'none']) {
        const name = lowerName(
          parseName(owner === '@' ? 'example.com.' : `${owner}.example.com.`) as Uint8Array,
        )
        for (const [, type] of TYPES) {
          const found = lookup(zones, name, type, createLookup(), 'all')
          const { reason, rcode, answers, authority, authoritative, zone } = lookup(zones, name, type)
          assert.deepEqual(
            [found.reason, found.rcode, found.zone === zone, found.authoritative],
            [reason, rcode, true, authoritative],
          )
          if (found.ready === 0) continue
          ready++
          assert.deepEqual(
            [reason, answers.length, authority, answers[0]!.additional.length],
            ['answer', 1, undefined, 0],
          )
          const { octets } = zone!.names
          const { wire, count } = answers[0]!
          const at = found.ready
          assert.deepEqual(
            [octets[at], (octets[at + 1]! << 8) | octets[at + 2]!, answers[0]!.type],
            [count, wire.length, type],
          )
          assert.deepEqual(Buffer.from(octets.subarray(at + 3, at + 3 + wire.length)), Buffer.from(wire))
        }
      }
    }),
    { numRuns: 200 },
  )
  assert.ok(ready > 500, `${ready}`)
})
