import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { peer, run } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { type Running, startRunning, until } from '../test/running.ts'
import { ask, type NameServer, SECRET, serialAt, startKnot, startNsd } from './name-servers.ts'

const knotd = peer('knotd')
const nsd = peer('nsd')
const kdig = peer('kdig')
const delv = peer('delv')
const nsupdate = peer('nsupdate')
const ldnsVerifyZone = peer('ldns-verify-zone')
const dnssecVerify = peer('dnssec-verify')
const skip =
  [knotd, nsd, kdig, delv, nsupdate, ldnsVerifyZone, dnssecVerify].includes(undefined) &&
  'needs knotd, nsd, kdig, delv, nsupdate, ldns-verify-zone and dnssec-verify'

const ZONE = 'example.com'
const keys = { transfer: { secret: { env: 'PORTICO_TEST_KEY' } } }
process.env['PORTICO_TEST_KEY'] = SECRET

let portico: Running
let metricsPort = 0
let secondaries: NameServer[] = []

const filling = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, { A: `192.0.2.${i}` }]))

before(async () => {
  if (skip !== false) return
  const port = await freePort()
  metricsPort = await freePort()
  const metrics = { listen: `127.0.0.1:${metricsPort}` }
  const domain = {
    dnssec: { propagation: '0s', resolver: '127.0.0.1:9' },
    hosts: {},
    records: {
      '@': { NS: 'ns1', ALIAS: 'target.other.test.' },
      ns1: { A: '192.0.2.1' },
      '*.wild': { TXT: 'any' },
      sub: { NS: 'ns.sub.example.com.' },
      'ns.sub': { A: '192.0.2.3' },
      'a.b.ent': { A: '192.0.2.4' },
      dn: { DNAME: 'wild' },
      ...filling,
    },
    transfer: { to: '127.0.0.0/8', key: 'transfer', notify: `127.0.0.1:${port}` },
    update: { keys: 'transfer' },
  }
  const other = { hosts: {}, records: { target: { A: '192.0.2.7' } }, update: { keys: 'transfer' } }
  portico = await startRunning(domain, { keys, metrics, domains: { [ZONE]: domain, 'other.test': other } })
  const peerPort = portico.ports.dns
  secondaries = await Promise.all([
    // Knot checks each version that it is given, and takes none that would be bogus.
    startKnot(knotd!, {
      ...{ peerPort, port },
      zones: `  - domain: ${ZONE}\n    master: portico\n    acl: peer\n    dnssec-validation: on`,
    }),
    startNsd(nsd!, {
      peerPort,
      zones: (primary) =>
        `zone:\n  name: "${ZONE}"\n  zonefile: "zone"\n  request-xfr: ${primary} transfer\n  allow-notify: 127.0.0.1 transfer`,
    }),
  ])
})
after(async () => {
  await Promise.all([portico?.stop(), ...secondaries.map((server) => server.stop())])
})

async function inStep(): Promise<void> {
  const serial = await serialAt(portico.ports.dns, ZONE)
  const { port, output } = secondaries[0]!
  await until(async () => (await serialAt(port, ZONE)) === serial, 60_000).catch((error: unknown) => {
    throw new Error(`${error}: ${output().slice(-3000)}\n${portico.output().slice(-1500)}`)
  })
}

async function update(zone: string, ...lines: string[]): Promise<void> {
  const head = [`server 127.0.0.1 ${portico.ports.dns}`, `zone ${zone}`, `key hmac-sha256:transfer ${SECRET}`]
  const input = `${[...head, ...lines].join('\n')}\n`
  const { stderr, code } = await run(nsupdate!, [], { input, timeoutMs: 30_000 })
  assert.equal(code, 0, stderr)
}

/** All records of the zone that a server gives out; the second SOA is left out. */
async function copied(port: number): Promise<string[]> {
  const key = `hmac-sha256:transfer:${SECRET}`
  const args = ['@127.0.0.1', '-p', `${port}`, '-y', key, '+noall', '+answer', ZONE, 'AXFR']
  const lines = (await run(kdig!, args)).stdout.split('\n').filter((line) => line !== '')
  return lines.slice(0, -1)
}

async function verify(): Promise<void> {
  const path = join(portico.folder, 'copied')
  await writeFile(path, `${(await copied(portico.ports.dns)).join('\n')}\n`)
  for (const [name, args] of [
    [ldnsVerifyZone!, [path]],
    [dnssecVerify!, ['-z', '-o', ZONE, path]],
  ] as const) {
    const { code, stdout, stderr } = await run(name, [...args])
    assert.equal(code, 0, `${name}: ${stdout}${stderr}`)
  }
}

