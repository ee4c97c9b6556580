import assert from 'node:assert/strict'
import { test } from 'node:test'
import packet from 'dns-packet'
import fc from 'fast-check'
import { zonePlan } from '../../test/zone-fixture.ts'
import { answer, type Transport } from './answer.ts'
import { compileZones } from './zone.ts'

const UDP: Transport = { protocol: 'udp', udpPayload: 1232 }
const TCP: Transport = { protocol: 'tcp', udpPayload: 1232 }

const many = (count: number, write: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => write(i))

const zones = compileZones(
  [
    zonePlan('example.com.', [
      '@ NS ns1.example.com.',
      '@ NS ns.example.net.',
      '@ MX 10 mail.example.com.',
      '@ MX 20 example.com.',
      '@ A 192.0.2.1',
      '@ HTTPS 1 . alpn=h2',
      'ns1 A 192.0.2.2',
      'ns1 AAAA 2001:db8::2',
      'mail A 192.0.2.3',
      'mail A 192.0.2.4',
      'www CNAME example.com.',
      'app CNAME www.example.com.',
      'far CNAME www.example.net.',
      '_sip._udp SRV 1 2 5060 mail.example.com.',
      '* HTTPS 1 . alpn=h2',
      '* A 192.0.2.5',
      'null MX 0 .',
      'cut NS ns.cut.example.com.',
      'cut NS ns1.example.com.',
      'ns.cut A 192.0.2.6',
      'odd TYPE65280 \\# 3 616263',
      ...many(40, (i) => `fat A 10.0.0.${i}`),
      ...many(10, (i) => `heavy MX ${i} ${'m'.repeat(40)}${i}.example.com.`),
      ...many(10, (i) => `${'m'.repeat(40)}${i} AAAA 2001:db8::${i}`),
      ...many(10, (i) => `crowd NS ${'n'.repeat(40)}${i}.crowd.example.com.`),
      ...many(10, (i) => `${'n'.repeat(40)}${i}.crowd AAAA 2001:db8::${i}`),
    ]),
    zonePlan('example.net.', ['www A 192.0.2.7', 'old DNAME example.com.']),
  ],
  new Map([['zone:example.com.', 2026]]),
)

const out = Buffer.alloc(65_535)

function send(message: Uint8Array, transport: Transport = UDP): Buffer {
  return Buffer.from(out.subarray(0, answer(zones, message, message.length, transport, out)))
}

type Edns = { payload?: number; version?: number; flags?: number; options?: Buffer }

function query(name: string, type: string, edns?: Edns): Buffer {
  const message = packet.encode({
    type: 'query',
    id: 0x1234,
    flags: packet.RECURSION_DESIRED,
    questions: [{ name, type: type as packet.RecordType }],
  })
  return edns === undefined ? message : withOpt(message, edns)
}

function withOpt(
  message: Buffer,
  { payload = 4096, version = 0, flags = 0, options = Buffer.alloc(0) }: Edns,
): Buffer {
  const opt = Buffer.from([0, 0, 41, payload >> 8, payload & 255, 0, version, flags, 0, 0, options.length])
  const whole = Buffer.concat([message, opt, options])
  whole.writeUInt16BE(whole.readUInt16BE(10) + 1, 10)
  return whole
}

type Section = 'answers' | 'authorities' | 'additionals'

/** `name type data` of the records of a section, without OPT. */
function records(response: Buffer, section: Section): string[] {
  return (packet.decode(response)[section] ?? []).flatMap((record) => {
    if (record.type === 'OPT') return []
    const data: unknown = 'data' in record ? record.data : undefined
    return [`${record.name} ${record.type} ${typeof data === 'string' ? data : JSON.stringify(data)}`]
  })
}

const flags = (response: Buffer): string =>
  [
    ['qr', response[2]! & 0x80],
    ['aa', response[2]! & 0x04],
    ['tc', response[2]! & 0x02],
    ['rd', response[2]! & 0x01],
    ['ra', response[3]! & 0x80],
  ]
    .filter(([, set]) => set !== 0)
    .map(([name]) => name)
    .join(' ')

const rcode = (response: Buffer): number => response[3]! & 0x0f

