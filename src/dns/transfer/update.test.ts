import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import fc from 'fast-check'
import { zonePlan } from '../../../test/zone-fixture.ts'
import type { Message } from '../wire/message.ts'
import { parseName } from '../wire/name.ts'
import { parseRdata } from '../wire/rdata.ts'
import { CLASS, OPCODE, RCODE, TYPE } from '../wire/types.ts'
import type { ResourceRecord } from '../wire/writer.ts'
import { compileZone } from '../zone.ts'
import { openJournal } from './journal.ts'
import { applyUpdate } from './update.ts'
import { layUpdates, mergeUpdates } from './updates.ts'

const zone = zonePlan('example.com.', [
  '@ NS ns1.example.com.',
  'www A 192.0.2.1',
  'www A 192.0.2.2',
  'mail MX 10 MX.example.net.',
  'alias CNAME www.example.com.',
])

function record(owner: string, type: number, rclass: number, data = '', ttl = 0): ResourceRecord {
  const rdata = data === '' ? new Uint8Array() : parseRdata(type, data)
  assert.ok(typeof rdata !== 'string', String(rdata))
  const name = parseName(`${owner}.example.com.`) as Uint8Array
  return { owner: name, type, class: rclass, ttl, rdata: rdata instanceof Uint8Array ? rdata : rdata.wire }
}

function update(
  prerequisites: readonly ResourceRecord[],
  updates: readonly ResourceRecord[],
  may = true,
  plan = zone,
) {
  const message: Message = {
    id: 1,
    opcode: OPCODE.UPDATE,
    rcode: 0,
    ...{ qr: false, aa: false, tc: false, rd: false, ra: false, ad: false, cd: false },
    question: [],
    answer: prerequisites,
    authority: updates,
    additional: [],
  }
  return applyUpdate(message, { plan, serial: 7 }, () => may)
}

const added = record('new', TYPE.A, CLASS.IN, '192.0.2.9', 60)

test('all of an update happens, or nothing (RFC 2136 §3.4.2)', () => {
  assert.deepEqual(update([], [added]).sets, [
    { owner: 'new.example.com.', type: 'A', ttl: 60, data: ['192.0.2.9'] },
  ])
  const outside = { ...added, owner: parseName('example.net.') as Uint8Array }
  assert.deepEqual(update([], [added, outside]), {
    rcode: RCODE.NOTZONE,
    reason: 'example.net. is not in the zone',
    sets: [],
  })
  assert.equal(update([], [added], false).rcode, RCODE.REFUSED)
})

test('keys that we made stay, whatever an update says of them (RFC 4035 §2.1)', () => {
  const rrsets = zone.rrsets.map((rrset) =>
    rrset.type === 'MX' ? { ...rrset, why: 'DNSSEC' as const } : rrset,
  )
  const signed = { ...zone, rrsets }
  const deletions = [record('mail', TYPE.MX, CLASS.ANY), record('mail', TYPE.ANY, CLASS.ANY)]
  for (const deletion of deletions) assert.deepEqual(update([], [deletion], true, signed).sets, [])
  assert.deepEqual(update([], [record('mail', TYPE.MX, CLASS.IN, '5 mx.', 60)], true, signed).sets, [])
  assert.equal(update([], [deletions[0]!]).sets.length, 1)
})

test('signatures and denials of a zone that we sign are ours alone (RFC 3007 §4)', () => {
  const rrsets = [...zone.rrsets, { ...zone.rrsets[0]!, type: 'DNSKEY', why: 'DNSSEC' as const }]
  const nsec = record('www', TYPE.NSEC, CLASS.IN, 'a. A', 60)
  for (const one of [nsec, record('www', TYPE.RRSIG, CLASS.ANY), record('www', TYPE.NSEC3PARAM, CLASS.ANY)])
    assert.equal(update([], [added, one], true, { ...zone, rrsets }).rcode, RCODE.REFUSED)
  assert.equal(update([], [nsec]).rcode, RCODE.NOERROR)
})

test('a prerequisite may name the SOA, by its serial too, and no update changes it (RFC 2136 §2.4.2, §3.2.3)', () => {
  const apex = (data: string, rclass: number): ResourceRecord => ({
    ...record('x', TYPE.SOA, rclass, data),
    owner: parseName('Example.com.') as Uint8Array,
  })
  const soa = (serial: number): string =>
    `ns1.example.COM. hostmaster.example.com. ${serial} 10800 3600 1209600 300`
  assert.equal(update([apex(soa(7), CLASS.IN)], [added]).rcode, RCODE.NOERROR)
  assert.equal(update([apex(soa(6), CLASS.IN)], [added]).rcode, RCODE.NXRRSET)
  assert.equal(update([apex('', CLASS.ANY)], [added]).rcode, RCODE.NOERROR)
  assert.equal(update([apex('', CLASS.NONE)], [added]).rcode, RCODE.YXRRSET)
  assert.deepEqual(update([], [apex('', CLASS.ANY), { ...apex('', CLASS.ANY), type: TYPE.ANY }]).sets, [])
})

