import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isH2Error } from './error.ts'
import type { Field } from './field.ts'
import { HpackDecoder } from './hpack-decoder.ts'
import { HpackEncoder, type Indexing } from './hpack-encoder.ts'

const limits = { headerOctets: 65_536 }

type Pair = readonly [name: string, value: string]

function decodeHex(decoder: HpackDecoder, hex: string): Pair[] | string {
  const octets = Buffer.from(hex.replace(/\s/g, ''), 'hex')
  const list = decoder.decode(octets, 0, octets.length, limits)
  if (list === 'too large') return list
  return isH2Error(list) ? `${list.scope} ${list.code}: ${list.reason}` : pairsOf(list)
}

function pairsOf(list: readonly Field[]): Pair[] {
  return list.map(({ name, value }) => [name, value])
}

function encodeHex(encoder: HpackEncoder, pairs: readonly Pair[], indexing: Indexing): string {
  encoder.begin()
  for (const [name, value] of pairs) encoder.add(name, value, indexing)
  return encoder.block.toString('hex', 0, encoder.length)
}

const GET: Pair[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'www.example.com'],
]
const NO_CACHE: Pair[] = [...GET, ['cache-control', 'no-cache']]
const CUSTOM: Pair[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/index.html'],
  [':authority', 'www.example.com'],
  ['custom-key', 'custom-value'],
]
const REDIRECT: Pair[] = [
  [':status', '302'],
  ['cache-control', 'private'],
  ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
  ['location', 'https://www.example.com'],
]
const REDIRECT_307: Pair[] = [[':status', '307'], ...REDIRECT.slice(1)]
const COOKIE: Pair[] = [
  [':status', '200'],
  ['cache-control', 'private'],
  ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'],
  ['location', 'https://www.example.com'],
  ['content-encoding', 'gzip'],
  ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
]

/** The examples of the appendix: one connection each, with the size of its table. */
const series: [
  section: string,
  tableOctets: number,
  isHuffman: boolean,
  blocks: [hex: string, pairs: Pair[]][],
][] = [
  [
    'C.3',
    4096,
    false,
    [
      ['828684410f7777772e6578616d706c652e636f6d', GET],
      ['828684be58086e6f2d6361636865', NO_CACHE],
      ['828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565', CUSTOM],
    ],
  ],
  [
    'C.4',
    4096,
    true,
    [
      ['828684418cf1e3c2e5f23a6ba0ab90f4ff', GET],
      ['828684be5886a8eb10649cbf', NO_CACHE],
      ['828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf', CUSTOM],
    ],
  ],
  [
    'C.5',
    256,
    false,
    [
      [
        `4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470
         733a2f2f7777772e6578616d706c652e636f6d`,
        REDIRECT,
      ],
      ['4803333037c1c0bf', REDIRECT_307],
      [
        `88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b
         48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31`,
        COOKIE,
      ],
    ],
  ],
  [
    'C.6',
    256,
    true,
    [
      [
        `488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82
         ae43d3`,
        REDIRECT,
      ],
      ['4883640effc1c0bf', REDIRECT_307],
      [
        `88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5
         af2708 7f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007`,
        COOKIE,
      ],
    ],
  ],
]