test('an answer has the bytes of RFC 1035 §4.1, its names compressed (RFC 1035 §4.1.4)', () => {
  const expected =
    '1234 8500 0001 0002 0000 0000' + // id, QR AA RD, counts
    '03777777 076578616d706c65 03636f6d 00 0001 0001' + // www.example.com A IN
    'c00c 0005 0001 00000e10 000d 076578616d706c65 03636f6d 00' + // the apex is written in full once
    'c02d 0001 0001 00000e10 0004 c0000201'
  assert.equal(send(query('www.example.com', 'A')).toString('hex'), expected.replaceAll(' ', ''))
  const chain =
    '1234 8500 0001 0003 0000 0000 03617070 076578616d706c65 03636f6d 00 0001 0001' +
    'c00c 0005 0001 00000e10 0006 03777777 c010' +
    'c02d 0005 0001 00000e10 000d 076578616d706c65 03636f6d 00' +
    'c03f 0001 0001 00000e10 0004 c0000201'
  assert.equal(send(query('app.example.com', 'A')).toString('hex'), chain.replaceAll(' ', ''))
})

test('the question is echoed in its case and matched without it (RFC 4343 §3, §4.1)', () => {
  const response = send(query('wWw.ExAmPlE.cOm', 'A'))
  assert.equal(packet.decode(response).questions?.[0]?.name, 'wWw.ExAmPlE.cOm')
  assert.deepEqual(records(response, 'answers').slice(0, 1), ['wWw.ExAmPlE.cOm CNAME example.com'])
})

test('negative answers carry the SOA with the lesser of its TTL and its minimum (RFC 2308 §2, §5)', () => {
  for (const [name, type, code] of [
    ['example.com', 'TXT', 0],
    ['x.mail.example.com', 'A', 3],
    ['far.example.com', 'AAAA', 0],
  ] as const) {
    const response = packet.decode(send(query(name, type)))
    assert.equal(rcode(send(query(name, type))), code, name)
    const [soa, ...others] = response.authorities ?? []
    assert.deepEqual([soa?.type, others.length], ['SOA', 0])
    assert.equal(soa !== undefined && 'ttl' in soa && soa.ttl, 300)
  }
  assert.match(records(send(query('far.example.com', 'AAAA')), 'authorities')[0]!, /^example\.net SOA/)
  assert.match(records(send(query('example.com', 'TXT')), 'authorities')[0]!, /"serial":2026/)
})

test('addresses of targets go to the additional section (RFC 1034 §4.3.2, RFC 1035 §3.3, RFC 9460 §2.5.2, §4.1)', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    [
      'example.com',
      'MX',
      ['mail.example.com A 192.0.2.3', 'mail.example.com A 192.0.2.4', 'example.com A 192.0.2.1'],
    ],
    ['example.com', 'NS', ['ns1.example.com A 192.0.2.2', 'ns1.example.com AAAA 2001:db8::2']],
    ['_sip._udp.example.com', 'SRV', ['mail.example.com A 192.0.2.3', 'mail.example.com A 192.0.2.4']],
    ['null.example.com', 'MX', []],
  ]
  for (const [name, type, expected] of cases)
    assert.deepEqual(records(send(query(name, type)), 'additionals'), expected)
  // dns-packet has no HTTPS: behind its last parameter stands the owner's address, the owner a pointer to the question.
  for (const [name, address] of [
    ['example.com', 'c0000201'],
    ['any.example.com', 'c0000205'],
  ] as const) {
    const question = query(name, 'A')
    question.writeUInt16BE(65, question.length - 4)
    assert.ok(send(question).toString('hex').endsWith(`026832c00c0001000100000e100004${address}`), name)
  }
})

test('a referral has the NS and their glue, and no AA (RFC 1034 §4.2.1, RFC 9471 §3.1)', () => {
  const response = send(query('x.cut.example.com', 'A'))
  assert.equal(flags(response), 'qr rd')
  assert.deepEqual(records(response, 'authorities'), [
    'cut.example.com NS ns.cut.example.com',
    'cut.example.com NS ns1.example.com',
  ])
  assert.deepEqual(records(response, 'additionals'), [
    'ns.cut.example.com A 192.0.2.6',
    'ns1.example.com A 192.0.2.2',
    'ns1.example.com AAAA 2001:db8::2',
  ])
})