/** What a validator says that trusts our key, of an answer of the first secondary. */
async function validated(name: string, type: string): Promise<string> {
  const dnskey = await ask(portico.ports.dns, ZONE, 'DNSKEY')
  const anchor = join(portico.folder, 'anchor.conf')
  const [flags, protocol, algorithm, ...key] = dnskey.split(' ')
  const trusted = `${flags} ${protocol} ${algorithm} "${key.join('')}"`
  await writeFile(anchor, `trust-anchors { "${ZONE}." static-key ${trusted}; };\n`)
  const at = ['@127.0.0.1', '-p', `${secondaries[0]!.port}`, '-a', anchor, `+root=${ZONE}`]
  const { stdout, stderr } = await run(delv!, [...at, name, type])
  return `${stdout}${stderr}`
}

test('a signed domain is copied with signatures and a chain of NSEC (RFC 4035 §2.2, §2.3, RFC 5936 §2.2)', {
  skip,
}, async () => {
  await inStep()
  await verify()
  const { port } = secondaries[1]!
  await until(async () => (await ask(port, `f1.${ZONE}`, 'A')) === '192.0.2.1', 60_000)
  for (const [name, type, said] of [
    [`f1.${ZONE}`, 'A', /; fully validated\n.*192\.0\.2\.1$/m],
    [ZONE, 'A', /; fully validated\n.*192\.0\.2\.7$/m],
    [`x.wild.${ZONE}`, 'TXT', /; fully validated/],
    [`none.${ZONE}`, 'A', /negative response, fully validated\n.*NXDOMAIN/],
    [`b.ent.${ZONE}`, 'A', /negative response, fully validated/],
  ] as const)
    assert.match(await validated(name, type), said)
})

test('changes of a signed domain reach a validating knotd by IXFR (RFC 1995 §4, RFC 4034 §3)', {
  skip,
  timeout: 60_000,
}, async () => {
  const lines = Array.from({ length: 200 }, (_, i) => {
    const name = `n${i % 60}.${ZONE}`
    const gone = i % 5 === 4 ? [`update delete ${name}`] : []
    return [...gone, `update add ${name} ${60 + (i % 3)} A 10.0.0.${i}`, 'send'].join('\n')
  })
  await update(ZONE, ...lines, `update add sub.${ZONE} 60 DS 1 13 2 ${'ab'.repeat(32)}`, 'send')
  await inStep()
  await verify()
  const said = secondaries[0]!.output()
  const [wholes, steps] = [/\] AXFR, incoming.* finished/g, /\] IXFR, incoming.* finished/g].map((done) => {
    return said.match(done)?.length ?? 0
  })
  assert.ok(wholes === 1 && steps! > 5, `${wholes} AXFR, ${steps} IXFR: ${said.slice(-3000)}`)
  assert.deepEqual((await copied(portico.ports.dns)).sort(), (await copied(secondaries[0]!.port)).sort())
})

test('addresses of an ALIAS go out with the copy, and change with their target', { skip }, async () => {
  await update(
    'other.test',
    'update delete target.other.test',
    'update add target.other.test 60 A 192.0.2.8',
    'send',
  )
  for (const port of [portico.ports.dns, secondaries[0]!.port])
    await until(async () => (await ask(port, ZONE, 'A')) === '192.0.2.8', 60_000)
  assert.match(await validated(ZONE, 'A'), /; fully validated\n.*192\.0\.2\.8$/m)
})

test('metrics tell of transfers, updates, signatures and ALIAS', { skip }, async () => {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  for (const wanted of [
    /portico_dns_transfers_total\{direction="out",result="whole zone"\} \d+$/m,
    /portico_dns_transfers_total\{direction="out",result="changes"\} \d+$/m,
    /portico_dns_updates_total\{rcode="NOERROR"\} 202$/m,
    /portico_dnssec_zones\{phase="\w+"\} 1$/m,
    /portico_dnssec_signatures_total\{result="made"\} [1-9]\d*$/m,
    /portico_dns_aliases\{state="fresh"\} 1$/m,
    /portico_dns_copied_zones\{state="expired"\} 0$/m,
  ])
    assert.match(text, wanted)
})

test('after a restart the same signatures are given out, and secondaries go on by IXFR', {
  skip,
}, async () => {
  const before = await copied(portico.ports.dns)
  const ended = new Promise((resolve) => portico.child.once('exit', resolve))
  portico.child.kill('SIGTERM')
  await ended
  await portico.restart()
  assert.deepEqual(await copied(portico.ports.dns), before)
  await update(ZONE, `update add after.${ZONE} 60 A 192.0.2.9`, 'send')
  await inStep()
  const wholes = secondaries[0]!.output().match(/\] AXFR, incoming.* finished/g)
  assert.equal(wholes?.length, 1, secondaries[0]!.output().slice(-2000))
})
