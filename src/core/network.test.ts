import assert from 'node:assert/strict'
import { BlockList, isIPv6 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { cut, networkKey, parseNetwork } from './network.ts'

const networks: [text: string, key: string | undefined][] = [
  ['10.1.2.3/8', '4:a000000/8'],
  ['10.0.0.0/8', '4:a000000/8'],
  ['192.0.2.1', '4:c0000201/32'],
  ['0.0.0.0/0', '4:0/0'],
  ['2001:db8::1/32', '6:20010db8000000000000000000000000/32'],
  ['::ffff:192.0.2.1', '6:ffffc0000201/128'],
  ['1:2:3:4:5:6:7:8', '6:10002000300040005000600070008/128'],
  ['10.0.0.0/33', undefined],
  ['10.0.0.0/', undefined],
  ['10.0.0.0/8/8', undefined],
  ['10.0.0/8', undefined],
  ['fe80::1%eth0', undefined],
  ['::/129', undefined],
  ['www.example.com', undefined],
]

for (const [text, key] of networks) {
  test(`parseNetwork() reads ${text} (RFC 4632 §3.1, RFC 4291 §2.2)`, () => {
    const network = parseNetwork(text)
    assert.equal(network && networkKey(network), key)
  })
}

test('an address is in a network exactly when node:net says so', () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6())
  fc.assert(
    fc.property(address, address, fc.nat(128), (a, b, length) => {
      if (isIPv6(a) !== isIPv6(b)) return
      const family = isIPv6(a) ? 'ipv6' : 'ipv4'
      const prefix = isIPv6(a) ? length : length % 33
      const list = new BlockList()
      list.addSubnet(a, prefix, family)
      const isIn = cut(parseNetwork(b)!, prefix).bits === parseNetwork(`${a}/${prefix}`)!.bits
      assert.equal(isIn, list.check(b, family))
    }),
  )
})
