import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import type { EndReason, Source } from '../exchange.ts'
import { CompressedContent } from './compressed.ts'

const decoders = { gzip: gunzipSync, br: brotliDecompressSync, zstd: zstdDecompressSync }

type Piece = { readonly octets: Uint8Array; readonly isLate: boolean }

/** A source that gives pieces at once or later, and the same memory for each. */
function sourceOf(pieces: readonly Piece[], cancelled: EndReason[] = []): Source {
  const memory = Buffer.alloc(65_536)
  let next = 0
  return {
    read() {
      const piece = pieces[next++]
      if (piece === undefined) return null
      memory.fill(0)
      memory.set(piece.octets)
      const octets = memory.subarray(0, piece.octets.length)
      return piece.isLate ? turn(octets) : octets
    },
    cancel: (reason) => void cancelled.push(reason),
  }
}

test('content comes back however it comes and is read (RFC 9110 §8.4.1)', async () => {
  const piece = fc.record({ octets: fc.uint8Array({ maxLength: 3000 }), isLate: fc.boolean() })
  const coding = fc.constantFrom('gzip' as const, 'br' as const, 'zstd' as const)
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 8 }),
      coding,
      fc.integer({ min: 1, max: 500 }),
      async (pieces, name, limit) => {
        let done = 0
        const content = new CompressedContent(sourceOf(pieces), name, () => done++)
        const parts: Buffer[] = []
        for (let part = await content.read(limit); part !== null; part = await content.read(limit)) {
          assert.ok(part.length > 0 && part.length <= limit)
          parts.push(Buffer.from(part))
        }
        assert.deepEqual(
          decoders[name](Buffer.concat(parts)),
          Buffer.concat(pieces.map(({ octets }) => octets)),
        )
        assert.equal(await content.read(limit), null)
        content.cancel('finished')
        assert.equal(done, 1)
      },
    ),
    { numRuns: 60 },
  )
})

test('who gives it up frees the source and the compressor once, whatever is under way', async () => {
  for (const reads of [0, 1, 2]) {
    const cancelled: EndReason[] = []
    let done = 0
    const pieces = Array.from({ length: 9 }, (_, i) => ({
      octets: new Uint8Array(40_000),
      isLate: i % 2 === 0,
    }))
    const content = new CompressedContent(sourceOf(pieces, cancelled), 'br', () => done++)
    for (let i = 1; i < reads; i++) await content.read(10)
    const pending = reads === 0 ? null : content.read(10)
    content.cancel('client left')
    content.cancel('drain')
    await Promise.race([Promise.resolve(pending).catch(() => {}), turn()])
    assert.deepEqual([cancelled, done], [['client left'], 1], `${reads} reads`)
  }
})

test('a source that breaks off is not taken for complete', async () => {
  let done = 0
  const content = new CompressedContent(
    { read: () => Promise.reject(new Error('broke off')), cancel: () => {} },
    'gzip',
    () => done++,
  )
  await assert.rejects(async () => {
    while ((await content.read(100)) !== null);
  }, /broke off/)
  assert.equal(done, 1)
})
