import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zonePlan } from '../../test/zone-fixture.ts'
import { lookup } from './lookup.ts'
import { wireName } from './rrset.ts'
import { rcodeName, typeNumber } from './wire/types.ts'
import { compileZones, type Zones } from './zone.ts'

/** `reason`, then owner and type of the RRsets of answer | authority. */
function ask(zones: Zones, name: string, type: string): string {
  const found = lookup(zones, wireName(name), typeNumber(type)!)
  const answers = found.answers.map(({ plan }) => `${plan.owner} ${plan.type}`).join(', ')
  const authority =
    found.authority === undefined ? '' : `${found.authority.plan.owner} ${found.authority.plan.type}`
  return [found.reason, rcodeName(found.rcode), found.authoritative ? 'AA' : '-', answers, authority].join(
    ' | ',
  )
}

function table(zones: Zones, cases: readonly (readonly [string, string, string])[]): void {
  for (const [name, type, expected] of cases)
    assert.equal(ask(zones, name, type), expected, `${name} ${type}`)
}

test('the example of RFC 4592 §2.2.1 is answered as its table says (RFC 4592 §2.1.1, §2.2.2, §3.3.1)', () => {
  const zones = compileZones(
    [
      zonePlan('example.', [
        '@ NS ns.example.com.',
        '@ NS ns.example.net.',
        '* TXT "this is a wildcard"',
        '* MX 10 host1.example.',
        'sub.* TXT "this is not a wildcard"',
        'host1 A 192.0.2.1',
        '_ssh._tcp.host1 SRV 0 0 22 host1.example.',
        '_ssh._tcp.host2 SRV 0 0 22 host2.example.',
        'subdel NS ns.example.com.',
        'subdel NS ns.example.net.',
      ]),
    ],
    new Map(),
  )
  table(zones, [
    // Answers that come from the wildcard:
    ['host3.example.', 'MX', 'answer: wildcard | NOERROR | AA | *.example. MX | '],
    ['host3.example.', 'A', 'nodata: wildcard | NOERROR | AA |  | example. SOA'],
    ['foo.bar.example.', 'TXT', 'answer: wildcard | NOERROR | AA | *.example. TXT | '],
    // Answers that do not:
    ['host1.example.', 'MX', 'nodata | NOERROR | AA |  | example. SOA'],
    ['sub.*.example.', 'MX', 'nodata | NOERROR | AA |  | example. SOA'],
    ['_telnet._tcp.host1.example.', 'SRV', 'nxdomain | NXDOMAIN | AA |  | example. SOA'],
    ['host.subdel.example.', 'A', 'referral | NOERROR | - |  | subdel.example. NS'],
    ['ghost.*.example.', 'MX', 'nxdomain | NXDOMAIN | AA |  | example. SOA'],
    // The wildcard itself, and what lies below it:
    ['*.example.', 'TXT', 'answer | NOERROR | AA | *.example. TXT | '],
    ['*.example.', 'A', 'nodata | NOERROR | AA |  | example. SOA'],
    ['sub.*.example.', 'TXT', 'answer | NOERROR | AA | sub.*.example. TXT | '],
    ['_tcp.host1.example.', 'SRV', 'nodata: empty non-terminal | NOERROR | AA |  | example. SOA'],
    ['host2.example.', 'MX', 'nodata: empty non-terminal | NOERROR | AA |  | example. SOA'],
    ['_tcp.host3.example.', 'MX', 'answer: wildcard | NOERROR | AA | *.example. MX | '],
    ['x._tcp.host2.example.', 'TXT', 'nxdomain | NXDOMAIN | AA |  | example. SOA'],
  ])
})

