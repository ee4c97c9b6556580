import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { temporaryFolder } from '../test/folder.ts'
import { peer, run } from '../test/peers.ts'
import { rdataExamples } from '../test/rdata-examples.ts'

const checkzone = peer('named-checkzone')
const skip = checkzone === undefined && 'needs named-checkzone'

const main = join(import.meta.dirname, '../src/main.ts')
const folder = temporaryFolder()

const zone = `$TTL 1h
@ SOA ns1 hostmaster 1 2h 1h 2w 5m
@ NS ns1
@ NS ns2.other.example.
@ A 198.51.100.4
@ MX 10 mail
@ TXT "v=spf1 -all"
@ TXT "one; \\"two\\"" "\\255"
ns1 A 198.51.100.5
mail 2d AAAA 2001:db8::5
www 300 CNAME @
*.wild A 198.51.100.6
sub NS ns.sub
sub DS 1 13 2 ${'ab'.repeat(32)}
ns.sub A 198.51.100.7
_sip._tcp SRV 10 5 5060 mail
`

/** Names that no host may have as a target, and what no zone or no peer holds. */
const left = new Set([
  'SOA',
  'NULL',
  'DSYNC',
  'HHIT',
  'BRID',
  'RESINFO',
  'WALLET',
  'CLA',
  'IPN',
  'RRSIG',
  'NSEC',
  'NSEC3',
  'NSEC3PARAM',
  'NXT',
  'SIG',
  'SPF',
  'CNAME',
  'DNAME',
])

/** Types that speak of a zone, and stand at its apex alone. */
const ofApex = new Set(['DNSKEY', 'CDS', 'CDNSKEY', 'CSYNC'])

const examples = rdataExamples
  // Half a key of DKIM is refused by a check of its own.
  .filter(([type, data]) => !left.has(type) && !data.includes('DKIM'))
  .flatMap(([type, data], i) => {
    const owner = ofApex.has(type) ? '@' : `e${i}`
    return [`${owner} ${type} ${data}`, ...(type === 'DS' ? [`${owner} NS ns1`] : [])]
  })

test('a zone that is imported and exported again has the same records for named-checkzone', {
  skip,
}, async () => {
  await roundTrip('example.com.zone', zone)
})

test('records of every type come through import and export', { skip }, async () => {
  await roundTrip(
    'types.zone',
    `$TTL 60\n@ SOA ns1 hostmaster 1 2h 1h 2w 5m\n@ NS ns1\nns1 A 198.51.100.5\n${examples.join('\n')}\n`,
  )
})

test('named-checkzone accepts the zone that follows from hosts', { skip }, async () => {
  const hosts = { '@': { service: 8081 }, '*': { service: 8082 }, shop: { alias: 'shop.example.net' } }
  const file = { address: ['203.0.113.7', '2001:db8::7'], domains: { 'example.com': { hosts } } }
  const records = await exported(JSON.stringify(file))
  assert.ok(records.includes('*.example.com. 300 IN AAAA 2001:db8::7'), records.join('\n'))
  assert.ok(records.includes('shop.example.com. 300 IN CNAME shop.example.net.'))
})

async function roundTrip(name: string, text: string): Promise<void> {
  writeFileSync(join(folder, name), text)
  const { code, stdout, stderr } = await run(
    process.execPath,
    [main, 'import', 'zone', name, '--domain', 'example.com'],
    { cwd: folder },
  )
  assert.equal(code, 0, stderr)
  assert.deepEqual(await exported(stdout), await loaded(join(folder, name)))
}

/** The records that a file has once it is exported, as the peer reads them. */
async function exported(file: string): Promise<string[]> {
  writeFileSync(join(folder, 'portico.jsonc'), file)
  const { code, stdout, stderr } = await run(process.execPath, [main, 'export', 'zone', 'example.com'], {
    cwd: folder,
  })
  assert.equal(code, 0, stderr)
  writeFileSync(join(folder, 'exported'), stdout)
  return loaded(join(folder, 'exported'))
}

/** Every record but the SOA, as the peer prints it. */
async function loaded(path: string): Promise<string[]> {
  const args = [
    '-D',
    '-i',
    'none',
    '-k',
    'ignore',
    '-F',
    'text',
    '-s',
    'full',
    '-o',
    join(folder, 'text'),
    'example.com.',
    path,
  ]
  const { code, stdout, stderr } = await run(checkzone!, args)
  assert.equal(code, 0, `${stdout}${stderr}`)
  const lines = readFileSync(join(folder, 'text'), 'utf8')
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' '))
  return lines.filter((line) => line !== '' && !/ SOA /.test(line)).sort()
}
