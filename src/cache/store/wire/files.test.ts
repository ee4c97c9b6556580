import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { decodeJournalRecord, encodeJournalRecord, type JournalRecord } from './journal-record.ts'
import { decodeTrailer, encodeTrailer, SUMMED_OCTETS, Sums, trailerOctets } from './object-file.ts'

const stored = fc
  .record({
    kind: fc.constant('stored' as const),
    file: fc.maxSafeNat(),
    lengthOctets: fc.maxSafeNat(),
    isStale: fc.boolean(),
    hits: fc.nat(63),
    record: fc.uint8Array({ maxLength: 300 }).map((octets) => Buffer.from(octets)),
    cut: fc.nat(300),
  })
  .map(({ cut, ...one }) => ({ ...one, keyOctets: cut % (one.record.length + 1), metaOctets: 0 }))
const removed = fc.record(
  { kind: fc.constant('removed' as const), file: fc.maxSafeNat() },
  { noNullPrototype: true },
)

function readAll(octets: Buffer): JournalRecord[] {
  const records: JournalRecord[] = []
  for (let at = 0; ; ) {
    const one = decodeJournalRecord(octets, at)
    if (one === null) return records
    records.push(one.record)
    at = one.next
  }
}

test('a journal that is cut anywhere gives the records before the cut, and a changed one none that were not written', () => {
  const property = fc.property(
    fc.array(fc.oneof(stored, removed), { minLength: 1, maxLength: 8 }),
    fc.nat(),
    fc.nat(255),
    (all, n, x) => {
      const parts = all.map(encodeJournalRecord)
      const octets = Buffer.concat(parts)
      const same = (one: JournalRecord): JournalRecord =>
        one.kind === 'stored' ? { ...one, record: Buffer.from(one.record) } : { ...one }
      assert.deepEqual(readAll(octets), all.map(same))
      const cut = n % octets.length
      let whole = 0
      for (let end = 0; end + parts[whole]!.length <= cut; whole++) end += parts[whole]!.length
      assert.equal(readAll(octets.subarray(0, cut)).length, whole)
      if (x === 0) return
      octets[cut]! ^= x
      assert.deepEqual(readAll(octets).slice(0, whole), all.slice(0, whole).map(same))
    },
  )
  fc.assert(property, { numRuns: 300 })
})

test('nothing that is read as a journal or as a trailer throws', () => {
  const property = fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
    readAll(Buffer.from(octets))
    decodeTrailer(Buffer.from(octets))
  })
  fc.assert(property, { numRuns: 500 })
})

test('a trailer tells the sums of the blocks, however the body came, and none when an octet differs', () => {
  const body = Buffer.alloc(2 * SUMMED_OCTETS + 77, 'some octets ')
  const inOne = new Sums()
  inOne.add(body)
  const inParts = new Sums()
  for (let at = 0; at < body.length; at += 50_001) inParts.add(body.subarray(at, at + 50_001))
  assert.ok(inOne.encode().equals(inParts.encode()))
  assert.equal(inOne.encode().length, 12)
  const record = Buffer.from('https://example.com/meta["tag"]')
  const octets = encodeTrailer({
    lengthOctets: body.length,
    sums: inOne.encode(),
    keyOctets: 20,
    metaOctets: 4,
    record,
  })
  assert.equal(octets.length, trailerOctets(record.length, body.length))
  const trailer = decodeTrailer(Buffer.from(octets))
  assert.equal(trailer?.lengthOctets, body.length)
  assert.ok(trailer.record.equals(record) && trailer.sums.equals(inOne.encode()))
  for (let at = 0; at < octets.length; at++) {
    const changed = Buffer.from(octets)
    changed[at]! ^= 1
    assert.equal(decodeTrailer(changed), null, `octet ${at}`)
  }
})
