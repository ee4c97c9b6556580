import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseMasterFile } from './masterfile.ts'

const soa = '@ 3600 IN SOA ns1 admin 1 2h 1h 2w 300'

test('A master file gives whole records (RFC 1035 §5.1)', () => {
  const cases: [what: string, text: string, records: string[]][] = [
    ['owner, TTL, class', 'www 60 IN A 192.0.2.1', ['www.example.com. 60 A 192.0.2.1']],
    ['class, TTL', 'www IN 1h30m A 192.0.2.1', ['www.example.com. 5400 A 192.0.2.1']],
    ['neither', '$TTL 60\nwww A 192.0.2.1', ['www.example.com. 60 A 192.0.2.1']],
    ['a type in lower case', 'www 60 in a 192.0.2.1', ['www.example.com. 60 A 192.0.2.1']],
    [
      'an owner like a TTL, a class, a type',
      '60 60 A 192.0.2.1\nIN 60 A 192.0.2.1\nA 60 A 192.0.2.1',
      ['60.example.com. 60 A 192.0.2.1', 'IN.example.com. 60 A 192.0.2.1', 'A.example.com. 60 A 192.0.2.1'],
    ],
    [
      'the last owner',
      'www 60 A 192.0.2.1\n 60 A 192.0.2.2\n\t60 A 192.0.2.3',
      [
        'www.example.com. 60 A 192.0.2.1',
        'www.example.com. 60 A 192.0.2.2',
        'www.example.com. 60 A 192.0.2.3',
      ],
    ],
    ['the apex', '@ 60 MX 10 @', ['example.com. 60 MX 10 example.com.']],
    ['an absolute name', 'a.example.org. 60 CNAME b.', ['a.example.org. 60 CNAME b.']],
    [
      'parentheses',
      'a 60 MX (10\n  b) ; c\nb 60 A ( 192.0.2.1 )',
      ['a.example.com. 60 MX 10 b.example.com.', 'b.example.com. 60 A 192.0.2.1'],
    ],
    ['nested parentheses', 'a 60 TXT ( a ( b\n) c )', ['a.example.com. 60 TXT "a" "b" "c"']],
    ['a comment', '; first\n\n  ; second\na 60 A 192.0.2.1;third\n', ['a.example.com. 60 A 192.0.2.1']],
    [
      'quotation marks',
      'a 60 TXT "a;b (c" d\\;e "f\\"g" "h""i"',
      ['a.example.com. 60 TXT "a;b (c" "d;e" "f\\"g" "h" "i"'],
    ],
    ['escapes', 'a\\.b\\032c 60 PTR \\@.x', ['a\\.b\\032c.example.com. 60 PTR \\@.x.example.com.']],
    [
      'a service binding',
      'a 60 HTTPS 1 . alpn="h2,h3" port=8443',
      ['a.example.com. 60 HTTPS 1 . alpn="h2,h3" port=8443'],
    ],
    [
      'CRLF, no line end at the end',
      'a 60 A 192.0.2.1\r\nb 60 A 192.0.2.2\r',
      ['a.example.com. 60 A 192.0.2.1', 'b.example.com. 60 A 192.0.2.2'],
    ],
    ['a byte order mark', '\ufeffa 60 A 192.0.2.1', ['a.example.com. 60 A 192.0.2.1']],
    ['letters outside ASCII', 'bücher 60 A 192.0.2.1', ['xn--bcher-kva.example.com. 60 A 192.0.2.1']],
    ['a wildcard', '* 60 A 192.0.2.1', ['*.example.com. 60 A 192.0.2.1']],
    ['nothing', '', []],
  ]
  for (const [what, text, records] of cases) assert.deepEqual(read(text), { records, problems: [] }, what)
})

test('Types and classes by number are the same records (RFC 3597 §5)', () => {
  assert.deepEqual(read('a 60 CLASS1 TYPE1 \\# 4 c0000201\nb 60 TYPE65280 \\# ( 2\n00 01 )'), {
    records: ['a.example.com. 60 A 192.0.2.1', 'b.example.com. 60 TYPE65280 \\# 2 0001'],
    problems: [],
  })
})

test('$ORIGIN completes names from there on, relative to the one before (RFC 1035 §5.1)', () => {
  const text = '$ORIGIN sub\na 60 A 192.0.2.1\n$origin deeper\n@ 60 A 192.0.2.1\n$ORIGIN .\nb 60 CNAME c'
  assert.deepEqual(read(text).records, [
    'a.sub.example.com. 60 A 192.0.2.1',
    'deeper.sub.example.com. 60 A 192.0.2.1',
    'b. 60 CNAME c.',
  ])
})

