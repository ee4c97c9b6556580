import assert from 'node:assert/strict'
import { isIPv6 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseIpv4, parseIpv6, printIpv4, printIpv6 } from './address.ts'

test('IPv6 addresses are printed short and in lower case (RFC 5952 §4, §5)', () => {
  const cases: [written: string, printed: string][] = [
    ['2001:0db8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:DB8::', '2001:db8::'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['::ffff:c000:201', '::ffff:192.0.2.1'],
  ]
  for (const [written, printed] of cases) assert.equal(printIpv6(parseIpv6(written)!), printed)
})

test('IPv6 addresses are read in every form, without a zone index (RFC 4291 §2.2)', () => {
  const cases: [text: string, hex: string | undefined][] = [
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['1::8', '00010000000000000000000000000008'],
    ['::', '00000000000000000000000000000000'],
    ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
    ['1:2:3:4:5:6:192.0.2.33', '000100020003000400050006c0000221'],
    ['fe80::1%eth0', undefined],
    ['1:2:3', undefined],
    ['1::2::3', undefined],
    ['192.0.2.1', undefined],
    ['', undefined],
  ]
  for (const [text, hex] of cases) {
    const octets = parseIpv6(text)
    assert.equal(octets && Buffer.from(octets).toString('hex'), hex, text)
  }
})

test('Any sixteen octets print as an IPv6 address and come back', () => {
  const group = fc.constantFrom(0, 0, 0, 1, 0xffff, 0xc000)
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const octets = Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
      assert.ok(isIPv6(printIpv6(octets)))
      assert.deepEqual(new Uint8Array(parseIpv6(printIpv6(octets))!), octets)
    }),
  )
})

test('IPv4 addresses are four numbers without leading zeros', () => {
  assert.equal(printIpv4(parseIpv4('192.0.2.1')!), '192.0.2.1')
  for (const text of ['192.0.2', '192.0.2.256', '192.0.2.01', '0x7f.1', '1', ''])
    assert.equal(parseIpv4(text), undefined)
})
