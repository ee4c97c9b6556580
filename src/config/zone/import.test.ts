import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { parseMasterFile } from '#dns/wire/masterfile.ts'
import { plan } from '#plan/plan.ts'
import { loadText } from '../load.ts'
import { importZone } from './import.ts'
import { printZoneFile } from './print.ts'

const HEAD = '$TTL 1h\n@ SOA ns1.old.example. admin.example.com. 1 2h 1h 2w 5m\n'

function domainOf(lines: string): { ttl?: unknown; records: unknown } {
  const { value, problems } = importZone(`${HEAD}${lines}\n`, { file: 'zone', guess: 'example.com.' })
  assert.deepEqual(problems, [])
  return value!.domains['example.com']!
}

// a line of the zone, and what stands in `records`
const cases: [line: string, records: unknown][] = [
  ['www A 192.0.2.1', { www: { A: '192.0.2.1' } }],
  ['www A 192.0.2.1\nwww A 192.0.2.2', { www: { A: ['192.0.2.1', '192.0.2.2'] } }],
  ['www A 192.0.2.1\nWWW A 192.0.2.1', { www: { A: '192.0.2.1' } }],
  ['a.b AAAA 2001:db8::1', { 'a.b': { AAAA: '2001:db8::1' } }],
  ['@ MX 10 mail', { '@': { MX: '10 mail' } }],
  ['@ MX 10 mail.in', { '@': { MX: '10 mail.in.example.com' } }],
  ['@ MX 10 mx.other.net.', { '@': { MX: '10 mx.other.net' } }],
  ['@ MX 10 localhost.', { '@': { MX: '10 localhost.' } }],
  ['@ MX 0 .', { '@': { MX: '0 .' } }],
  ['www CNAME @', { www: { CNAME: '@' } }],
  ['_sip._tcp SRV 1 2 5060 sip', { '_sip._tcp': { SRV: '1 2 5060 sip' } }],
  ['@ HTTPS 1 . alpn=h2', { '@': { HTTPS: '1 . alpn="h2"' } }],
  ['@ TXT "v=spf1 -all"', { '@': { TXT: 'v=spf1 -all' } }],
  ['@ TXT "say \\"hi\\" \\\\ ;"', { '@': { TXT: 'say "hi" \\ ;' } }],
  ['@ TXT "\\"hi\\""', { '@': { TXT: '"\\"hi\\""' } }],
  ['@ TXT "\\255"', { '@': { TXT: '"\\255"' } }],
  ['@ TXT a b', { '@': { TXT: '"a" "b"' } }],
  ['x TYPE65280 \\# 2 0102', { x: { TYPE65280: '\\# 2 0102' } }],
  [
    'a A 192.0.2.1\nb A 192.0.2.2\nc 90 A 192.0.2.3',
    { a: { A: '192.0.2.1' }, b: { A: '192.0.2.2' }, c: { A: { data: '192.0.2.3', ttl: 90 } } },
  ],
  ['@ NS ns1.old.example.', { '@': { NS: 'ns1.old.example' } }],
  ['@ NS ns1\nns1 A 192.0.2.1', { ns1: { A: '192.0.2.1' } }],
  [
    '@ NS ns1\n@ NS ns2.old.example.\nns1 A 192.0.2.1',
    { '@': { NS: ['ns1', 'ns2.old.example'] }, ns1: { A: '192.0.2.1' } },
  ],
]

for (const [line, records] of cases) {
  test(`importZone() writes records as people do (RFC 1035 §5): ${line}`, () => {
    assert.deepEqual(domainOf(line).records, records)
  })
}

test('importZone() takes the most common TTL for the domain', () => {
  assert.equal(domainOf('a 300 A 192.0.2.1\nb 300 A 192.0.2.1\nc A 192.0.2.1').ttl, '5m')
  assert.equal(domainOf('a 61 A 192.0.2.1').ttl, 61)
  assert.equal(domainOf('a 0 A 192.0.2.1').ttl, 0)
})

test('importZone() reads the contact from RNAME (RFC 1035 §8)', () => {
  const contactOf = (rname: string): string | undefined => {
    const text = `@ 60 SOA ns1 ${rname} 1 2 3 4 5`
    return importZone(text, { file: 'zone', guess: 'example.com.' }).value?.contact
  }
  assert.equal(contactOf('host.master'), 'host@master.example.com')
  assert.equal(contactOf('jane\\.doe.example.net.'), 'jane.doe@example.net')
  assert.equal(contactOf('.'), undefined)
  assert.equal(contactOf('odd\\@one.example.net.'), undefined)
})

