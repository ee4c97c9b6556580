import assert from 'node:assert/strict'
import { test } from 'node:test'
import { joinSnapshots, type Snapshot } from './snapshot.ts'

const origin = {
  id: 'origin:http://a',
  open: 1,
  idle: 1,
  waiting: 0,
  connects: 2,
  connectFailures: 0,
  requests: 5,
  failures: 1,
  retries: 1,
  durations: { buckets: [1, 2], sum: 3 },
  isCircuitOpen: false,
  lastFailure: '',
  isDown: false,
  why: '',
  lastCheck: '',
}

test('counts of workers add up, and an origin is down when one of them has seen it', () => {
  const none = joinSnapshots([])
  const http = { ...none.http, requests: 3, byClass: [0, 0, 3, 0, 0, 0] } as const
  const a = { ...none, http, origins: [origin] } as unknown as Snapshot
  const down = { ...origin, connectFailures: 1, isDown: true, lastFailure: 'refused', why: 'refused' }
  const b = { ...a, dns: { ...none.dns, queries: 2 }, origins: [down, { ...origin, id: 'origin:http://b' }] }
  const joined = joinSnapshots([a, b])
  assert.deepEqual([joined.http.requests, joined.http.byClass[2], joined.dns.queries], [6, 6, 2])
  assert.deepEqual(joined.origins, [
    {
      ...down,
      open: 2,
      idle: 2,
      connects: 4,
      requests: 10,
      failures: 2,
      retries: 2,
      durations: { buckets: [2, 4], sum: 6 },
    },
    { ...origin, id: 'origin:http://b' },
  ])
})
