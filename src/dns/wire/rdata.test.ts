import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hex, octetsOf } from '../../../test/hex.ts'
import { rdataExamples } from '../../../test/rdata-examples.ts'
import { FORMATS } from './format.ts'
import { parseName } from './name.ts'
import { compressibleNames, parseRdata, printRdata, quoteText } from './rdata.ts'
import { TYPE, typeName, typeNumber } from './types.ts'

const origin = parseName('example.com.') as Uint8Array

test('Rdata of every type is read, written to the wire and printed', () => {
  for (const [type, written, printed, wire] of rdataExamples) {
    const number = typeNumber(type)!
    const rdata = parse(number, written)
    assert.equal(hex(rdata), wire.replaceAll(' ', ''), `${type} ${written}`)
    assert.equal(printRdata(number, rdata), printed, `${type} ${written}`)
    assert.equal(hex(parse(number, printed)), hex(rdata), `${type} ${printed}`)
  }
})

test('Every type with a format of its own has an example, and the other way round', () => {
  const shown = new Set(rdataExamples.map(([type]) => typeNumber(type)))
  const without = [...FORMATS.keys()].filter((type) => !shown.has(type)).map(typeName)
  // MD and MF are MX today (RFC 1035 §3.3.4, §3.3.5); SIG has the format of RRSIG.
  assert.deepEqual(without, ['MD', 'MF', 'SIG'])
})

test('Every type is read from \\# and hexadecimal, and printed so when its octets do not fit (RFC 3597 §5)', () => {
  for (const [type, , printed, wire] of rdataExamples) {
    const digits = wire.replaceAll(' ', '')
    const rdata = parse(typeNumber(type)!, `\\# ${digits.length / 2} ${digits}`)
    assert.equal(printRdata(typeNumber(type)!, rdata), printed, type)
  }
  assert.equal(printRdata(TYPE.A, octetsOf('c00002')), '\\# 3 C00002')
  assert.equal(printRdata(TYPE.MX, octetsOf('000a c000')), '\\# 4 000AC000')
  assert.equal(printRdata(TYPE.A, octetsOf('c000020100')), '\\# 5 C000020100')
})

test('Errors say what was written and what is wanted', () => {
  const cases: [type: string, text: string, message: string][] = [
    ['A', '192.0.2.256', 'The address of A is "192.0.2.256"; wanted an IPv4 address such as 192.0.2.1'],
    ['A', '192.0.2.01', 'The address of A is "192.0.2.01"; wanted an IPv4 address such as 192.0.2.1'],
    ['A', '', 'The address of A is missing; wanted an IPv4 address such as 192.0.2.1'],
    [
      'AAAA',
      'fe80::1%eth0',
      'The address of AAAA is "fe80::1%eth0"; wanted an IPv6 address such as 2001:db8::1',
    ],
    ['MX', 'mail', 'The preference of MX is "mail"; wanted a number from 0 to 65535'],
    ['MX', '65536 mail', 'The preference of MX is "65536"; wanted a number from 0 to 65535'],
    ['MX', '10', 'The exchange of MX is missing; wanted a domain name'],
    ['MX', '10 a..b', 'The exchange of MX: "a..b" has an empty label; wanted a domain name'],
    ['MX', '10 a b', 'MX has "b" after its last field; wanted the end'],
    ['TXT', '', 'The text of TXT is missing; wanted one or more texts'],
    ['TXT', 'a; b', 'TXT has a ";", which begins a comment; wanted it in quotation marks'],
    [
      'TXT',
      '"a',
      'TXT is ""a", at character 1: This quotation mark is not closed before the end of the line',
    ],
    ['TXT', 'a\nb', 'TXT has a line end; wanted one line'],
    [
      'TXT',
      'a"b"',
      'The text of TXT: a text with a quotation mark inside, which must be written \\"; wanted one or more texts',
    ],
    [
      'HINFO',
      `${'x'.repeat(256)} b`,
      'The cpu of HINFO: a text of 256 octets; wanted a text of at most 255 octets',
    ],
    ['CAA', '0 is-sue "x"', 'The tag of CAA is "is-sue"; wanted a tag of letters and digits such as issue'],
    ['CAA', '256 issue "x"', 'The flags of CAA is "256"; wanted a number from 0 to 255'],
    ['DS', '1 8 2 ABC', 'The digest of DS is "ABC"; wanted hexadecimal digits in pairs'],
    ['DNSKEY', '257 3 13 A', 'The key of DNSKEY is "A"; wanted Base64'],
    ['NSEC', 'a. A NONE', 'The types of NSEC: "NONE"; wanted record types such as A or TYPE65280'],
    [
      'TYPE65280',
      'abc',
      'TYPE65280 has no form of its own; wanted \\#, the length and the octets in hexadecimal (RFC 3597 §5)',
    ],
    ['TYPE65280', '\\# 2 01', '2 digits follow \\# 2; wanted 4 hexadecimal digits'],
    ['TYPE65280', '\\# x 01', 'The length after \\# is "x"; wanted a number from 0 to 65535'],
    ['TYPE65280', '\\#', 'The length after \\# is ""; wanted a number from 0 to 65535'],
    ['A', '\\# 3 010203', 'The octets are no A rdata'],
  ]
  for (const [type, text, message] of cases) {
    assert.equal(parseRdata(typeNumber(type)!, text, origin), message, `${type} ${text}`)
  }
})

