import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { HEAD_OCTETS, Tallies, Tally } from './tally.ts'

const octets = Buffer.alloc(10_000, 'abc')

test('a tally knows length, first octets and SHA-256 of what came in any pieces', () => {
  const tally = new Tally()
  for (const [from, to] of [
    [0, 1],
    [1, 5000],
    [5000, 10_000],
  ] as const)
    tally.add(octets.subarray(from, to))
  assert.equal(tally.octets, 10_000)
  assert.ok(octets.subarray(0, HEAD_OCTETS).equals(tally.head))
  assert.equal(tally.digest(), createHash('sha256').update(octets).digest('hex'))
})

test('a tally is kept for who goes on where it ended, and for nobody else', () => {
  const tallies = new Tallies()
  const tally = new Tally()
  tally.add(octets)
  tallies.keep('a', tally)
  assert.equal(tallies.take('b', 10_000), null)
  assert.equal(tallies.take('a', 10_000), tally)
  assert.equal(tallies.take('a', 10_000), null)
  tallies.keep('a', tally)
  assert.equal(tallies.take('a', 9000), null)
  assert.equal(tallies.take('new', 0)?.octets, 0)
})

test('of many tallies the oldest go', () => {
  const tallies = new Tallies()
  for (let i = 0; i < 1000; i++) {
    const tally = new Tally()
    tally.add(octets)
    tallies.keep(`${i}`, tally)
  }
  assert.equal(tallies.take('0', 10_000), null)
  assert.notEqual(tallies.take('999', 10_000), null)
})
