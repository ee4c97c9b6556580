import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressOctets } from '#dns/wire/address.ts'
import { NetworkTree } from './network-tree.ts'

const tree = new NetworkTree([
  ['10.0.0.0/8', 'ten'],
  ['10.1.0.0/16', 'office'],
  ['2001:db8::/32', 'six'],
  ['192.0.2.7', 'one'],
])

test('the longest prefix wins, and the answer holds for as wide a network as decides it (RFC 7871 §7.2.1)', () => {
  const cases: [string, string | undefined, number][] = [
    ['10.1.2.3', 'office', 16],
    // 10.0.0.0/16 parts from 10.1.0.0/16 at the last bit.
    ['10.0.2.3', 'ten', 16],
    ['10.128.2.3', 'ten', 9],
    ['11.0.0.1', undefined, 8],
    ['192.0.2.7', 'one', 32],
    ['192.0.2.6', undefined, 32],
    ['2001:db8::1', 'six', 32],
    ['::1', undefined, 3],
  ]
  for (const [address, value, prefix] of cases)
    assert.deepEqual(tree.find(addressOctets(address)), { value, prefix }, address)
})

test('bits that are not known decide nothing', () => {
  assert.deepEqual(tree.find(addressOctets('10.1.0.0'), 12), { value: 'ten', prefix: 12 })
  assert.deepEqual(tree.find(addressOctets('0.0.0.0'), 0), { value: undefined, prefix: 0 })
})
