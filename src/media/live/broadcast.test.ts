import assert from 'node:assert/strict'
import { test } from 'node:test'
import { broadcastOf, newsOf, START_MS } from '../../../test/media/live-broadcast.ts'
import { Broadcast, endOf, wallOf } from './broadcast.ts'
import type { News } from './news.ts'

test('a broadcast knows its segments, the parts of the newest, and when each was', () => {
  const broadcast = broadcastOf(12, 3)
  assert.equal(broadcast.nextMsn, 12)
  assert.equal(broadcast.openParts, 3)
  assert.deepEqual(
    broadcast.segments.map(({ parts }) => parts.length),
    [0, 0, 0, 0, ...Array(8).fill(10)],
  )
  assert.equal(endOf(broadcast.segments[11]!), 48)
  assert.equal(wallOf(broadcast.segments[5]!), START_MS + 20_000)
  assert.equal(broadcast.segments[3]!.tracks[0]!.octets, 50_000)
  assert.ok(Math.abs(broadcast.seconds - 49.2) < 1e-9)
})

test('an encoder that comes back begins a segment after a discontinuity, in the same time', () => {
  const broadcast = broadcastOf(1, 3)
  broadcast.apply({ kind: 'lost', atMs: START_MS + 6000, why: 'silent' })
  assert.equal(broadcast.state, 'lost')
  assert.equal(broadcast.nextMsn, 2)
  for (const news of newsOf(0, 2, 5.2, 2)) broadcast.apply(news)
  assert.equal(broadcast.state, 'live')
  assert.deepEqual(
    [broadcast.open!.msn, broadcast.open!.isAfterBreak, broadcast.open!.session.init],
    [2, true, 2],
  )
})

test('what is told again makes the same broadcast', () => {
  const broadcast = broadcastOf(12, 3)
  broadcast.apply({ kind: 'lost', atMs: START_MS + 50_000, why: 'silent' })
  for (const news of newsOf(2, 4, 50, 2)) broadcast.apply(news)
  // The last time the first one that is left stands behind a discontinuity.
  for (const end of [
    undefined,
    { kind: 'dropped', msn: 5, discontinuities: 0 },
    { kind: 'dropped', msn: 13, discontinuities: 0 },
    { kind: 'lost', atMs: 9, why: 'x' },
    { kind: 'ended', atMs: 10 },
  ] as (News | undefined)[]) {
    if (end !== undefined) broadcast.apply(end)
    const copy = new Broadcast('studio', '_1')
    for (const news of structuredClone(broadcast.retell())) copy.apply(news)
    const [one, other] = [broadcast, copy].map((each) => {
      const plain = ({ session, ...segment }: (typeof each.segments)[0]) => ({
        ...segment,
        session: session.init,
      })
      const { state, why, sinceMs, firstMsn, discontinuitySequence, nextMsn, openParts } = each
      const open = each.open === null ? null : plain(each.open)
      return {
        state,
        why,
        sinceMs,
        firstMsn,
        discontinuitySequence,
        nextMsn,
        openParts,
        open,
        segments: each.segments.map(plain),
      }
    })
    assert.deepEqual(other, one)
  }
})
