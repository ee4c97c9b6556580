import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evaluatePreconditions, isRangeCurrent, type Precondition, type Validators } from './conditional.ts'
import { fieldsOf } from './fields.ts'

const BEFORE = 'Sun, 06 Nov 1994 08:49:36 GMT'
const CHANGED = 'Sun, 06 Nov 1994 08:49:37 GMT'
const AFTER = 'Sun, 06 Nov 1994 08:49:38 GMT'
const NOW = Date.UTC(2026, 0, 1)
/** half a second after what the date can say */
const STRONG: Validators = { etag: '"a"', lastModifiedMs: 784_111_777_500 }
const WEAK: Validators = { etag: 'W/"a"', lastModifiedMs: undefined }

type Pairs = [string, string][]

function check(cases: [string, Pairs, Precondition][], validators: Validators | null, method = 'GET') {
  for (const [what, pairs, expected] of cases) {
    assert.equal(evaluatePreconditions(method, fieldsOf(pairs), validators, NOW), expected, what)
  }
}

test('If-Match compares strongly (RFC 9110 §13.1.1)', () => {
  check(
    [
      ['none', [], 'holds'],
      ['same', [['If-Match', '"a"']], 'holds'],
      ['in a list', [['If-Match', '"b", , "x,y" ,"a"']], 'holds'],
      [
        'in a second line',
        [
          ['If-Match', '"b"'],
          ['If-Match', '"a"'],
        ],
        'holds',
      ],
      ['any', [['If-Match', '*']], 'holds'],
      ['other', [['If-Match', '"b"']], 'failed'],
      ['weak', [['If-Match', 'W/"a"']], 'failed'],
      ['without quotes', [['If-Match', 'a']], 'failed'],
      ['empty', [['If-Match', '']], 'failed'],
      ['inside another', [['If-Match', '"x\\"a"']], 'failed'],
    ],
    STRONG,
  )
  check([['weak against weak', [['If-Match', 'W/"a"']], 'failed']], WEAK)
  check([['nothing there', [['If-Match', '*']], 'failed']], null)
})

test('If-None-Match compares weakly (RFC 9110 §13.1.2, §8.8.3.2)', () => {
  check(
    [
      ['same', [['If-None-Match', '"a"']], 'not modified'],
      ['weak', [['If-None-Match', 'W/"a"']], 'not modified'],
      ['any', [['If-None-Match', '*']], 'not modified'],
      ['in a list', [['If-None-Match', '"b",W/"a"']], 'not modified'],
      ['other', [['If-None-Match', '"b"']], 'holds'],
      ['case counts', [['If-None-Match', '"A"']], 'holds'],
    ],
    STRONG,
  )
  check([['weak against weak', [['If-None-Match', 'W/"a"']], 'not modified']], WEAK, 'HEAD')
  check([['a change', [['If-None-Match', '*']], 'failed']], STRONG, 'PUT')
  check([['nothing there', [['If-None-Match', '*']], 'holds']], null, 'PUT')
})

test('If-Modified-Since counts for GET and HEAD when it is a single date (RFC 9110 §13.1.3)', () => {
  const cases: [string, Pairs, Precondition][] = [
    ['before', [['If-Modified-Since', BEFORE]], 'holds'],
    ['the same second', [['If-Modified-Since', CHANGED]], 'not modified'],
    ['after', [['If-Modified-Since', AFTER]], 'not modified'],
    ['no date', [['If-Modified-Since', 'yesterday']], 'holds'],
    [
      'two dates',
      [
        ['If-Modified-Since', AFTER],
        ['If-Modified-Since', AFTER],
      ],
      'holds',
    ],
  ]
  check(cases, STRONG, 'GET')
  check(cases, STRONG, 'HEAD')
  check([['a change', [['If-Modified-Since', AFTER]], 'holds']], STRONG, 'POST')
  check([['no date of ours', [['If-Modified-Since', AFTER]], 'holds']], WEAK)
})

test('If-Unmodified-Since fails when the file is newer (RFC 9110 §13.1.4)', () => {
  check(
    [
      ['before', [['If-Unmodified-Since', BEFORE]], 'failed'],
      ['the same second', [['If-Unmodified-Since', CHANGED]], 'holds'],
      ['after', [['If-Unmodified-Since', AFTER]], 'holds'],
      ['no date', [['If-Unmodified-Since', 'yesterday']], 'holds'],
    ],
    STRONG,
  )
  check([['no date of ours', [['If-Unmodified-Since', BEFORE]], 'holds']], WEAK)
})

test('entity tags go before dates, and what must hold before what must not (RFC 9110 §13.2.2)', () => {
  const cases: [string, Pairs, Precondition][] = [
    [
      'If-Match hides the date',
      [
        ['If-Match', '"a"'],
        ['If-Unmodified-Since', BEFORE],
      ],
      'holds',
    ],
    [
      'If-None-Match hides the date',
      [
        ['If-None-Match', '"b"'],
        ['If-Modified-Since', AFTER],
      ],
      'holds',
    ],
    [
      '412 before 304',
      [
        ['If-Match', '"b"'],
        ['If-None-Match', '"a"'],
      ],
      'failed',
    ],
    [
      '304 after If-Match',
      [
        ['If-Match', '"a"'],
        ['If-None-Match', '"a"'],
      ],
      'not modified',
    ],
    [
      '412 before 304, dates',
      [
        ['If-Unmodified-Since', BEFORE],
        ['If-Modified-Since', AFTER],
      ],
      'failed',
    ],
  ]
  check(cases, STRONG)
})

test('If-Range needs a strong validator that is equal (RFC 9110 §13.1.5)', () => {
  const cases: [string, Validators, boolean][] = [
    ['"a"', STRONG, true],
    ['"b"', STRONG, false],
    ['W/"a"', STRONG, false],
    ['W/"a"', WEAK, false],
    [CHANGED, STRONG, true],
    [BEFORE, STRONG, false],
    [AFTER, STRONG, false],
    ['a', STRONG, false],
    ['"a", "b"', STRONG, false],
  ]
  for (const [value, validators, expected] of cases) {
    assert.equal(isRangeCurrent(fieldsOf([['If-Range', value]]), validators, NOW), expected, value)
  }
  assert.equal(isRangeCurrent(fieldsOf([]), WEAK, NOW), true)
})

test('If-Range does not trust a date of this very second (RFC 9110 §8.8.2.2)', () => {
  const fields = fieldsOf([['If-Range', CHANGED]])
  assert.equal(isRangeCurrent(fields, STRONG, 784_111_777_999), false)
  assert.equal(isRangeCurrent(fields, STRONG, 784_111_778_000), true)
})

test('a list of entity tags is read to its end in linear time (RFC 9110 §8.8.3)', () => {
  const started = performance.now()
  for (const value of ['"b",'.repeat(20_000), ', '.repeat(20_000), '"'.repeat(20_000), ' '.repeat(20_000)]) {
    check([['long', [['If-Match', `${value}x`]], 'failed']], STRONG)
  }
  assert.ok(performance.now() - started < 1000)
})
