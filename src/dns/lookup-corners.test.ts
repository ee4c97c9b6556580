import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zonePlan } from '../../test/zone-fixture.ts'
import { lookup } from './lookup.ts'
import { wireName } from './rrset.ts'
import { rcodeName, typeNumber } from './wire/types.ts'
import { compileZones, type Zones } from './zone.ts'

type Case = readonly [name: string, type: string, expected: string]

/** `rcode AA`, then owner, type and data of the answers | owner and type of the authority section. */
function ask(zones: Zones, name: string, type: string): string {
  const { rcode, authoritative, answers, authority } = lookup(zones, wireName(name), typeNumber(type)!)
  const said = answers.map(({ plan }) => `${plan.owner} ${plan.type} ${plan.data.join()}`).join(', ')
  const head = rcodeName(rcode) + (authoritative ? ' AA' : '')
  return [head, said, authority ? `${authority.plan.owner} ${authority.plan.type}` : ''].join(' | ')
}

function table(zones: Zones, cases: readonly Case[]): void {
  for (const [name, type, expected] of cases)
    assert.equal(ask(zones, name, type), expected, `${name} ${type}`)
}

test('each step of the algorithm ends where it says (RFC 1034 §4.3.2 steps 2 to 4, RFC 1034 §3.6.2)', () => {
  const zones = compileZones(
    [
      zonePlan('test.', [
        '@ NS ns.test.',
        'ns A 192.0.2.1',
        'www A 192.0.2.2',
        'www AAAA 2001:db8::2',
        'alias CNAME www.test.',
        'cut NS ns.cut.test.',
        'ns.cut A 192.0.2.3',
        'into CNAME x.cut.test.',
        'wild.*.deep TXT "x"',
        '*.w CNAME www.test.',
      ]),
      zonePlan('sub.test.', ['@ A 192.0.2.4']),
    ],
    new Map(),
  )
  table(zones, [
    // Step 2: the nearest zone, or none.
    ['sub.test.', 'A', 'NOERROR AA | sub.test. A 192.0.2.4 | '],
    ['x.sub.test.', 'A', 'NXDOMAIN AA |  | sub.test. SOA'],
    ['elsewhere.', 'A', 'REFUSED |  | '],
    // Step 3a: the whole name; a CNAME only for other types than its own.
    ['www.test.', 'AAAA', 'NOERROR AA | www.test. AAAA 2001:db8::2 | '],
    ['www.test.', 'MX', 'NOERROR AA |  | test. SOA'],
    ['alias.test.', 'A', 'NOERROR AA | alias.test. CNAME www.test., www.test. A 192.0.2.2 | '],
    ['alias.test.', 'MX', 'NOERROR AA | alias.test. CNAME www.test. | test. SOA'],
    ['alias.test.', 'CNAME', 'NOERROR AA | alias.test. CNAME www.test. | '],
    ['alias.test.', 'DS', 'NOERROR AA | alias.test. CNAME www.test. | test. SOA'],
    ['x.alias.test.', 'A', 'NXDOMAIN AA |  | test. SOA'],
    // Step 3b: out of the authoritative data, without AA; with it where the name asked for is ours.
    ['cut.test.', 'MX', 'NOERROR |  | cut.test. NS'],
    ['a.b.cut.test.', 'A', 'NOERROR |  | cut.test. NS'],
    ['into.test.', 'A', 'NOERROR AA | into.test. CNAME x.cut.test. | cut.test. NS'],
    // Step 3c: the label "*", and a name error only for the name that was asked for.
    ['any.w.test.', 'A', 'NOERROR AA | *.w.test. CNAME www.test., www.test. A 192.0.2.2 | '],
    ['wild.x.deep.test.', 'TXT', 'NOERROR AA |  | test. SOA'],
    ['none.test.', 'A', 'NXDOMAIN AA |  | test. SOA'],
  ])
})

