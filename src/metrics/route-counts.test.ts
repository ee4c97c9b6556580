import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ExchangeEnd } from '#http/exchange.ts'
import { createNote } from '#http/wire/note.ts'
import { hostOf } from '../../test/routes.ts'
import { RouteCounts } from './route-counts.ts'
import { sumRows, trafficOf } from './traffic.ts'

const END: ExchangeEnd = {
  reason: 'finished',
  status: 200,
  sentOctets: 10,
  receivedOctets: 1,
  isAtOnce: false,
}

function ask(counts: RouteCounts, routeId: string, end: Partial<ExchangeEnd> = {}, answeredBy = ''): void {
  const note = { ...createNote(), routeId, answeredBy, startedAt: 100, answeredAt: 101 }
  counts.begun++
  counts.count(note, { ...END, ...end }, 104)
}

function list(counts: RouteCounts, family = 'portico_http_requests'): string[] {
  return counts
    .samples()
    .filter((sample) => sample.family === family)
    .map(({ labels, value }) => `${labels.join(' ')} ${value}`)
}

test('requests are counted by route and class of status', () => {
  const counts = new RouteCounts()
  counts.commit({ hosts: [hostOf('a', ['/**', '/x']), hostOf('b')] }, 100)
  ask(counts, 'route:a/**')
  ask(counts, 'route:a/**', { status: 404 })
  ask(counts, 'route:a/x', { status: 0 })
  ask(counts, '')
  ask(counts, 'route:b/**', { status: 429 }, 'limits')
  assert.deepEqual(list(counts), [
    'other other 2xx 1',
    'a /** 2xx 1',
    'a /** 4xx 1',
    'a /x none 1',
    'b /** 4xx 1',
  ])
  assert.deepEqual(list(counts, 'portico_http_refused_requests').at(-1), 'b /** 1')
  const { routes } = trafficOf(counts.samples())
  const row = routes['a /**']!
  assert.deepEqual([row.requests, row.sentOctets, row.receivedOctets, row.durations.sum], [2, 20, 2, 0.008])
  assert.equal(routes['a /x']!.failures, 1)
})

test('what was not answered by a handler, and what became a tunnel, does not spoil the durations', () => {
  const counts = new RouteCounts()
  counts.commit({ hosts: [hostOf('a')] }, 100)
  counts.count({ ...createNote(), routeId: 'route:a/**', startedAt: 0 }, { ...END, status: 408 }, 4)
  counts.count(
    { ...createNote(), routeId: 'route:a/**', startedAt: 0, answeredAt: 2 },
    { ...END, status: 101 },
    3_600_000,
  )
  const sums = counts.samples().map(({ value }) => (typeof value === 'number' ? value : value.sum))
  assert.deepEqual(sums.slice(0, 4), [1, 1, 0.004, 0.002])
})

test('after a reload routes that stay go on counting, and those that left count as other', () => {
  const counts = new RouteCounts()
  counts.commit({ hosts: [hostOf('a'), hostOf('b')] }, 100)
  for (const id of ['route:a/**', 'route:b/**', 'route:b/**']) ask(counts, id)
  counts.commit({ hosts: [hostOf('c'), hostOf('b')] }, 100)
  // Under way while the file was changed.
  ask(counts, 'route:a/**')
  assert.deepEqual(list(counts), ['other other 2xx 2', 'b /** 2xx 2'])
  assert.equal(sumRows(Object.values(trafficOf(counts.samples()).routes)).requests, 4)
})

test('routes beyond the limit are counted together', () => {
  const counts = new RouteCounts()
  counts.commit({ hosts: [hostOf('a'), hostOf('b'), hostOf('c')] }, 1)
  for (const id of ['route:a/**', 'route:b/**', 'route:c/**']) ask(counts, id)
  assert.deepEqual(list(counts), ['other other 2xx 2', 'a /** 2xx 1'])
})
