import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSource } from './source.ts'

/** Faults of syntax as `line:column what → fix`. */
function faultsOf(text: string): string[] {
  return readSource('portico.jsonc', text).problems.map(({ at, message, fix }) => {
    return `${at.line}:${at.column} ${message.replace(/^.*RFC 8259\): /, '')} → ${fix}`
  })
}

test('readSource() passes over a byte order mark, and counts columns without it (RFC 8259 §8.1)', () => {
  assert.deepEqual(readSource('portico.jsonc', '\ufeff{ "state": 1 }').written.at(['state']).column, 12)
  assert.deepEqual(faultsOf('\ufeff{}'), [])
})

/** What was written, and every fault that is told: never one that only follows from another. */
const FAULTS: readonly [text: string, ...faults: string[]][] = [
  ['{ address: "a" }', '1:3 a word stands without quotes. → "address"'],
  ["{ 'address': 'a' }", '1:3 a word stands without quotes. → "address"'],
  ['{ “address”: “a” }', '1:3 a word stands without quotes. → "address"'],
  ['# mine\n{}', '1:1 a comment begins with two slashes. → //'],
  [
    '{ "a": 1 "b": 2\n"c": 3 }',
    '1:10 a comma is wanted between two values. → ,',
    '2:1 a comma is wanted between two values. → ,',
  ],
  ['{ "a": { "b": [1', '1:17 a list does not end. → ] } }'],
  ['\ufffd\ufffd{\0}\0', '1:4 the file is no text in UTF-8. → save it as UTF-8'],
  [`${'['.repeat(100_000)}`, '1:101 it is deeper than 100 objects and lists. → close some'],
]

for (const [text, ...faults] of FAULTS) {
  test(`readSource() tells one fault of ${JSON.stringify(text.slice(0, 30))} in a line (RFC 8259)`, () => {
    assert.deepEqual(faultsOf(text), faults)
  })
}

test('readSource() does not count brackets in texts and comments as depth', () => {
  assert.deepEqual(faultsOf(`{ "a": "${'{'.repeat(200)}" } // ${'['.repeat(200)}`), [])
})
