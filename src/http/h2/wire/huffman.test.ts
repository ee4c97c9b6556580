import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EOS, HUFFMAN_BITS, HUFFMAN_CODES } from './hpack-tables.ts'
import { decodeHuffman, encodeHuffman, huffmanLength } from './huffman.ts'

function code(text: string): Buffer {
  const into = Buffer.alloc(4 * text.length + 1)
  return into.subarray(0, encodeHuffman(text, into, 0))
}

function decode(octets: Uint8Array): string | number {
  const into = Buffer.alloc(2 * octets.length + 2)
  const length = decodeHuffman(octets, 0, octets.length, into)
  return length < 0 ? length : into.toString('latin1', 0, length)
}

test('the codes are those of RFC 7541 Appendix B', () => {
  const known: [symbol: number, code: number, bits: number][] = [
    [0, 0x1ff8, 13],
    [1, 0x7fffd8, 23],
    [10, 0x3ffffffc, 30],
    [32, 0x14, 6],
    [48, 0x0, 5],
    [92, 0x7fff0, 19],
    [122, 0x7b, 7],
    [195, 0x7fff1, 19],
    [249, 0xffffffe, 28],
    [255, 0x3ffffee, 26],
    [EOS, 0x3fffffff, 30],
  ]
  for (const [symbol, value, bits] of known) {
    assert.deepEqual([HUFFMAN_CODES[symbol], HUFFMAN_BITS[symbol]], [value, bits], `symbol ${symbol}`)
  }
})

test('each octet is decoded from its own code', () => {
  for (let c = 0; c < 256; c++) {
    const text = String.fromCharCode(c)
    assert.equal(decode(code(text)), text)
    assert.equal(code(text).length, huffmanLength(text))
  }
})

test('any Latin-1 text is the same after coding and decoding (RFC 7541 §5.2)', () => {
  const unit = fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c))
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 100 }), (text) => {
      const coded = code(text)
      assert.equal(coded.length, huffmanLength(text))
      assert.equal(decode(coded), text)
    }),
  )
})

test('what is decoded is the one coding of its text: padding cannot be written in two ways (RFC 7541 §5.2)', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (octets) => {
      const text = decode(octets)
      if (typeof text === 'string') assert.deepEqual(code(text), Buffer.from(octets))
    }),
    { numRuns: 2000 },
  )
})
