import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readTtml } from './ttml.ts'
import { readXml } from './xml.ts'

const head = `<head><styling><style xml:id="s" tts:fontStyle="italic"/></styling><layout>
  <region xml:id="top" tts:origin="10% 5%" tts:extent="80% 20%"/>
  <region xml:id="bottom" tts:origin="10% 5%" tts:extent="80% 90%" tts:displayAlign="after"/></layout></head>`
const inBody = (body: string, attributes = ''): string =>
  `<?xml version="1.0"?><!-- one --><tt xmlns="http://www.w3.org/ns/ttml" ${attributes}>${head}<body>${body}</body></tt>`
const at = (startMs: number, endMs: number, text: string, settings = '') => ({
  startMs,
  endMs,
  settings,
  text,
})

const cases: [name: string, document: string, shows: object[]][] = [
  [
    'lines and what would be tags',
    inBody('<div><p begin="00:00:01.000" end="00:00:02.500"><span>a &amp;&lt;b&gt;</span><br/>two</p></div>'),
    [at(1000, 2500, 'a &amp;&lt;b&gt;\ntwo')],
  ],
  [
    'white space as paragraphs of text have it',
    inBody('<p begin="1s" dur="2s">\n   one\n   two  <br/>\n <br/> three </p>'),
    [at(1000, 3000, 'one two\nthree')],
  ],
  [
    'times within times',
    inBody('<div begin="10s" end="20s"><p begin="500ms" end="30s">a</p></div>'),
    [at(10_500, 20_000, 'a')],
  ],
  [
    'frames and ticks',
    inBody(
      '<p begin="00:00:01:15" end="00:00:02:00">a</p><p begin="50t" end="100t">b</p><p begin="30f" end="1m">c</p>',
      'ttp:frameRate="30" ttp:frameRateMultiplier="1 1" ttp:tickRate="100"',
    ),
    [at(1500, 2000, 'a'), at(500, 1000, 'b'), at(1000, 60_000, 'c')],
  ],
  [
    'styles by name and by themselves',
    inBody('<p begin="0s" end="1s"><span style="s">a</span> <span tts:fontWeight="bold">b</span></p>'),
    [at(0, 1000, '<i>a</i> <b>b</b>')],
  ],
  [
    'places',
    inBody('<p region="top" begin="0s" end="1s">a</p><p region="bottom" begin="0s" end="1s">b</p>'),
    [at(0, 1000, 'a', 'line:0'), at(0, 1000, 'b')],
  ],
  [
    'spans that come and go',
    inBody('<p begin="1s" end="9s"><span begin="1s" end="2s">a</span><span begin="3s" end="4s">b</span></p>'),
    [at(2000, 3000, 'a'), at(4000, 5000, 'b')],
  ],
  ['what has no end', inBody('<p begin="1s">a</p>'), [at(1000, Number.POSITIVE_INFINITY, 'a')]],
  ['nothing that is said', inBody('<p begin="1s" end="2s"> <br/> </p>'), []],
  ['another document', '<html><body><p begin="1s" end="2s">a</p></body></html>', []],
  ['elements that do not close', inBody('<p begin="1s" end="2s">a'), []],
  ['an entity of its own', '<!DOCTYPE tt [<!ENTITY a "b">]><tt><body><p>&a;</p></body></tt>', []],
]

for (const [name, document, shows] of cases) {
  test(`a document of timed text with ${name} (TTML2 §12)`, () => assert.deepEqual(readTtml(document), shows))
}

test('whatever stands in a document, it is read or not, soon', () => {
  const piece = fc.constantFrom(
    '<p',
    '<p>',
    '</p>',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    ' a="b"',
    '&#x1F600;',
    '&',
    '>',
    'x',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      readXml(`<tt>${pieces.join('')}</tt>`)
      readTtml(inBody(pieces.join('')))
    }),
  )
  const begun = performance.now()
  for (const long of ['<', '<a', '<a ', '<!--', '<a b="', '<a>', '&']) readXml(`<tt>${long.repeat(100_000)}`)
  assert.ok(performance.now() - begun < 2000)
  assert.equal(readXml(`${'<a>'.repeat(100)}${'</a>'.repeat(100)}`), undefined)
})