describe('HPACK', () => {
  const literals: [section: string, hex: string, pair: Pair, indexing: Indexing][] = [
    [
      'C.2.1',
      '400a637573746f6d2d6b65790d637573746f6d2d686561646572',
      ['custom-key', 'custom-header'],
      'incremental',
    ],
    ['C.2.2', '040c2f73616d706c652f70617468', [':path', '/sample/path'], 'without'],
    ['C.2.3', '100870617373776f726406736563726574', ['password', 'secret'], 'never'],
    ['C.2.4', '82', [':method', 'GET'], 'incremental'],
  ]
  for (const [section, hex, pair, indexing] of literals) {
    test(`decodes the example of RFC 7541 §${section}, and encodes it so that it is the same`, () => {
      const decoder = new HpackDecoder(4096)
      assert.deepEqual(decodeHex(decoder, hex), [pair])
      assert.equal(decoder.generation, indexing === 'incremental' && pair[0] !== ':method' ? 1 : 0)
      const again = encodeHex(new HpackEncoder(4096), [pair], indexing)
      assert.equal(again.slice(0, 1), hex.slice(0, 1))
      assert.deepEqual(decodeHex(new HpackDecoder(4096), again), [pair])
    })
  }

  for (const [section, tableOctets, isHuffman, blocks] of series) {
    test(`decodes the examples of RFC 7541 §${section}`, () => {
      const decoder = new HpackDecoder(tableOctets)
      for (const [hex, pairs] of blocks) assert.deepEqual(decodeHex(decoder, hex), pairs)
    })
    if (!isHuffman) continue
    test(`encodes the examples of RFC 7541 §${section} to the octet`, () => {
      const encoder = new HpackEncoder(tableOctets)
      const update = tableOctets < 4096 ? '3fe101' : ''
      for (const [i, [hex, pairs]] of blocks.entries()) {
        // Where Huffman coding is as long as the text, the appendix codes and we do not.
        const expected = (i === 0 ? update : '') + hex.replace(/\s/g, '').replace('83640eff', '03333037')
        assert.equal(encodeHex(encoder, pairs, 'incremental'), expected)
      }
    })
  }

  const faults: [what: string, hex: string][] = [
    ['index 0 (RFC 7541 §6.1)', '80'],
    ['an index beyond the static table while the dynamic one is empty (RFC 7541 §2.3.3)', 'be'],
    ['a name index beyond the tables (RFC 7541 §6.2.1)', '7f000161'],
    ['an index that breaks off (RFC 7541 §5.1)', 'ff'],
    ['an index that never ends (RFC 7541 §5.1)', `ff${'80'.repeat(60)}`],
    ['an index of 2^35 (RFC 7541 §5.1)', 'ff80808080800f'],
    ['an index of zeros after the prefix that are too many (RFC 7541 §5.1)', 'ff8080808000'],
    ['a literal without a name', '40'],
    ['a literal without a value', '400161'],
    ['a string that is longer than the block', '400161057878'],
    ['a string of 2^28 octets', '4001617f81ffff7f'],
    ['padding that is longer than seven bits (RFC 7541 §5.2)', '00016182 1fff'],
    ['padding that is a whole octet (RFC 7541 §5.2)', '00016181ff'],
    ['padding with a 0 bit (RFC 7541 §5.2)', '0001618100'],
    ['padding that is not the beginning of EOS (RFC 7541 §5.2)', '000161811e'],
    ['EOS (RFC 7541 §5.2)', '00016185fffffffffc'],
    ['EOS and nothing after it (RFC 7541 §5.2)', '00016184ffffffff'],
    ['a table larger than the setting (RFC 7541 §6.3)', '3fe21f'],
    ['a size update behind a field (RFC 7541 §4.2)', '8220'],
    ['a size update that breaks off', '3f'],
  ]
  for (const [what, hex] of faults) {
    test(`ends the connection with COMPRESSION_ERROR for ${what} (RFC 9113 §4.3)`, () => {
      const decoder = new HpackDecoder(4096)
      assert.match(String(decodeHex(decoder, hex)), /^connection 9: /)
    })
  }

  const accepted: [what: string, hex: string, pairs: Pair[]][] = [
    ['an empty block', '', []],
    ['an empty value', '00016100', [['a', '']]],
    ['an empty value that is Huffman-coded', '00016180', [['a', '']]],
    ['an empty name', '000000', [['', '']]],
    ['two size updates at the beginning (RFC 7541 §4.2)', '203fe11f82', [[':method', 'GET']]],
    [
      'an integer with octets more than it needs (RFC 7541 §5.1)',
      `0001617f8000${'78'.repeat(127)}`,
      [['a', 'x'.repeat(127)]],
    ],
    ['octets beyond ASCII as Latin-1', '00016102e9ff', [['a', '\u00e9\u00ff']]],
  ]
  for (const [what, hex, pairs] of accepted) {
    test(`decodes ${what}`, () => {
      const decoder = new HpackDecoder(4096)
      assert.deepEqual(decodeHex(decoder, hex), pairs)
    })
  }

  test('drops the oldest entries when the table is full or shrinks (RFC 7541 §4.1, §4.3, §4.4)', () => {
    const decoder = new HpackDecoder(70)
    // Two entries of 34 octets fit.
    assert.deepEqual(decodeHex(decoder, '4001610131 4001620132 be bf'), [
      ['a', '1'],
      ['b', '2'],
      ['b', '2'],
      ['a', '1'],
    ])
    assert.deepEqual(decodeHex(decoder, '4001630133 bf'), [
      ['c', '3'],
      ['b', '2'],
    ])
    assert.match(String(decodeHex(decoder, 'c0')), /^connection 9/)
    assert.deepEqual(decodeHex(decoder, '3f04 be'), [['c', '3']])
    assert.match(String(decodeHex(decoder, 'bf')), /^connection 9/)
  })

  test('empties the table for an entry that is larger than it (RFC 7541 §4.4)', () => {
    const decoder = new HpackDecoder(70)
    const large = `40016126${'78'.repeat(38)}`
    assert.deepEqual(decodeHex(decoder, `4001610131 ${large}`), [
      ['a', '1'],
      ['a', 'x'.repeat(38)],
    ])
    assert.match(String(decodeHex(decoder, 'be')), /^connection 9/)
  })

  test('may take the name of an entry that its own insertion drops (RFC 7541 §4.4)', () => {
    const decoder = new HpackDecoder(70)
    assert.deepEqual(decodeHex(decoder, `4001610131 7e24${'79'.repeat(36)} be`), [
      ['a', '1'],
      ['a', 'y'.repeat(36)],
      ['a', 'y'.repeat(36)],
    ])
  })

  test('gives the same object for the same entry, and a generation that rises when the table changes', () => {
    const decoder = new HpackDecoder(4096)
    const read = (hex: string): Field[] => {
      const octets = Buffer.from(hex, 'hex')
      const list = decoder.decode(octets, 0, octets.length, limits)
      assert.ok(Array.isArray(list))
      return list
    }
    read('4001610131')
    const { generation } = decoder
    assert.equal(read('82be')[1], read('bebe')[0])
    assert.equal(decoder.generation, generation)
    read('20')
    assert.notEqual(decoder.generation, generation)
  })

  test('keeps no more of a list than the limit allows, and still reads it to its end (RFC 9113 §6.5.2)', () => {
    const decoder = new HpackDecoder(4096)
    const bomb = `40016a7f811e${'78'.repeat(3968)}${'be'.repeat(50_000)}4001620132`
    assert.equal(decodeHex(decoder, bomb), 'too large')
    assert.deepEqual(decodeHex(decoder, 'be'), [['b', '2']])
    // :method GET counts 42 octets (RFC 7541 §4.1).
    const most = Math.floor(limits.headerOctets / 42)
    assert.equal(decodeHex(decoder, '82'.repeat(most + 1)), 'too large')
    assert.equal((decodeHex(decoder, '82'.repeat(most)) as Pair[]).length, most)
  })

  test('tells the smallest and the last size when the peer changed it twice (RFC 7541 §4.2)', () => {
    const encoder = new HpackEncoder(4096)
    const decoder = new HpackDecoder(4096)
    decodeHex(decoder, encodeHex(encoder, [['a', '1']], 'incremental'))
    encoder.limitTable(1_000_000, 0)
    const hex = encodeHex(encoder, [['a', '1']], 'incremental')
    assert.equal(hex, '203fe11f4001610131')
    assert.deepEqual(decodeHex(decoder, hex), [['a', '1']])
    assert.equal(encodeHex(encoder, [['a', '1']], 'incremental'), 'be')
    encoder.limitTable(0)
    assert.equal(encodeHex(encoder, [['a', '1']], 'incremental'), '200001610131')
    assert.equal(encodeHex(encoder, [['a', '1']], 'incremental'), '0001610131')
  })

  test('puts nothing into the table that would push most others out of it', () => {
    const encoder = new HpackEncoder(4096)
    const value = 'x'.repeat(2048 - 32 - 1)
    assert.equal(encodeHex(encoder, [['a', `${value}x`]], 'incremental').slice(0, 2), '00')
    assert.equal(encodeHex(encoder, [['a', value]], 'incremental').slice(0, 2), '40')
    assert.equal(encodeHex(encoder, [['a', value]], 'incremental'), 'be')
  })

  test('writes a literal that is never indexed, whatever the tables hold (RFC 7541 §6.2, §7.1.3)', () => {
    const encoder = new HpackEncoder(4096)
    encodeHex(encoder, [['password', 'x']], 'incremental')
    assert.equal(encodeHex(encoder, [['password', 'x']], 'incremental'), 'be')
    assert.equal(encodeHex(encoder, [['password', 'x']], 'never'), '1f2f0178')
    assert.equal(encodeHex(encoder, [['password', 'y']], 'without'), '0f2f0179')
  })

  const text = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c)),
    maxLength: 300,
  })
  const value = fc.oneof(fc.constantFrom('', '200', 'GET', 'gzip', 'a=b'), text)
  const name = fc.oneof(fc.constantFrom(':status', 'etag', 'x', 'set-cookie', 'long'.repeat(40)), text)
  const field = fc.tuple(name, value, fc.constantFrom<Indexing>('incremental', 'without', 'never'))
  const step = fc.record({
    tableOctets: fc.option(fc.integer({ min: 0, max: 5000 })),
    fields: fc.array(field, { maxLength: 12 }),
  })

  test('decodes what it encoded, block after block, however the table changes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const encoder = new HpackEncoder(4096)
        const decoder = new HpackDecoder(4096)
        for (const { tableOctets, fields } of steps) {
          if (tableOctets !== null) encoder.limitTable(tableOctets)
          encoder.begin()
          for (const [n, v, indexing] of fields) encoder.add(n, v, indexing)
          const list = decoder.decode(encoder.block, 0, encoder.length, limits)
          assert.ok(Array.isArray(list))
          assert.deepEqual(
            pairsOf(list),
            fields.map(([n, v]) => [n, v]),
          )
        }
      }),
      { numRuns: 200 },
    )
  })

  test('never throws, whatever the octets', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (blocks) => {
        const decoder = new HpackDecoder(300)
        for (const block of blocks) {
          const result = decoder.decode(Buffer.from(block), 0, block.length, limits)
          if (isH2Error(result)) return
        }
      }),
      { numRuns: 1000 },
    )
  })
})
