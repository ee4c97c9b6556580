import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownerName } from './written-name.ts'

/** Keys of hosts as a browser shows them, and what they are below the domain. */
const URLS: readonly [written: string, fix: string][] = [
  ['https://www.example.com', '"www"'],
  ['https://www.example.com:8443/x', '"www"'],
  ['http://Example.com/', '"@"'],
  ['www:8080', '"www"'],
]

for (const [written, fix] of URLS) {
  test(`ownerName() says that ${written} is no name, and which is meant (RFC 1034 §3.1)`, () => {
    const fault = ownerName(written, 'example.com.')
    assert.ok(typeof fault !== 'string')
    assert.deepEqual([fault.code, fault.fix], ['dns/not-a-name', fix])
  })
}

test('ownerName() takes the names of a classless reverse zone (RFC 2317 §4)', () => {
  assert.equal(ownerName('0/25', '113.0.203.in-addr.arpa.'), '0/25.113.0.203.in-addr.arpa.')
})
