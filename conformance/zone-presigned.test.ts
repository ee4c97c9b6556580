import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { peer, run } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { type Running, startRunning, until } from '../test/running.ts'
import { ask, type NameServer, SECRET, serialAt, startKnot } from './name-servers.ts'

const knotd = peer('knotd')
const delv = peer('delv')
const nsupdate = peer('nsupdate')
const kdig = peer('kdig')
const skip = [knotd, delv, nsupdate, kdig].includes(undefined) && 'needs knotd, delv, nsupdate and kdig'

process.env['PORTICO_TEST_KEY'] = SECRET
const keys = { transfer: { secret: { env: 'PORTICO_TEST_KEY' } } }

/** How the primary proves what is not there. */
const ZONES = ['nsec.test', 'nsec3.test', 'optout.test']

const TEXT = `$TTL 60
@ SOA ns1 hostmaster 1 600 600 6000 60
@ NS ns1
ns1 A 192.0.2.1
www A 192.0.2.2
*.wild A 192.0.2.3
*.wild TXT "any"
there.wild A 192.0.2.4
alias CNAME x.wild
a.b.ent TXT "x"
dn DNAME wild
sub NS ns.sub
ns.sub A 192.0.2.5
secure NS ns1
secure DS 1 13 2 ${'ab'.repeat(32)}
zz A 192.0.2.6
`

let portico: Running
let knot: NameServer

before(async () => {
  if (skip !== false) return
  const port = await freePort()
  const from = { secondary: { from: `127.0.0.1:${port}`, key: 'transfer' } }
  const domains = Object.fromEntries(ZONES.map((zone) => [zone, from]))
  portico = await startRunning({ hosts: {} }, { keys, domains })
  const policy = (id: string, lines: string): string =>
    `  - id: ${id}\n    algorithm: ECDSAP256SHA256\n${lines}`
  knot = await startKnot(knotd!, {
    ...{ port, peerPort: portico.ports.dns },
    files: Object.fromEntries(ZONES.map((zone) => [`${zone}.zone`, TEXT])),
    templates: `policy:\n${policy('nsec', '    nsec3: off\n')}${policy('nsec3', '    nsec3: on\n    nsec3-iterations: 3\n')}${policy('optout', '    nsec3: on\n    nsec3-opt-out: on\n')}`,
    zones: ZONES.map((zone) => {
      const signing = `    dnssec-signing: on\n    dnssec-policy: ${zone.split('.')[0]}`
      return `  - domain: ${zone}\n    acl: peer\n    notify: portico\n${signing}`
    }).join('\n'),
  })
  for (const zone of ZONES) await inStep(zone)
})
after(async () => {
  await Promise.all([portico?.stop(), knot?.stop()])
})

async function inStep(zone: string): Promise<void> {
  await until(async () => {
    const serial = await serialAt(knot.port, zone)
    return serial > 0 && (await serialAt(portico.ports.dns, zone)) === serial
  }, 60_000).catch((error: unknown) => {
    throw new Error(`${error}: ${portico.output().slice(-2000)} ${knot.output().slice(-2000)}`)
  })
}

async function validated(zone: string, name: string, type: string): Promise<string> {
  const said = await ask(portico.ports.dns, zone, 'DNSKEY')
  const trusted = said
    .split(' | ')
    .filter((key) => key.startsWith('257'))
    .map((key) => {
      const [flags, protocol, algorithm, ...rest] = key.split(' ')
      return `"${zone}." static-key ${flags} ${protocol} ${algorithm} "${rest.join('')}";`
    })
  const anchor = join(portico.folder, `${zone}.conf`)
  await writeFile(anchor, `trust-anchors { ${trusted.join(' ')} };\n`)
  const at = ['@127.0.0.1', '-p', `${portico.ports.dns}`, '-a', anchor, `+root=${zone}`]
  const { stdout, stderr } = await run(delv!, [...at, name === '@' ? zone : `${name}.${zone}`, type])
  return `${stdout}${stderr}`
}

