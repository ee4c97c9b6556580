import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTrust } from './trust.ts'

const TABLE: readonly (readonly [string[], string, boolean])[] = [
  [[], '127.0.0.1', false],
  [['127.0.0.1'], '127.0.0.1', true],
  [['10.0.0.0/8'], '10.255.0.1', true],
  [['10.0.0.0/8'], '11.0.0.1', false],
  [['0.0.0.0/0'], '198.51.100.7', true],
  [['2001:db8::/32'], '2001:db8:1::7', true],
  [['2001:db8::/32'], '2001:db9::7', false],
  [['::1'], '::1', true],
  [['not a network', '192.0.2.0/24'], '192.0.2.9', true],
  [['192.0.2.0/24'], '', false],
]

for (const [networks, address, expected] of TABLE) {
  test(`createTrust() ${expected ? 'believes' : 'does not believe'} "${address}" with [${networks}]`, () => {
    assert.equal(createTrust(networks)(address), expected)
  })
}
