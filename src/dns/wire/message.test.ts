import assert from 'node:assert/strict'
import { test } from 'node:test'
import dnsPacket from 'dns-packet'
import fc from 'fast-check'
import { hex } from '../../../test/hex.ts'
import { rdataExamples } from '../../../test/rdata-examples.ts'
import { decodeMessage, encodeMessage, type Message } from './message.ts'
import { parseName } from './name.ts'
import { parseRdata } from './rdata.ts'
import { CLASS, OPCODE, RCODE, TYPE, typeNumber } from './types.ts'
import type { ResourceRecord } from './writer.ts'

const empty: Message = {
  id: 0x1234,
  opcode: OPCODE.QUERY,
  rcode: RCODE.NOERROR,
  qr: false,
  aa: false,
  tc: false,
  rd: false,
  ra: false,
  ad: false,
  cd: false,
  question: [],
  answer: [],
  authority: [],
  additional: [],
}
const question = { name: name('www.example.com.'), type: TYPE.A, class: CLASS.IN }

test('A query is twelve octets of header, then the question (RFC 1035 §4.1, §4.1.1, §4.1.2)', () => {
  const octets = encodeMessage({ ...empty, rd: true, question: [question] })
  // id, flags: RD, one question, no records · www.example.com. · A · IN
  assert.equal(hex(octets), `1234 0100 0001 0000 0000 0000 ${WWW} 0001 0001`.replaceAll(' ', ''))
})

test('Each flag has its bit (RFC 1035 §4.1.1, RFC 4035 §3)', () => {
  const cases: [change: Partial<Message>, flags: string][] = [
    [{ qr: true }, '8000'],
    [{ opcode: OPCODE.UPDATE }, '2800'],
    [{ aa: true }, '0400'],
    [{ tc: true }, '0200'],
    [{ rd: true }, '0100'],
    [{ ra: true }, '0080'],
    [{ ad: true }, '0020'],
    [{ cd: true }, '0010'],
    [{ rcode: RCODE.REFUSED }, '0005'],
  ]
  for (const [change, flags] of cases) {
    const octets = encodeMessage({ ...empty, ...change })
    assert.equal(hex(octets.subarray(2, 4)), flags)
    assert.deepEqual(decodeMessage(octets), { ...empty, ...change })
  }
})

test('Names become pointers to what stands before, case kept (RFC 1035 §4.1.4, RFC 4343 §4.1)', () => {
  const octets = encodeMessage({
    ...empty,
    question: [question],
    answer: [
      record('www.example.com.', 'CNAME', 'a.example.com.'),
      record('A.example.com.', 'MX', '10 com.'),
    ],
    authority: [record('EXAMPLE.com.', 'NS', 'ns.EXAMPLE.com.')],
  })
  const expected = [
    `1234 0000 0001 0002 0001 0000 ${WWW} 0001 0001`, // octets 0 to 32: www at 12, example at 16, com at 24
    'c00c 0005 0001 0000003c 0004 0161c010', // a.example.com. at 45
    '0141c010 000f 0001 0000003c 0004 000ac018', // A is not a
    '074558414d504c45c018 0002 0001 0000003c 0005 026e73c043', // EXAMPLE.com. at 67
  ]
  assert.equal(hex(octets), expected.join('').replaceAll(' ', ''))
})

test('Rdata of newer types is not compressed (RFC 3597 §4)', () => {
  const octets = encodeMessage({
    ...empty,
    question: [question],
    answer: [record('www.example.com.', 'SRV', '0 0 1 www.example.com.')],
  })
  assert.ok(hex(octets).endsWith(`000000000001${WWW.replaceAll(' ', '')}`))
})

test('Compressed names in rdata are expanded, also where they may not be (RFC 3597 §4)', () => {
  // header: one answer · owner a. · type · IN · TTL 0 · rdata with a pointer to octet 12
  const answer = (type: string, rdata: string) =>
    Buffer.from(`12340000 0000000100000000 016100 ${type} 0001 00000000 ${rdata}`.replaceAll(' ', ''), 'hex')
  const cases: [type: string, rdata: string, expanded: string][] = [
    ['000f', '0004 000ac00c', '000a016100'],
    [
      '0006',
      '0018 c00cc00c 00000001000000020000000300000004 00000005',
      '01610001610000000001000000020000000300000004 00000005',
    ],
    ['0021', '0008 000000000001c00c', '000000000001016100'],
    ['0023', '000b 00640064 0175 0173 00 c00c'.replace('000b', '000b'), '0064006401750173 00016100'],
  ]
  for (const [type, rdata, expanded] of cases) {
    const message = decodeMessage(answer(type, rdata))
    assert.ok(typeof message !== 'string', String(message))
    assert.equal(hex(message.answer[0]!.rdata), expanded.replaceAll(' ', ''))
  }
})