test('a wildcard covers what has no closer encloser, once, and nothing that is there (RFC 4592 §2.1.3, §2.2.3, §3.3.2, §4.9)', () => {
  const plan = zonePlan('example.', [
    '*.a.* TXT "in the middle a star is a label like others"',
    '* A 192.0.2.1',
    'b A 192.0.2.2',
    '*.c A 192.0.2.3',
    'x.*.c A 192.0.2.4',
    'sub.*.empty A 192.0.2.5',
    '**.d A 192.0.2.6',
    '*.srv SRV 0 0 5060 any.example.',
    '*.ds DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118',
  ])
  table(compileZones([plan], new Map()), [
    ['z.example.', 'A', 'NOERROR AA | *.example. A 192.0.2.1 | '],
    ['y.z.example.', 'A', 'NOERROR AA | *.example. A 192.0.2.1 | '],
    ['*.z.example.', 'A', 'NOERROR AA | *.example. A 192.0.2.1 | '],
    // "b" is there, so it is the closest encloser, and has no wildcard.
    ['x.b.example.', 'A', 'NXDOMAIN AA |  | example. SOA'],
    ['*.b.example.', 'A', 'NXDOMAIN AA |  | example. SOA'],
    ['c.example.', 'A', 'NOERROR AA |  | example. SOA'],
    ['y.x.c.example.', 'A', 'NOERROR AA | *.c.example. A 192.0.2.3 | '],
    ['*.c.example.', 'A', 'NOERROR AA | *.c.example. A 192.0.2.3 | '],
    ['x.*.c.example.', 'A', 'NOERROR AA | x.*.c.example. A 192.0.2.4 | '],
    // Nothing is synthesized from a star with a star above it, nor below it.
    ['y.*.c.example.', 'A', 'NXDOMAIN AA |  | example. SOA'],
    [
      'q.a.*.example.',
      'TXT',
      'NOERROR AA | *.a.*.example. TXT "in the middle a star is a label like others" | ',
    ],
    ['q.a.z.example.', 'TXT', 'NOERROR AA |  | example. SOA'],
    // A wildcard that is an empty non-terminal: no data, but no name error.
    ['any.empty.example.', 'A', 'NOERROR AA |  | example. SOA'],
    ['sub.any.empty.example.', 'A', 'NOERROR AA |  | example. SOA'],
    ['sub.*.empty.example.', 'A', 'NOERROR AA | sub.*.empty.example. A 192.0.2.5 | '],
    // Two stars are no wildcard.
    ['q.d.example.', 'A', 'NXDOMAIN AA |  | example. SOA'],
    ['any.srv.example.', 'SRV', 'NOERROR AA | *.srv.example. SRV 0 0 5060 any.example. | '],
    [
      'any.ds.example.',
      'DS',
      'NOERROR AA | *.ds.example. DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118 | ',
    ],
  ])
})

test('nothing is below a name that is not there, and a name above one that is there is (RFC 8020 §2, RFC 2308 §2.2)', () => {
  const zones = compileZones([zonePlan('test.', ['a.b.c A 192.0.2.1', 'leaf A 192.0.2.2'])], new Map())
  table(zones, [
    ['c.test.', 'A', 'NOERROR AA |  | test. SOA'],
    ['b.c.test.', 'A', 'NOERROR AA |  | test. SOA'],
    ['x.c.test.', 'A', 'NXDOMAIN AA |  | test. SOA'],
    ['a.b.x.test.', 'A', 'NXDOMAIN AA |  | test. SOA'],
    ['x.leaf.test.', 'A', 'NXDOMAIN AA |  | test. SOA'],
    ['y.x.leaf.test.', 'A', 'NXDOMAIN AA |  | test. SOA'],
  ])
})

