import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { silent } from '#core/log.ts'
import { dnskeyData, generateKey } from '#dns/dnssec/key.ts'
import { keyZones } from '#dns/dnssec/keyed-zones.ts'
import { advance } from '#dns/dnssec/roll.ts'
import { createSigning } from '#dns/dnssec/signer.ts'
import { tagOf } from '#dns/dnssec/zone-keys.ts'
import { createDnsServer } from '#dns/server.ts'
import { compileZones } from '#dns/zone.ts'
import { peer, run } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { until } from '../test/running.ts'
import { zonePlan } from '../test/zone-fixture.ts'

const [delv, dig, unbound] = [peer('delv'), peer('dig'), peer('unbound')]
const skip = [delv, dig, unbound].includes(undefined) && 'needs delv, dig and unbound'

const wanted = { propagationMs: 0, lifetimeMs: null, resolver: null, denial: 'nsec' } as const
const plan = {
  ...zonePlan('example.', [
    '@ NS ns1.example.',
    'ns1 A 192.0.2.1',
    'mail A 192.0.2.5',
    '*.wild A 192.0.2.2',
    'a.b.ent TXT "x"',
    'dn DNAME wild.example.',
    'gone CNAME none.example.',
    'unsigned NS ns.unsigned.example.',
    'ns.unsigned A 192.0.2.3',
  ]),
  dnssec: wanted,
}
const saved = advance(undefined, {
  ...{ wanted, nowSeconds: 0, ttl: 0, parent: null, command: null, newKey: generateKey, tagOf },
})!
const { zones, keys } = keyZones([plan], { [plan.id]: saved })
const signing = createSigning({ now: () => Date.now() / 1000, budget: { take: () => true } })
const server = createDnsServer({
  zones: compileZones(zones, new Map(), undefined, {
    signerOf: (zone) => signing.signerOf(zone, keys.get(zone.id)!),
  }),
  limits: { udpPayload: 1232, tcpConnections: 16, tcpIdleMs: 5000 },
  log: silent,
})

let port = 0
let folder = ''
const dnskey = dnskeyData(saved.keys[0]!.publicKey)

before(async () => {
  port = (await server.listen('127.0.0.1', 0)).port
  folder = await mkdtemp(join(tmpdir(), 'portico-spans-'))
  const anchor = `trust-anchors { "example." static-key ${dnskey.replace(/ (\S+)$/, ' "$1"')}; };\n`
  await writeFile(join(folder, 'anchor.conf'), anchor)
})
after(async () => {
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

const THERE = [
  ['example', 'SOA'],
  ['mail.example', 'A'],
  ['x.wild.example', 'A'],
  ['y.dn.example', 'A'],
  ['mail.example', 'NSEC'],
] as const

/** With the rcode: a name that is not there is NXDOMAIN, for clients without RFC 9824 too. */
const NOT_THERE = [
  ['none.example', 'A', 'ncache nxdomain'],
  ['a.none.example', 'TXT', 'ncache nxdomain'],
  ['aaa.example', 'A', 'ncache nxdomain'],
  ['zzz.example', 'A', 'ncache nxdomain'],
  ['z.b.ent.example', 'A', 'ncache nxdomain'],
  ['none.example', 'NSEC', 'ncache nxdomain'],
  ['ent.example', 'A', 'ncache nxrrset'],
  ['x.wild.example', 'MX', 'ncache nxrrset'],
  ['mail.example', 'AAAA', 'ncache nxrrset'],
  ['unsigned.example', 'DS', 'ncache nxrrset'],
] as const

async function validate(name: string, type: string): Promise<string> {
  const args = ['@127.0.0.1', '-p', `${port}`, '-a', join(folder, 'anchor.conf'), '+root=example']
  const { stdout, stderr } = await run(delv!, [...args, name, type])
  return stdout + stderr
}

for (const [name, type] of THERE) {
  test(`delv validates ${name} ${type} beside spans`, { skip }, async () => {
    assert.match(await validate(name, type), /; fully validated/)
  })
}
for (const [name, type, kind] of NOT_THERE) {
  test(`delv validates by spans that there is no ${name} ${type} (RFC 4035 §3.1.3.2)`, { skip }, async () => {
    const said = await validate(name, type)
    assert.match(said, /negative response, fully validated/)
    assert.match(said, new RegExp(`resolution failed: ${kind}`))
  })
}

test('a validating unbound denies by itself what a span covers (RFC 8198 §5.1)', { skip }, async () => {
  const at = await freePort()
  const config = `server:
  interface: 127.0.0.1@${at}
  directory: "${folder}"
  pidfile: "${join(folder, 'unbound.pid')}"
  username: ""
  chroot: ""
  use-syslog: no
  do-daemonize: no
  do-not-query-localhost: no
  aggressive-nsec: yes
  trust-anchor: "example. DNSKEY ${dnskey}"
remote-control:
  control-enable: no
stub-zone:
  name: example.
  stub-addr: 127.0.0.1@${port}
`
  await writeFile(join(folder, 'unbound.conf'), config)
  const resolver: ChildProcess = spawn(unbound!, ['-d', '-c', join(folder, 'unbound.conf')], {
    stdio: 'ignore',
  })
  const ask = async (name: string, type: string): Promise<string> => {
    const args = ['@127.0.0.1', '-p', `${at}`, '+dnssec', '+time=3', '+tries=1', name, type]
    return (await run(dig!, args)).stdout
  }
  try {
    await until(async () => /status: NOERROR/.test(await ask('example', 'SOA')), 30_000)
    for (const [name, type] of [...THERE, ...NOT_THERE, ['gone.example', 'A'] as const])
      assert.match(
        await ask(name, type),
        /status: (NOERROR|NXDOMAIN).*\n.*flags:[^;]* ad[ ;]/,
        `${name} ${type}`,
      )
    // Between "mail" and "ns1" there is nothing, and a span has said so.
    const { queries } = server.stats()
    for (let i = 0; i < 20; i++)
      assert.match(await ask(`n${i}o.example`, 'A'), /status: NXDOMAIN.*\n.*flags:[^;]* ad[ ;]/)
    assert.equal(server.stats().queries, queries)
  } finally {
    const gone = once(resolver, 'exit')
    resolver.kill('SIGTERM')
    await gone
  }
})