test('OPT carries payload size, version, DO, options and the upper rcode (RFC 6891 §6.1.2, §6.1.3)', () => {
  const edns = {
    payloadSize: 1232,
    version: 0,
    dnssecOk: true,
    options: [{ code: 10, data: Uint8Array.of(1, 2) }],
  }
  const message = { ...empty, rcode: RCODE.BADVERS, edns }
  const octets = encodeMessage(message)
  // rcode 0 in the header · root · OPT · 1232 · upper rcode 1, version 0, DO · 6 octets · option 10, 2 octets
  assert.equal(
    hex(octets),
    '12340000 0000000000000001 00 0029 04d0 01008000 0006 000a 0002 0102'.replaceAll(' ', ''),
  )
  assert.deepEqual(decodeMessage(octets), message)
  assert.throws(() => encodeMessage({ ...empty, rcode: RCODE.BADVERS }), RangeError)
})

test('decodeMessage() says where octets stop being a message', () => {
  const opt = '00 0029 04d0 00000000 0000'
  const cases: [octets: string, why: RegExp][] = [
    ['', /Octet 0 begins a field of 1 octets/],
    ['1234 0000 0001 0000 0000 0000', /name at octet 12 runs past the end/],
    ['1234 0000 0000 0000 0000 0000 00', /1 octets follow the message/],
    ['1234 0000 0001 0000 0000 0000 c00c 0001 0001', /pointer at octet 12/],
    ['1234 0000 0000 0001 0000 0000 00 0001 0001 00000000 0005 01', /begins a field of 5 octets/],
    [
      '1234 0000 0000 0001 0000 0000 00 000f 0001 00000000 0004 000a 00 00',
      /MX at octet 23 has 1 octets too many/,
    ],
    [`1234 0000 0000 0000 0000 0002 ${opt} ${opt}`, /2 OPT records, and one is the most \(RFC 6891 §6.1.1\)/],
    [`1234 0000 0000 0001 0000 0000 ${opt}`, /OPT stands outside the additional section/],
    [`1234 0000 0000 0000 0000 0001 0161${opt}`, /The owner of OPT is not the root/],
    ['1234 0000 0000 0000 0000 0001 00 0029 04d0 00000000 0004 000a 0005', /begins a field of 5 octets/],
  ]
  for (const [octets, why] of cases) {
    assert.match(String(decodeMessage(Buffer.from(octets.replaceAll(' ', ''), 'hex'))), why, octets)
  }
})

test('A record is owner, type, class, TTL, length and rdata (RFC 1035 §4.1.3)', () => {
  const octets = encodeMessage({ ...empty, answer: [record('a.', 'A', '192.0.2.1')] })
  assert.equal(hex(octets.subarray(12)), '016100 0001 0001 0000003c 0004 c0000201'.replaceAll(' ', ''))
})

test('Records without rdata, as in an UPDATE, are read and written (RFC 2136 §2.4)', () => {
  const prerequisite = { owner: name('a.'), type: TYPE.MX, class: CLASS.ANY, ttl: 0, rdata: new Uint8Array() }
  const message = { ...empty, opcode: OPCODE.UPDATE, answer: [prerequisite] }
  assert.deepEqual(decodeMessage(encodeMessage(message)), message)
})

test('A message of more than 65535 octets is a bug of the caller', () => {
  const long = record('a.', 'TXT', `"${'x'.repeat(255)}" `.repeat(200))
  assert.throws(() => encodeMessage({ ...empty, answer: [long, long] }), RangeError)
})

test('Messages of any records come back as they were', () => {
  const label = fc.constantFrom('a', 'b', 'A', 'example', 'www')
  const owner = fc.array(label, { maxLength: 5 }).map((labels) => name(`${labels.join('.')}.`))
  const records = fc.array(
    fc.tuple(owner, fc.constantFrom(...rdataExamples)).map(([owner, [type, text]]): ResourceRecord => {
      const rdata = parseRdata(typeNumber(type)!, text, owner)
      assert.ok(typeof rdata !== 'string')
      return { owner, type: typeNumber(type)!, class: CLASS.IN, ttl: 60, rdata: new Uint8Array(rdata.wire) }
    }),
    { maxLength: 8 },
  )
  fc.assert(
    fc.property(records, records, records, (answer, authority, additional) => {
      const message = { ...empty, question: [question], answer, authority, additional }
      assert.deepEqual(plain(decodeMessage(encodeMessage(message))), plain(message))
    }),
    { numRuns: 500 },
  )
})

test('Any octets are a message or get an error; what is a message is written and read the same', () => {
  const answer = [
    record('www.example.com.', 'SOA', 'a.example.com. b.com. 1 2 3 4 5'),
    record('com.', 'NAPTR', '1 1 "a" "b" "c" www.com.'),
  ]
  const whole = encodeMessage({
    ...empty,
    question: [question],
    answer,
    edns: { payloadSize: 512, version: 0, dnssecOk: false, options: [] },
  })
  const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 })
  const changed = changes.map((list) => {
    const octets = Buffer.from(whole)
    for (const [at, octet] of list) octets[at] = octet
    return octets
  })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), changed), (octets) => {
      const message = decodeMessage(octets)
      if (typeof message === 'string') return
      assert.deepEqual(plain(decodeMessage(encodeMessage(message))), plain(message))
    }),
    { numRuns: 5000 },
  )
})

