import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { decodeMessage, encodeMessage } from '../wire/message.ts'
import { parseName, printName } from '../wire/name.ts'
import { TsigChain, type TsigKey } from '../wire/tsig.ts'
import { CLASS, OPCODE, RCODE, TYPE } from '../wire/types.ts'
import { createGate, type Errand, type Sender } from './gate.ts'
import { permit } from './permit.ts'
import type { MovePlan } from './plan.ts'

const key: TsigKey = { name: 'k.', algorithm: 'hmac-sha256', secret: Buffer.from('secret of a test') }
const NOW = 1_700_000_000
const move: MovePlan = {
  id: 'move:example.com',
  key: '',
  from: { file: 'f', line: 1, column: 1 },
  apex: 'example.com.',
  out: { to: ['192.0.2.0/24', '2001:db8::/32'], key: 'k.', notify: [] },
  update: { keys: ['k.'], names: null },
  secondary: { from: [{ address: '198.51.100.1', port: 53 }], key: null },
  isCatalog: false,
}
const errands: Errand[] = []
const reply = (message: Uint8Array): Buffer => {
  const octets = Buffer.from(message)
  octets[2]! |= 0x80
  return octets
}
const gate = createGate({
  keys: () => new Map([[key.name, key]]),
  moves: () => new Map([[move.apex, move]]),
  isApex: (name) => printName(name) === 'still.test.',
  nowSeconds: () => NOW,
  answer: (query) => reply(query),
  async ask(errand) {
    errands.push(errand)
    return { messages: [reply(errand.message), reply(errand.message)], more: 1 }
  },
  askMore: async () => ({ messages: [reply(errands.at(-1)!.message)], more: null }),
})

function message(type: number, opcode: number = OPCODE.QUERY, zone = 'Example.com.'): Buffer {
  return encodeMessage({
    id: 1,
    opcode,
    rcode: 0,
    ...{ qr: false, aa: false, tc: false, rd: false, ra: false, ad: false, cd: false },
    question: [{ name: parseName(zone) as Uint8Array, type, class: CLASS.IN }],
    answer: [],
    authority: [],
    additional: [],
  })
}

const client: Sender = { address: '192.0.2.7', protocol: 'tcp' }

async function answers(octets: Buffer, sender: Sender = client): Promise<Uint8Array[]> {
  const all: Uint8Array[] = []
  for await (const answer of gate(octets, sender)) all.push(answer)
  return all
}

function rcode(octets: Uint8Array | undefined): number {
  return octets![3]! & 0x0f
}

test('what is permitted is passed on without its signature, and every answer is signed (RFC 8945 §5.3)', async () => {
  const chain = new TsigChain(key)
  const all = await answers(chain.request(message(TYPE.AXFR), NOW))
  assert.equal(all.length, 3)
  assert.equal(errands.at(-1)!.key, 'k.')
  assert.deepEqual(errands.at(-1)!.message, message(TYPE.AXFR))
  for (const one of all) assert.ok(typeof chain.check(one, NOW) !== 'string')
  assert.ok(chain.isClosed)
})

test('an ordinary query that is signed is answered here, and signed', async () => {
  const chain = new TsigChain(key)
  const [answer] = await answers(chain.request(message(TYPE.SOA), NOW))
  assert.deepEqual(chain.check(answer!, NOW), reply(message(TYPE.SOA)))
})

test('who may not is refused here, and the main thread does not hear of it', async () => {
  const before = errands.length
  const signed = (octets: Buffer): Buffer => new TsigChain(key).request(octets, NOW)
  const elsewhere: Sender = { address: '203.0.113.9', protocol: 'tcp' }
  assert.equal(rcode((await answers(message(TYPE.AXFR)))[0]), RCODE.REFUSED)
  assert.equal(rcode((await answers(signed(message(TYPE.AXFR)), elsewhere))[0]), RCODE.REFUSED)
  assert.equal(rcode((await answers(message(TYPE.SOA, OPCODE.NOTIFY)))[0]), RCODE.REFUSED)
  assert.equal(rcode((await answers(message(TYPE.SOA, OPCODE.UPDATE)))[0]), RCODE.REFUSED)
  assert.equal(rcode((await answers(message(TYPE.A, OPCODE.UPDATE)))[0]), RCODE.FORMERR)
  assert.equal(errands.length, before)
})

