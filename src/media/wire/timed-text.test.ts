import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { box, u16, u32, zeros } from './bmff-write.ts'
import { isForcedText, readTimedText, textConfig } from './timed-text.ts'

const plain = (text: string | Uint8Array): Uint8Array => Buffer.concat([u16(text.length), Buffer.from(text)])
const cue = (...parts: Uint8Array[]): Uint8Array => box('vttc', ...parts)

const cases: [name: string, codec: string, sample: Uint8Array, says: object[]][] = [
  ['a line', 'tx3g', plain('Yes'), [{ id: '', settings: '', text: 'Yes' }]],
  ['what would be tags', 'tx3g', plain('a<b & c'), [{ id: '', settings: '', text: 'a&lt;b &amp; c' }]],
  ['an empty line', 'tx3g', plain('one\n\ntwo\r'), [{ id: '', settings: '', text: 'one\ntwo' }]],
  ['UTF-16', 'tx3g', plain(Uint8Array.of(0xfe, 0xff, 0, 0x41)), [{ id: '', settings: '', text: 'A' }]],
  [
    'styles behind the text',
    'tx3g',
    Buffer.concat([plain('A'), box('styl', zeros(2))]),
    [{ id: '', settings: '', text: 'A' }],
  ],
  ['a pause', 'tx3g', plain(''), []],
  ['nothing at all', 'tx3g', new Uint8Array(), []],
  [
    'a cue',
    'wvtt',
    cue(box('iden', '7'), box('sttg', 'line:0'), box('payl', '<i>Yes</i>')),
    [{ id: '7', settings: 'line:0', text: '<i>Yes</i>' }],
  ],
  [
    'two cues',
    'wvtt',
    Buffer.concat([cue(box('payl', 'a')), cue(box('payl', 'b'))]),
    [
      { id: '', settings: '', text: 'a' },
      { id: '', settings: '', text: 'b' },
    ],
  ],
  ['an empty cue', 'wvtt', box('vtte'), []],
  ['an arrow that would begin another cue', 'wvtt', cue(box('payl', '0 --> 1')), []],
  ['a box that does not fit', 'wvtt', cue(box('payl', 'a')).subarray(0, 12), []],
]
for (const [name, codec, sample, says] of cases) {
  test(`${codec}: ${name} (3GPP TS 26.245 §5.17, ISO 14496-30 §7.4)`, () => {
    const said = readTimedText(codec, sample)
    assert.deepEqual(said, says)
  })
}

test('what a track says of all its text is in its entry (3GPP TS 26.245 §5.16, ISO 14496-30 §7.5)', () => {
  const head = [zeros(6), u16(1)]
  assert.equal(isForcedText(box('tx3g', ...head, u32(0x80000000), zeros(40))), true)
  assert.equal(isForcedText(box('tx3g', ...head, u32(0), zeros(40))), false)
  const entry = box('wvtt', ...head, box('vttC', 'WEBVTT\n\nSTYLE\n::cue {}'))
  assert.equal(isForcedText(entry), false)
  assert.equal(Buffer.from(textConfig(entry)!).toString(), 'WEBVTT\n\nSTYLE\n::cue {}')
  assert.equal(textConfig(box('wvtt', ...head)), null)
})

test('whatever a sample holds, no empty line comes of it', () => {
  const property = fc.property(fc.constantFrom('tx3g', 'wvtt'), fc.uint8Array(), (codec, sample) => {
    for (const { text } of readTimedText(codec, sample)) assert.doesNotMatch(text, /^\s*$/m)
  })
  fc.assert(property)
})
