import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { test } from 'node:test'
import { wireName } from '../rrset.ts'
import { canonicalOrder, canonicalRdata } from '../wire/canonical.ts'
import { parseRdata, printRdata } from '../wire/rdata.ts'
import { TYPE } from '../wire/types.ts'
import { generateKey } from './key.ts'
import { openKeys, signSet, validityOf } from './rrsig.ts'

const apex = wireName('example.')
const DAY = 86_400

function rdata(type: number, text: string): Uint8Array {
  const read = parseRdata(type, text)
  if (typeof read === 'string') throw new Error(read)
  return read.wire
}

test('canonicalRdata() lowers names of old types only (RFC 4034 §6.2, RFC 6840 §5.1)', () => {
  for (const [type, written, canonical] of [
    [TYPE.MX, '10 Mail.Example.', '10 mail.example.'],
    [TYPE.SOA, 'NS.a. Me.a. 1 2 3 4 5', 'ns.a. me.a. 1 2 3 4 5'],
    [TYPE.NAPTR, '1 2 "U" "S" "" Re.Place.', '1 2 "U" "S" "" re.place.'],
    [TYPE.SRV, '1 2 3 Host.a.', '1 2 3 host.a.'],
    [TYPE.TXT, '"Mixed"', '"Mixed"'],
    [TYPE.NSEC, 'Next.a. A', 'Next.a. A'],
    [TYPE.HTTPS, '1 Host.a.', '1 Host.a.'],
  ] as const)
    assert.equal(printRdata(type, canonicalRdata(type, rdata(type, written))), canonical)
})

test('canonicalOrder() sorts rdata as octets and drops doubles (RFC 4034 §6.3)', () => {
  const texts = ['192.0.2.9', '10.0.0.1', '192.0.2.9', '192.0.2.10']
  const sorted = canonicalOrder(
    TYPE.A,
    texts.map((text) => rdata(TYPE.A, text)),
  )
  assert.deepEqual(
    sorted.map((data) => printRdata(TYPE.A, data)),
    ['10.0.0.1', '192.0.2.9', '192.0.2.10'],
  )
})

test('signSet() signs rdata and records in canonical form (RFC 4034 §3.1, §3.1.3, §3.1.8.1, RFC 6605 §4)', () => {
  const { privateKey } = generateKey()
  const [key] = openKeys(apex, [{ tag: 7, privateKey, signsData: true }])(TYPE.A)
  const owner = wireName('*.a.example.')
  const data = rdata(TYPE.A, '192.0.2.1')
  const validity = { inception: 1000, expiration: 2000, refreshAt: 1500 }
  const signed = signSet({ owner, type: TYPE.A, ttl: 300, rdata: [data] }, key!, validity)
  assert.match(printRdata(TYPE.RRSIG, signed), /^A 13 2 300 19700101003320 19700101001640 7 example\. /)
  const record = Buffer.concat([owner, Buffer.from('000100010000012c0004', 'hex'), data])
  const octets = Buffer.concat([signed.subarray(0, 18 + apex.length), record])
  const asked = { key: createPublicKey(key!.key), dsaEncoding: 'ieee-p1363' } as const
  assert.ok(verify('sha256', octets, asked, signed.subarray(18 + apex.length)))
})

test('signatures begin in the past, never end soon, and change at different times', () => {
  const now = 1_800_000_000
  const starts = new Set<number>()
  for (let i = 0; i < 100; i++) {
    const { inception, expiration, refreshAt } = validityOf(wireName(`host${i}.example.`), TYPE.A, now)
    starts.add(Math.floor(refreshAt / 3600))
    assert.ok(inception <= now - 3600)
    assert.ok(now < refreshAt && refreshAt <= now + 7 * DAY)
    assert.equal(expiration - refreshAt, 7 * DAY)
    assert.equal(validityOf(wireName(`host${i}.example.`), TYPE.A, refreshAt - 1).expiration, expiration)
    assert.ok(validityOf(wireName(`host${i}.example.`), TYPE.A, refreshAt).expiration > expiration)
  }
  assert.ok(starts.size > 40, `${starts.size} different hours`)
})