test('names in data are equal whatever their case, when compared and when deleted (RFC 2136 §1.1.1)', () => {
  assert.equal(
    update([record('mail', TYPE.MX, CLASS.IN, '10 mx.EXAMPLE.net.')], [added]).rcode,
    RCODE.NOERROR,
  )
  const [set] = update([], [record('MAIL', TYPE.MX, CLASS.NONE, '10 mx.example.NET.')]).sets
  assert.deepEqual(set, { owner: 'mail.example.com.', type: 'MX', ttl: 3600, data: [] })
})

const FORMS: readonly [
  what: string,
  prerequisites: readonly ResourceRecord[],
  updates: readonly ResourceRecord[],
][] = [
  ['a prerequisite with a TTL', [record('www', TYPE.A, CLASS.ANY, '', 1)], []],
  ['a prerequisite that something exists, with data', [record('www', TYPE.A, CLASS.ANY, '192.0.2.1')], []],
  ['a prerequisite of class CH', [record('www', TYPE.A, CLASS.CH)], []],
  ['an addition of type ANY', [], [record('www', TYPE.ANY, CLASS.IN)]],
  ['a deletion with a TTL', [], [record('www', TYPE.A, CLASS.ANY, '', 1)]],
  ['a deletion of an RRset with data', [], [record('www', TYPE.A, CLASS.ANY, '192.0.2.1')]],
  ['a deletion of one record of type ANY', [], [record('www', TYPE.ANY, CLASS.NONE)]],
  ['an address of three octets', [], [{ ...added, rdata: new Uint8Array(3) }]],
]
for (const [what, prerequisites, updates] of FORMS) {
  test(`${what} is FORMERR (RFC 2136 §3.2, §3.4.1.2)`, () => {
    assert.equal(update(prerequisites, [...updates, added]).rcode, RCODE.FORMERR)
  })
}

test('adding what is there changes nothing; another TTL holds for the whole RRset (RFC 2136 §3.4.2.2)', () => {
  assert.deepEqual(update([], [record('www', TYPE.A, CLASS.IN, '192.0.2.2', 3600)]).sets, [])
  const [set] = update([], [record('www', TYPE.A, CLASS.IN, '192.0.2.2', 60)]).sets
  assert.deepEqual(set, { owner: 'www.example.com.', type: 'A', ttl: 60, data: ['192.0.2.1', '192.0.2.2'] })
})

test('a zone can be served after any update', () => {
  const owners = fc.constantFrom('@x', 'www', 'alias', 'mail', 'new')
  const forms = fc.constantFrom(
    [TYPE.A, CLASS.IN, '192.0.2.3'],
    [TYPE.CNAME, CLASS.IN, 'x.example.net.'],
    [TYPE.TXT, CLASS.IN, '"x"'],
    [TYPE.ANY, CLASS.ANY, ''],
    [TYPE.A, CLASS.ANY, ''],
    [TYPE.A, CLASS.NONE, '192.0.2.1'],
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(owners, forms), { maxLength: 8 }), (parts) => {
      const records = parts.map(([owner, [type, rclass, data]]) =>
        record(owner, type as number, rclass as number, data as string),
      )
      const { sets } = update([], records)
      const next = layUpdates(zone, mergeUpdates(zone, new Map(), sets))
      compileZone(next, 1)
      const alone = next.rrsets.filter(({ type }) => type === 'CNAME')
      for (const { owner } of alone) assert.equal(next.rrsets.filter((set) => set.owner === owner).length, 1)
    }),
    { numRuns: 200 },
  )
})

test('what is again as in the file is no update any more', () => {
  const gone = update([], [record('www', TYPE.A, CLASS.ANY)]).sets
  const updates = mergeUpdates(zone, new Map(), gone)
  assert.equal(layUpdates(zone, updates).rrsets.length, zone.rrsets.length - 1)
  const back = [{ owner: 'www.example.com.', type: 'A', ttl: 3600, data: ['192.0.2.2', '192.0.2.1'] }]
  assert.equal(layUpdates(zone, mergeUpdates(zone, updates, back)), zone)
})

test('a journal keeps whole lines; what a crash left of one is taken off', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portico-journal-'))
  const path = join(folder, 'x.jsonl')
  try {
    await (await openJournal<number>(path)).append([1, 2], true)
    await writeFile(path, '1\n2\n3', { flag: 'w' })
    const torn = await openJournal<number>(path)
    assert.deepEqual(torn.lines, [1, 2])
    await torn.append([4], true)
    await torn.append([5], false)
    assert.equal(await readFile(path, 'utf8'), '1\n2\n4\n5\n')
    assert.equal(torn.count(), 4)
    await torn.replace([])
    assert.deepEqual((await openJournal(path)).lines, [])
  } finally {
    await rm(folder, { recursive: true })
  }
})