test('a DNAME is followed by the CNAME made from it (RFC 6672 §3.1)', () => {
  assert.deepEqual(records(send(query('mail.old.example.net', 'A')), 'answers'), [
    'old.example.net DNAME example.com',
    'mail.old.example.net CNAME mail.example.com',
    'mail.example.com A 192.0.2.3',
    'mail.example.com A 192.0.2.4',
  ])
})

test('ANY is answered with one RRset (RFC 8482 §4.1, §4.2)', () => {
  assert.deepEqual(records(send(query('mail.example.com', 'ANY')), 'answers').length, 2)
  assert.deepEqual(records(send(query('www.example.com', 'ANY')), 'answers'), [
    'www.example.com CNAME example.com',
  ])
})

test('an RRset that does not fit is left out whole, with TC (RFC 2181 §9, RFC 1035 §4.2.1, RFC 6891 §6.2.3)', () => {
  const cases: readonly (readonly [Edns | undefined, Transport, boolean])[] = [
    [undefined, UDP, true],
    [{ payload: 512 }, UDP, true],
    [{ payload: 100 }, UDP, true],
    [{ payload: 683 }, UDP, true],
    [{ payload: 684 }, UDP, false],
    [{ payload: 4096 }, { ...UDP, udpPayload: 512 }, true],
    [{ payload: 512 }, TCP, false],
    [undefined, TCP, false],
  ]
  for (const [edns, transport, truncated] of cases) {
    const response = send(query('fat.example.com', 'A', edns), transport)
    assert.equal(flags(response), truncated ? 'qr aa tc rd' : 'qr aa rd')
    assert.equal(packet.decode(response).answers?.length, truncated ? 0 : 40)
    assert.equal(response.length, (truncated ? 33 : 673) + (edns === undefined ? 0 : 11))
  }
})

test('missing additional data is no truncation, missing glue is (RFC 2181 §9, RFC 9471 §3.1)', () => {
  const heavy = send(query('heavy.example.com', 'MX', { payload: 900 }))
  assert.equal(flags(heavy), 'qr aa rd')
  assert.equal(records(heavy, 'answers').length, 10)
  assert.ok(records(heavy, 'additionals').length < 10)
  const crowd = send(query('crowd.example.com', 'A', { payload: 900 }))
  assert.equal(flags(crowd), 'qr tc rd')
  assert.equal(records(crowd, 'authorities').length, 10)
  assert.equal(records(send(query('crowd.example.com', 'A'), TCP), 'additionals').length, 10)
})

test('EDNS: OPT only to those who sent one, DO and CO copied, the rest ignored (RFC 9824 §5.1, RFC 6891 §6.1, §6.1.1, §6.1.2, §6.1.3)', () => {
  const name = 'mail.example.com'
  const opt = (response: Buffer): string => response.subarray(-11).toString('hex')
  assert.equal(send(query(name, 'TXT')).readUInt16BE(10), 0)
  assert.equal(opt(send(query(name, 'TXT', {}))), '00002904d0000000000000')
  assert.equal(opt(send(query(name, 'TXT', { flags: 0xff }))), '00002904d00000c0000000')
  const option = Buffer.from('fde900021234', 'hex')
  assert.equal(opt(send(query(name, 'TXT', { options: option }))), '00002904d0000000000000')
  const future = send(query(name, 'A', { version: 1 }))
  assert.deepEqual([opt(future), rcode(future), future.readUInt16BE(6)], ['00002904d0010000000000', 0, 0])
})

test('what cannot be read is FORMERR: OPT twice, broken options, names that run on (RFC 6891 §6.1.1, §7, RFC 9619 §4)', () => {
  const good = query('mail.example.com', 'A')
  const twice = withOpt(withOpt(good, {}), {})
  const cases: readonly (readonly [string, Buffer, boolean])[] = [
    ['two OPT', twice, true],
    ['an option longer than the record', withOpt(good, { options: Buffer.from('000a0008', 'hex') }), true],
    ['no question', patch(good, 4, 0), false],
    ['two questions', patch(good, 4, 2), false],
    ['a pointer as qname', Buffer.from('123401000001000000000000c00c00010001', 'hex'), false],
    [
      'a label of 64 octets',
      Buffer.concat([good.subarray(0, 12), Buffer.from([64]), Buffer.alloc(80, 97)]),
      false,
    ],
    ['a name of 256 octets', longName(), false],
    ['a cut question', good.subarray(0, -1), false],
    ['octets behind the message', Buffer.concat([good, Buffer.from([0])]), false],
    ['a missing record', patch(good, 10, 1), false],
  ]
  for (const [what, message, hasOpt] of cases) {
    const response = send(message)
    assert.equal(rcode(response), 1, what)
    assert.equal(response.readUInt16BE(10), hasOpt ? 1 : 0, what)
  }
})

