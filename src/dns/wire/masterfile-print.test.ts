import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMasterFile } from './masterfile.ts'
import { type PrintedRRset, printMasterFile } from './masterfile-print.ts'

const soa = { ttl: 3600, data: 'ns1.example.com. admin.example.com. 1 7200 3600 1209600 300' }
const rrsets: PrintedRRset[] = [
  { owner: 'www.example.com.', type: 'AAAA', ttl: 300, data: ['2001:db8::1'] },
  { owner: 'WWW.example.com.', type: 'A', ttl: 300, data: ['192.0.2.1', '192.0.2.2'] },
  { owner: 'a.www.example.com.', type: 'TXT', ttl: 60, data: ['"a;b"'] },
  { owner: 'example.com.', type: 'MX', ttl: 300, data: ['10 mail.example.com.'] },
  { owner: 'example.com.', type: 'NS', ttl: 3600, data: ['ns1.example.com.'] },
  { owner: '*.example.com.', type: 'TYPE65280', ttl: 300, data: ['\\# 0'] },
]

test('printMasterFile() writes the SOA first, then names in canonical order (RFC 1035 §5, RFC 4034 §6.1)', () => {
  assert.equal(
    printMasterFile({ apex: 'example.com.', soa, rrsets }),
    [
      '$ORIGIN example.com.',
      '$TTL 300',
      '@     3600 IN SOA       ns1.example.com. admin.example.com. 1 7200 3600 1209600 300',
      '@     3600 IN NS        ns1.example.com.',
      '@          IN MX        10 mail.example.com.',
      '*          IN TYPE65280 \\# 0',
      'www        IN A         192.0.2.1',
      'www        IN A         192.0.2.2',
      'www        IN AAAA      2001:db8::1',
      'a.www   60 IN TXT       "a;b"',
      '',
    ].join('\n'),
  )
})

test('A printed zone does not depend on the order of its RRsets', () => {
  const printed = printMasterFile({ apex: 'example.com.', soa, rrsets })
  assert.equal(printMasterFile({ apex: 'example.com.', soa, rrsets: [...rrsets].reverse() }), printed)
})

test('A printed zone is read back, also the root and a zone with escapes in its name', () => {
  for (const apex of ['example.com.', '.', 'a\\.b.\\@.']) {
    const owners = [apex, `www.${apex}`.replace('..', '.'), `\\@.x\\.y.${apex}`.replace('..', '.')]
    const zone = {
      apex,
      soa,
      rrsets: owners.map((owner) => ({ owner, type: 'A', ttl: 300, data: ['192.0.2.1'] })),
    }
    const { records, problems } = parseMasterFile(printMasterFile(zone), { origin: '.', file: 'zone' })
    assert.deepEqual(problems, [])
    const found = records.filter((record) => record.type === 'A').map((record) => record.owner)
    assert.deepEqual(found.sort(), owners.sort())
  }
})

test('An owner outside the zone is a bug of the caller', () => {
  const zone = {
    apex: 'example.com.',
    soa,
    rrsets: [{ owner: 'a.org.', type: 'A', ttl: 1, data: ['192.0.2.1'] }],
  }
  assert.throws(() => printMasterFile(zone), /a\.org\. is not within example\.com\./)
})
