import assert from 'node:assert/strict'
import test from 'node:test'
import { parseMasterFile } from './masterfile.ts'

function read(line: string): string[] {
  const { records, problems } = parseMasterFile(`$TTL 60\n${line}\nlast A 192.0.2.9`, {
    origin: 'example.',
    file: 'f',
  })
  const lines = records.map(({ owner, ttl, type, data }) => `${owner} ${ttl} ${type} ${data}`)
  assert.equal(lines.at(-1), 'last.example. 60 A 192.0.2.9')
  return problems.length > 0 ? problems.map(({ message }) => message) : lines.slice(0, -1)
}

const CASES: readonly [line: string, ...wanted: string[]][] = [
  ['$GENERATE 1-2 h$ A 192.0.2.$', 'h1.example. 60 A 192.0.2.1', 'h2.example. 60 A 192.0.2.2'],
  [
    `$generate 0-4/4 $ 30 IN CNAME \${1,3}.x`,
    '0.example. 30 CNAME 001.x.example.',
    '4.example. 30 CNAME 005.x.example.',
  ],
  [`$GENERATE 10-10 h\${0,0,x} TXT "\\$ \${0,2,X}"`, 'ha.example. 60 TXT "$ 0A"'],
  [`$GENERATE 18-18 \${0,7,n} PTR h$`, '2.1.0.0.example. 60 PTR h18.example.'],
  [`$GENERATE 18-18 \${0,8,n}rev.example. PTR h$`, '2.1.0.0.rev.example. 60 PTR h18.example.'],
  [`$GENERATE 8-8 \${-8,2,o} MX $ mail`, '00.example. 60 MX 8 mail.example.'],
]

for (const [line, ...wanted] of CASES) {
  test(`${line} makes what BIND makes of it`, () => assert.deepEqual(read(line), wanted))
}

for (const [line, message] of [
  ['$GENERATE 1 h$ A 192.0.2.$', /takes a range/],
  ['$GENERATE 2-1 h$ A 192.0.2.$', /no numbers/],
  ['$GENERATE 1-99999 h$ A 192.0.2.1', /65536 is the most/],
  [`$GENERATE 1-2 h\${0,x} A 192.0.2.1`, /is wanted/],
  ['$GENERATE 254-300 h$ A 192.0.2.$', /192\.0\.2\.256/],
] as const) {
  test(`${line} is one problem, and the lines behind it are read`, () => {
    const messages = read(line)
    assert.equal(messages.length, 1)
    assert.match(messages[0]!, message)
  })
}
