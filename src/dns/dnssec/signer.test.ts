import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { zonePlan } from '../../../test/zone-fixture.ts'
import { answer, type Transport } from '../answer.ts'
import { decodeMessage, encodeMessage, type Message } from '../wire/message.ts'
import { parseName, printName } from '../wire/name.ts'
import { printRdata } from '../wire/rdata.ts'
import { RCODE, TYPE, typeName } from '../wire/types.ts'
import { compileZones, findRRset } from '../zone.ts'
import { createBudget } from './budget.ts'
import { generateKey } from './key.ts'
import { keyZones } from './keyed-zones.ts'
import { createPresigner } from './presign.ts'
import { RecentNames } from './recent.ts'
import { advance } from './roll.ts'
import { createSigning } from './signer.ts'
import { tagOf } from './zone-keys.ts'

const plan = zonePlan('example.', [
  '@ NS ns1.example.',
  '@ MX 10 mail.example.',
  'ns1 A 192.0.2.1',
  'mail A 192.0.2.5',
  '* A 192.0.2.2',
  'a.ent TXT "x"',
  'cut NS ns.cut.example.',
  'ns.cut A 192.0.2.4',
  'sec NS ns.cut.example.',
  `sec DS 1 13 2 ${'ab'.repeat(32)}`,
  'alias CNAME mail.example.',
  'dn DNAME ent.example.',
])
const other = zonePlan('plain.', ['@ NS ns1.example.', 'www CNAME mail.example.'])
const saved = advance(undefined, {
  wanted: { propagationMs: 0, lifetimeMs: null, resolver: null },
  ...{ nowSeconds: 0, ttl: 0, parent: null, command: null, newKey: generateKey, tagOf },
})!

const UDP: Transport = { protocol: 'udp', udpPayload: 1232 }
const TCP: Transport = { protocol: 'tcp', udpPayload: 1232 }

/** @param perSecond signatures that may be made */
function createServer(perSecond = 1_000_000) {
  let nowSeconds = 1_800_000_000
  const { zones: plans, keys } = keyZones([plan, other], { [plan.id]: saved })
  const budget = createBudget(
    () => perSecond,
    () => nowSeconds * 1000,
  )
  const signing = createSigning({ now: () => nowSeconds, budget })
  const zones = compileZones(plans, new Map(), undefined, {
    signerOf(zone) {
      const own = keys.get(zone.id)
      return own && signing.signerOf(zone, own)
    },
  })
  const out = Buffer.alloc(65_535)
  return {
    zones,
    pass: (seconds: number) => (nowSeconds += seconds),
    ask(name: string, type: number, { flags = 0x8000, transport = UDP } = {}): Message {
      const query = encodeMessage({
        ...{
          id: 1,
          opcode: 0,
          rcode: 0,
          qr: false,
          aa: false,
          tc: false,
          rd: false,
          ra: false,
          ad: false,
          cd: false,
        },
        question: [{ name: parseName(name) as Uint8Array, type, class: 1 }],
        ...{ answer: [], authority: [], additional: [] },
        edns: { payloadSize: 1232, version: 0, dnssecOk: false, options: [] },
      })
      query.writeUInt16BE(flags, query.length - 4)
      const message = decodeMessage(out.subarray(0, answer(zones, query, query.length, transport, out)))
      if (typeof message === 'string') throw new Error(message)
      return message
    },
  }
}

/** Owners and types of a section, signatures with what they cover. */
function say(records: Message['answer']): string[] {
  return records.map(({ owner, type, rdata }) => {
    const covered = type === TYPE.RRSIG ? ` ${printRdata(type, rdata).split(' ')[0]}` : ''
    return `${printName(owner)} ${typeName(type)}${covered}`
  })
}

const NEGATIVE_SOA = ['example. SOA', 'example. RRSIG SOA']

