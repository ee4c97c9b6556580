import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parsePriority } from './priority.ts'

const cases: [value: string, urgency: number, incremental: boolean][] = [
  ['', 3, false],
  ['u=0', 0, false],
  ['u=7, i', 7, true],
  ['u=7,i', 7, true],
  ['u=07, i', 3, true],
  ['i', 3, true],
  ['i=?1', 3, true],
  ['i=?0', 3, false],
  [' u=5 ,\ti ', 5, true],
  ['u=1;x=2;y, i;z="a,b"', 1, true],
  ['u=1, u=2', 2, false],
  ['u=2, u=9', 3, false],
  ['x="u=1, i", u=2', 2, false],
  ['*a=tok/en, foo.bar-1_*=:YQ==:, q=-1.5, u=6', 6, false],
  // Of another type or out of range: as if it were not there.
  ['u=8', 3, false],
  ['u=-1', 3, false],
  ['u=1.0', 3, false],
  ['u=(1 2), i', 3, true],
  ['a=( 1;b "c" ), b=(), u=1', 1, false],
  ['u="1"', 3, false],
  ['u', 3, false],
  ['i=1', 3, false],
  ['u=8, i', 3, true],
  // No dictionary: nothing of it counts.
  ['u=1,', 3, false],
  ['u=1 i', 3, false],
  ['U=1', 3, false],
  ['u = 1', 3, false],
  ['u=1, i=?2', 3, false],
  ['u=1, a=(1', 3, false],
  ['u=1, a=(1"b")', 3, false],
  [`u=1, x="${'a'.repeat(300)}"`, 3, false],
]
for (const [value, urgency, incremental] of cases) {
  test(`Priority "${value.slice(0, 40)}" is urgency ${urgency}${incremental ? ', incremental' : ''} (RFC 9218 §4, RFC 8941 §3, §3.2, §4.2)`, () => {
    assert.deepEqual(parsePriority(value), { urgency, incremental })
  })
}

test('any text has some priority at once', () => {
  const unit = fc.constantFrom(
    'u',
    'i',
    '=',
    ',',
    ';',
    ' ',
    '\t',
    '1',
    '?',
    '"',
    '\\',
    '*',
    ':',
    'a',
    '(',
    ')',
  )
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 300 }), (value) => {
      const { urgency } = parsePriority(value)
      assert.ok(urgency >= 0 && urgency <= 7)
    }),
    { numRuns: 1000 },
  )
})