test('a CNAME at a wildcard is followed, NS and DNAME there have no effect (RFC 4592 §3.3.3, §4.2, §4.4)', () => {
  const plan = zonePlan('example.', [
    '* CNAME www.example.',
    'www A 192.0.2.1',
    '*.ns NS ns.example.net.',
    '*.dname DNAME elsewhere.test.',
    '*.loop CNAME a.loop.example.',
  ])
  table(compileZones([plan], new Map()), [
    ['any.example.', 'A', 'answer | NOERROR | AA | *.example. CNAME, www.example. A | '],
    ['any.example.', 'AAAA', 'nodata | NOERROR | AA | *.example. CNAME | example. SOA'],
    ['any.example.', 'CNAME', 'answer: wildcard | NOERROR | AA | *.example. CNAME | '],
    ['x.ns.example.', 'A', 'nodata: wildcard | NOERROR | AA |  | example. SOA'],
    ['x.ns.example.', 'NS', 'nodata: wildcard | NOERROR | AA |  | example. SOA'],
    ['x.dname.example.', 'A', 'nodata: wildcard | NOERROR | AA |  | example. SOA'],
    ['x.loop.example.', 'A', 'answer: alias without end | NOERROR | AA | *.loop.example. CNAME | '],
  ])
})

test('aliases are followed through all our zones, and the rcode is of the last name (RFC 1034 §4.3.2, RFC 6604 §2.1)', () => {
  const chain = Array.from({ length: 12 }, (_, i) => `c${i} CNAME c${i + 1}.one.test.`)
  const zones = compileZones(
    [
      zonePlan('one.test.', [
        'to-two CNAME www.two.test.',
        'to-child CNAME www.child.one.test.',
        'to-nothing CNAME none.two.test.',
        'to-empty CNAME ent.two.test.',
        'to-outside CNAME www.three.test.',
        'to-cut CNAME www.cut.two.test.',
        'loop-a CNAME loop-b.one.test.',
        'loop-b CNAME loop-a.one.test.',
        ...chain,
      ]),
      zonePlan('child.one.test.', ['www A 192.0.2.1', 'back CNAME to-two.one.test.']),
      zonePlan('two.test.', ['www A 192.0.2.2', 'a.ent A 192.0.2.3', 'cut NS ns.elsewhere.test.']),
    ],
    new Map(),
  )
  table(zones, [
    ['to-two.one.test.', 'A', 'answer | NOERROR | AA | to-two.one.test. CNAME, www.two.test. A | '],
    ['to-two.one.test.', 'ANY', 'answer | NOERROR | AA | to-two.one.test. CNAME | '],
    ['to-child.one.test.', 'A', 'answer | NOERROR | AA | to-child.one.test. CNAME, www.child.one.test. A | '],
    [
      'back.child.one.test.',
      'A',
      'answer | NOERROR | AA | back.child.one.test. CNAME, to-two.one.test. CNAME, www.two.test. A | ',
    ],
    ['to-nothing.one.test.', 'A', 'nxdomain | NXDOMAIN | AA | to-nothing.one.test. CNAME | two.test. SOA'],
    [
      'to-empty.one.test.',
      'A',
      'nodata: empty non-terminal | NOERROR | AA | to-empty.one.test. CNAME | two.test. SOA',
    ],
    [
      'to-outside.one.test.',
      'A',
      'answer: alias to elsewhere | NOERROR | AA | to-outside.one.test. CNAME | ',
    ],
    ['to-cut.one.test.', 'A', 'referral | NOERROR | AA | to-cut.one.test. CNAME | cut.two.test. NS'],
    [
      'loop-a.one.test.',
      'A',
      'answer: alias without end | NOERROR | AA | loop-a.one.test. CNAME, loop-b.one.test. CNAME | ',
    ],
    ['www.three.test.', 'A', 'refused: not our zone | REFUSED | - |  | '],
  ])
  assert.equal(lookup(zones, wireName('c0.one.test.'), 1).answers.length, 9)
})

