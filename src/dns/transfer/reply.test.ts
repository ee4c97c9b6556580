import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { zonePlan } from '../../../test/zone-fixture.ts'
import { decodeMessage, encodeMessage, type Message } from '../wire/message.ts'
import { parseName } from '../wire/name.ts'
import { CLASS, TYPE } from '../wire/types.ts'
import { differ, recordKey, recordsOf, soaOf, type Version } from './difference.ts'
import { IncomingTransfer } from './incoming.ts'
import { chooseTransfer, serialOfQuery, toWire, writeDatagram, writeMessages } from './reply.ts'

const apex = parseName('example.com.') as Uint8Array
const many = Array.from({ length: 5000 }, (_, i) => `n${i} A 10.0.${i >> 8}.${i & 255}`)
const versions = [1, 2, 3].map((serial): Version => {
  const plan = zonePlan('example.com.', [
    '@ NS ns1.example.com.',
    'big TXT "x"',
    ...many,
    `new${serial} A 10.9.9.9`,
  ])
  return { plan, serial }
})
const [first, second, third] = versions as [Version, Version, Version]
const history = [differ(first, second), differ(second, third)]

function query(type: number, soa?: Version): Message {
  return {
    id: 7,
    opcode: 0,
    rcode: 0,
    ...{ qr: false, aa: false, tc: false, rd: false, ra: false, ad: false, cd: false },
    question: [{ name: apex, type, class: CLASS.IN }],
    answer: [],
    authority: soa === undefined ? [] : [toWire(soaOf(soa))],
    additional: [],
  }
}

function decode(octets: Uint8Array): Message {
  const message = decodeMessage(octets)
  assert.ok(typeof message !== 'string', String(message))
  return message
}

/** What a secondary makes of the messages. */
function receive(messages: Iterable<Uint8Array>, ours: number | null): ReturnType<IncomingTransfer['take']> {
  const incoming = new IncomingTransfer(apex, ours)
  let result: ReturnType<IncomingTransfer['take']> = null
  for (const message of messages) {
    assert.equal(result, null)
    result = incoming.take(decode(message))
  }
  return result
}

test('a zone goes out in messages with a question in the first, and comes in whole (RFC 5936 §2.2)', () => {
  const { records, reason } = chooseTransfer(third, history, null)
  const messages = [...writeMessages(query(TYPE.AXFR), records)]
  assert.equal(reason, 'whole zone')
  assert.ok(messages.length > 2)
  assert.deepEqual(messages.map((message) => decode(message).question.length).slice(0, 3), [1, 0, 0])
  assert.ok(messages.every((message) => message.length <= 16_384 && decode(message).aa))
  const received = receive(messages, null)
  assert.ok(received !== null && typeof received !== 'string' && received.kind === 'whole')
  assert.equal(received.serial, 3)
  assert.deepEqual(
    new Set(received.records.map(recordKey)),
    new Set([...recordsOf(third)].slice(1).map(recordKey)),
  )
})

test('who has an older version gets the changes alone, and takes them (RFC 1995 §3, §4)', () => {
  const asked = query(TYPE.IXFR, first)
  assert.equal(serialOfQuery(asked), 1)
  const { records, reason } = chooseTransfer(third, history, 1)
  assert.equal(reason, 'changes')
  const received = receive(writeMessages(asked, records), 1)
  assert.ok(received !== null && typeof received !== 'string' && received.kind === 'changes')
  assert.deepEqual(received.changes, history)
})

test('who is up to date gets one SOA; whose version is not known, or would be longer told in changes, gets all (RFC 1995 §4)', () => {
  assert.equal(chooseTransfer(third, history, 3).reason, 'up to date')
  assert.deepEqual(receive(writeMessages(query(TYPE.IXFR, third), [soaOf(third)]), 3), {
    kind: 'up to date',
    serial: 3,
  })
  assert.equal(chooseTransfer(third, history, 0).reason, 'whole zone: changes not known')
  const small = { plan: zonePlan('example.com.', []), serial: 4 }
  assert.equal(
    chooseTransfer(small, [differ(third, small)], 3).reason,
    'whole zone: shorter than its changes',
  )
})

test('over UDP what does not fit is the SOA alone, and the client comes over TCP (RFC 1995 §2)', () => {
  const short = decode(
    writeDatagram(query(TYPE.IXFR, first), third, chooseTransfer(third, history, 1).records, 0),
  )
  assert.equal(short.answer.length, 10)
  const long = decode(writeDatagram(query(TYPE.IXFR), third, chooseTransfer(third, history, 0).records, 0))
  assert.equal(long.answer.length, 1)
})

test('a record larger than a message of a transfer has one of its own', () => {
  const text = Array.from({ length: 100 }, () => `"${'x'.repeat(255)}"`).join(' ')
  const large: Version = { plan: zonePlan('example.com.', [`big TXT ${text}`, 'a A 192.0.2.1']), serial: 1 }
  const received = receive(writeMessages(query(TYPE.AXFR), chooseTransfer(large, [], null).records), null)
  assert.ok(received !== null && typeof received !== 'string' && received.kind === 'whole')
  assert.equal(received.records.length, 2)
})

test('a primary that sends records of elsewhere, or no end, is not believed (RFC 5936 §3.1)', () => {
  const soa = toWire(soaOf(third))
  const stranger = toWire({ owner: 'www.example.net.', type: 'A', ttl: 1, data: '192.0.2.1' })
  const wrong = {
    ...toWire({ owner: 'a.example.com.', type: 'A', ttl: 1, data: '192.0.2.1' }),
    rdata: new Uint8Array(3),
  }
  const take = (answer: Message['answer'], rcode = 0) =>
    new IncomingTransfer(apex, null).take({ ...query(TYPE.AXFR), rcode, answer })
  assert.match(String(take([soa, stranger, soa])), /not in the zone/)
  assert.match(String(take([soa, wrong, soa])), /no such data/)
  assert.match(String(take([stranger])), /first record is no SOA/)
  assert.match(String(take([soa, soa, soa])), /follow the last SOA/)
  assert.match(String(take([soa, toWire(soaOf(second))])), /not the first one/)
  assert.match(String(take([])), /without records/)
  assert.match(String(take([], 5)), /REFUSED/)
  assert.equal(take([soa]), null)
})

test('records in any order are an end, a fault, or wait for more', () => {
  const parts = [first, second, third].map((one) => toWire(soaOf(one)))
  parts.push(toWire({ owner: 'a.example.com.', type: 'A', ttl: 1, data: '192.0.2.1' }))
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...parts), { maxLength: 12 }),
      fc.constantFrom(null, 1, 2),
      (answer, ours) => {
        new IncomingTransfer(apex, ours).take(decode(encodeMessage({ ...query(TYPE.IXFR), answer })))
      },
    ),
    { numRuns: 300 },
  )
})
