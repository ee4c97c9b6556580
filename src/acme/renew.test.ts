import assert from 'node:assert/strict'
import test from 'node:test'
import {
  boundRenewal,
  chooseRenewal,
  type Failure,
  nextNeed,
  patience,
  renewAfterTwoThirds,
  type Standing,
} from './renew.ts'

const [a, b] = [{ directory: 'https://a.test/' }, { directory: 'https://b.test/' }]
const authorities = [a, b]
const failed = (notBefore: number): Failure => ({ count: 1, notBefore, at: 0, message: '', fix: '' })
const nothing: Standing = { renewal: null, failures: {}, underWay: null }

const needs: [what: string, standing: Standing, need: object][] = [
  ['none yet: at once, from the first', nothing, { what: 'order', authority: a, at: 0 }],
  [
    'one in use: when it is due',
    { ...nothing, renewal: { at: 900, askAt: null } },
    { what: 'order', authority: a, at: 900 },
  ],
  ['advice is due before', { ...nothing, renewal: { at: 900, askAt: 500 } }, { what: 'advice', at: 500 }],
  [
    'the first failed: the second at once',
    { ...nothing, failures: { [a.directory]: failed(200) } },
    { what: 'order', authority: b, at: 0 },
  ],
  [
    'both failed: the one whose patience ends first',
    { ...nothing, failures: { [a.directory]: failed(300), [b.directory]: failed(200) } },
    { what: 'order', authority: b, at: 200 },
  ],
  [
    'patience is over: the first again',
    { ...nothing, failures: { [a.directory]: failed(99), [b.directory]: failed(50) } },
    { what: 'order', authority: a, at: 99 },
  ],
  [
    'an order under way is finished where it began, though a renewal is not due',
    { ...nothing, renewal: { at: 900, askAt: null }, underWay: b.directory },
    { what: 'order', authority: b, at: 0 },
  ],
  [
    'but not while that one wants patience',
    { ...nothing, underWay: b.directory, failures: { [b.directory]: failed(300) } },
    { what: 'order', authority: a, at: 0 },
  ],
]

for (const [what, standing, need] of needs) {
  test(`nextNeed(): ${what}`, () => assert.deepEqual(nextNeed(standing, authorities, 100), need))
}

test('renewAfterTwoThirds() spreads over a twentieth of the lifetime', () => {
  const certificate = { notBefore: 0, notAfter: 90 }
  assert.equal(renewAfterTwoThirds(certificate, 0), 60)
  assert.equal(renewAfterTwoThirds(certificate, 1), 65)
})

test('boundRenewal() keeps a time within the lifetime, and after the rest between two orders', () => {
  const certificate = { notBefore: 0, notAfter: 100 }
  assert.equal(boundRenewal(70, certificate, 10), 70)
  assert.equal(boundRenewal(500, certificate, 10), 90)
  assert.equal(boundRenewal(5, certificate, 10), 10)
  assert.equal(boundRenewal(70, certificate, 110), 110)
})

const MINUTE = 60_000
const windows: [
  at: string,
  now: number,
  random: number,
  retryAfterMs: number | null,
  at: number,
  ask: number,
][] = [
  ['its beginning', 0, 0, null, 1000, 360 * MINUTE],
  ['a quarter of it', 0, 0.25, 600_000, 1250, 10 * MINUTE],
  ['now when that has passed', 5000, 0.25, 600_000, 5000, 5000 + 10 * MINUTE],
  ['asked again after a minute at least', 0, 0, 0, 1000, MINUTE],
  ['and after a day at most', 0, 0, 1e12, 1000, 1440 * MINUTE],
]

for (const [what, now, random, retryAfterMs, at, askAt] of windows) {
  test(`chooseRenewal(): ${what} (RFC 9773 §4.2, §4.3.2)`, () => {
    const window = { start: 1000, end: 2000, explanation: undefined }
    assert.deepEqual(chooseRenewal(window, retryAfterMs, { now, random }), { at, askAt })
  })
}

test('patience() grows from one minute to half a day, and five tries fit into the first hour', () => {
  const calm = { remainingMs: null, random: 0, wasHeard: true }
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9, 50].map((count) => patience(count, null, calm) / MINUTE)
  assert.deepEqual(waits, [1, 5, 15, 30, 60, 120, 240, 480, 720, 720])
})

test('patience() is what the authority asks for at least, and short where a certificate is about to end', () => {
  assert.equal(patience(1, 3_600_000, { remainingMs: null, random: 0.5, wasHeard: true }), 3_600_000)
  assert.equal(patience(9, null, { remainingMs: 40 * MINUTE, random: 0, wasHeard: true }), 5 * MINUTE)
  assert.equal(patience(9, null, { remainingMs: -1, random: 0, wasHeard: true }), 5000)
  assert.equal(patience(1, null, { remainingMs: 30 * 1440 * MINUTE, random: 1, wasHeard: true }), 66_000)
})

test('patience() with an authority that did not answer begins with seconds', () => {
  const unheard = { remainingMs: null, random: 0, wasHeard: false }
  const waits = [1, 2, 3, 8, 9, 12].map((count) => patience(count, null, unheard) / 1000)
  assert.deepEqual(waits, [2, 4, 8, 256, 512, 4096])
})
