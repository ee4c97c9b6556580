import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wireName } from '../rrset.ts'
import { parseRdata } from '../wire/rdata.ts'
import { TYPE } from '../wire/types.ts'
import { dnskeyData, dnskeyRdata, dsData, generateKey, keyTag } from './key.ts'

/** The key of RFC 6605 §6.1. */
const PUBLIC_KEY = 'GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA=='

test('keyTag() is the sum of RFC 4034 Appendix B, as in the example of RFC 6605 §2', () => {
  assert.equal(keyTag(dnskeyRdata(PUBLIC_KEY)), 55_648)
})

test('dsData() is the digest of owner and DNSKEY (RFC 4034 §5.1, RFC 4509 §2.1)', () => {
  const digest = 'b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17'
  assert.equal(dsData(wireName('example.net.'), PUBLIC_KEY), `55648 13 2 ${digest}`)
})

test('a key is a zone key with secure entry point and 64 octets of point (RFC 4034 §2.1, §2.1.1, §2.2, RFC 6605 §4, RFC 8624 §3.1)', () => {
  const { publicKey } = generateKey()
  const rdata = parseRdata(TYPE.DNSKEY, dnskeyData(publicKey))
  assert.ok(typeof rdata !== 'string')
  assert.deepEqual(Buffer.from(rdata.wire), dnskeyRdata(publicKey))
  assert.equal(rdata.wire.length, 68)
  assert.deepEqual([...rdata.wire.subarray(0, 4)], [1, 1, 3, 13])
})
