import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { zonePlan } from '../../test/zone-fixture.ts'
import { answer } from './answer.ts'
import { drawZone } from './image.ts'
import { openImage, planOfImage } from './open-image.ts'
import type { RRsetPlan, ZonePlan } from './plan.ts'
import { encodeMessage } from './wire/message.ts'
import { parseName } from './wire/name.ts'
import { CLASS, TYPE } from './wire/types.ts'
import { compileZone, createZones, type Zone } from './zone.ts'

const OWNERS = ['@', 'a', 'b.a', 'x.y.c', 'c', '*', '*.a', 'old', 'y.old', 'sub', 'x.sub', 'a\\.b', '\\200']
const DATA = [
  'A 192.0.2.1',
  'A 192.0.2.2',
  'AAAA 2001:db8::1',
  `TXT "${'l'.repeat(200)}"`,
  'MX 10 a.example.com.',
  'MX 10 Mail.example.net.',
  'NS ns.example.net.',
  'NS x.sub.example.com.',
  'CNAME b.a.example.com.',
  'DNAME c.example.com.',
  'PTR a.example.com.',
  'SRV 1 1 443 c.example.com.',
  'HTTPS 1 . alpn=h2',
  'HTTPS 0 old.example.com.',
  'TYPE65280 \\# 2 abcd',
  'DS 1 13 2 aabb',
]
const TYPES = [...new Set(DATA.map((data) => data.split(' ')[0]!)), 'SOA', 'ANY'].map((type) => {
  return type === 'ANY' ? TYPE.ANY : type.startsWith('TYPE') ? 65_280 : TYPE[type as keyof typeof TYPE]
})
const line = fc.tuple(fc.constantFrom(...OWNERS), fc.constantFrom(...DATA)).map((both) => both.join(' '))

/** Sorted by owner and type, as the Plan of a file is. */
function planOf(lines: readonly string[]): ZonePlan {
  const plan = zonePlan('example.com.', lines)
  const key = ({ owner, type }: RRsetPlan): string => `${owner} ${type}`
  return { ...plan, rrsets: plan.rrsets.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)) }
}

function draw(plan: ZonePlan): ReturnType<typeof drawZone> {
  return drawZone(plan, (octets) => new Uint8Array(new SharedArrayBuffer(octets + 8), 4, octets))
}

/** Everything that a zone answers about names in it, beside it, and about names that it has not. */
function answersOf(zone: Zone): string[] {
  const zones = createZones([zone])
  const out = Buffer.alloc(1232)
  return [...OWNERS, 'none', 'none.a', 'z.y.c', 'y.c', 'q.sub'].flatMap((owner) => {
    const name = parseName(owner === '@' ? 'example.com.' : `${owner}.example.com.`) as Uint8Array
    return TYPES.map((type) => {
      const query = encodeMessage({
        ...{ id: 1, qr: false, opcode: 0, aa: false, tc: false, rd: false, ra: false, ad: false, cd: false },
        ...{ rcode: 0, answer: [], authority: [], additional: [] },
        question: [{ name, type, class: CLASS.IN }],
      })
      const length = answer(zones, query, query.length, { protocol: 'tcp', udpPayload: 1232 }, out)
      return `${owner} ${type} ${out.toString('hex', 0, length)}`
    })
  })
}

test('a zone answers from its image as it does when it is compiled, octet by octet (RFC 1034 §4.3.2)', () => {
  let drawn = 0
  fc.assert(
    fc.property(fc.uniqueArray(line, { maxLength: 14 }), (lines) => {
      const plan = planOf(lines)
      const image = draw(plan)
      if (image === undefined) return
      drawn++
      const expected = answersOf(compileZone(plan, 7))
      assert.deepEqual(answersOf(openImage(planOfImage({ ...plan, rrsets: [] }, image), 7, image)), expected)
      assert.deepEqual(
        answersOf(openImage(plan, 7, image, (owner) => plan.rrsets.filter((set) => set.owner === owner))),
        expected,
      )
      const compiled = compileZone(planOfImage(plan, image), 7)
      assert.deepEqual(answersOf(compiled).toSorted(), expected.toSorted())
    }),
    { numRuns: 60 },
  )
  assert.ok(drawn > 20, `${drawn}`)
})

test('zones that are signed, or answer by pools and ALIAS, have no image', () => {
  const plan = planOf(['a A 192.0.2.1'])
  assert.notEqual(draw(plan), undefined)
  assert.equal(
    draw({ ...plan, rrsets: [{ ...plan.rrsets[0]!, pool: { id: 'pool:a', policy: 'nearest' } }] }),
    undefined,
  )
  assert.equal(
    draw({ ...plan, aliases: [{ owner: 'example.com.', target: 'a.', ttl: 1, from: plan.from }] }),
    undefined,
  )
  assert.equal(draw({ ...plan, dnssec: { denial: 'compact' } as ZonePlan['dnssec'] & {} }), undefined)
})