test('the table of substitutions (RFC 6672 §2.2)', () => {
  const rows: readonly (readonly [qname: string, owner: string, target: string, result: string | null])[] = [
    ['com.', 'example.com.', 'example.net.', null],
    ['example.com.', 'example.com.', 'example.net.', null],
    ['a.example.com.', 'example.com.', 'example.net.', 'a.example.net.'],
    ['a.b.example.com.', 'example.com.', 'example.net.', 'a.b.example.net.'],
    ['ab.example.com.', 'b.example.com.', 'example.net.', null],
    ['foo.example.com.', 'example.com.', 'example.net.', 'foo.example.net.'],
    ['a.x.example.com.', 'x.example.com.', 'example.net.', 'a.example.net.'],
    ['a.example.com.', 'example.com.', 'y.example.net.', 'a.y.example.net.'],
    ['cyc.example.com.', 'example.com.', 'example.com.', 'cyc.example.com.'],
    ['cyc.example.com.', 'example.com.', 'c.example.com.', 'cyc.c.example.com.'],
    ['shortloop.x.x.', 'x.', '.', 'shortloop.x.'],
    ['shortloop.x.', 'x.', '.', 'shortloop.'],
  ]
  for (const [qname, owner, target, result] of rows) {
    const plan = zonePlan('.', [`${owner.slice(0, -1)} DNAME ${target}`, 'com.com TXT "x"'])
    const { answers } = lookup(compileZones([plan], new Map()), wireName(qname), typeNumber('A')!)
    const [dname, alias] = answers
    assert.equal(alias?.plan.data[0] ?? null, result, qname)
    if (result === null) continue
    assert.deepEqual([dname!.plan.owner, alias!.plan.owner], [owner, qname])
    // RFC 6672 §3.1: the CNAME lives as long as the DNAME.
    assert.equal(alias!.plan.ttl, dname!.plan.ttl)
  }
})

test('a DNAME stands for all that is below it, at the apex too, and for nothing at it (RFC 6672 §2.3, §2.4, §3.2, §5.2)', () => {
  const zones = compileZones(
    [
      zonePlan('old.', ['@ DNAME new.', '@ NS ns.new.', '@ MX 10 mail.new.', 'hidden A 192.0.2.1']),
      zonePlan('new.', ['www A 192.0.2.2', 'ns A 192.0.2.3', 'gone DNAME away.', 'a.alias CNAME www.old.']),
    ],
    new Map(),
  )
  table(zones, [
    ['old.', 'MX', 'NOERROR AA | old. MX 10 mail.new. | '],
    ['old.', 'DNAME', 'NOERROR AA | old. DNAME new. | '],
    ['old.', 'A', 'NOERROR AA |  | old. SOA'],
    ['www.old.', 'A', 'NOERROR AA | old. DNAME new., www.old. CNAME www.new., www.new. A 192.0.2.2 | '],
    // What it hides is not there, whatever was written.
    ['hidden.old.', 'A', 'NXDOMAIN AA | old. DNAME new., hidden.old. CNAME hidden.new. | new. SOA'],
    // Asked for below it, the DNAME itself redirects too.
    ['x.old.', 'DNAME', 'NXDOMAIN AA | old. DNAME new., x.old. CNAME x.new. | new. SOA'],
    [
      'x.gone.old.',
      'A',
      'NOERROR AA | old. DNAME new., x.gone.old. CNAME x.gone.new., gone.new. DNAME away., x.gone.new. CNAME x.away. | ',
    ],
    [
      'a.alias.new.',
      'A',
      'NOERROR AA | a.alias.new. CNAME www.old., old. DNAME new., www.old. CNAME www.new., www.new. A 192.0.2.2 | ',
    ],
  ])
})

test('a name that a DNAME would make of 255 octets is made, one of 256 is YXDOMAIN (RFC 6672 §2.2)', () => {
  const label = (octets: number): string => 'a'.repeat(octets)
  // 63 + 63 + 63 octets of labels with their lengths are 192, "t." takes 3: 60 are left, with the length 61.
  const zones = compileZones([zonePlan('t.', [`d DNAME ${[63, 63, 63].map(label).join('.')}.t.`])], new Map())
  assert.match(ask(zones, `${label(59)}.d.t.`, 'A'), /^NXDOMAIN AA \| d\.t\. DNAME /)
  assert.match(ask(zones, `${label(60)}.d.t.`, 'A'), /^YXDOMAIN AA \| d\.t\. DNAME [^,]* \| $/)
})