// what is not carried over, or differs: `line level`
const noted: [line: string, notes: readonly string[]][] = [
  ['www.other.example. A 192.0.2.1', ['3 not understood']],
  ['@ NS ns.old.example.', ['3 assumed']],
  ['a 60 A 192.0.2.1\na 70 A 192.0.2.2', ['4 assumed']],
  ['a NSEC b.example.com. A\na DNSKEY 256 3 13 AAAA', ['3 not understood']],
]

for (const [line, notes] of noted) {
  test(`importZone() notes what it changes or leaves out (RFC 2181 §5.2): ${line}`, () => {
    const found = importZone(`${HEAD}${line}\n`, { file: 'zone', guess: 'example.com.' }).notes
    const shown = found.map((note) => `${note.line} ${note.level}`).filter((note) => note !== '2 dropped')
    assert.deepEqual(shown, notes)
  })
}

test('importZone() learns the domain from the SOA, or from who asks', () => {
  const named = (text: string, options: { domain?: string; guess: string }): string[] | undefined => {
    const { value } = importZone(text, { file: 'zone', ...options })
    return value === null ? undefined : Object.keys(value.domains)
  }
  const soa = 'SOA a. b. 1 2 3 4 5'
  assert.deepEqual(named(`@ 60 ${soa}`, { guess: 'guessed.example.' }), ['guessed.example'])
  assert.deepEqual(named(`Own.example. 60 ${soa}`, { guess: '.' }), ['own.example'])
  assert.deepEqual(named(`$ORIGIN example.\nown 60 ${soa}`, { guess: '.' }), ['own.example'])
  assert.deepEqual(named(`@ 60 ${soa}`, { guess: '.', domain: 'given.example.' }), ['given.example'])
  assert.equal(named(`@ 60 ${soa}`, { guess: '.' }), undefined)
})

test('importZone() keeps reading after a line that it cannot read', () => {
  const { value, problems } = importZone(`${HEAD}a A 192.0.2\nb A 192.0.2.2\n`, {
    file: 'zone',
    guess: 'example.com.',
  })
  assert.deepEqual(
    problems.map(({ at }) => at.line),
    [3],
  )
  assert.deepEqual(value?.domains['example.com']?.records, { b: { A: '192.0.2.2' } })
})

const owner = fc.constantFrom('@', 'www', 'a.b', '*', '1', '__proto__', 'constructor', 'x-1')
const text = fc.uint8Array({ maxLength: 40 }).map((octets) => {
  return `TXT "${[...octets].map((octet) => `\\${String(octet).padStart(3, '0')}`).join('')}"`
})
const rdata = fc.oneof(
  text,
  fc.ipV4().map((address) => `A ${address}`),
  fc.constantFrom('mail', 'a.b', '@', 'other.net.', 'net.', 'Mail').map((name) => `MX 10 ${name}`),
)

test('a zone that is printed as a Portico file and planned has the same records', () => {
  const records = fc.array(fc.tuple(owner, fc.constantFrom(60, 3600, 3601), rdata), { maxLength: 12 })
  fc.assert(
    fc.property(records, (lines) => {
      const zone = `${HEAD}@ NS ns.old.example.\n${lines.map(([name, ttl, data]) => `${name} ${ttl} ${data}`).join('\n')}\n`
      const { value } = importZone(zone, { file: 'zone', guess: 'example.com.' })
      const { config } = loadText('portico.jsonc', printZoneFile(value!))
      const { plan: planned } = plan(config!, { dev: false, addresses: ['192.0.2.99'] })
      const got = planned.dns.zones[0]!.rrsets.flatMap((set) =>
        set.data.map((data) => `${set.owner} ${set.type} ${data}`),
      )
      const parsed = parseMasterFile(zone, { origin: 'example.com.', file: 'zone' }).records
      const wanted = parsed
        .filter(({ type }) => type !== 'SOA')
        .map(
          (record) =>
            `${record.owner} ${record.type} ${record.type === 'MX' ? record.data.toLowerCase() : record.data}`,
        )
      assert.deepEqual([...new Set(got)].sort(), [...new Set(wanted)].sort())
    }),
    { numRuns: 200 },
  )
})