test('The TTL is the own, else of $TTL, else the last stated, else the minimum of the SOA (RFC 2308 §4, RFC 1035 §5.1)', () => {
  const cases: [text: string, ttls: string[]][] = [
    [
      '$TTL 10\na A 192.0.2.1\na 20 A 192.0.2.2\na A 192.0.2.3\n$TTL 1m\na A 192.0.2.4',
      ['10', '20', '10', '60'],
    ],
    ['a 20 A 192.0.2.1\na A 192.0.2.2\na 30 A 192.0.2.3\na A 192.0.2.4', ['20', '20', '30', '30']],
    ['@ SOA a b 1 2 3 4 77\n@ NS a', ['77', '77']],
  ]
  for (const [text, ttls] of cases)
    assert.deepEqual(
      read(text).records.map((record) => record.split(' ')[1]),
      ttls,
      text,
    )
  assert.match(read('a A 192.0.2.1').problems[0]!, /1:1 dns\/master-file-ttl No TTL is stated/)
})

test('$INCLUDE reads a file in place and keeps origin and owner (RFC 1035 §5.1)', () => {
  const files: Record<string, string> = {
    inner: ' 60 A 192.0.2.2\n$ORIGIN x\nb 60 A 192.0.2.3',
    other: '@ 60 A 192.0.2.4',
  }
  const include = (path: string) => ({ file: path, text: files[path]! })
  const text = 'a 60 A 192.0.2.1\n$INCLUDE inner\n$INCLUDE "other" sub\n 60 A 192.0.2.5\nc 60 A 192.0.2.6'
  const { records, problems } = parseMasterFile(text, { origin: 'example.com.', file: 'zone', include })
  assert.deepEqual(problems, [])
  assert.deepEqual(
    records.map(({ owner, data, at }) => `${owner} ${data} ${at.file}:${at.line}:${at.column}`),
    [
      'a.example.com. 192.0.2.1 zone:1:1',
      'a.example.com. 192.0.2.2 inner:1:2',
      'b.x.example.com. 192.0.2.3 inner:3:1',
      'sub.example.com. 192.0.2.4 other:1:1',
      'a.example.com. 192.0.2.5 zone:4:2',
      'c.example.com. 192.0.2.6 zone:5:1',
    ],
  )
})

test('Files that include themselves end', () => {
  const self = '$INCLUDE self\n$INCLUDE self\n$INCLUDE self'
  const include = (path: string) => ({ file: path, text: self })
  const { problems } = parseMasterFile(self, { origin: '.', file: 'self', include })
  assert.ok(problems.some((problem) => problem.message === 'Files include each other more than 8 deep.'))
  assert.ok(problems.some((problem) => problem.message === 'More than 1000 files are included.'))
  assert.ok(problems.length < 5000)
})

