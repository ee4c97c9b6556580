import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zonePlan } from '../../test/zone-fixture.ts'
import { type Asking, answer, type Transport } from './answer.ts'
import type { EdnsPolicy } from './edns.ts'
import { addressOctets } from './wire/address.ts'
import { decodeMessage, type EdnsOption, encodeMessage, type Message } from './wire/message.ts'
import { parseName } from './wire/name.ts'
import { CLASS, OPTION, RCODE, TYPE } from './wire/types.ts'
import { compileZones } from './zone.ts'

const zones = compileZones(
  [zonePlan('example.com.', ['@ NS ns1.example.com.', 'www A 192.0.2.1'])],
  new Map(),
)
const out = Buffer.alloc(65_535)
const KEYS = [Buffer.alloc(16, 1)]

type Sent = {
  options?: readonly EdnsOption[]
  policy?: Partial<EdnsPolicy>
  protocol?: Transport['protocol']
  asking?: Partial<Asking>
  version?: number
  opcode?: number
  questions?: 0 | 1
}

const question = { name: parseName('www.example.com.') as Uint8Array, type: TYPE.A, class: CLASS.IN }

function send(sent: Sent): Message | null {
  const {
    options = [],
    policy = {},
    protocol = 'udp',
    asking = {},
    version = 0,
    opcode = 0,
    questions = 1,
  } = sent
  const query = encodeMessage({
    id: 1,
    opcode,
    rcode: 0,
    ...{ qr: false, aa: false, tc: false, rd: false, ra: false, ad: false, cd: false },
    question: questions === 1 ? [question] : [],
    answer: [],
    authority: [],
    additional: [],
    edns: { payloadSize: 1232, version, dnssecOk: false, options },
  })
  const edns = { cookieKeys: KEYS, pads: false, ...policy }
  const who: Asking = {
    client: addressOctets('192.0.2.100'),
    nowMs: 1e12,
    draw: 0,
    limited: 'no',
    ...asking,
  }
  const length = answer(zones, query, query.length, { protocol, udpPayload: 1232, edns }, out, who)
  if (length === 0) return null
  const message = decodeMessage(out.subarray(0, length))
  assert.ok(typeof message !== 'string', String(message))
  return message
}

function option(message: Message | null, code: number): Buffer | undefined {
  const found = message?.edns?.options.find((other) => other.code === code)
  return found === undefined ? undefined : Buffer.from(found.data)
}

const cookieOf = (text: string): EdnsOption => ({ code: OPTION.COOKIE, data: Buffer.from(text, 'hex') })
const subnetOf = (text: string): EdnsOption => ({ code: OPTION.SUBNET, data: Buffer.from(text, 'hex') })
const empty = (code: number): EdnsOption => ({ code, data: Buffer.alloc(0) })

test('a client gets a cookie, and keeps it while it is fresh (RFC 7873 §5.2, RFC 9018 §4.3)', () => {
  const first = option(send({ options: [cookieOf('0011223344556677')] }), OPTION.COOKIE)!
  assert.equal(first.length, 24)
  assert.equal(first.toString('hex', 0, 8), '0011223344556677')
  const cookie = { code: OPTION.COOKIE, data: first }
  assert.deepEqual(option(send({ options: [cookie] }), OPTION.COOKIE), first)
  const later = option(send({ options: [cookie], asking: { nowMs: 1e12 + 2e6 } }), OPTION.COOKIE)!
  assert.notDeepEqual(later, first)
})

test('a cookie of a wrong length is FORMERR (RFC 7873 §5.2.2)', () => {
  for (const octets of [0, 7, 9, 15, 41])
    assert.equal(send({ options: [cookieOf('aa'.repeat(octets))] })!.rcode, RCODE.FORMERR, `${octets}`)
  for (const octets of [8, 16, 40])
    assert.equal(send({ options: [cookieOf('aa'.repeat(octets))] })!.rcode, RCODE.NOERROR, `${octets}`)
})

test('no question but a cookie is answered with a cookie (RFC 7873 §5.4), without one it is FORMERR', () => {
  const message = send({ options: [cookieOf('0011223344556677')], questions: 0 })!
  assert.equal(message.rcode, RCODE.NOERROR)
  assert.equal(message.question.length, 0)
  assert.equal(option(message, OPTION.COOKIE)!.length, 24)
  assert.equal(send({ questions: 0 })!.rcode, RCODE.FORMERR)
})

