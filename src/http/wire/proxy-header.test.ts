import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { readProxyHeader } from './proxy-header.ts'
import { proxyHeader } from './proxy-protocol.ts'
import { isRefusal } from './refusal.ts'

const SIGNATURE = '0d0a0d0a000d0a515549540a'
const text = (line: string): Buffer => Buffer.from(line, 'latin1')
const hex = (octets: string): Buffer => Buffer.from(octets.replaceAll(' ', ''), 'hex')

describe('readProxyHeader()', () => {
  const client = { address: '203.0.113.7', port: 50_000, localPort: 443 }
  for (const [what, octets, lengthOctets, expected] of [
    ['a line of IPv4', text('PROXY TCP4 203.0.113.7 10.0.0.1 50000 443\r\nGET'), 43, client],
    [
      'a line of IPv6',
      text('PROXY TCP6 2001:DB8::1 ::1 1 2\r\n'),
      32,
      { address: '2001:db8::1', port: 1, localPort: 2 },
    ],
    [
      'a mapped address',
      text('PROXY TCP6 ::ffff:1.2.3.4 ::1 1 2\r\n'),
      35,
      { address: '1.2.3.4', port: 1, localPort: 2 },
    ],
    ['a line that knows nothing', text('PROXY UNKNOWN\r\n'), 15, null],
    ['whatever follows UNKNOWN', text('PROXY UNKNOWN ffff::1 x 1\r\n'), 27, null],
    ['octets of IPv4', hex(`${SIGNATURE} 21 11 000c cb007107 0a000001 c350 01bb 47`), 28, client],
    [
      'octets with more behind',
      hex(`${SIGNATURE} 21 11 000f cb007107 0a000001 c350 01bb 040000`),
      31,
      client,
    ],
    ['a connection of its own', hex(`${SIGNATURE} 20 00 0000`), 16, null],
    ['a Unix socket', hex(`${SIGNATURE} 21 31 0002 0000`), 18, null],
  ] as const) {
    test(`takes ${what}`, () => {
      assert.deepEqual(readProxyHeader(octets), { lengthOctets, client: expected })
    })
  }

  for (const [what, octets] of [
    ['a request', text('GET / HTTP/1.1\r\n\r\n')],
    ['small letters', text('proxy TCP4 1.2.3.4 1.2.3.4 1 1\r\n')],
    ['another family', text('PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n')],
    ['an address of the other family', text('PROXY TCP4 ::1 1.2.3.4 1 1\r\n')],
    ['an address in another form', text('PROXY TCP4 1.2.3.04 1.2.3.4 1 1\r\n')],
    ['a zone', text('PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n')],
    ['a port too large', text('PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n')],
    ['a port with a sign', text('PROXY TCP4 1.2.3.4 1.2.3.4 +1 1\r\n')],
    ['two spaces', text('PROXY TCP4  1.2.3.4 1.2.3.4 1 1\r\n')],
    ['more behind the ports', text('PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n')],
    ['a line without end', text(`PROXY UNKNOWN ${'x'.repeat(100)}`)],
    ['another signature', hex('0d0a0d0a000d0a5155495400 21 11 0000')],
    ['the signature cut short', hex('0d0a0d0a 00 0d0b')],
    ['another version', hex(`${SIGNATURE} 11 11 000c`)],
    ['another command', hex(`${SIGNATURE} 22 11 000c`)],
    ['addresses cut off', hex(`${SIGNATURE} 21 21 000c ${'00'.repeat(12)}`)],
    ['a block without end', hex(`${SIGNATURE} 21 11 ffff`)],
  ] as const) {
    test(`refuses ${what}`, () => {
      assert.ok(isRefusal(readProxyHeader(octets)))
    })
  }

  test('reads what we write, however it arrives, and not an octet more', () => {
    const end = fc.record({
      address: fc.oneof(fc.ipV4(), fc.constantFrom('2001:db8::1', '::1', 'fe80::1:2')),
      port: fc.nat(65_535),
      localPort: fc.nat(65_535),
    })
    fc.assert(
      fc.property(fc.constantFrom(1 as const, 2 as const), end, fc.nat(), (version, ends, cut) => {
        const header = text(proxyHeader(version, ends))
        const part = header.subarray(0, cut % header.length)
        assert.equal(readProxyHeader(part), undefined)
        const whole = Buffer.concat([header, text('\r\nGET')])
        assert.deepEqual(readProxyHeader(whole), { lengthOctets: header.length, client: { ...ends } })
      }),
    )
  })

  test('never throws', () => {
    const begun = fc.constantFrom(text('PROXY '), hex(SIGNATURE), hex(`${SIGNATURE}2111`), text(''))
    fc.assert(
      fc.property(begun, fc.uint8Array({ maxLength: 60 }), (start, rest) => {
        const read = readProxyHeader(Buffer.concat([start, rest]))
        assert.ok(read === undefined || isRefusal(read) || read.lengthOctets <= start.length + rest.length)
      }),
    )
  })
})