test('dns-packet reads what Portico writes, and the other way round', () => {
  const theirs: dnsPacket.Answer[] = [
    { type: 'A', name: 'www.example.com', ttl: 60, data: '192.0.2.1' },
    { type: 'AAAA', name: 'www.example.com', ttl: 60, data: '2001:db8::1' },
    { type: 'CNAME', name: 'b.example.com', ttl: 60, data: 'www.example.com' },
    { type: 'MX', name: 'example.com', ttl: 60, data: { preference: 10, exchange: 'mail.example.com' } },
    { type: 'NS', name: 'example.com', ttl: 60, data: 'ns.example.com' },
    { type: 'TXT', name: 'example.com', ttl: 60, data: [Buffer.from('a b'), Buffer.from('c')] },
    {
      type: 'SRV',
      name: '_sip._tcp.example.com',
      ttl: 60,
      data: { priority: 1, weight: 2, port: 3, target: 'a.example.com' },
    },
    {
      type: 'CAA',
      name: 'example.com',
      ttl: 60,
      data: { flags: 0, tag: 'issue', value: 'ca.example', issuerCritical: false },
    },
    { type: 'PTR', name: 'example.com', ttl: 60, data: 'a.example.com' },
    {
      type: 'SOA',
      name: 'example.com',
      ttl: 60,
      data: {
        mname: 'ns.example.com',
        rname: 'a.example.com',
        serial: 1,
        refresh: 2,
        retry: 3,
        expire: 4,
        minimum: 5,
      },
    },
    {
      type: 'SSHFP',
      name: 'example.com',
      ttl: 60,
      data: { algorithm: 1, hash: 1, fingerprint: '12'.repeat(20) },
    },
    {
      type: 'DS',
      name: 'a.example.com',
      ttl: 60,
      data: { keyTag: 1, algorithm: 8, digestType: 1, digest: Buffer.alloc(20, 7) },
    },
    {
      type: 'NAPTR',
      name: 'example.com',
      ttl: 60,
      data: { order: 1, preference: 2, flags: 'u', services: 'E2U', regexp: '!a!b!', replacement: '.' },
    },
  ]
  const ours = [
    record('www.example.com.', 'A', '192.0.2.1'),
    record('www.example.com.', 'AAAA', '2001:db8::1'),
    record('b.example.com.', 'CNAME', 'www.example.com.'),
    record('example.com.', 'MX', '10 mail.example.com.'),
    record('example.com.', 'NS', 'ns.example.com.'),
    record('example.com.', 'TXT', '"a b" c'),
    record('_sip._tcp.example.com.', 'SRV', '1 2 3 a.example.com.'),
    record('example.com.', 'CAA', '0 issue "ca.example"'),
    record('example.com.', 'PTR', 'a.example.com.'),
    record('example.com.', 'SOA', 'ns.example.com. a.example.com. 1 2 3 4 5'),
    record('example.com.', 'SSHFP', `1 1 ${'12'.repeat(20)}`),
    record('a.example.com.', 'DS', `1 8 1 ${'07'.repeat(20)}`),
    record('example.com.', 'NAPTR', '1 2 u E2U "!a!b!" .'),
  ]
  const decoded = decodeMessage(
    dnsPacket.encode({ type: 'response', id: 7, flags: dnsPacket.AUTHORITATIVE_ANSWER, answers: theirs }),
  )
  assert.deepEqual(plain(decoded), plain({ ...empty, id: 7, qr: true, aa: true, answer: ours }))
  const read = dnsPacket.decode(encodeMessage({ ...empty, qr: true, answer: ours }))
  assert.deepEqual(
    read.answers?.map(({ type, name, data }: dnsPacket.Answer & { data?: unknown }) => ({
      type,
      name,
      data,
    })),
    theirs.map(({ type, name, data }: dnsPacket.Answer & { data?: unknown }) => ({ type, name, data })),
  )
})

const WWW = '03 777777 07 6578616d706c65 03 636f6d 00'

function name(text: string): Uint8Array {
  const parsed = parseName(text === '..' ? '.' : text)
  assert.ok(typeof parsed !== 'string', String(parsed))
  return parsed
}

function record(owner: string, type: keyof typeof TYPE, text: string): ResourceRecord {
  const rdata = parseRdata(TYPE[type], text)
  assert.ok(typeof rdata !== 'string', String(rdata))
  return { owner: name(owner), type: TYPE[type], class: CLASS.IN, ttl: 60, rdata: rdata.wire }
}

/** Octets as hexadecimal, so that Buffer and Uint8Array compare. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, item) =>
      item?.type === 'Buffer' ? hex(Buffer.from(item.data)) : item instanceof Uint8Array ? hex(item) : item,
    ),
  )
}
