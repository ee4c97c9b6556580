import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { elementsIn } from './ebml.ts'
import { readMatroskaText, readTextBlock, textEntries } from './matroska-text.ts'

/** An element of less than 16 KiB. */
function element(id: string, ...parts: readonly (Uint8Array | string | number)[]): Buffer {
  const data = Buffer.concat(
    parts.map((part) => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part as string))),
  )
  return Buffer.concat([
    Buffer.from(id, 'hex'),
    Buffer.of(0x40 | (data.length >> 8), data.length & 255),
    data,
  ])
}

const deflated = element('6d80', element('6240', element('5034', element('4254', 0))))
const encrypted = element('6d80', element('6240', element('5033', 1), element('5035')))

test('tracks of text say their codec, language and packing (RFC 9559 §5.1.3, §5.1.4)', () => {
  const tracks = Buffer.concat([
    element('ae', element('d7', 1), element('86', 'V_VP9')),
    element('ae', element('d7', 2), element('86', 'S_TEXT/UTF8'), element('22b59c', 'ger'), deflated),
    element(
      'ae',
      element('d7', 3),
      element('86', 'S_TEXT/WEBVTT'),
      element('63a2', 'WEBVTT'),
      element('55aa', 1),
    ),
    element('ae', element('d7', 4), element('86', 'S_TEXT/ASS'), element('63a2', '[Script Info]'), encrypted),
    element('ae', element('d7', 5), element('86', 'S_VOBSUB')),
  ])
  const plain = { language: '', name: '', isForced: false, isDeflated: false, config: new Uint8Array() }
  assert.deepEqual(
    textEntries(tracks).map((entry) => ({ ...entry, config: new Uint8Array(entry.config) })),
    [
      { ...plain, number: 2, codec: 'S_TEXT/UTF8', language: 'ger', isDeflated: true },
      {
        ...plain,
        number: 3,
        codec: 'S_TEXT/WEBVTT',
        isForced: true,
        config: new Uint8Array(Buffer.from('WEBVTT')),
      },
    ],
  )
})

const track = { number: 2, isDeflated: false }

function read(octets: Uint8Array, of = track) {
  const [{ element, data }] = elementsIn(octets, 0) as [ReturnType<typeof elementsIn>[0]]
  return readTextBlock(element, data, of)
}

const blocks: [name: string, codec: string, parts: Buffer[], says: object[]][] = [
  ['another track', 'S_TEXT/UTF8', [element('a1', Buffer.of(0x83, 0, 0, 0), 'a')], []],
  ['SubRip with tags', 'S_TEXT/UTF8', [block('<i>a</i> {\\an8}b\r\nc')], [said('<i>a</i> b\nc', 'line:0')]],
  [
    'WebVTT',
    'S_TEXT/WEBVTT',
    [block('a'), element('75a1', element('a6', element('a5', 'align:start\nid7\n')))],
    [{ id: 'id7', settings: 'align:start', text: 'a' }],
  ],
  [
    'WebVTT as WebM has it',
    'D_WEBVTT/SUBTITLES',
    [block('id7\nline:0\na\nb')],
    [{ id: 'id7', settings: 'line:0', text: 'a\nb' }],
  ],
  [
    'SSA',
    'S_TEXT/ASS',
    [block('0,0,Default,,0,0,0,,{\\an8\\i1}a{\\i0}, b\\N{\\c&H1&}c')],
    [said('<i>a</i>, b\nc', 'line:0')],
  ],
  ['SSA that draws', 'S_TEXT/ASS', [block('0,0,Default,,0,0,0,,{\\p1}m 0 0 l 1 1')], []],
]

function block(text: string): Buffer {
  return element('a1', Buffer.of(0x82, 0, 0, 0), text)
}

function said(text: string, settings = '') {
  return { id: '', settings, text }
}

for (const [name, codec, parts, says] of blocks) {
  test(`a block of ${name} is a cue of WebVTT (RFC 9559 §5.1.3.5)`, () => {
    const found = read(element('a0', ...parts, element('9b', 5, 0xdc)))
    assert.equal(found?.durationTicks ?? 1500, 1500)
    assert.deepEqual(found === undefined ? [] : readMatroskaText(codec, found), says)
  })
}

test('a block may be deflated, and what inflates without end is left out', () => {
  const of = { number: 2, isDeflated: true }
  const packed = (text: string) => read(element('a3', Buffer.of(0x82, 0, 0, 0), deflateSync(text)), of)!
  assert.deepEqual(readMatroskaText('S_TEXT/UTF8', packed('deflated')), [said('deflated')])
  assert.deepEqual(readMatroskaText('S_TEXT/UTF8', packed('a'.repeat(1_000_000))), [])
  assert.deepEqual(
    readMatroskaText(
      'S_TEXT/UTF8',
      read(block('plain'), of) ?? { text: new Uint8Array(), extra: '', durationTicks: 0 },
    ),
    [],
  )
})

test('whatever stands in a block, it is read or not', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (octets) => {
      textEntries(octets)
      for (const id of [0xa0, 0xa3]) {
        const found = readTextBlock({ id, at: 0, octets: octets.length }, octets, track)
        if (found !== undefined) readMatroskaText('S_TEXT/ASS', found)
      }
    }),
  )
})
