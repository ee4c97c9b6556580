import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import test from 'node:test'
import fc from 'fast-check'
import { rsaBits } from './rsa-key.ts'

for (const modulusLength of [512, 1023, 1024, 2048]) {
  test(`rsaBits() finds ${modulusLength} in both forms of a key (RFC 6376 §3.6.1)`, () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength })
    for (const type of ['spki', 'pkcs1'] as const) {
      assert.equal(rsaBits(publicKey.export({ type, format: 'der' })), modulusLength)
    }
  })
}

test('rsaBits() of anything else is undefined', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  assert.equal(rsaBits(publicKey.export({ type: 'spki', format: 'der' })), undefined)
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (octets) => void rsaBits(octets)))
})
