import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRdata, printRdata } from './rdata.ts'
import { TYPE } from './types.ts'

const foo = '03666f6f 076578616d706c65 03636f6d 00'

test('SVCB and HTTPS are written as in the test vectors (RFC 9460 §2.1, §2.2, appendix A.1, appendix D)', () => {
  const cases: [text: string, wire: string][] = [
    ['0 foo.example.com.', `0000 ${foo}`],
    ['1 .', '0001 00'],
    ['16 foo.example.com. port=53', `0010 ${foo} 0003 0002 0035`],
    ['1 foo.example.com. key667=hello', `0001 ${foo} 029b 0005 68656c6c6f`],
    ['1 foo.example.com. key667="hello\\210qoo"', `0001 ${foo} 029b 0009 68656c6c6fd2716f6f`],
    [
      '1 foo.example.com. ipv6hint="2001:db8::1,2001:db8::53:1"',
      `0001 ${foo} 0006 0020 20010db8000000000000000000000001 20010db8000000000000000000530001`,
    ],
    ['1 . ipv6hint="2001:db8:122:344::192.0.2.33"', '0001 00 0006 0010 20010db80122034400000000c0000221'],
    [
      '16 foo.example.com. ( alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1 )',
      `0010 ${foo} 0000 0004 00010004 0001 0009 026832 0568332d3139 0004 0004 c0000201`,
    ],
    ['16 foo.example.com. alpn="f\\\\\\\\oo\\\\,bar,h2"', `0010 ${foo} 0001 000c 08665c6f6f2c626172 026832`],
    ['16 foo.example.com. alpn=f\\\\\\092oo\\092,bar,h2', `0010 ${foo} 0001 000c 08665c6f6f2c626172 026832`],
    ['1 . key1="\\002h2"', '0001 00 0001 0003 026832'],
    ['1 . ohttp', '0001 00 0008 0000'],
  ]
  for (const [text, wire] of cases) {
    assert.equal(parse(text), wire.replaceAll(' ', ''), text)
    assert.equal(
      parse(printRdata(TYPE.SVCB, Buffer.from(parse(text), 'hex'))),
      wire.replaceAll(' ', ''),
      text,
    )
  }
})

test('Parameters that contradict each other or themselves are refused (RFC 9460 §7.1.1, §8, §14.3.2)', () => {
  const cases: [params: string, why: RegExp][] = [
    ['key123=abc key123=def', /key123 twice/],
    ['mandatory', /mandatory is a list of other keys/],
    ['alpn', /alpn is a list of protocol ids/],
    ['alpn=h2,,h3', /alpn is a list of protocol ids/],
    [`alpn=${'x'.repeat(256)}`, /alpn is a list of protocol ids/],
    ['port', /port is a number/],
    ['port=65536', /port is a number/],
    ['ipv4hint', /a list of IPv4 addresses/],
    ['ipv4hint=192.0.2.1,', /a list of IPv4 addresses/],
    ['ipv6hint', /a list of IPv6 addresses/],
    ['ech=!', /ECHConfigList in Base64/],
    ['alpn=h2 no-default-alpn=abc', /a key without a value/],
    ['no-default-alpn', /no-default-alpn without alpn/],
    ['mandatory=key123', /without key123, which is mandatory/],
    ['mandatory=mandatory', /other keys, each once/],
    ['mandatory=key123,key123 key123=abc', /other keys, each once/],
    ['key65535=x', /unknown key "key65535"/],
    ['key01=x', /unknown key "key01"/],
    ['key3="a"', /port is a number/],
    ['key1=a', /alpn is a list/],
    ['key0=a', /mandatory is a list/],
    ['foo=bar', /unknown key "foo"/],
    ['=bar', /unknown key ""/],
  ]
  for (const [params, why] of cases) assert.match(String(parseRdata(TYPE.SVCB, `1 . ${params}`)), why, params)
})

test('The path of DNS over HTTPS is a relative template with the variable dns (RFC 9461 §5)', () => {
  assert.equal(parse('1 . alpn=h2 dohpath=/q{?dns}'), '00010000010003026832000700082f717b3f646e737d')
  for (const path of ['q{?dns}', '/q', '/q{?dnsx}', '/q?dns']) {
    assert.match(String(parseRdata(TYPE.SVCB, `1 . dohpath=${path}`)), /URI template/, path)
  }
})

test('Parameters whose octets are out of order or no value of their key print as octets (RFC 9460 §2.2)', () => {
  const params = [
    '0003 0002 0035 0003 0002 0035',
    '0003 0002 0035 0001 0003 026832',
    '0003 0001 35',
    '0001 0000',
  ]
  const more = [
    '0001 0002 0268',
    '0004 0003 c00002',
    'ffff 0000',
    '0000 0002 0003',
    '0000 0001 00',
    '0002 0000',
  ]
  for (const wire of [...params, ...more]) {
    const octets = Buffer.from(`000100${wire.replaceAll(' ', '')}`, 'hex')
    assert.match(printRdata(TYPE.HTTPS, octets), /^\\# /, wire)
  }
})

function parse(text: string): string {
  const rdata = parseRdata(TYPE.SVCB, text)
  assert.ok(typeof rdata !== 'string', String(rdata))
  return Buffer.from(rdata.wire).toString('hex')
}