test('NOTAUTH is for zones that are not ours, REFUSED for ours that neither move nor change (RFC 2136 §3.1.1, §3.3, RFC 5936 §2.2.1)', async () => {
  const wishes = [
    [TYPE.AXFR, OPCODE.QUERY],
    [TYPE.IXFR, OPCODE.QUERY],
    [TYPE.SOA, OPCODE.UPDATE],
    [TYPE.SOA, OPCODE.NOTIFY],
  ] as const
  for (const [type, opcode] of wishes) {
    assert.equal(rcode((await answers(message(type, opcode, 'other.test.')))[0]), RCODE.NOTAUTH)
    assert.equal(rcode((await answers(message(type, opcode, 'www.Still.test.')))[0]), RCODE.NOTAUTH)
    assert.equal(rcode((await answers(message(type, opcode, 'Still.test.')))[0]), RCODE.REFUSED)
  }
})

test('there is no AXFR over UDP (RFC 5936 §4.2)', async () => {
  const signed = new TsigChain(key).request(message(TYPE.AXFR), NOW)
  assert.equal(rcode((await answers(signed, { ...client, protocol: 'udp' }))[0]), RCODE.FORMERR)
})

test('a wrong key, MAC or time is NOTAUTH with a TSIG that says so (RFC 8945 §5.2)', async () => {
  const requests = [
    new TsigChain({ ...key, name: 'other.' }).request(message(TYPE.AXFR), NOW),
    new TsigChain({ ...key, secret: Buffer.from('guess') }).request(message(TYPE.AXFR), NOW),
    new TsigChain(key).request(message(TYPE.AXFR), NOW - 1000),
  ]
  for (const request of requests) {
    const [answer] = await answers(request)
    const decoded = decodeMessage(answer!)
    assert.ok(typeof decoded !== 'string')
    assert.equal(decoded.rcode, RCODE.NOTAUTH)
    assert.equal(decoded.additional[0]?.type, TYPE.TSIG)
  }
})

test('permission says why, for networks, keys and primaries', () => {
  const cases: [Parameters<typeof permit>[0], string, string | null, string][] = [
    ['copy', '192.0.2.200', 'k.', 'allowed'],
    ['copy', '::ffff:192.0.2.200', 'k.', 'allowed'],
    ['copy', '2001:db8::1', 'k.', 'allowed'],
    ['copy', '192.0.3.1', 'k.', 'refused: address not in "to"'],
    ['copy', '192.0.2.200', null, 'refused: not signed with the key'],
    ['update', '203.0.113.1', 'k.', 'allowed'],
    ['update', '203.0.113.1', 'other.', 'refused: not signed with the key'],
    ['notify', '198.51.100.1', null, 'allowed'],
    ['notify', '198.51.100.2', null, 'refused: not from a primary'],
  ]
  for (const [wish, address, name, wanted] of cases)
    assert.equal(permit(wish, move, { client: address, key: name }), wanted)
  assert.equal(permit('copy', undefined, { client: '192.0.2.1', key: null }), 'refused: not copied to anyone')
})

test('any octets are answered or dropped, never an exception', async () => {
  const signed = new TsigChain(key).request(message(TYPE.IXFR), NOW)
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), fc.nat(signed.length - 1), async (noise, at) => {
      const octets = Buffer.from(signed)
      octets.set(noise.subarray(0, octets.length - at), at)
      await answers(octets)
      await answers(Buffer.from(noise))
    }),
    { numRuns: 200 },
  )
})
