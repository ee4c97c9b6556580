import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { zonePlan } from '../../../test/zone-fixture.ts'
import { lookup } from '../lookup.ts'
import { wireName } from '../rrset.ts'
import { compareNames, lowerName, printName } from '../wire/name.ts'
import { TYPE } from '../wire/types.ts'
import { compileZones, createZones, type Zone } from '../zone.ts'
import { createBudget } from './budget.ts'
import { generateKey } from './key.ts'
import { keyZones } from './keyed-zones.ts'
import { advance } from './roll.ts'
import { createSigning } from './signer.ts'
import { orderKey } from './spans.ts'
import { tagOf } from './zone-keys.ts'

const wanted = { propagationMs: 0, lifetimeMs: null, resolver: null, denial: 'nsec' } as const
const saved = advance(undefined, {
  ...{ wanted, nowSeconds: 0, ttl: 0, parent: null, command: null, newKey: generateKey, tagOf },
})!
const unlimited = createBudget(
  () => 1_000_000,
  () => 0,
)
const signing = createSigning({ now: () => 1_800_000_000, budget: unlimited })

function compile(lines: readonly string[], before?: Zone, serial = 1): Zone {
  const plan = { ...zonePlan('example.', lines, `key ${serial}`), dnssec: wanted }
  const { zones, keys } = keyZones([plan], { [plan.id]: saved })
  const previous = before && createZones([before])
  const compiled = compileZones(zones, new Map([[plan.id, serial]]), previous, {
    signerOf: (zone) => signing.signerOf(zone, keys.get(zone.id)!),
  })
  return compiled.list[0]!
}

const LINES = [
  '@ NS ns1.example.',
  'ns1 A 192.0.2.1',
  'b A 192.0.2.2',
  'x.ent.b TXT "x"',
  '*.wild A 192.0.2.3',
  'cut NS ns.cut.example.',
  'ns.cut A 192.0.2.4',
  'dn DNAME b.example.',
]

/** `owner → next: types` of the NSEC that deny a name. */
function deny(zone: Zone, name: string): string[] {
  return zone.spans!.deny(wireName(name)).map(({ nsec }) => `${nsec.plan.owner} → ${nsec.plan.data[0]}`)
}

test('what stands around a name and around its wildcard denies both (RFC 4034 §4.1, RFC 4035 §2.3, §3.1.3.2)', () => {
  const zone = compile(LINES)
  const apex = 'example. → b.example. NS SOA RRSIG NSEC DNSKEY'
  const cases: readonly (readonly [name: string, ...proof: string[]])[] = [
    ['a.example.', apex],
    ['c.example.', 'x.ent.b.example. → cut.example. TXT RRSIG NSEC', apex],
    ['c.b.example.', 'b.example. → x.ent.b.example. A RRSIG NSEC'],
    [
      'y.ent.b.example.',
      'x.ent.b.example. → cut.example. TXT RRSIG NSEC',
      'b.example. → x.ent.b.example. A RRSIG NSEC',
    ],
    // Glue has no link of its own, and the last leads to the apex.
    ['d.example.', 'cut.example. → dn.example. NS RRSIG NSEC', apex],
    ['zz.example.', '*.wild.example. → example. A RRSIG NSEC', apex],
  ]
  for (const [name, ...proof] of cases) assert.deepEqual(deny(zone, name), proof, name)
})

test('a name with an ALIAS may have addresses, whether they were found or not', () => {
  const { from } = zonePlan('example.', [])
  const plan = { ...zonePlan('example.', LINES), dnssec: wanted }
  const aliases = [{ owner: 'app.example.', target: 'elsewhere.test.', ttl: 60, from }]
  const { zones, keys } = keyZones([{ ...plan, aliases }], { [plan.id]: saved })
  const compiled = compileZones(zones, new Map(), undefined, {
    signerOf: (zone) => signing.signerOf(zone, keys.get(zone.id)!),
  })
  assert.deepEqual(deny(compiled.list[0]!, 'apq.example.')[0], 'app.example. → b.example. A AAAA RRSIG NSEC')
})

const label = fc
  .uint8Array({ minLength: 1, maxLength: 3 })
  .map((octets) => Buffer.from([octets.length, ...octets]))
const names = fc
  .array(label, { maxLength: 4 })
  .map((labels) => lowerName(Buffer.concat([...labels, Buffer.from('\x07example\0', 'latin1')])))

test('keys stand in canonical order, whatever octets names have (RFC 4034 §6.1)', () => {
  fc.assert(
    fc.property(names, names, (a, b) => {
      const [left, right] = [orderKey(a), orderKey(b)]
      assert.equal(left < right ? -1 : left > right ? 1 : 0, Math.sign(compareNames(a, b)))
    }),
  )
})

test('no proof denies a name that is there, and each that is not lies in a gap, as its wildcard does', () => {
  fc.assert(
    fc.property(fc.array(names, { minLength: 1, maxLength: 12 }), names, (owners, asked) => {
      const zone = compile([
        '@ NS ns1.example.',
        ...owners.map((name) => `${printName(name).slice(0, -9) || '@'} TXT "x"`),
      ])
      const found = lookup(createZones([zone]), asked, TYPE.A)
      if (found.reason !== 'nxdomain') return
      const links = zone.spans!.deny(asked)
      const covers = (name: Uint8Array): boolean =>
        links.some(({ owner, nsec }) => {
          const next = wireName(nsec.plan.data[0]!.split(' ')[0]!)
          return (
            compareNames(owner, name) < 0 &&
            (compareNames(name, next) < 0 || next.length === zone.apex.length)
          )
        })
      assert.ok(covers(asked))
      let encloser = asked
      while (zone.names.find(encloser, 0, encloser.length) === undefined)
        encloser = encloser.subarray(1 + encloser[0]!)
      assert.ok(covers(Buffer.concat([Buffer.from('\x01*', 'latin1'), encloser])))
    }),
    { numRuns: 300 },
  )
})

test('signatures of spans are made once, and outlive a change beside them', () => {
  const zone = compile(LINES)
  const [link] = zone.spans!.deny(wireName('a.example.'))
  const first = link!.nsec.signer!.sign(link!.nsec, link!.owner, true)
  const made = signing.counts.made
  assert.equal(link!.nsec.signer!.sign(link!.nsec, link!.owner, true), first)
  const next = compile([...LINES, 'new A 192.0.2.9'], zone, 2)
  assert.equal(next.spans!.deny(wireName('a.example.'))[0]!.nsec.signature?.rrset, first)
  assert.equal(signing.counts.made, made)
  assert.deepEqual([...next.spans!.signed.keys()], [orderKey(zone.apex)])
})
