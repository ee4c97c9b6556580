import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planAccessLog } from '#log/plan.ts'
import type { Plan } from '#plan/plan.ts'
import { planTraces } from '#traces/plan.ts'
import { explainObserved } from './observe.ts'

const metrics = { limitRoutes: 500 }
const http = { trust: ['10.0.0.0/8'] } as unknown as Plan['http']

function says(observe: Plan['observe'], from: string | null, asksOrigin = true): string[] {
  return explainObserved({ observe, http }, asksOrigin, from).map(({ step, says: said, reason }) => {
    return `${step}: ${said} (${reason})`
  })
}

test('where nothing is written down there is nothing to say', () => {
  assert.deepEqual(says({ accessLog: null, identity: null, traces: null, metrics }, null), [])
})

test('ids, traces and the log are explained, and why an id was not believed', () => {
  const file = { file: './a.log', format: 'json', query: false, oneIn: 10, keep: 5 } as const
  const endpoint = 'http://127.0.0.1:4318/v1/traces'
  const traces = planTraces(
    { trace: false, field: true, respond: false },
    { endpoint, service: 'x', sample: 5, queue: 10 },
  )
  const observe = { accessLog: planAccessLog(file), ...traces, metrics }
  assert.deepEqual(says(observe, '203.0.113.7'), [
    'identity: traceparent and X-Request-Id to the origin (made here: 203.0.113.7 is not in "trust", so what it sends is dropped)',
    `trace: spans to ${endpoint} (5 % of traces that begin here; others as their sender decided)`,
    'log: ./a.log, as json (one in 10, and all that fail; without queries)',
  ])
  assert.match(says(observe, '10.1.2.3')[0]!, /ids of 10\.1\.2\.3 count/)
  assert.match(says(observe, null, false)[0]!, /^identity: an id for the log/)
  const both = { ...observe, identity: { trace: false, field: true, respond: true } }
  assert.match(says(both, null)[0]!, /^identity: X-Request-Id to the origin, X-Request-Id to the client/)
  assert.match(says(both, null, false)[0]!, /^identity: X-Request-Id to the client/)
})