const CASES: readonly [string, string, number, { answer?: string[]; authority?: string[] }][] = [
  ['an RRset', 'mail.example.', TYPE.A, { answer: ['mail.example. A', 'mail.example. RRSIG A'] }],
  [
    'a wildcard, as if the name were there (RFC 9824 §3.3)',
    'x.example.',
    TYPE.A,
    { answer: ['x.example. A', 'x.example. RRSIG A'] },
  ],
  [
    'each link of a chain',
    'alias.example.',
    TYPE.A,
    {
      answer: [
        'alias.example. CNAME',
        'alias.example. RRSIG CNAME',
        'mail.example. A',
        'mail.example. RRSIG A',
      ],
    },
  ],
  [
    'a DNAME, and not the CNAME that follows from it',
    'a.dn.example.',
    TYPE.TXT,
    {
      answer: [
        'dn.example. DNAME',
        'dn.example. RRSIG DNAME',
        'a.dn.example. CNAME',
        'a.ent.example. TXT',
        'a.ent.example. RRSIG TXT',
      ],
    },
  ],
  [
    'what an unsigned zone leads to',
    'www.plain.',
    TYPE.A,
    { answer: ['www.plain. CNAME', 'mail.example. A', 'mail.example. RRSIG A'] },
  ],
  [
    'that a type is not there (RFC 9824 §3.2)',
    'mail.example.',
    TYPE.TXT,
    { authority: [...NEGATIVE_SOA, 'mail.example. NSEC', 'mail.example. RRSIG NSEC'] },
  ],
  [
    'a referral without DS (RFC 4035 §3.1.4, RFC 9824 §3.4)',
    'x.cut.example.',
    TYPE.A,
    { authority: ['cut.example. NS', 'cut.example. NSEC', 'cut.example. RRSIG NSEC'] },
  ],
  [
    'a referral with DS',
    'x.sec.example.',
    TYPE.A,
    { authority: ['sec.example. NS', 'sec.example. DS', 'sec.example. RRSIG DS'] },
  ],
  [
    'the NSEC that is asked for',
    'mail.example.',
    TYPE.NSEC,
    { answer: ['mail.example. NSEC', 'mail.example. RRSIG NSEC'] },
  ],
  [
    'one signature of those that are asked for (RFC 8482 §4.1)',
    'mail.example.',
    TYPE.RRSIG,
    { answer: ['mail.example. RRSIG A'] },
  ],
]

describe('with DO', () => {
  const server = createServer()
  for (const [what, name, type, sections] of CASES) {
    test(`signs ${what}`, () => {
      const { answer: found, authority, tc } = server.ask(name, type)
      assert.deepEqual(say(found), sections.answer ?? [])
      assert.deepEqual(say(authority), sections.authority ?? [])
      assert.equal(tc, false)
    })
  }

  test('signs what it adds, where there is room (RFC 4035 §3.1.1)', () => {
    const { additional } = server.ask('example.', TYPE.MX)
    assert.deepEqual(say(additional), ['mail.example. A', 'mail.example. RRSIG A'])
  })

  test('leaves what it does not own unsigned: NS at a cut, and glue (RFC 4035 §2.2, §2.3)', () => {
    const cut = server.zones.list[0]!.names.values.find((node) => findRRset(node, TYPE.NS) && node.parent)!
    assert.equal(findRRset(cut, TYPE.NS)!.signer, undefined)
    assert.deepEqual(say(server.ask('ns.cut.example.', TYPE.A).additional), ['ns.cut.example. A'])
  })

  test('a name that is not there is NOERROR, and NXDOMAIN with CO (RFC 9824 §5.1)', () => {
    const compact = server.ask('no.ent.example.', TYPE.A)
    assert.equal(compact.rcode, RCODE.NOERROR)
    assert.equal(
      printRdata(TYPE.NSEC, compact.authority[2]!.rdata),
      '\\000.no.ent.example. RRSIG NSEC NXNAME',
    )
    assert.equal(server.ask('no.ent.example.', TYPE.A, { flags: 0xc000 }).rcode, RCODE.NXDOMAIN)
    assert.equal(server.ask('no.ent.example.', TYPE.A, { flags: 0x4000 }).rcode, RCODE.NXDOMAIN)
  })
})

test('NXNAME is no type to ask for (RFC 9824 §3.5)', () => {
  assert.equal(createServer().ask('mail.example.', TYPE.NXNAME).rcode, RCODE.FORMERR)
})

