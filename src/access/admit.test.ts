import assert from 'node:assert/strict'
import { test } from 'node:test'
import { admitAddress, compileNetworks } from './admit.ts'

const allow = (network: string) => ({ network, isAllowed: true })
const deny = (network: string) => ({ network, isAllowed: false })

const office = [allow('10.0.0.0/8'), deny('10.9.0.0/16'), allow('10.9.9.9'), allow('2001:db8::/32')]

const cases: [
  rules: ReturnType<typeof allow>[],
  address: string | null,
  isAdmitted: boolean,
  reason: string,
][] = [
  [[], '192.0.2.1', true, 'any address'],
  [[], null, true, 'any address'],
  [office, '10.1.2.3', true, 'in 10.0.0.0/8 of "allow"'],
  [office, '10.9.2.3', false, 'in 10.9.0.0/16 of "deny"'],
  [office, '10.9.9.9', true, 'in 10.9.9.9 of "allow"'],
  [office, '192.0.2.1', false, 'in no network of "allow"'],
  [office, '2001:db8:1::5', true, 'in 2001:db8::/32 of "allow"'],
  [office, '2001:db9::5', false, 'in no network of "allow"'],
  [office, null, false, 'address not known'],
  [office, 'localhost', false, 'address not known'],
  [[deny('192.0.2.0/24')], '192.0.2.1', false, 'in 192.0.2.0/24 of "deny"'],
  [[deny('192.0.2.0/24')], '10.0.0.1', true, 'in no network of "deny"'],
  [[deny('192.0.2.0/24')], null, false, 'address not known'],
  [[allow('0.0.0.0/0')], '10.0.0.1', true, 'in 0.0.0.0/0 of "allow"'],
  [[allow('0.0.0.0/0')], '::1', false, 'in no network of "allow"'],
]

for (const [rules, address, isAdmitted, reason] of cases) {
  test(`admitAddress(): ${address} is ${isAdmitted ? 'admitted' : 'refused'}: ${reason}`, () => {
    assert.deepEqual(admitAddress(compileNetworks(rules), address), { isAdmitted, reason })
    assert.deepEqual(admitAddress(compileNetworks(rules.toReversed()), address), { isAdmitted, reason })
  })
}
