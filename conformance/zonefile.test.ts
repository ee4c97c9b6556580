import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseMasterFile } from '#dns/wire/masterfile.ts'
import { type PrintedRRset, printMasterFile } from '#dns/wire/masterfile-print.ts'
import { parseName, printName } from '#dns/wire/name.ts'
import { parseRdata, printRdata } from '#dns/wire/rdata.ts'
import { typeName, typeNumber } from '#dns/wire/types.ts'
import { peer, run } from '../test/peers.ts'
import { rdataExamples } from '../test/rdata-examples.ts'

const checkzone = peer('named-checkzone')
const skip = checkzone === undefined && 'needs named-checkzone'

const apex = 'example.com.'
const origin = parseName(apex) as Uint8Array
const soa = { ttl: 3600, data: 'ns1.example.net. admin.example.com. 1 7200 3600 1209600 300' }
const apexRRset: PrintedRRset = { owner: apex, type: 'NS', ttl: 3600, data: ['ns1.example.net.'] }

/** BIND 9.18 has no text of its own for these; RFC 3597 makes do. */
const unknownToPeer = new Set(['DSYNC', 'HHIT', 'BRID', 'RESINFO', 'WALLET', 'CLA', 'IPN'])
/** No zone that BIND loads may hold these. */
const refusedByPeer = new Set(['SOA', 'NULL'])

test('named-checkzone and Portico read the same octets from rdata of every type', { skip }, async () => {
  const rrsets = exampleRRsets()
  const { records, text } = await loadByPeer(printMasterFile({ apex, soa, rrsets: [apexRRset, ...rrsets] }))
  const printed = parseMasterFile(text, { origin: apex, file: 'as named-checkzone prints it' })
  assert.deepEqual(printed.problems, [])
  for (const { owner, type, data } of rrsets) {
    const wire = encode(type, data[0]!)
    const isOurs = (record: { owner: string; type: string }) =>
      record.owner === owner && typeNumber(record.type) === typeNumber(type)
    assert.equal(records.find(isOurs)?.rdata, wire, `${type} ${data[0]}`)
    const back = printed.records.find(isOurs)
    assert.equal(encode(type, back?.data ?? ''), wire, `${type} ${data[0]}`)
  }
})

test('Owners that need escapes pass through a printed master file (RFC 1035 §5.1)', { skip }, async () => {
  const owners = [
    '@',
    '*',
    '_sip._tcp',
    'a\\.b',
    'a\\032b',
    '\\@',
    '\\$x',
    '\\"',
    '\\;',
    '\\(',
    '\\\\',
    '\\000\\255',
    '1h',
    'in',
    'a',
  ]
  const rrsets = owners.map((owner) => ({
    owner: printName(parseName(owner === '@' ? apex : owner, origin) as Uint8Array),
    type: 'TXT',
    ttl: 60,
    data: ['"; \\" ( \\\\ $ @"'],
  }))
  const { records } = await loadByPeer(printMasterFile({ apex, soa, rrsets: [apexRRset, ...rrsets] }))
  const theirs = records.filter((record) => record.type === 'TXT')
  assert.deepEqual(theirs.map((record) => record.owner).sort(), rrsets.map((rrset) => rrset.owner).sort())
  assert.deepEqual(
    new Set(theirs.map((record) => record.rdata)),
    new Set([Buffer.from('\x0b; " ( \\ $ @').toString('hex')]),
  )
})

test('Portico and named-checkzone read the same records from a master file (RFC 1035 §5, RFC 2308 §4)', {
  skip,
}, async () => {
  const file = [
    '$TTL 1h',
    '@ IN SOA ns1 admin ( 1 ; serial',
    '   2h 1h30m',
    ' 2w ) 5m )'.replace(' )', ''),
    ' NS ns1',
    'ns1 A 192.0.2.1 ; a comment',
    '\t2d IN AAAA 2001:db8::1',
    'IN IN 60 A 192.0.2.9',
    '$ORIGIN sub',
    'www 60 A 192.0.2.2',
    '*.w\\.x CNAME www',
    '$TTL 120',
    '@ MX 10 www.example.com.',
    't TXT ( "a;b" c\\;d',
    '  "e" )',
    'u TYPE65280 \\# 3 ( 01 02',
    '  03 )',
    '$ORIGIN example.com.',
    'v CLASS1 TYPE1 \\# 4 C0000201\r',
    '',
  ].join('\n')
  const { records: theirs } = await loadByPeer(file)
  const { records, problems } = parseMasterFile(file, { origin: apex, file: 'zone' })
  assert.deepEqual(problems, [])
  const ours = records.map((record) => ({ ...record, rdata: encode(record.type, record.data) }))
  const line = (record: Loaded) => `${record.owner} ${record.ttl} ${record.type} ${record.rdata}`
  assert.equal(ours.length, 11)
  assert.deepEqual(ours.map(line).sort(), theirs.map(line).sort())
})

function exampleRRsets(): PrintedRRset[] {
  return rdataExamples
    .filter(([type]) => !refusedByPeer.has(type))
    .map(([mnemonic, written], i) => {
      const digits = encode(mnemonic, written)
      const [type, data] = unknownToPeer.has(mnemonic)
        ? [`TYPE${typeNumber(mnemonic)}`, `\\# ${digits.length / 2} ${digits}`]
        : [mnemonic, printRdata(typeNumber(mnemonic)!, Buffer.from(digits, 'hex'))]
      return { owner: `e${i}.${apex}`, type, ttl: 300, data: [data] }
    })
}

/** The wire form in hexadecimal. */
function encode(type: string, data: string): string {
  const rdata = parseRdata(typeNumber(type)!, data, origin)
  assert.ok(typeof rdata !== 'string', String(rdata))
  return Buffer.from(rdata.wire).toString('hex')
}

type Loaded = { readonly owner: string; readonly ttl: number; readonly type: string; readonly rdata: string }

/** Load a zone as named does; what it then holds, as octets and as its own text. */
async function loadByPeer(file: string): Promise<{ records: Loaded[]; text: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'portico-zone-'))
  try {
    const path = join(folder, 'zone')
    await writeFile(path, file)
    for (const format of ['raw', 'text']) {
      const args = ['-D', '-i', 'none', '-k', 'ignore', '-F', format, '-o', join(folder, format), apex, path]
      const { code, stdout, stderr } = await run(checkzone!, args)
      assert.equal(code, 0, `${stdout}${stderr}`)
    }
    const text = await readFile(join(folder, 'text'), 'utf8')
    return { records: readRaw(await readFile(join(folder, 'raw'))), text }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** BIND's raw zone format, version 1: a header of 24 octets, then RRsets. */
function readRaw(octets: Buffer): Loaded[] {
  const records: Loaded[] = []
  for (let start = 24; start < octets.length; start += octets.readUInt32BE(start)) {
    // length 4, class 2, type 2, covered type 2, TTL 4, count 4, length of the owner 2, owner
    const type = typeName(octets.readUInt16BE(start + 6))
    const ttl = octets.readUInt32BE(start + 10)
    const count = octets.readUInt32BE(start + 14)
    let at = start + 20 + octets.readUInt16BE(start + 18)
    const owner = printName(octets.subarray(start + 20, at))
    for (let i = 0; i < count; i++) {
      const length = octets.readUInt16BE(at)
      const rdata = octets.subarray(at + 2, (at += 2 + length)).toString('hex')
      records.push({ owner, ttl, type, rdata })
    }
  }
  return records
}
