import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readSubtitles, writeWebVtt } from './subtitles.ts'

const of = (text: string) => readSubtitles(Buffer.from(text))

test('WebVTT keeps ids, settings, styles; notes and what is malformed go', () => {
  const { blocks, cues } = of(`\ufeffWEBVTT - title\r
\r
STYLE\r
::cue { color: red }\r
\r
NOTE nothing --> here\r
\r
one\r
00:01.500 --> 00:00:04.000 line:0 align:start\r
<v Anna>Hello\r
you\r
\r
00:00:05.000 --> 00:00:04.000\r
backwards\r
\r
00:00:00.500 --> 00:00:01.000\r
first\r
`)
  assert.deepEqual(blocks, ['STYLE\n::cue { color: red }'])
  assert.deepEqual(cues, [
    { startMs: 500, endMs: 1000, id: '', settings: '', text: 'first' },
    { startMs: 1500, endMs: 4000, id: 'one', settings: 'line:0 align:start', text: '<v Anna>Hello\nyou' },
  ])
})

const lines: [written: string, settings: string, text: string][] = [
  ['<i>so</i> & <font color="red">red</font>', '', '<i>so</i> &amp; red'],
  ['{\\an8}up', 'line:0', 'up'],
  ['a < b --> c', '', 'a &lt; b --&gt; c'],
]
for (const [written, settings, text] of lines) {
  test(`SubRip's ${written} becomes ${text}`, () => {
    const { cues } = of(`1\n00:00:01,5 --> 00:00:02,250\n${written}\n`)
    assert.deepEqual(cues, [{ startMs: 1500, endMs: 2250, id: '', settings, text }])
  })
}

test('SubRip that is no UTF-8 is windows-1252', () => {
  const { cues } = readSubtitles(Buffer.from('1\n00:00:01,000 --> 00:00:02,000\n\xfcber\n', 'latin1'))
  assert.equal(cues[0]!.text, 'über')
})

test('a segment has every cue that is shown in it, and says which moment is 0 (RFC 8216bis §3.1.4)', () => {
  const subtitles = of('WEBVTT\n\n00:01.000 --> 00:07.000\nlong\n\n00:06.000 --> 01:00:08.010\nlater\n')
  const first = writeWebVtt(subtitles, { fromMs: 0, toMs: 6000, mpegTs: 900000 })
  assert.equal(
    first,
    'WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n00:00:01.000 --> 00:00:07.000\nlong\n',
  )
  assert.match(
    writeWebVtt(subtitles, { fromMs: 6000, toMs: 12000, mpegTs: 0 }),
    /long[\s\S]*01:00:08\.010\nlater/,
  )
})

test('a line of tags alone is none, and a cue of such lines neither', () => {
  const { cues } = of(
    '1\n00:00:01,000 --> 00:00:02,000\n{\\an8}\nx {\\i1}\n\n2\n00:00:03,000 --> 00:00:04,000\n{\\an8}\n',
  )
  assert.deepEqual(cues, [{ startMs: 1000, endMs: 2000, id: '', settings: 'line:0', text: 'x' }])
})

test('whatever is read can be read again as it was', () => {
  const stretch = fc.constantFrom(
    '\n',
    '\n\n',
    '00:01.000 --> 00:02.000',
    ' --> ',
    'x',
    '&',
    '<b>',
    'STYLE\n',
    '{\\an8}',
    '1',
  )
  fc.assert(
    fc.property(fc.array(stretch, { maxLength: 40 }), fc.boolean(), (parts, isVtt) => {
      const subtitles = of(`${isVtt ? 'WEBVTT\n\n' : ''}${parts.join('')}`)
      assert.deepEqual(of(writeWebVtt(subtitles, null)), subtitles)
    }),
    { numRuns: 1000 },
  )
})
