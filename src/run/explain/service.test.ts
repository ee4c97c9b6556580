import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OriginState } from '#http/origin/pool.ts'
import type { ServicePlan } from '#http/service-plan.ts'
import { originAt } from '../../../test/origin.ts'
import { explainOrigins } from './service.ts'

const health = { path: '/up', intervalMs: 1, timeoutMs: 1, status: [200], up: 1, down: 1 }
const origins = [originAt(81, { health }), originAt(82)]
const up: OriginState = {
  id: origins[0]!.id,
  open: 2,
  idle: 1,
  waiting: 0,
  connects: 2,
  connectFailures: 0,
  requests: 3,
  failures: 0,
  retries: 0,
  durations: { buckets: [], sum: 0 },
  lastFailure: '',
  isDown: false,
  isCircuitOpen: false,
  why: '',
  lastCheck: 'status 200',
}
const down: OriginState = { ...up, id: origins[1]!.id, isDown: true, why: 'connect ECONNREFUSED' }

function says(changes: Partial<ServicePlan>, states: readonly OriginState[] | null): string[] {
  const live = states === null ? null : { origins: states, processes: [] }
  const plan: ServicePlan = { kind: 'service', origins, processId: null, ...changes }
  return explainOrigins(plan, live).map(
    ({ says: said, reason, isFault }) => `${isFault ? '! ' : ''}${said} (${reason})`,
  )
}

test('explainOrigins() says policy, weight and health of each origin', () => {
  assert.deepEqual(says({ weights: [2, 1] }, [up, down]), [
    'http://127.0.0.1:81 (in turn, weight 2; answers, 2 connections open; /up gave status 200)',
    '! http://127.0.0.1:82 is down: connect ECONNREFUSED (in turn, weight 1)',
  ])
  const policy = { hash: 'cookie', name: 'sid' } as const
  assert.deepEqual(says({ policy, origins: [origins[1]!, origins[1]!], fallback: originAt(83) }, []), [
    'http://127.0.0.1:82 (by hash of cookie sid; not asked yet)',
    'http://127.0.0.1:82 (by hash of cookie sid; not asked yet)',
    'http://127.0.0.1:83 (fallback, while all others are down; not asked yet)',
  ])
  const slow = says({ policy: 'least-connections', slowStartMs: 30_000 }, null)
  assert.match(slow[0]!, /fewest requests, slowly for 30s after it came back; its state is not known/)
})
