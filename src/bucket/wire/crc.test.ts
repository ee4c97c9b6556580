import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCrc32, createCrc32c, createCrc64 } from './crc.ts'

test('checks of "123456789" are those of their catalogue, whatever the pieces (RFC 3385 §3)', () => {
  const cases = [
    [createCrc32, 'cbf43926'],
    [createCrc32c, 'e3069283'],
    [createCrc64, 'ae8b14860a799888'],
  ] as const
  for (const [create, wanted] of cases) {
    for (const size of [1, 4, 9]) {
      const crc = create()
      for (let at = 0; at < 9; at += size) crc.update(Buffer.from('123456789'.slice(at, at + size)))
      assert.equal(crc.digest().toString('hex'), wanted)
    }
  }
})