test('a name at or below a delegation is referred to the highest cut; DS is for the parent (RFC 1034 §4.2.1, RFC 4035 §3.1.4.1)', () => {
  const parent = zonePlan('test.', [
    '@ NS ns.test.',
    'ns A 192.0.2.1',
    'cut NS ns.cut.test.',
    'cut DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118',
    'ns.cut A 192.0.2.2',
    'deeper.cut NS ns.cut.test.',
    '*.cut A 192.0.2.3',
    'ours NS ns.test.',
  ])
  const cases: readonly (readonly [string, string, string])[] = [
    ['cut.test.', 'A', 'referral | NOERROR | - |  | cut.test. NS'],
    ['cut.test.', 'NS', 'referral | NOERROR | - |  | cut.test. NS'],
    ['ns.cut.test.', 'A', 'referral | NOERROR | - |  | cut.test. NS'],
    ['x.deeper.cut.test.', 'A', 'referral | NOERROR | - |  | cut.test. NS'],
    ['any.cut.test.', 'A', 'referral | NOERROR | - |  | cut.test. NS'],
    ['cut.test.', 'DS', 'answer | NOERROR | AA | cut.test. DS | '],
    ['x.cut.test.', 'DS', 'referral | NOERROR | - |  | cut.test. NS'],
    ['test.', 'NS', 'answer | NOERROR | AA | test. NS | '],
    ['test.', 'SOA', 'answer | NOERROR | AA | test. SOA | '],
    ['test.', 'DS', 'nodata | NOERROR | AA |  | test. SOA'],
  ]
  table(compileZones([parent], new Map()), cases)
  table(compileZones([parent, zonePlan('ours.test.', ['@ A 192.0.2.9'])], new Map()), [
    ...cases,
    ['ours.test.', 'A', 'answer | NOERROR | AA | ours.test. A | '],
    ['ours.test.', 'DS', 'nodata | NOERROR | AA |  | test. SOA'],
  ])
})

test('a DNAME takes all below it, not its owner; too long is YXDOMAIN (RFC 6672 §2.2, §2.3, §3.1)', () => {
  const long = 'a'.repeat(62)
  const plan = zonePlan('test.', [
    'old DNAME new.test.',
    'old A 192.0.2.1',
    'x.old A 192.0.2.2',
    'www.new A 192.0.2.3',
    `long DNAME ${long}.${long}.${long}.test.`,
  ])
  const zones = compileZones([plan], new Map())
  table(zones, [
    ['old.test.', 'A', 'answer | NOERROR | AA | old.test. A | '],
    ['old.test.', 'DNAME', 'answer | NOERROR | AA | old.test. DNAME | '],
    [
      'www.old.test.',
      'A',
      'answer | NOERROR | AA | old.test. DNAME, www.old.test. CNAME, www.new.test. A | ',
    ],
    ['x.old.test.', 'A', 'nxdomain | NXDOMAIN | AA | old.test. DNAME, x.old.test. CNAME | test. SOA'],
    ['www.old.test.', 'CNAME', 'answer: DNAME | NOERROR | AA | old.test. DNAME, www.old.test. CNAME | '],
    [`${long}.long.test.`, 'A', 'yxdomain: alias too long | YXDOMAIN | AA | long.test. DNAME | '],
  ])
})

test('the zone with the longest apex answers, the root among them', () => {
  const root = zonePlan('.', ['com A 192.0.2.1'])
  const zones = compileZones([root, zonePlan('example.com.', ['a.b A 192.0.2.2'])], new Map())
  table(zones, [
    ['com.', 'A', 'answer | NOERROR | AA | com. A | '],
    ['org.', 'A', 'nxdomain | NXDOMAIN | AA |  | . SOA'],
    ['.', 'SOA', 'answer | NOERROR | AA | . SOA | '],
    ['b.example.com.', 'A', 'nodata: empty non-terminal | NOERROR | AA |  | example.com. SOA'],
    ['1.2.3.4.5.6.7.8.9.example.com.', 'A', 'nxdomain | NXDOMAIN | AA |  | example.com. SOA'],
  ])
})
