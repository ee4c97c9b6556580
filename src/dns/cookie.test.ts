import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COOKIE, type CookieSource, judgeCookie, makeCookie } from './cookie.ts'
import { sipHash } from './siphash.ts'
import { parseIpv4, parseIpv6 } from './wire/address.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

const KEY = hex('e5e973e5a6b2a43f48e7dc849e37bfcf')

function source(nowSeconds: number, client = '198.51.100.100', keys = [KEY]): CookieSource {
  return { keys, client: parseIpv4(client) ?? parseIpv6(client)!, nowSeconds }
}

function make(clientCookie: string, from: CookieSource): string {
  const cookie = Buffer.alloc(COOKIE)
  makeCookie(hex(clientCookie), cookie, from)
  return cookie.toString('hex')
}

test('SipHash-2-4 gives the example of its authors (RFC 9018 §4.4)', () => {
  const octets = Uint8Array.from({ length: 16 }, (_, i) => i)
  assert.equal(Buffer.from(sipHash(octets, octets, 15)).toString('hex'), 'e545be4961ca29a1')
  assert.equal(Buffer.from(sipHash(octets, octets, 0)).toString('hex'), '310e0edd47db6f72')
})

test('cookies are those of the examples, so that servers of one address may differ (RFC 9018 §4)', () => {
  const first = '2464c4abcf10c957 01000000 5cf79f11 1f8130c3eee29480'.replaceAll(' ', '')
  assert.equal(make('2464c4abcf10c957', source(0x5cf79f11)), first)
  assert.equal(
    make('2464c4abcf10c957', source(0x5cf7a871)),
    '2464c4abcf10c957 01000000 5cf7a871 d4a564a1442aca77'.replaceAll(' ', ''),
  )
  // A server that has another key by now believes it, and gives one of its own.
  const keys = [hex('445536bcd2513298075a5d379663c962'), hex('dd3bdf9344b678b185a6f5cb60fca715')]
  const address = '2001:db8:220:1:59de:d0f4:8769:82b8'
  const before = hex('22681ab97d52c298 01000000 5cf7c579 26556bd0934c72f8')
  assert.equal(judgeCookie(before, source(0x5cf7c609, address, keys)), 'believed')
  assert.equal(
    make('22681ab97d52c298', source(0x5cf7c609, address, keys)),
    '22681ab97d52c298 01000000 5cf7c609 a6bb79d16625507a'.replaceAll(' ', ''),
  )
})

test('a cookie is believed for an hour and renewed after half of it, from its own address (RFC 9018 §4.3)', () => {
  const at = 1_700_000_000
  const cookie = hex(make('0011223344556677', source(at)))
  const cases: [string, CookieSource, string][] = [
    ['at once', source(at), 'fresh'],
    ['within half an hour', source(at + 1799), 'fresh'],
    ['later', source(at + 1801), 'believed'],
    ['after an hour', source(at + 3601), 'not ours'],
    ['from a clock ahead by little', source(at - 300), 'fresh'],
    ['from a clock far ahead', source(at - 301), 'not ours'],
    ['from another address', source(at, '198.51.100.101'), 'not ours'],
    ['with a key of before', source(at, undefined, [Buffer.alloc(16), KEY]), 'believed'],
    ['with another key', source(at, undefined, [Buffer.alloc(16)]), 'not ours'],
  ]
  for (const [when, from, state] of cases) assert.equal(judgeCookie(cookie, from), state, when)
  for (const length of [8, 16, 23, 25, 40])
    assert.equal(judgeCookie(Buffer.alloc(length, cookie), source(at)), 'not ours', `${length} octets`)
})