test('beyond the rate a known cookie is answered, an unknown one gets BADCOOKIE, the rest little (RFC 7873 §5.2.3)', () => {
  const limited = { asking: { limited: 'nothing' } } as const
  const fresh = option(send({ options: [cookieOf('0011223344556677')] }), OPTION.COOKIE)!
  assert.equal(send({ ...limited, options: [{ code: OPTION.COOKIE, data: fresh }] })!.answer.length, 1)
  const refused = send({ ...limited, options: [cookieOf('0011223344556677')] })!
  assert.equal(refused.rcode, RCODE.BADCOOKIE)
  assert.deepEqual(option(refused, OPTION.COOKIE), fresh)
  assert.equal(send(limited), null)
  const slipped = send({ asking: { limited: 'truncated' } })!
  assert.deepEqual([slipped.tc, slipped.rcode, slipped.answer.length], [true, RCODE.NOERROR, 0])
})

test('client subnet comes back with scope 0, as every client gets the same (RFC 7871 §7.2.1)', () => {
  assert.equal(
    option(send({ options: [subnetOf('00011800c00002')] }), OPTION.SUBNET)?.toString('hex'),
    '00011800c00002',
  )
  assert.equal(option(send({ options: [subnetOf('00010000')] }), OPTION.SUBNET)?.toString('hex'), '00010000')
  assert.equal(option(send({}), OPTION.SUBNET), undefined)
})

test('a client subnet of another form is FORMERR (RFC 7871 §6)', () => {
  const cases = {
    'too few octets': '00011800c000',
    'too many octets': '00011800c0000200',
    'a bit behind the prefix': '00011700c00003',
    'a scope': '00011818c00002',
    'a prefix that is too long': '00012100c000020101',
    'another family': '00031800c00002',
    'no prefix': '0001',
  }
  for (const [what, hex] of Object.entries(cases)) {
    const message = send({ options: [subnetOf(hex)] })!
    assert.equal(message.rcode, RCODE.FORMERR, what)
    assert.deepEqual(message.edns?.options, [], what)
  }
})

test('the name of the server is told to who asks for it (RFC 5001 §2.1)', () => {
  const policy = { nsid: Buffer.from('ns1') }
  assert.equal(option(send({ options: [empty(OPTION.NSID)], policy }), OPTION.NSID)?.toString(), 'ns1')
  assert.equal(option(send({ policy }), OPTION.NSID), undefined)
})

test('how long a connection stays is told over TCP and TLS only (RFC 7828 §3.3)', () => {
  const asked = { options: [empty(OPTION.KEEPALIVE)] }
  const over = send({ ...asked, protocol: 'tcp', policy: { idleMs: 10_000 } })
  assert.equal(option(over, OPTION.KEEPALIVE)?.toString('hex'), '0064')
  assert.equal(option(send(asked), OPTION.KEEPALIVE), undefined)
  const long = send({ ...asked, protocol: 'tcp', policy: { idleMs: 1e9 } })
  assert.equal(option(long, OPTION.KEEPALIVE)?.toString('hex'), 'ffff')
})

test('encrypted answers to who pads have lengths that say little (RFC 7830 §3, RFC 8467 §4.1)', () => {
  const asked = { options: [empty(OPTION.PADDING)], protocol: 'tls' } as const
  const padding = option(send({ ...asked, policy: { pads: true } }), OPTION.PADDING)!
  assert.ok(padding.every((octet) => octet === 0))
  const whole = send({ ...asked, options: [], policy: { pads: true } })
  assert.equal(option(whole, OPTION.PADDING), undefined)
  assert.equal(option(send(asked), OPTION.PADDING), undefined)
  const plain = 12 + 21 + 16 + 11
  assert.equal(padding.length, 468 - plain - 4)
})

test('options nobody knows are ignored, other versions answered with BADVERS (RFC 6891 §6.1.2, §6.1.3)', () => {
  const odd = { code: 65_001, data: Buffer.from('odd') }
  const message = send({ options: [odd, odd] })!
  assert.deepEqual([message.rcode, message.answer.length, message.edns?.options], [0, 1, []])
  const other = send({ version: 1 })!
  assert.deepEqual([other.rcode, other.answer.length, other.edns?.version], [RCODE.BADVERS, 0, 0])
})

test('an OPT of another version is BADVERS whatever its options, and one of another opcode is answered with one (RFC 6891 §6.1.1, §6.1.3)', () => {
  const broken = { code: OPTION.COOKIE, data: Buffer.from('x') }
  const other = send({ version: 1, options: [broken] })!
  assert.deepEqual([other.rcode, other.edns?.version, other.edns?.options], [RCODE.BADVERS, 0, []])
  for (const opcode of [1, 2, 3, 6, 7, 15]) {
    const said = send({ opcode })!
    assert.deepEqual([said.rcode, said.question.length, said.edns?.version], [RCODE.NOTIMP, 0, 0])
    assert.equal(send({ opcode, options: [broken] })!.edns, undefined)
  }
})
