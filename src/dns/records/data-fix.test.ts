import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixOfData } from './data-fix.ts'

/** What people write by the habits of other places, and what they meant. */
const CASES: readonly [type: string, written: string, fix: string][] = [
  ['A', '203.0.113.4:80', '"A": "203.0.113.4"'],
  ['A', '203.0.113.4/32', '"A": "203.0.113.4"'],
  ['A', 'http://203.0.113.4/', '"A": "203.0.113.4"'],
  ['A', '300 IN A 203.0.113.4', '"A": "203.0.113.4"'],
  ['A', '2001:db8::1', '"AAAA": "2001:db8::1"'],
  ['A', 'x.herokuapp.com', '"CNAME": "x.herokuapp.com"'],
  ['A', '999.1.1.1', '"A": "203.0.113.7"'],
  ['AAAA', '[2001:db8::1]:443', '"AAAA": "2001:db8::1"'],
  ['AAAA', '203.0.113.4', '"A": "203.0.113.4"'],
  ['MX', 'mx.example.net', '"MX": "10 mx.example.net"'],
  ['MX', '10', '"MX": "10 mail.example.com"'],
  ['CAA', 'letsencrypt.org', '"CAA": "0 issue \\"letsencrypt.org\\""'],
  ['SRV', 'sip.example.com:5060', '"SRV": "0 5 5269 host.example.com"'],
]

for (const [type, written, fix] of CASES) {
  test(`fixOfData() mends ${type} ${written}`, () => assert.equal(fixOfData(type, written), fix))
}
