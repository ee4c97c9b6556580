import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DURATION_BUCKETS } from '#core/histogram.ts'
import type { Traffic, TrafficRow } from '#metrics/traffic.ts'
import { shareLines, topLines, topOf } from './top-view.ts'

function row(requests: number, failures = 0): TrafficRow {
  const buckets = Array.from({ length: DURATION_BUCKETS }, (_, i) => (i === 0 ? requests : 0))
  return {
    requests,
    failures,
    sentOctets: requests * 1000,
    receivedOctets: 0,
    durations: { buckets, sum: 0 },
  }
}

function traffic(routes: Record<string, TrafficRow>): Traffic {
  return { connections: 4, inFlight: 1, dnsQueries: 0, routes, origins: {} }
}

const top = topOf(
  traffic({ 'a.example /**': row(10), 'a.example /x': row(5), 'quiet.example /**': row(3) }),
  traffic({
    'a.example /**': row(20),
    'a.example /x': row(35, 2),
    'quiet.example /**': row(3),
    'other other': row(6),
    'anew.example /**': row(8),
  }),
  [{ key: '203.0.113.7', requests: 40, octets: 4000 }],
  2,
)

test('hosts and routes are ranked by what came between two looks', () => {
  const names = (rows: readonly { name: string; requestsPerSecond: number }[]) =>
    rows.map(({ name, requestsPerSecond }) => `${name} ${requestsPerSecond}`)
  assert.deepEqual(names(top.hosts), ['a.example 20', 'anew.example 4', 'other 3'])
  assert.deepEqual(names(top.routes), ['a.example/x 15', 'a.example/** 5', 'anew.example/** 4', 'other 3'])
  assert.deepEqual(names(top.clients), ['203.0.113.7 20'])
  assert.deepEqual([top.all.requestsPerSecond, top.all.failuresPerSecond], [27, 1])
})

test('the view fits the terminal', () => {
  for (const rows of [14, 20, 40]) {
    for (const columns of [40, 60, 100]) {
      const lines = topLines(top, { columns, rows })
      assert.ok(lines.length < rows, `${lines.length} lines of ${rows}`)
      assert.match(lines.join('\n'), /HOST.*\n.*a\.example/)
    }
  }
})

test('lines are shared out, and what one part does not need the others get', () => {
  assert.deepEqual(shareLines(9, [1, 20, 20]), [1, 4, 4])
  assert.deepEqual(shareLines(100, [2, 3, 0]), [2, 3, 0])
  assert.deepEqual(shareLines(-5, [4, 4, 4]), [1, 1, 1])
})
