import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fieldsOf } from '#http/wire/fields.ts'
import { clientAddress } from './client-address.ts'

const isTrusted = (address: string): boolean => address.startsWith('10.') || address === '2001:db8::1'

const XFF = 'X-Forwarded-For'
const cases: [what: string, peer: string, fields: [string, string][], client: string | null][] = [
  ['nobody is believed by default', '192.0.2.1', [[XFF, '10.0.0.9']], '192.0.2.1'],
  ['a proxy that says nothing', '10.0.0.1', [], '10.0.0.1'],
  ['the right end is the nearest', '10.0.0.1', [[XFF, '10.0.0.7, 192.0.2.9, 198.51.100.2']], '198.51.100.2'],
  [
    'proxies of ours are passed over',
    '10.0.0.1',
    [
      [XFF, '192.0.2.9, 10.0.0.2'],
      [XFF, '10.0.0.3'],
    ],
    '192.0.2.9',
  ],
  ['only proxies of ours', '10.0.0.1', [[XFF, '10.0.0.3, 10.0.0.2']], '10.0.0.3'],
  ['a port', '10.0.0.1', [[XFF, '192.0.2.9:4711']], '192.0.2.9'],
  ['IPv6', '10.0.0.1', [[XFF, '2001:DB8::9, [2001:db8::1]:443']], '2001:db8::9'],
  ['IPv4 in IPv6', '10.0.0.1', [[XFF, '::ffff:192.0.2.9']], '192.0.2.9'],
  ['no address', '10.0.0.1', [[XFF, '192.0.2.9, unknown']], null],
  ['what a client made up stands too far left', '10.0.0.1', [[XFF, 'x, 192.0.2.9']], '192.0.2.9'],
  ['Forwarded', '2001:db8::1', [['Forwarded', 'for=192.0.2.9;proto=https, for="10.0.0.2:80"']], '192.0.2.9'],
  ['Forwarded with IPv6', '10.0.0.1', [['Forwarded', 'host=a;For="[2001:db8::9]:4711"']], '2001:db8::9'],
  ['a hidden identifier', '10.0.0.1', [['Forwarded', 'for=_hidden']], null],
  ['no for', '10.0.0.1', [['Forwarded', 'proto=https']], null],
  [
    'a Host that a client made up',
    '10.0.0.1',
    [['Forwarded', 'host="a;for=10.9.9.9";for=192.0.2.9']],
    '192.0.2.9',
  ],
  [
    'a quote in a quote',
    '10.0.0.1',
    [['Forwarded', String.raw`host="a\";for=10.9.9.9;\"";for=192.0.2.9`]],
    '192.0.2.9',
  ],
  ['two of for', '10.0.0.1', [['Forwarded', 'for=10.9.9.9;for=192.0.2.9']], null],
  ['what cannot be read', '10.0.0.1', [['Forwarded', 'for=192.0.2.9;;"']], null],
  [
    'both agree',
    '10.0.0.1',
    [
      ['Forwarded', 'for=192.0.2.9'],
      [XFF, '192.0.2.9'],
    ],
    '192.0.2.9',
  ],
  [
    'both differ',
    '10.0.0.1',
    [
      ['Forwarded', 'for=10.0.0.9'],
      [XFF, '192.0.2.9'],
    ],
    null,
  ],
]

for (const [what, peer, fields, client] of cases) {
  test(`clientAddress(): ${what} (RFC 7239 §4, §6, §8.1)`, () => {
    assert.equal(clientAddress(peer, fieldsOf(fields), isTrusted), client)
  })
}

test('whatever a client sends through a trusted proxy, it stays who the proxy saw', () => {
  const text = fc.string({ unit: fc.constantFrom(...'10.92;,="[]:for_ '), maxLength: 60 })
  fc.assert(
    fc.property(text, (said) => {
      const fields = fieldsOf([[XFF, `${said}, 192.0.2.9`]])
      assert.equal(clientAddress('10.0.0.1', fields, isTrusted), '192.0.2.9')
    }),
  )
})

test('no Forwarded makes clientAddress() throw, or believe what stands in the quotes of another parameter', () => {
  const text = fc.string({ unit: fc.constantFrom(...'f=or10.9;,\\[]: '), maxLength: 40 })
  fc.assert(
    fc.property(text, (said) => {
      const quoted = said.replaceAll('\\', '\\\\')
      const fields = fieldsOf([['Forwarded', `host="${quoted}";for=192.0.2.9`]])
      assert.equal(clientAddress('10.0.0.1', fields, isTrusted), '192.0.2.9')
      clientAddress('10.0.0.1', fieldsOf([['Forwarded', said]]), isTrusted)
    }),
  )
})
