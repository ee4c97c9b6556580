import assert from 'node:assert/strict'
import test from 'node:test'
import { zonePlan } from '../../../test/zone-fixture.ts'
import { answer } from '../answer.ts'
import { wireName } from '../rrset.ts'
import { decodeMessage, encodeMessage, type Message } from '../wire/message.ts'
import { printName } from '../wire/name.ts'
import { CLASS, RCODE, TYPE, typeName } from '../wire/types.ts'
import { compileZone, createZones } from '../zone.ts'
import { createNsec3Chain } from './chain.ts'
import { readPresigned } from './presigned.ts'

const rrsig = (type: string): string =>
  `RRSIG ${type} 13 2 3600 20300101000000 20260101000000 1 example. AAAA`

/** Appendix B.1 of RFC 5155 has these owners: salt aabbccdd, 12 iterations. */
const HASHED = [
  '0p9mhaveqvm6t7vbl5lop2u3t2rp3tom',
  '2t7b4g4vsa5smi47k61mv5bv1a22bojr',
  'gjeqe526plbf1g8mklp59enfd789njgi',
  'k8udemvp1j2f7eg6jebps17vp3n8i58h',
]

const nsec3 = HASHED.flatMap((label, i) => [
  `${label} NSEC3 1 0 12 AABBCCDD ${HASHED[(i + 1) % HASHED.length]} A RRSIG`,
  `${label} ${rrsig('NSEC3')}`,
])

const plan = zonePlan('example.', [
  '@ DNSKEY 257 3 13 AAAA',
  `@ ${rrsig('SOA')}`,
  '@ NS ns1.example.',
  'ns1 A 192.0.2.1',
  `ns1 ${rrsig('A')}`,
  'ns1 AAAA 2001:db8::1',
  `ns1 ${rrsig('AAAA')}`,
  'bare A 192.0.2.2',
  ...nsec3,
])

function ask(name: string, qtype: number): Message {
  const query = encodeMessage({
    ...{ id: 1, opcode: 0, rcode: 0 },
    ...{ qr: false, aa: false, tc: false, rd: false, ra: false, ad: false, cd: false },
    question: [{ name: wireName(name), type: qtype, class: CLASS.IN }],
    ...{ answer: [], authority: [], additional: [] },
    edns: { payloadSize: 1232, version: 0, dnssecOk: true, options: [] },
  })
  const out = Buffer.alloc(1232)
  const zones = createZones([compileZone(plan, 1)])
  const length = answer(zones, query, query.length, { protocol: 'udp', udpPayload: 1232 }, out)
  return decodeMessage(out.subarray(0, length)) as Message
}

const types = (records: Message['answer']): string[] => records.map(({ type }) => typeName(type))

test('the owner of an NSEC3 is the hash of the name (RFC 5155 §5, appendix A)', () => {
  const links = HASHED.map((label) => {
    const owner = `${label}.example.`
    const zone = compileZone(zonePlan('example.', [`${label} TXT "x"`]), 1)
    const name = wireName(owner)
    const rrset = zone.names.find(name, 0, name.length)!.rrsets[0]!
    return {
      owner: name,
      nsec: { ...rrset, plan: { ...rrset.plan, data: ['1 0 12 aabbccdd x'] } },
      signature: rrset,
    }
  })
  const chain = createNsec3Chain(wireName('example.'), links, () => true)
  for (const [name, label] of [
    ['example.', '0p9mhaveqvm6t7vbl5lop2u3t2rp3tom'],
    ['ns1.example.', '2t7b4g4vsa5smi47k61mv5bv1a22bojr'],
    ['ns2.example.', 'q04jkcevqvmu85r014c7dkba38o0ji5r'],
    ['x.y.w.example.', '2vptu5timamqttgl4luu9kg21e0aor3s'],
  ] as const) {
    const [found] = chain.prove('no type', wireName(name))
    assert.equal(printName(found!.owner) === `${label}.example.`, HASHED.includes(label), name)
  }
})

test('a hash that takes too long proves nothing (RFC 9276 §3.2)', () => {
  const slow = plan.rrsets.map((rrset) => {
    return rrset.type === 'NSEC3' ? { ...rrset, data: [rrset.data[0]!.replace(' 12 ', ' 2500 ')] } : rrset
  })
  const began = performance.now()
  const zone = compileZone({ ...plan, rrsets: slow }, 1)
  for (let i = 0; i < 100; i++)
    assert.deepEqual(zone.signer!.chain!.prove('no name', wireName(`x${i}.example.`)), [])
  assert.ok(performance.now() - began < 1000)
})

test('signatures stand beside what they cover, and what has none goes without (RFC 4035 §3.1)', () => {
  assert.deepEqual(types(ask('ns1.example.', TYPE.A).answer), ['A', 'RRSIG'])
  // Both signatures stand in one RRset here, as a master file has them.
  assert.deepEqual(types(ask('ns1.example.', TYPE.AAAA).answer), ['AAAA', 'RRSIG'])
  assert.deepEqual(types(ask('bare.example.', TYPE.A).answer), ['A'])
  assert.deepEqual(types(ask('ns1.example.', TYPE.RRSIG).answer), ['RRSIG'])
})

test('a signature has the TTL of what it covers, also where that is shorter in a negative answer (RFC 4034 §3, RFC 2308 §5)', () => {
  const { authority } = ask('ns1.example.', TYPE.TXT)
  const ofApex = authority.filter(({ owner }) => printName(owner) === 'example.')
  assert.deepEqual(
    ofApex.map(({ type, ttl }) => [typeName(type), ttl]),
    [
      ['SOA', 300],
      ['RRSIG', 300],
    ],
  )
})

test('what is not there is NXDOMAIN with the closest encloser and what covers the next one (RFC 5155 §7.2.1)', () => {
  const said = ask('a.b.example.', TYPE.A)
  assert.equal(said.rcode, RCODE.NXDOMAIN)
  const owners = said.authority.filter(({ type }) => type === TYPE.NSEC3).map(({ owner }) => printName(owner))
  assert.ok(owners.includes('0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.'), owners.join())
  assert.equal(said.authority.filter(({ type }) => type === TYPE.RRSIG).length, owners.length + 1)
})

test('names of NSEC3 are not there for who asks for them (RFC 5155 §7.2.8)', () => {
  assert.equal(ask(`${HASHED[0]}.example.`, TYPE.NSEC3).rcode, RCODE.NXDOMAIN)
})

test('a zone without keys or signatures is not taken for signed', () => {
  assert.equal(readPresigned(zonePlan('example.', [`@ ${rrsig('SOA')}`])), undefined)
  assert.equal(readPresigned(zonePlan('example.', ['@ DNSKEY 257 3 13 AAAA'])), undefined)
})