test('A text longer than 255 octets is split, and the caller is told (RFC 1035 §3.3, §3.3.14)', () => {
  const cases: [length: number, lengths: number[], split: boolean][] = [
    [255, [255], false],
    [256, [255, 1], true],
    [510, [255, 255], true],
    [511, [255, 255, 1], true],
  ]
  for (const [length, lengths, split] of cases) {
    for (const text of ['x'.repeat(length), `"${'x'.repeat(length)}"`]) {
      const rdata = parseRdata(TYPE.TXT, text)
      assert.ok(typeof rdata !== 'string')
      assert.equal(rdata.split, split)
      assert.deepEqual(stringLengths(rdata.wire), lengths)
    }
  }
})

test('No more than 65535 octets are rdata (RFC 1035 §3.2.1)', () => {
  const string = `"${'x'.repeat(255)}" `
  assert.equal(typeof parseRdata(TYPE.TXT, string.repeat(255)), 'object')
  assert.match(
    String(parseRdata(TYPE.TXT, string.repeat(257))),
    /has 65792 octets of rdata, and 65535 is the most/,
  )
})

test('quoteText() writes any text so that TXT reads its UTF-8 back (RFC 1035 §5.1)', () => {
  assert.equal(quoteText('v=spf1 -all'), '"v=spf1 -all"')
  assert.equal(quoteText('a"b\\;ü'), '"a\\"b\\\\;\\195\\188"')
  assert.equal(quoteText(''), '""')
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 600 }), (text) => {
      assert.equal(stringsText(parse(TYPE.TXT, quoteText(text))), text)
    }),
  )
})

test('Tags of CAA are letters and digits (RFC 8659 §4.1)', () => {
  assert.equal(printRdata(TYPE.CAA, octetsOf('00 02 612d 78')), '\\# 5 0002612D78')
  assert.equal(printRdata(TYPE.CAA, octetsOf('00 00 78')), '\\# 3 000078')
})