function patch(message: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(message)
  copy.writeUInt16BE(value, at)
  return copy
}

function longName(): Buffer {
  const label = Buffer.concat([Buffer.from([63]), Buffer.alloc(63, 97)])
  return Buffer.concat([
    query('a', 'A').subarray(0, 12),
    label,
    label,
    label,
    label,
    Buffer.from([0, 0, 1, 0, 1]),
  ])
}

test('other opcodes, classes and transfers are refused, never ignored (RFC 8906 §3.1, §3.2)', () => {
  const question = query('example.com', 'A')
  for (const opcode of [1, 2, 3, 4, 5, 6, 15]) {
    const message = Buffer.from(question)
    message[2] = opcode << 3
    const response = send(message)
    assert.equal(
      response.toString('hex'),
      `1234${((0x80 | (opcode << 3)) * 256 + 4).toString(16)}0000000000000000`,
    )
  }
  const cases: readonly (readonly [string, number, number, number])[] = [
    ['AXFR', 252, 1, 5],
    ['IXFR', 251, 1, 5],
    ['MAILB', 253, 1, 4],
    ['OPT', 41, 1, 1],
    ['TSIG', 250, 1, 1],
    ['version.bind, class CH', 16, 3, 5],
    ['class ANY', 1, 255, 5],
    ['outside', 1, 1, 0],
  ]
  for (const [what, type, group, code] of cases) {
    const message = Buffer.from(question)
    message.writeUInt16BE(type, message.length - 4)
    message.writeUInt16BE(group, message.length - 2)
    assert.equal(rcode(send(message)), code, what)
  }
  assert.equal(rcode(send(query('example.org', 'A'))), 5)
})

test('responses and fragments of a header get no answer', () => {
  const question = query('example.com', 'A')
  assert.equal(send(question.subarray(0, 11)).length, 0)
  const response = Buffer.from(question)
  response[2]! |= 0x80
  assert.equal(send(response).length, 0)
})

test('any octets are answered with a message for their id within the limit, or not at all', () => {
  const names = [
    'www.example.com',
    'fat.example.com',
    'x.cut.example.com',
    'app.EXAMPLE.com',
    'a.old.example.net',
    'org',
  ]
  const valid = fc
    .tuple(fc.constantFrom(...names), fc.constantFrom('A', 'MX', 'NS', 'ANY', 'SRV', 'DNAME'), fc.boolean())
    .map(([name, type, edns]) => query(name, type, edns ? { payload: 1232 } : undefined))
  const mutated = fc
    .tuple(valid, fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 4 }), fc.nat(80))
    .map(([message, changes, cut]) => {
      for (const [at, octet] of changes) if (at < message.length) message[at] = octet
      return cut < 60 ? message : message.subarray(0, cut)
    })
  const transports = fc.constantFrom(UDP, TCP, { ...UDP, udpPayload: 512 })
  const anything = fc.oneof(mutated, valid, fc.uint8Array({ maxLength: 80 }))
  fc.assert(
    fc.property(anything, transports, (message, transport) => {
      const response = send(message, transport)
      if (response.length === 0) return message.length < 12 || (message[2]! & 0x80) !== 0
      assert.ok(
        response.length >= 12 && response.length <= (transport === TCP ? 65_535 : transport.udpPayload),
      )
      assert.deepEqual([...response.subarray(0, 2)], [...message.subarray(0, 2)])
      assert.equal(response[2]! & 0xf8, (message[2]! & 0x78) | 0x80)
      packet.decode(response)
      return true
    }),
    { numRuns: 20_000 },
  )
})
