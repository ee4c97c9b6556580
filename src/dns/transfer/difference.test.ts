import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { zonePlan } from '../../../test/zone-fixture.ts'
import {
  applyDifference,
  condense,
  type Difference,
  differ,
  differencesSince,
  HISTORY_LIMIT,
  isNewer,
  recordKey,
  recordsOf,
  remember,
  type Version,
} from './difference.ts'

function version(serial: number, lines: readonly string[]): Version {
  return { plan: zonePlan('example.com.', lines), serial }
}

const lines = fc.uniqueArray(
  fc.tuple(fc.constantFrom('@', 'a', 'b', 'c'), fc.constantFrom('A 192.0.2.1', 'A 192.0.2.2', 'TXT "x"')),
  { selector: String },
)

test('a difference leads from one version to the next (RFC 1995 §4)', () => {
  fc.assert(
    fc.property(lines, lines, (old, next) => {
      const text = (all: typeof old): string[] => all.map(([owner, data]) => `${owner} ${data}`)
      const [before, after] = [version(1, text(old)), version(2, text(next))]
      const records = new Map([...recordsOf(before)].slice(1).map((record) => [recordKey(record), record]))
      assert.ok(applyDifference(records, differ(before, after)))
      assert.deepEqual([...records.keys()].sort(), [...recordsOf(after)].slice(1).map(recordKey).sort())
    }),
    { numRuns: 100 },
  )
})

test('several differences come to the same as one (RFC 1995 §5)', () => {
  fc.assert(
    fc.property(fc.array(lines, { minLength: 3, maxLength: 6 }), (all) => {
      const versions = all.map((one, i) => {
        return version(
          i + 1,
          one.map(([owner, data]) => `${owner} ${data}`),
        )
      })
      const changes = versions.slice(1).map((after, i) => differ(versions[i]!, after))
      const whole = differ(versions[0]!, versions.at(-1)!)
      const sorted = ({ removed, added, ...ends }: Difference): object => ({
        ...ends,
        removed: removed.map((record) => JSON.stringify(record)).sort(),
        added: added.map((record) => JSON.stringify(record)).sort(),
      })
      assert.deepEqual(sorted(condense(changes)), sorted(whole))
    }),
    { numRuns: 100 },
  )
})

test('a difference that removes what is not there does not fit', () => {
  const difference = differ(version(1, ['a A 192.0.2.1']), version(2, []))
  assert.equal(applyDifference(new Map(), difference), false)
})

test('serials go round in a circle (RFC 1982 §3.2)', () => {
  for (const [serial, than, newer] of [
    [2, 1, true],
    [1, 2, false],
    [1, 1, false],
    [0, 2 ** 32 - 1, true],
    [2 ** 31, 1, true],
    [2 ** 31 + 1, 1, false],
  ] as const) {
    assert.equal(isNewer(serial, than), newer, `${serial} ${than}`)
  }
})

test('a history is bounded, follows on, and begins anew after a gap', () => {
  const step = (from: number): Difference => ({ from, to: from + 1, removed: [], added: [] })
  let history: readonly Difference[] = []
  for (let i = 0; i < HISTORY_LIMIT.differences + 5; i++) history = remember(history, step(i))
  assert.equal(history.length, HISTORY_LIMIT.differences)
  assert.equal(differencesSince(history, 4), undefined)
  assert.equal(differencesSince(history, 5)?.length, HISTORY_LIMIT.differences)
  assert.equal(remember(history, step(1)).length, 1)
  const records = new Array(HISTORY_LIMIT.records + 1).fill({
    owner: 'a.',
    type: 'A',
    ttl: 1,
    data: '192.0.2.1',
  })
  assert.deepEqual(remember([], { ...step(1), added: records }), [])
})
