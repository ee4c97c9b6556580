import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadText } from '#config/load.ts'
import { plan as planFile } from '#plan/plan.ts'
import { zonePlan } from '../../../test/zone-fixture.ts'
import { wireName } from '../rrset.ts'
import { compileZones, findRRset, type Zones } from '../zone.ts'
import { dsData, generateKey } from './key.ts'
import { keyZones } from './keyed-zones.ts'
import { advance, type SavedZone } from './roll.ts'
import { createSigning } from './signer.ts'
import { tagOf } from './zone-keys.ts'

const wanted = { propagationMs: 0, lifetimeMs: null, resolver: null }
const begun = advance(undefined, {
  ...{ wanted, nowSeconds: 0, ttl: 0, parent: null, command: null, newKey: generateKey, tagOf },
})!
const signed: SavedZone = { ...begun, phase: 'signed' }

const plan = zonePlan('example.', [
  '@ NS ns1.example.',
  'a A 192.0.2.1',
  'b A 192.0.2.2',
  'lab NS ns1.example.',
])
const lab = zonePlan('lab.example.', ['@ NS ns1.example.'])

function dataOf(zones: ReturnType<typeof keyZones>, apex: string, owner: string, type: string) {
  const zone = zones.zones.find((one) => one.apex === apex)!
  return zone.rrsets.find((set) => set.owner === owner && set.type === type)?.data
}

test('a zone has its key at the apex, and tells the parent what the DS shall be (RFC 7344 §3)', () => {
  const { publicKey } = signed.keys[0]!
  const keyed = keyZones([plan], { [plan.id]: signed })
  assert.deepEqual(dataOf(keyed, 'example.', 'example.', 'DNSKEY'), [`257 3 13 ${publicKey}`])
  assert.deepEqual(dataOf(keyed, 'example.', 'example.', 'CDS'), [dsData(wireName('example.'), publicKey)])
  assert.deepEqual(dataOf(keyed, 'example.', 'example.', 'CDNSKEY'), [`257 3 13 ${publicKey}`])
  assert.notEqual(keyed.zones[0]!.key, plan.key)
  const beginning = keyZones([plan], { [plan.id]: begun })
  assert.equal(dataOf(beginning, 'example.', 'example.', 'CDS'), undefined)
  assert.deepEqual(keyZones([plan], {}).zones, [plan])
})

test('a zone of ours above another one of ours has its DS (RFC 4035 §2.4)', () => {
  const both = { [plan.id]: signed, [lab.id]: signed }
  const ds = [dsData(wireName('lab.example.'), signed.keys[0]!.publicKey)]
  assert.deepEqual(dataOf(keyZones([plan, lab], both), 'example.', 'lab.example.', 'DS'), ds)
  const leaving = { ...both, [lab.id]: { ...signed, phase: 'leaving' as const } }
  assert.equal(dataOf(keyZones([plan, lab], leaving), 'example.', 'lab.example.', 'DS'), undefined)
})

test('a change of a zone leaves the signatures of what did not change', () => {
  const signing = createSigning({ now: () => 1_800_000_000, budget: { take: () => true } })
  const compile = (zone: typeof plan, previous?: Zones): Zones => {
    const { zones, keys } = keyZones([zone], { [plan.id]: signed })
    const serials = new Map([[plan.id, previous === undefined ? 1 : 2]])
    return compileZones(zones, serials, previous, {
      signerOf: (one) => signing.signerOf(one, keys.get(one.id)!),
    })
  }
  const rrset = (zones: Zones, name: string) => {
    const wire = wireName(name)
    return findRRset(zones.list[0]!.names.find(wire, 0, wire.length)!, 1)!
  }
  const before = compile(plan)
  for (const name of ['a.example.', 'b.example.'])
    rrset(before, name).signer!.sign(rrset(before, name), wireName(name), true)
  const after = compile(
    zonePlan('example.', ['@ NS ns1.example.', 'a A 192.0.2.1', 'b A 192.0.2.9'], 'other'),
    before,
  )
  assert.notEqual(rrset(before, 'a.example.').signature, undefined)
  assert.equal(rrset(after, 'a.example.').signature, rrset(before, 'a.example.').signature)
  assert.equal(rrset(after, 'b.example.').signature, undefined)
  // What is laid over zones for a while is signed by those who sign below it.
  const over = compileZones([{ ...after.list[0]!.plan, key: 'over' }], new Map(), after)
  assert.equal(over.list[0]!.signer, after.list[0]!.signer)
  assert.equal(rrset(over, 'a.example.').signature, rrset(after, 'a.example.').signature)
})

test('a file is signed on a laptop too, or its keys would go; its copies below .localhost are not', () => {
  const { config } = loadText(
    'portico.jsonc',
    '{ "domains": { "example.com": { "dnssec": true, "hosts": {} } } }',
  )
  const { dns } = planFile(config!, { dev: true, addresses: [] }).plan
  const wishes = dns.zones.map(({ apex, dnssec }) => [apex, dnssec !== undefined])
  assert.deepEqual(wishes, [
    ['example.com.', true],
    ['example.com.localhost.', false],
  ])
})
