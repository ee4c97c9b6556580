import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cutAbove, indexNames, labelsOf, parentOf, typesAt } from './names.ts'
import type { RecordDraft } from './read-records.ts'

const from = { file: 'f', line: 1, column: 1 }

function draft(owner: string, type: string, data = 'x'): RecordDraft {
  return { owner, type, data, ttl: 300, from, why: 'written' }
}

const apex = 'example.com.'
const drafts = [
  draft('*.example.com.', 'A'),
  draft('a.b.example.com.', 'A'),
  draft('dev.example.com.', 'NS'),
  draft('ns.dev.example.com.', 'A'),
  draft('d.example.com.', 'DNAME'),
  draft('back\\\\.example.com.', 'TXT'),
]
const names = indexNames([{ apex, drafts }])

const parents: [string, string][] = [
  ['a.example.com.', 'example.com.'],
  ['a\\.b.example.com.', 'example.com.'],
  ['a\\\\.example.com.', 'example.com.'],
  ['com.', ''],
  ['', ''],
]

for (const [name, parent] of parents) {
  test(`parentOf(${name}) is "${parent}" (RFC 1035 §5.1)`, () => {
    assert.equal(parentOf(name), parent)
  })
}

test('labelsOf() cuts at dots that are not escaped (RFC 1035 §5.1)', () => {
  assert.deepEqual(labelsOf('a\\.b.c\\\\.example.com.'), ['a\\.b', 'c\\\\', 'example', 'com'])
})

const met: [string, string, string[] | undefined][] = [
  ['its own records', 'a.b.example.com.', ['A']],
  ['those of the wildcard', 'x.y.example.com.', ['A']],
  ['nothing at an empty non-terminal (RFC 4592 §2.2.2)', 'b.example.com.', undefined],
  ['nothing below one (RFC 4592 §3.3)', 'x.b.example.com.', undefined],
  ['nothing outside the zones', 'www.example.net.', undefined],
  ['a label with a backslash at its end', 'back\\\\.example.com.', ['TXT']],
]

for (const [what, name, types] of met) {
  test(`typesAt() finds ${what}: ${name}`, () => {
    const found = typesAt(name, names)
    assert.deepEqual(found === undefined ? undefined : [...found.keys()], types)
  })
}

const cuts: [string, string | undefined][] = [
  ['dev.example.com.', 'dev.example.com.'],
  ['ns.dev.example.com.', 'dev.example.com.'],
  ['d.example.com.', undefined],
  ['x.d.example.com.', 'd.example.com.'],
  ['a.b.example.com.', undefined],
]

for (const [name, cut] of cuts) {
  test(`cutAbove(${name}) is ${cut} (RFC 1034 §4.2.1, RFC 6672 §2.4)`, () => {
    assert.equal(cutAbove(name, apex, names), cut)
  })
}
