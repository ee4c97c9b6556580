import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Asking, answer } from '#dns/answer.ts'
import { addressOctets } from '#dns/wire/address.ts'
import { decodeMessage, encodeMessage, type Message } from '#dns/wire/message.ts'
import { parseName } from '#dns/wire/name.ts'
import { printRdata } from '#dns/wire/rdata.ts'
import { CLASS, OPTION, TYPE } from '#dns/wire/types.ts'
import { compileZones } from '#dns/zone.ts'
import { checkText, fileText } from '../../../test/planted/planted.ts'
import { createPlaces } from './places.ts'
import type { PoolHealth } from './plan.ts'
import { createSteering } from './steering.ts'

const { plan, problems } = checkText(
  fileText({
    hosts: '"@": { "respond": "x" }',
    records: `"app": { "A": { "pool": "app" }, "AAAA": { "pool": "app" } },
      "strict": { "A": { "pool": "strict", "policy": "failover" } },
      "www": { "CNAME": "app.example.com" }, "@": { "MX": "10 app.example.com" }`,
    top: `"pools": {
      "app": { "members": [
        { "address": "192.0.2.1", "location": "DE" }, { "address": "2001:db8::1", "location": "DE" },
        { "address": "192.0.2.2", "location": "SG" }, { "address": "2001:db8::2", "location": "SG" }
      ] },
      "strict": { "members": ["192.0.2.9"], "health": { "port": 80 }, "whenDown": "none" }
    },
    "places": { "networks": { "198.51.100.0/24": "FR", "203.0.113.0/24": "MY", "2001:db8:5::/48": "MY" } },`,
  }),
)
const zones = compileZones(plan!.dns.zones, new Map())
const out = Buffer.alloc(65_535)

type Sent = { name?: string; type?: number; from?: string; subnet?: string; health?: PoolHealth }

function ask({ name = 'app', type = TYPE.A, from = '192.0.2.77', subnet, health = {} }: Sent): Message {
  const data = Buffer.from(subnet ?? '', 'hex')
  const query = encodeMessage({
    id: 1,
    opcode: 0,
    rcode: 0,
    ...{ qr: false, aa: false, tc: false, rd: false, ra: false, ad: false, cd: false },
    question: [{ name: parseName(`${name}.example.com.`) as Uint8Array, type, class: CLASS.IN }],
    answer: [],
    authority: [],
    additional: [],
    edns: {
      payloadSize: 1232,
      version: 0,
      dnssecOk: false,
      options: subnet === undefined ? [] : [{ code: OPTION.SUBNET, data }],
    },
  })
  const asking: Asking = {
    client: addressOctets(from),
    nowMs: 0,
    draw: 0,
    limited: 'no',
    steering: createSteering(plan!.dns.pools, createPlaces(plan!.dns.places, null), health),
  }
  const length = answer(zones, query, query.length, { protocol: 'udp', udpPayload: 1232 }, out, asking)
  const message = decodeMessage(out.subarray(0, length))
  assert.ok(typeof message !== 'string', String(message))
  return message
}

const dataOf = (message: Message): string[] =>
  message.answer.map(({ type, rdata }) => printRdata(type, rdata))
const scopeOf = (message: Message): number | undefined => message.edns?.options[0]?.data[3]

test('the file is right, and a pool answers for half a minute', () => {
  assert.deepEqual(problems, [])
  assert.equal(ask({}).answer[0]!.ttl, 30)
})

test('the client subnet decides, else the address that asks, and the scope says for whom (RFC 7871 §7.2.1)', () => {
  const cases: [Sent, string, number | undefined][] = [
    [{ from: '198.51.100.1' }, '192.0.2.1', undefined],
    [{ from: '203.0.113.1' }, '192.0.2.2', undefined],
    [{ from: '198.51.100.1', subnet: '00011800cb0071' }, '192.0.2.2', 24],
    [{ from: '203.0.113.1', subnet: '00012000c633640a' }, '192.0.2.1', 24],
    [
      { from: '203.0.113.1', type: TYPE.AAAA, subnet: '000230002001 0db8 0005'.replaceAll(' ', '') },
      '2001:db8::2',
      48,
    ],
    // No place is known of it: the answer would be another for a network that parts from ours at bit 4.
    [{ from: '203.0.113.1', subnet: '00011800e00000' }, '192.0.2.1', 3],
  ]
  for (const [sent, address, scope] of cases) {
    const message = ask(sent)
    assert.deepEqual(dataOf(message), [address], JSON.stringify(sent))
    assert.equal(scopeOf(message), scope, JSON.stringify(sent))
  }
})

test('a subnet of no bits is a wish for none: whoever asks decides, and the scope is 0 (RFC 7871 §7.1.2)', () => {
  const message = ask({ from: '203.0.113.1', subnet: '00010000' })
  assert.deepEqual(dataOf(message), ['192.0.2.2'])
  assert.equal(scopeOf(message), 0)
})

test('an alias leads to the member, and its set is in no additional section', () => {
  assert.deepEqual(dataOf(ask({ name: 'www', from: '203.0.113.1' })), ['app.example.com.', '192.0.2.2'])
  const mx = { ...ask({ type: TYPE.MX }) }
  assert.deepEqual(mx.additional, [])
})

test('without a member that is up and by its policy there is none: NODATA, kept for no longer than a pool (RFC 2308 §5)', () => {
  const health = { 'pool:strict 192.0.2.9': { isUp: false, detail: '', sinceMs: 0 } }
  const message = ask({ name: 'strict', health })
  assert.deepEqual([message.rcode, dataOf(message), message.aa], [0, [], true])
  assert.deepEqual(
    message.authority.map(({ type, ttl }) => [type, ttl]),
    [[TYPE.SOA, 30]],
  )
  assert.deepEqual(dataOf(ask({ name: 'strict' })), ['192.0.2.9'])
})