const THERE = /^; fully validated/
const NOT_THERE = /^; negative response, fully validated\n.*NXDOMAIN/
const NO_TYPE = /^; negative response, fully validated\n.*NXRRSET/

const CASES = [
  ['@', 'SOA', THERE],
  ['www', 'A', THERE],
  ['x.wild', 'A', THERE],
  ['x.y.wild', 'TXT', THERE],
  ['alias', 'A', THERE],
  ['q.dn', 'A', THERE],
  ['secure', 'DS', THERE],
  ['none', 'A', NOT_THERE],
  ['a.none', 'A', NOT_THERE],
  ['zzz', 'A', NOT_THERE],
  ['x.there.wild', 'A', NOT_THERE],
  ['www', 'TXT', NO_TYPE],
  ['@', 'TXT', NO_TYPE],
  ['x.wild', 'MX', NO_TYPE],
  ['alias', 'MX', /^; fully validated[\s\S]*NXRRSET/],
  ['b.ent', 'A', NO_TYPE],
  ['ent', 'TXT', NO_TYPE],
  ['sub', 'DS', NO_TYPE],
] as const

// Where an NSEC3 opts out, what a wildcard gives counts as unsigned (RFC 5155 §12.2.1): those are compared below.
for (const zone of ['nsec.test', 'nsec3.test']) {
  test(`answers of a copy that its primary has signed are validated: ${zone} (RFC 4035 §3.1.3, §3.1.3.3, RFC 5155 §7.2, §7.2.6)`, {
    skip,
  }, async () => {
    for (const [name, type, wanted] of CASES) {
      const said = await validated(zone, name, type)
      assert.match(said, wanted, `${name} ${type}: ${said}`)
      assert.doesNotMatch(said, /resolution failed: (?!ncache)/)
    }
  })
}

test('a copy in answers is as its primary has it: sections, rcode and TTLs (RFC 4035 §3.1, RFC 4034 §4.1.1)', {
  skip,
}, async () => {
  for (const zone of ZONES) {
    for (const [name, type] of [...CASES, ['sub', 'A'], ['x.secure', 'A']] as const) {
      const asked = async (port: number): Promise<string[]> => {
        const qname = name === '@' ? zone : `${name}.${zone}`
        const at = ['@127.0.0.1', '-p', `${port}`, '+dnssec', '+noadditional', '+nocomments', '+nostats']
        const { stdout } = await run(kdig!, [...at, '+norecurse', qname, type])
        const lines = stdout.split('\n').filter((line) => line !== '' && !line.startsWith(';'))
        return lines.map((line) => line.replace(/\s+/g, ' ')).sort()
      }
      assert.deepEqual(await asked(portico.ports.dns), await asked(knot.port), `${name}.${zone} ${type}`)
    }
  }
})

test('explain says who has signed, and until when (RFC 4034 §3.2)', { skip }, async () => {
  const { stdout } = await portico.command('explain', 'www.nsec3.test', 'A')
  assert.match(stdout, /dnssec +signed elsewhere by key \d+, until 2\d{3}-\d\d-\d\d \d\d:\d\dZ/)
})

test('a change that the primary signs comes by IXFR, and holds (RFC 1995 §4)', { skip }, async () => {
  for (const zone of ZONES) {
    const lines = [
      `server 127.0.0.1 ${knot.port}`,
      `zone ${zone}`,
      `key hmac-sha256:transfer ${SECRET}`,
      `update add new.${zone} 60 A 192.0.2.9`,
      `update delete zz.${zone}`,
      'send',
    ]
    const { code, stderr } = await run(nsupdate!, [], { input: `${lines.join('\n')}\n` })
    assert.equal(code, 0, stderr)
    await until(async () => (await ask(portico.ports.dns, `new.${zone}`, 'A')) === '192.0.2.9', 60_000)
    assert.match(await validated(zone, 'new', 'A'), THERE)
    if (zone !== 'optout.test') assert.match(await validated(zone, 'zz', 'A'), NOT_THERE)
    assert.match(portico.output(), new RegExp(`zone copied zone=${zone} serial=\\d+ by=changes`))
  }
})
