import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proxyHeader } from './proxy-protocol.ts'

const four = { address: '203.0.113.7', port: 50_000, localPort: 443 }
const six = { address: '2001:db8::1', port: 1, localPort: 65_535 }
const hex = (octets: string): string => Buffer.from(octets, 'latin1').toString('hex')
// \r\n\r\n\0\r\nQUIT\n
const signature = '0d0a0d0a000d0a515549540a'

test('proxyHeader() writes version 1 as a line', () => {
  assert.equal(proxyHeader(1, four), 'PROXY TCP4 203.0.113.7 0.0.0.0 50000 443\r\n')
  assert.equal(proxyHeader(1, six), 'PROXY TCP6 2001:db8::1 :: 1 65535\r\n')
  assert.equal(proxyHeader(1, null), 'PROXY UNKNOWN\r\n')
})

test('proxyHeader() writes version 2 as octets, with addresses in any form (RFC 4291 §2.2)', () => {
  // version and command, family, length, source, our own, ports
  assert.equal(
    hex(proxyHeader(2, four)),
    `${signature}21 11 000c cb007107 00000000 c350 01bb`.replaceAll(' ', ''),
  )
  const sixHead = `${signature}21210024`
  const ours = '0'.repeat(32)
  assert.equal(hex(proxyHeader(2, six)), `${sixHead}20010db8${'0'.repeat(23)}1${ours}0001ffff`)
  const mapped = { ...six, address: '::ffff:192.0.2.1' }
  assert.equal(hex(proxyHeader(2, mapped)), `${sixHead}${'0'.repeat(20)}ffffc0000201${ours}0001ffff`)
  assert.equal(hex(proxyHeader(2, { ...six, address: '::' })), `${sixHead}${ours}${ours}0001ffff`)
  assert.equal(hex(proxyHeader(2, null)), `${signature}20000000`)
})
