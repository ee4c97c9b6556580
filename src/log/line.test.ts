import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Exchange } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { createNote } from '#http/wire/note.ts'
import { printRecord } from './line.ts'
import { planAccessLog } from './plan.ts'
import { recordOf } from './record.ts'

const END = { reason: 'finished', status: 200, sentOctets: 15, receivedOctets: 0, isAtOnce: false } as const

function record(keepsQuery: boolean, changes: Partial<Exchange['request']> = {}) {
  const note = { ...createNote(), routeId: 'route:a/**', answeredBy: '10.0.0.5:80', reason: 'exact host' }
  const fields = fieldsOf([
    ['Referer', 'https://a/?token=1'],
    ['User-Agent', 'say "hi" \\ ä'],
  ])
  const client = { address: '2001:db8::1', port: 40_000, secure: true, localPort: 443 }
  const request = { method: 'GET', host: 'a', target: '/x?token=2', version: '2', fields, client, ...changes }
  const timed = { ...note, startedAt: 10, answeredAt: 10.5 }
  const exchange = { note: timed, request } as unknown as Exchange
  return recordOf(exchange, END, { now: 12.0004, time: '2026-11-22T18:09:59.123Z' }, keepsQuery)
}

test('a line of JSON has the stable schema, without what is not known', () => {
  assert.deepEqual(JSON.parse(printRecord(record(true), 'json')), {
    time: '2026-11-22T18:09:59.123Z',
    client: '2001:db8::1',
    scheme: 'https',
    method: 'GET',
    host: 'a',
    target: '/x?token=2',
    version: '2',
    status: 200,
    sentOctets: 15,
    receivedOctets: 0,
    durationMs: 2,
    firstOctetMs: 0.5,
    route: 'route:a/**',
    answeredBy: '10.0.0.5:80',
    end: 'finished',
    reason: 'exact host',
    referer: 'https://a/?token=1',
    userAgent: 'say "hi" \\ ä',
  })
})

test('a line of the combined form is read by programs that read those of Apache and nginx', () => {
  assert.equal(
    printRecord(record(true), 'combined'),
    '2001:db8::1 - - [22/Nov/2026:18:09:59 +0000] "GET /x?token=2 HTTP/2.0" 200 15 "https://a/?token=1" "say \\x22hi\\x22 \\x5C \\xE4"',
  )
})

test('without queries no secret of a target or a referer is written down', () => {
  for (const format of ['json', 'combined'] as const) {
    assert.ok(!printRecord(record(false), format).includes('token'))
  }
})

test('nobody writes a line of their own', () => {
  const forged = record(true, { target: '/x" 200\n127.0.0.1 - - "GET' })
  for (const format of ['json', 'combined'] as const) {
    const line = printRecord(forged, format)
    assert.ok(!line.includes('\n') && !line.includes('/x" 200'), line)
  }
})

test('a file alone is JSON of every request', () => {
  assert.deepEqual(planAccessLog('./a.log'), {
    file: './a.log',
    format: 'json',
    query: true,
    oneIn: 1,
    keep: 5,
  })
  assert.equal(planAccessLog(undefined), null)
})