test('whatever is asked, each RRset that is ours has its signature, or the answer is truncated', () => {
  const server = createServer()
  const label = fc.constantFrom('mail', 'ns1', 'x', '*', 'ent', 'a', 'cut', 'sec', 'alias', 'dn', 'no')
  const type = fc.constantFrom(...Object.values(TYPE).filter((number) => number < 128), TYPE.ANY)
  fc.assert(
    fc.property(fc.array(label, { maxLength: 3 }), type, fc.boolean(), (labels, qtype, isCompact) => {
      const name = [...labels, 'example', ''].join('.')
      const said = server.ask(name, qtype, { flags: isCompact ? 0xc000 : 0x8000 })
      if (said.tc || labels.includes('cut') || labels.includes('sec')) return
      for (const section of [said.answer, said.authority]) {
        const lines = say(section)
        for (const line of lines) {
          const [owner, what] = line.split(' ')
          const isMade = what === 'CNAME' && lines.some((other) => other.startsWith('dn.example. DNAME'))
          if (what !== 'RRSIG' && !isMade)
            assert.ok(lines.includes(`${owner} RRSIG ${what}`), `${name}: ${lines}`)
        }
      }
    }),
  )
})

test('without DO nothing is signed, and a name that is not there is NXDOMAIN', () => {
  const server = createServer()
  assert.deepEqual(say(server.ask('mail.example.', TYPE.A, { flags: 0 }).answer), ['mail.example. A'])
  const denied = server.ask('no.ent.example.', TYPE.A, { flags: 0 })
  assert.deepEqual([denied.rcode, say(denied.authority)], [RCODE.NXDOMAIN, ['example. SOA']])
  assert.deepEqual(say(server.ask('mail.example.', TYPE.NSEC, { flags: 0 }).answer), ['mail.example. NSEC'])
})

test('a signature is kept until half of its time is over', () => {
  const server = createServer()
  for (const name of ['mail.example.', 'wild.example.', 'no.ent.example.']) {
    const signature = (): string => {
      const { answer: found, authority } = server.ask(name, TYPE.A)
      return Buffer.from([...found, ...authority].at(-1)!.rdata).toString('hex')
    }
    const first = signature()
    assert.equal(signature(), first)
    server.pass(8 * 86_400)
    assert.notEqual(signature(), first)
  }
})

test('past the limit of signatures, who asks over UDP is sent to TCP, and what is signed is answered', () => {
  const server = createServer(3)
  for (const name of ['a', 'b', 'c', 'd']) server.ask(`${name}.ent.example.`, TYPE.A)
  assert.equal(server.ask('d.ent.example.', TYPE.A).tc, true)
  assert.equal(server.ask('mail.example.', TYPE.A).tc, true)
  assert.equal(server.ask('d.ent.example.', TYPE.A, { transport: TCP }).tc, false)
  assert.equal(server.ask('d.ent.example.', TYPE.A).tc, false)
  server.pass(1)
  assert.equal(server.ask('mail.example.', TYPE.A).tc, false)
})

test('names that clients choose do not pile up', () => {
  const recent = new RecentNames<number>(100)
  const name = (i: number): Buffer => Buffer.from([4, ...Buffer.from(String(i).padStart(4, '0')), 0])
  recent.add(name(0), 0, 6, 0)
  for (let i = 1; i < 1000; i++) {
    recent.add(name(i), 0, 6, i)
    assert.equal(recent.find(name(0), 0, 6), 0)
  }
  assert.equal(recent.find(name(700), 0, 6), undefined)
  assert.equal(recent.find(name(999), 0, 6), 999)
})

test('a presigner signs what is there before anybody asks', async () => {
  const server = createServer()
  const presigner = createPresigner()
  presigner.replace(server.zones)
  const mail = server.zones.list[0]!.names.values.flatMap(({ rrsets }) => rrsets).filter(
    ({ signer }) => signer,
  )
  for (
    let tries = 0;
    tries < 100 && mail.some(({ signature, plan: { owner } }) => !signature && owner !== '*.example.');
    tries++
  )
    await new Promise((resolve) => setTimeout(resolve, 10))
  presigner.close()
  assert.ok(mail.every(({ signature, plan: { owner } }) => signature !== undefined || owner === '*.example.'))
})

test('signatures that are kept hold no blocks that others have written to', () => {
  const signing = createSigning({ now: () => 1_800_000_000, budget: createBudget(() => 100, Date.now) })
  const { keys } = keyZones([plan], { [plan.id]: saved })
  const signer = signing.signerOf(plan, keys.get(plan.id)!)
  const denial = signer.deny(parseName('gone.example.') as Uint8Array, 0, {
    rrsets: undefined,
    patient: true,
  })!
  for (const { wire } of [denial.nsec, denial.signature]) assert.equal(wire.buffer.byteLength, wire.length)
})
