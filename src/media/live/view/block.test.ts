import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRefusal } from '#http/wire/refusal.ts'
import { broadcastOf } from '../../../../test/media/live-broadcast.ts'
import { judgeReload, readDirectives } from './block.ts'

test('_HLS_msn, _HLS_part and _HLS_skip are read, and refused with 400 when they cannot be', () => {
  const cases: [query: string, expected: string][] = [
    ['', 'null null false'],
    ['_HLS_msn=5', '5 null false'],
    ['_HLS_msn=5&_HLS_part=0&_HLS_skip=YES', '5 0 true'],
    ['_HLS_skip=v2', 'null null true'],
    ['_HLS_skip=no', 'null null false'],
    ['_HLS_later=x', 'null null false'],
    ['_HLS_part=1', 'refused'],
    ['_HLS_msn=', 'refused'],
    ['_HLS_msn=-1', 'refused'],
    ['_HLS_msn=1.5', 'refused'],
    ['_HLS_msn=5&_HLS_part=x', 'refused'],
    ['_HLS_msn=99999999999999999999', 'refused'],
  ]
  for (const [query, expected] of cases) {
    const read = readDirectives(new URLSearchParams(query))
    assert.equal(isRefusal(read) ? 'refused' : `${read.msn} ${read.part} ${read.skip}`, expected, query)
  }
})

test('a reload is answered when its segment or part is there, and refused when that lies too far ahead', () => {
  // Segments 0 to 9 are complete; segment 10 has 3 parts of 400 ms.
  const cases: [msn: number | null, part: number | null, expected: string][] = [
    [null, null, 'now'],
    [0, null, 'now'],
    [9, null, 'now'],
    [9, 99, 'now'],
    [10, null, 'wait'],
    [10, 2, 'now'],
    [10, 3, 'wait'],
    // Its segment may end before: then it is the first one of the next.
    [10, 10, 'wait'],
    [10, 11, '400'],
    [11, 0, 'wait'],
    [12, null, 'wait'],
    [13, null, '400'],
  ]
  for (const [msn, part, expected] of cases) {
    const verdict = judgeReload(broadcastOf(10, 3), { msn, part, skip: false }, 0.4)
    assert.equal(isRefusal(verdict) ? `${verdict.status}` : verdict, expected, `${msn} ${part}`)
  }
  const between = broadcastOf(10, 0)
  assert.equal(judgeReload(between, { msn: 9, part: 9, skip: false }, 0.4), 'now')
  assert.equal(judgeReload(between, { msn: 9, part: 10, skip: false }, 0.4), 'wait')
  const ended = broadcastOf(10, 3)
  ended.apply({ kind: 'ended', atMs: 0 })
  assert.equal(judgeReload(ended, { msn: 50, part: 0, skip: false }, 0.4), 'now')
})