test('Type bit maps that have another form print as octets (RFC 4034 §4.1.2)', () => {
  for (const bitmap of ['00 02 4000', '00 00', '01 01 40 00 01 40', '00 21 40', '00']) {
    assert.match(printRdata(TYPE.NSEC, octetsOf(`00 ${bitmap}`)), /^\\# /, bitmap)
  }
})

test('RRSIG times are a date or seconds (RFC 4034 §3.2)', () => {
  const rdata = (time: string) => parseRdata(TYPE.RRSIG, `A 13 0 1 ${time} 0 1 . AQID`)
  assert.deepEqual(rdata('20260131235959'), rdata('1769903999'))
  for (const time of ['20261331000000', '20260230000000', '21070101000000', '2026']) {
    assert.equal(typeof rdata(time), time === '2026' ? 'object' : 'string', time)
  }
})

test('A hashed owner in Base32 has no bits left over (RFC 5155 §3.3, RFC 4648 §3.5)', () => {
  assert.match(String(parseRdata(TYPE.NSEC3, '1 0 0 - 1')), /wanted Base32/)
  assert.match(String(parseRdata(TYPE.NSEC3, '1 0 0 - 11')), /wanted Base32/)
  assert.equal(hex(parse(TYPE.NSEC3, '1 0 0 - 10')), '01000000000108')
})

test('A place is within 90 and 180 degrees, a precision has one digit (RFC 1876 §2, §3)', () => {
  for (const text of [
    '91 N 0 E 0',
    '90 0 0.001 N 0 E 0',
    '0 N 181 E 0',
    '0 60 N 0 E 0',
    '0 E 0 N 0',
    '0 N 0 E',
    '0 N 0 E -100001',
  ]) {
    assert.equal(typeof parseRdata(TYPE.LOC, text), 'string', text)
  }
  assert.match(printRdata(TYPE.LOC, parse(TYPE.LOC, '0 N 0 E 0 1234m')), / 1000\.00m 10000\.00m 10\.00m$/)
  assert.match(printRdata(TYPE.LOC, octetsOf('01 12 16 13 80000000 80000000 00989680')), /^\\# 16/)
})

test('A prefix has its family, no trailing zero octets and at most its bits (RFC 3123 §4, §5)', () => {
  for (const text of ['1:192.0.2.0/33', '3:1.2.3.4/8', '1:2001:db8::/32', '192.0.2.0/24']) {
    assert.equal(typeof parseRdata(TYPE.APL, text), 'string', text)
  }
  assert.match(printRdata(TYPE.APL, octetsOf('0001 18 04 c0000200')), /^\\# /)
})

test('A gateway or relay has the form of its type (RFC 4025 §2, RFC 8777 §4.2, §4.3.1)', () => {
  const cases: [type: number, text: string][] = [
    [TYPE.IPSECKEY, '10 1 2 2001:db8::1 AQID'],
    [TYPE.IPSECKEY, '10 2 2 192.0.2.1 AQID'],
    [TYPE.IPSECKEY, '10 0 2 a. AQID'],
    [TYPE.IPSECKEY, '10 4 2 . AQID'],
    [TYPE.IPSECKEY, '10 1 256 192.0.2.1 AQID'],
    [TYPE.IPSECKEY, '10 1 2 192.0.2.1 !'],
    [TYPE.IPSECKEY, '10 3 2'],
    [TYPE.AMTRELAY, '10 2 1 192.0.2.1'],
    [TYPE.AMTRELAY, '10 0 1 a.'],
    [TYPE.AMTRELAY, '10 0 3 a. b.'],
  ]
  for (const [type, text] of cases) assert.equal(typeof parseRdata(type, text), 'string', text)
  assert.equal(hex(parse(TYPE.AMTRELAY, '10 0 0')), '0a00')
  assert.match(printRdata(TYPE.AMTRELAY, octetsOf('0a 04')), /^\\# /)
  assert.equal(printRdata(TYPE.IPSECKEY, octetsOf('0a 00 02')), '10 0 2 .')
})

test('HIP has its lengths in front, and no HIT or key of none (RFC 8005 §5, §6)', () => {
  for (const text of ['2 - AQID', '2 20010010', '256 20010010 AQID', '2 20010010 AQID a..b']) {
    assert.equal(typeof parseRdata(TYPE.HIP, text), 'string', text)
  }
  assert.match(printRdata(TYPE.HIP, octetsOf('00 02 0001 01')), /^\\# /)
  assert.match(printRdata(TYPE.HIP, octetsOf('09 02 0001 01')), /^\\# /)
})

test('An NSAP address begins with 0x, a locator has four groups, an EUI its octets (RFC 1706 §5, RFC 6742 §2)', () => {
  assert.equal(typeof parseRdata(TYPE.NSAP, '47.0005'), 'string')
  assert.equal(hex(parse(TYPE.L64, '1 1:22:333:4444')), '00010001002203334444')
  for (const locator of ['1:2:3', '1:2:3:4:5', '1:2:3:', '12345:2:3:4', '1:2::4']) {
    assert.equal(typeof parseRdata(TYPE.NID, `1 ${locator}`), 'string', locator)
  }
  for (const address of ['00-00-5e-00-53', '0-0-5e-0-53-2a', '00:00:5e:00:53:2a']) {
    assert.equal(typeof parseRdata(TYPE.EUI48, address), 'string', address)
  }
})

test('Mnemonics stand for numbers where a type has them (RFC 4398 §2.1, RFC 9859 §2)', () => {
  assert.deepEqual(parse(TYPE.CERT, 'pgp 0 ED25519 AQID'), parse(TYPE.CERT, '3 0 15 AQID'))
  assert.deepEqual(parse(TYPE.DSYNC, 'CDS notify 1 .'), parse(TYPE.DSYNC, 'TYPE59 1 1 .'))
  assert.match(
    String(parseRdata(TYPE.CERT, 'FOO 0 0 AQID')),
    /a number from 0 to 65535 or a mnemonic such as PKIX/,
  )
})

test('A bit map of WKS is as long as its last port, and of the port 65535 (RFC 1035 §3.4.2, RFC 1010)', () => {
  assert.equal(printRdata(TYPE.WKS, octetsOf('01020304 06 0000004000')), '\\# 10 01020304060000004000')
  const last = parseRdata(TYPE.WKS, '192.0.2.1 TCP 65535', origin)
  assert.ok(typeof last !== 'string' && last.wire.length === 5 + 8192)
  for (const text of ['192.0.2.1', '192.0.2.1 FOO', '192.0.2.1 TCP 65536', '192.0.2.1 TCP toString'])
    assert.equal(typeof parseRdata(TYPE.WKS, text, origin), 'string', text)
})

test('A6 has the bits behind its prefix, and the name of one only (RFC 2874 §3.1)', () => {
  for (const text of ['0 ::1 a.', '64 ::1', '129 a.', '128 ::1 a.', '64 ::1 a. b.', '64 a.'])
    assert.equal(typeof parseRdata(TYPE.A6, text, origin), 'string', text)
  assert.match(printRdata(TYPE.A6, octetsOf('3c ff 0000000000000001 00')), /^\\# /)
})

test('A URI is not empty (RFC 7553 §4.4)', () => {
  assert.equal(
    parseRdata(TYPE.URI, '10 1 ""', origin),
    'The target of URI is ""; wanted a URI in quotation marks',
  )
})

test('A KEY may have no key, a DNSKEY must (RFC 2535 §3.1.2)', () => {
  assert.equal(hex(parse(TYPE.KEY, '49152 3 0')), 'c0000300')
  assert.match(String(parseRdata(TYPE.DNSKEY, '257 3 13')), /key of DNSKEY is missing/)
})

test('compressibleNames() knows the types of RFC 1035 only (RFC 3597 §4)', () => {
  assert.deepEqual(compressibleNames(TYPE.MX), { skip: 2, count: 1 })
  assert.deepEqual(compressibleNames(TYPE.SOA), { skip: 0, count: 2 })
  assert.deepEqual(compressibleNames(TYPE.PTR), { skip: 0, count: 1 })
  for (const type of [TYPE.SRV, TYPE.DNAME, TYPE.NAPTR, TYPE.HTTPS, TYPE.A])
    assert.equal(compressibleNames(type), undefined)
})

test('Any octets print, and come back from what they print as', () => {
  const types = [...FORMATS.keys(), 65280]
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 40 }), (type, wire) => {
      const text = printRdata(type, wire)
      const isGeneric = text.startsWith('\\#')
      // A known type refuses the generic form of octets that are none of its own.
      if (isGeneric && FORMATS.has(type)) assert.equal(typeof parseRdata(type, text), 'string')
      else assert.deepEqual(new Uint8Array(parse(type, text)), wire, `${typeName(type)} ${text}`)
    }),
    { numRuns: 3000 },
  )
})

test('Octets near those of an example print and come back', () => {
  const example = fc.constantFrom(...rdataExamples)
  const change = fc.record({ at: fc.nat(30), octet: fc.nat(255), cut: fc.nat(4) })
  fc.assert(
    fc.property(example, change, ([mnemonic, , , digits], { at, octet, cut }) => {
      const type = typeNumber(mnemonic)!
      const wire = octetsOf(digits)
      if (at < wire.length) wire[at] = octet
      const changed = wire.subarray(0, wire.length - cut)
      const text = printRdata(type, changed)
      if (!text.startsWith('\\#'))
        assert.deepEqual(hex(parse(type, text)), hex(changed), `${mnemonic} ${text}`)
    }),
    { numRuns: 5000 },
  )
})

test('Any text is rdata or gets an error', () => {
  const word = fc.constantFrom(
    '1',
    '255',
    'a.',
    '@',
    '"',
    '"x y"',
    '\\',
    '\\#',
    '(',
    ')',
    ';',
    'alpn="',
    'alpn=h2',
    'key1=a',
    'key0=\\001',
    'key6=',
    'port=',
    '1:',
    'N',
    '-',
    '0x',
    '::',
    '\n',
    '\0',
    '\u{1f600}',
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(word, { maxLength: 8 }).map((words) => words.join(' ')),
  )
  fc.assert(
    fc.property(fc.constantFrom(...FORMATS.keys()), text, (type, written) => {
      const rdata = parseRdata(type, written, origin)
      if (typeof rdata !== 'string') assert.doesNotMatch(printRdata(type, rdata.wire), /^\\#/)
    }),
    { numRuns: 3000 },
  )
})

function parse(type: number, text: string): Uint8Array {
  const rdata = parseRdata(type, text, origin)
  assert.ok(typeof rdata !== 'string', String(rdata))
  return rdata.wire
}

function stringLengths(wire: Uint8Array): number[] {
  const lengths: number[] = []
  for (let at = 0; at < wire.length; at += wire[at]! + 1) lengths.push(wire[at]!)
  return lengths
}

function stringsText(wire: Uint8Array): string {
  const parts: Uint8Array[] = []
  for (let at = 0; at < wire.length; at += wire[at]! + 1)
    parts.push(wire.subarray(at + 1, at + 1 + wire[at]!))
  return Buffer.concat(parts).toString()
}
