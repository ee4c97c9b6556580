import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shareLimits } from './share-limits.ts'

test('each worker has its share of what all may have together, rounded up', () => {
  const limits = { connections: 5, originConnections: 1, tcpConnections: 512, headerOctets: 1024 }
  assert.deepEqual(shareLimits(limits, 1), limits)
  const shared = { connections: 2, originConnections: 1, tcpConnections: 128, headerOctets: 1024 }
  assert.deepEqual(shareLimits(limits, 4), shared)
})