test('Every line that cannot be read is a problem with its place, and the others are read', () => {
  const cases: [text: string, problems: string[]][] = [
    [
      'a 60 A 192.0.2.256\nb 60 A 192.0.2.1',
      [
        '1:8 dns/master-file-rdata The address of A is "192.0.2.256"; wanted an IPv4 address such as 192.0.2.1.',
      ],
    ],
    ['a 60 FOO x', ['1:6 dns/master-file-type "FOO" is no type that a zone holds; A and TYPE65280 are.']],
    ['a 60 ANY x', ['1:10 dns/master-file-type "x" is no type that a zone holds; A and TYPE65280 are.']],
    ['a 60 OPT x', ['1:6 dns/master-file-type "OPT" is no type that a zone holds; A and TYPE65280 are.']],
    ['a 60', ['1:1 dns/master-file-type The type is missing; A and TYPE65280 are.']],
    ['a 60 CH A 192.0.2.1', ['1:1 dns/master-file-class The class is CH, and only IN is read.']],
    [
      ' 60 A 192.0.2.1',
      ['1:2 dns/master-file-owner The line begins with a blank, but no line before it names an owner.'],
    ],
    [
      'a..b 60 A 192.0.2.1\n 60 A 192.0.2.2',
      [
        '1:1 dns/master-file-owner "a..b" has an empty label.',
        '2:2 dns/master-file-owner The line begins with a blank, but no line before it names an owner.',
      ],
    ],
    [
      'a 60 TXT "x\nb 60 A 192.0.2.1',
      ['1:10 dns/master-file-syntax This quotation mark is not closed before the end of the line.'],
    ],
    [
      'a 60 HTTPS 1 . alpn="h2\nb 60 A 192.0.2.1',
      ['1:16 dns/master-file-syntax A quotation mark in this word is not closed before the end of the line.'],
    ],
    ['a 60 A ( 192.0.2.1\nb 60', ['1:8 dns/master-file-syntax This parenthesis is never closed.']],
    [
      'a 60 A 192.0.2.1 )\nb 60 A 192.0.2.1',
      ['1:18 dns/master-file-syntax This parenthesis closes none that is open.'],
    ],
    [
      '$EXCLUDE x',
      [
        '1:1 dns/master-file-directive "$EXCLUDE" is no directive; $ORIGIN, $TTL, $INCLUDE and $GENERATE are.',
      ],
    ],
    ['$ORIGIN', ['1:1 dns/master-file-origin $ORIGIN takes one domain name.']],
    ['$ORIGIN a..b', ['1:9 dns/master-file-origin "a..b" has an empty label.']],
    ['$TTL x', ['1:6 dns/master-file-ttl $TTL takes seconds, or a period such as 1h30m.']],
    ['$INCLUDE', ['1:1 dns/master-file-include $INCLUDE takes a file and at most one domain name.']],
    ['$INCLUDE x', ['1:10 dns/master-file-include Files cannot be included here.']],
  ]
  for (const [text, problems] of cases) {
    assert.deepEqual(read(text).problems, problems, text)
    assert.equal(read(text).records.length, /^b 60 A/m.test(text) ? 1 : 0, text)
  }
})

test('A TTL has 31 bits (RFC 2181 §8)', () => {
  assert.deepEqual(read('a 2147483647 A 192.0.2.1').problems, [])
  for (const text of ['a 2147483648 A 192.0.2.1', '$TTL 2147483648', 'a 9999w A 192.0.2.1']) {
    assert.match(read(text).problems[0]!, /and 2147483647 is the most \(RFC 2181 §8\)/, text)
  }
})

test('A text that is split is a warning (RFC 1035 §3.3)', () => {
  const { records, problems } = parseMasterFile(`a 60 TXT "${'x'.repeat(300)}"`, {
    origin: '.',
    file: 'zone',
  })
  assert.equal(records[0]!.data, `"${'x'.repeat(255)}" "${'x'.repeat(45)}"`)
  assert.deepEqual(
    problems.map(({ level, code }) => `${level} ${code}`),
    ['warning dns/text-split'],
  )
})

test('Any text ends with records and problems', () => {
  const part = fc.constantFrom(
    '$ORIGIN ',
    '$TTL ',
    '$INCLUDE ',
    'a ',
    '@ ',
    '60 ',
    'IN ',
    'A ',
    'TXT ',
    '192.0.2.1',
    '"',
    '(',
    ')',
    ';',
    '\\',
    '\n',
    ' ',
    '\r',
    '\0',
    '\u{1f600}',
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(part, { maxLength: 30 }).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(text, (text) => {
      const { records, problems } = parseMasterFile(`${soa}\n${text}`, {
        origin: 'example.com.',
        file: 'zone',
      })
      assert.equal(records[0]!.type, 'SOA')
      for (const { at } of [...records, ...problems]) assert.ok(at.line >= 1 && at.column >= 1)
    }),
    { numRuns: 2000 },
  )
})

test('20 000 records are read in under 3 s on a busy machine', () => {
  const text = Array.from({ length: 20_000 }, (_, i) => `h${i} 300 IN A 192.0.2.${i % 256}`).join('\n')
  const start = performance.now()
  assert.equal(parseMasterFile(text, { origin: 'example.com.', file: 'zone' }).records.length, 20_000)
  assert.ok(performance.now() - start < 3000)
})

function read(text: string): { records: string[]; problems: string[] } {
  const { records, problems } = parseMasterFile(text, { origin: 'example.com.', file: 'zone' })
  return {
    records: records.map(({ owner, ttl, type, data }) => `${owner} ${ttl} ${type} ${data}`),
    problems: problems.map(({ at, code, message }) => `${at.line}:${at.column} ${code} ${message}`),
  }
}
