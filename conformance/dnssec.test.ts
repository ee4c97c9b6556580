import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { silent } from '#core/log.ts'
import { applyAliases } from '#dns/alias-addresses.ts'
import { dnskeyData, dsData, generateKey } from '#dns/dnssec/key.ts'
import { keyZones, type SavedZones } from '#dns/dnssec/keyed-zones.ts'
import { type Advance, advance, type SavedZone } from '#dns/dnssec/roll.ts'
import { signZone } from '#dns/dnssec/sign-zone.ts'
import { createSigning } from '#dns/dnssec/signer.ts'
import { tagOf } from '#dns/dnssec/zone-keys.ts'
import type { ZonePlan } from '#dns/plan.ts'
import { createPlaces } from '#dns/pools/places.ts'
import type { PoolPlan } from '#dns/pools/plan.ts'
import { createSteering } from '#dns/pools/steering.ts'
import { createDnsServer } from '#dns/server.ts'
import { printMasterFile } from '#dns/wire/masterfile-print.ts'
import { compileZones, soaPlan } from '#dns/zone.ts'
import { peer, run } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { until } from '../test/running.ts'
import { zonePlan } from '../test/zone-fixture.ts'

const delv = peer('delv')
const dig = peer('dig')
const unbound = peer('unbound')
const ldnsVerifyZone = peer('ldns-verify-zone')
const dnssecVerify = peer('dnssec-verify')
const dnsviz = peer('dnsviz')

const written = zonePlan('example.', [
  '@ NS ns1.example.',
  'ns1 A 192.0.2.1',
  '@ A 192.0.2.9',
  '@ MX 10 Mail.Example.',
  'mail A 192.0.2.5',
  'mail AAAA 2001:db8::5',
  '*.wild A 192.0.2.2',
  '*.wild TXT "x"',
  'www CNAME a.wild.example.',
  'out CNAME www.signed.example.',
  'dn DNAME wild.example.',
  'a.b.ent TXT "x"',
  'odd TYPE65280 \\# 3 616263',
  'fat TXT '.concat(Array.from({ length: 12 }, (_, i) => `"${String(i).repeat(120)}"`).join(' ')),
  'signed NS ns1.example.',
  'unsigned NS ns1.example.',
  'far NS ns.far.example.',
  'ns.far A 192.0.2.4',
])
const [first, ...others] = written.rrsets
const { from } = written
const pool: PoolPlan = {
  ...{ id: 'pool:app', key: '', from, whenDown: 'all' },
  members: ['192.0.2.51', '192.0.2.52'].map((address) => ({ address, place: null, weight: 1 })),
}
const pooled = {
  ...{ ...first!, owner: 'pooled.example.', type: 'A' },
  data: pool.members.map(({ address }) => address),
  pool: { id: pool.id, policy: 'weighted' },
} as const
const parent: ZonePlan = {
  ...written,
  rrsets: [first!, ...others, pooled],
  aliases: [{ owner: 'alias.example.', target: 'elsewhere.test.', ttl: 300, from }],
}
const found = { ipv4: ['192.0.2.61', '192.0.2.62'], ipv6: ['2001:db8::61'], ttl: 60, isStale: false }
const signedChild = zonePlan('signed.example.', ['@ NS ns1.example.', 'www A 192.0.2.20', '* A 192.0.2.21'])
const unsignedChild = zonePlan('unsigned.example.', ['@ NS ns1.example.', 'www A 192.0.2.30'])
const plans = [parent, signedChild, unsignedChild]

const wanted = { propagationMs: 0, lifetimeMs: null, resolver: null }
const input = (more: Partial<Advance>): Advance => ({
  ...{ wanted, nowSeconds: 0, ttl: 0, parent: null, command: null, newKey: generateKey, tagOf },
  ...more,
})

function signedFrom(more: Partial<Advance> = {}): SavedZone {
  return advance(advance(undefined, input(more)), input({ ...more, nowSeconds: 1 }))!
}

const saved: Record<string, SavedZone> = { [parent.id]: signedFrom(), [signedChild.id]: signedFrom() }
const signing = createSigning({ now: () => Date.now() / 1000, budget: { take: () => true } })

function zonesWith(state: SavedZones) {
  const { zones, keys } = keyZones(plans, state)
  const serials = new Map(zones.map(({ id }) => [id, 7]))
  const compiled = compileZones(zones, serials, undefined, {
    signerOf(zone) {
      const own = keys.get(zone.id)
      return own && signing.signerOf(zone, own)
    },
  })
  applyAliases(compiled, { 'alias.example.': found })
  return compiled
}

const server = createDnsServer({
  zones: zonesWith(saved),
  limits: { udpPayload: 1232, tcpConnections: 16, tcpIdleMs: 5000 },
  log: silent,
})
server.setSteering(createSteering([pool], createPlaces({ networks: [] }, null), {}))
let port = 0
let folder = ''

before(async () => {
  port = (await server.listen('127.0.0.1', 0)).port
  folder = await mkdtemp(join(tmpdir(), 'portico-dnssec-'))
})
after(async () => {
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

const POSITIVE = [
  ['example', 'SOA'],
  ['example', 'NS'],
  ['example', 'DNSKEY'],
  ['example', 'CDS'],
  ['example', 'CDNSKEY'],
  ['example', 'MX'],
  ['example', 'NSEC'],
  ['EXAMPLE', 'A'],
  ['x.wild.example', 'A'],
  ['*.wild.example', 'A'],
  ['*.y.wild.example', 'TXT'],
  ['www.example', 'A'],
  ['out.example', 'A'],
  ['dn.example', 'DNAME'],
  ['odd.example', 'TYPE65280'],
  ['fat.example', 'TXT'],
  ['signed.example', 'DS'],
  ['www.signed.example', 'A'],
  ['any.signed.example', 'A'],
  ['mail.example', 'ANY'],
  ['pooled.example', 'A'],
  ['alias.example', 'A'],
  ['alias.example', 'AAAA'],
] as const

const NEGATIVE = [
  ['none.example', 'A', /TYPE128/],
  ['a.none.example', 'A', /TYPE128/],
  ['example', 'SRV', /NS SOA MX RRSIG NSEC DNSKEY CDS CDNSKEY/],
  ['ent.example', 'A', /NSEC \\000\.ent\.example\. RRSIG NSEC$/m],
  ['q.wild.example', 'MX', /A TXT RRSIG NSEC/],
  ['unsigned.example', 'DS', /NSEC \\000\.unsigned\.example\. NS RRSIG NSEC$/m],
  ['far.example', 'DS', /NS RRSIG NSEC/],
  ['mail.example', 'TXT', /A AAAA RRSIG NSEC/],
  ['pooled.example', 'AAAA', /NSEC \\000\.pooled\.example\. A RRSIG NSEC$/m],
  ['alias.example', 'MX', /NSEC \\000\.alias\.example\. A AAAA RRSIG NSEC$/m],
] as const

describe('answers that a validator takes', { skip: delv === undefined && 'needs delv' }, () => {
  const validate = async (name: string, type: string): Promise<string> => {
    const anchor = join(folder, 'anchor.conf')
    const key = dnskeyData(saved[parent.id]!.keys[0]!.publicKey).replace(/ (\S+)$/, ' "$1"')
    await writeFile(anchor, `trust-anchors { "example." static-key ${key}; };\n`)
    const args = ['@127.0.0.1', '-p', `${port}`, '-a', anchor, '+root=example', '+nocrypto', name, type]
    const { stdout, stderr } = await run(delv!, args)
    return stdout + stderr
  }
  for (const [name, type] of POSITIVE) {
    test(`delv validates ${name} ${type}`, async () => {
      const said = await validate(name, type)
      assert.match(said, /; fully validated/)
      assert.doesNotMatch(said, /resolution failed|unsigned answer/)
    })
  }
  for (const [name, type, proof] of NEGATIVE) {
    test(`delv validates that there is no ${name} ${type} (RFC 9824 §3.1, §3.2, §3.4)`, async () => {
      const said = await validate(name, type)
      assert.match(said, /negative response, fully validated/)
      assert.match(said, proof)
    })
  }
  test('delv takes an unsigned delegation for what it is (RFC 4035 §3.1.4)', async () => {
    assert.match(await validate('www.unsigned.example', 'A'), /; unsigned answer/)
  })
})

describe('a zone that was signed as a whole', () => {
  const print = (): string => {
    const { zones, keys } = keyZones(plans, saved)
    const zone = zones.find(({ id }) => id === parent.id)!
    const times = { serial: 7, nowSeconds: Math.floor(Date.now() / 1000) }
    const soa = { ttl: zone.soa.ttl, data: soaPlan(zone, 7).data[0]! }
    return printMasterFile({ apex: zone.apex, soa, rrsets: [...signZone(zone, keys.get(zone.id)!, times)] })
  }
  const skip = (name: string | undefined) => name === undefined && 'needs the verifier'
  test('ldns-verify-zone is content with it (RFC 4035 §2.2, §2.3)', {
    skip: skip(ldnsVerifyZone),
  }, async () => {
    await writeFile(join(folder, 'zone'), print())
    const { code, stdout, stderr } = await run(ldnsVerifyZone!, [join(folder, 'zone')])
    assert.equal(code, 0, stdout + stderr)
  })
  test('dnssec-verify is content with it', { skip: skip(dnssecVerify) }, async () => {
    await writeFile(join(folder, 'zone2'), print())
    const { code, stdout, stderr } = await run(dnssecVerify!, ['-z', '-o', 'example', join(folder, 'zone2')])
    assert.equal(code, 0, stdout + stderr)
  })
})

describe('dnsviz', { skip: dnsviz === undefined && 'needs dnsviz' }, () => {
  const names = ['example', 'x.wild', 'none', 'pooled', 'alias'].map((name) => {
    return name === 'example' ? name : `${name}.example`
  })

  test('finds neither error nor warning in what it asks for', { timeout: 120_000 }, async () => {
    const [anchor, probed] = [join(folder, 'anchor'), join(folder, 'probed')]
    const key = dnskeyData(saved[parent.id]!.keys[0]!.publicKey)
    await writeFile(anchor, `example. 300 IN DNSKEY ${key}\n`)
    // Some packages of dnsviz look for a part of pygraphviz that newer ones of that have no more.
    const shim = `import sys, types\nsys.modules['pygraphviz.release'] = r = types.SimpleNamespace(version='1.7')
try:\n import pygraphviz\n pygraphviz.release = r\nexcept ImportError: pass\n`
    await writeFile(join(folder, 'sitecustomize.py'), shim)
    const options = { env: { PYTHONPATH: folder }, timeoutMs: 100_000 }
    const server = `example+:ns1.example=127.0.0.1:${port}`
    const probe = ['probe', '-t', '8', '-4', '-A', '-x', server, '-o', probed, ...names]
    const asked = await run(dnsviz!, probe, options)
    assert.equal(asked.code, 0, asked.stderr)
    const grok = ['grok', '-P', '-r', probed, '-t', anchor, '-l']
    const judged = await run(dnsviz!, [...grok, 'info'], options)
    for (const name of names) assert.ok(judged.stdout.includes(`"${name}.": {`), `${name}: ${judged.stdout}`)
    const statuses = judged.stdout.match(/"status": "\w+"/g) ?? []
    assert.ok(statuses.length > 50, judged.stderr)
    assert.deepEqual(
      [...new Set(statuses)].sort(),
      ['NOERROR', 'SECURE', 'VALID'].map((one) => `"status": "${one}"`),
    )
    assert.equal((await run(dnsviz!, [...grok, 'warning'], options)).stdout.trim(), '')
  })
})

const skipUnbound = (unbound === undefined || dig === undefined) && 'needs unbound and dig'

describe('a validating unbound', { skip: skipUnbound }, () => {
  let resolver: ChildProcess
  let at = 0

  before(async () => {
    at = await freePort()
    const anchor = `example. DS ${dsData(Buffer.from('\x07example\0', 'latin1'), saved[parent.id]!.keys[0]!.publicKey)}`
    const config = `server:
  interface: 127.0.0.1@${at}
  directory: "${folder}"
  pidfile: "${join(folder, 'unbound.pid')}"
  username: ""
  chroot: ""
  use-syslog: no
  do-daemonize: no
  do-not-query-localhost: no
  cache-max-ttl: 1
  cache-max-negative-ttl: 1
  trust-anchor: "${anchor}"
remote-control:
  control-enable: no
${plans.map(({ apex }) => `stub-zone:\n  name: ${apex}\n  stub-addr: 127.0.0.1@${port}`).join('\n')}
`
    await writeFile(join(folder, 'unbound.conf'), config)
    resolver = spawn(unbound!, ['-d', '-c', join(folder, 'unbound.conf')], { stdio: 'ignore' })
    await until(async () => /status: NOERROR/.test(await askIt('example', 'SOA')))
  })
  after(async () => {
    const gone = new Promise((resolve) => resolver.once('exit', resolve))
    resolver.kill('SIGTERM')
    await gone
  })

  async function askIt(name: string, type: string): Promise<string> {
    const args = ['@127.0.0.1', '-p', `${at}`, '+dnssec', '+time=3', '+tries=1', name, type]
    return (await run(dig!, args)).stdout
  }

  test('finds secure what is there and what is not', async () => {
    for (const [name, type] of [...POSITIVE, ...NEGATIVE]) {
      const said = await askIt(name, type)
      assert.match(said, /status: (NOERROR|NXDOMAIN).*\n.*flags:[^;]* ad[ ;]/, `${name} ${type}: ${said}`)
    }
    assert.match(await askIt('www.unsigned.example', 'A'), /status: NOERROR.*\n(?!.* ad[ ;])/)
  })

  test('stays secure through a roll-over, and until a domain has left (RFC 6781 §4.1.2, RFC 8078 §4)', async () => {
    const id = signedChild.id
    const phases: string[] = []
    let now = 10
    const step = async (more: Partial<Advance>): Promise<void> => {
      now += 10
      const next = advance(saved[id], input({ nowSeconds: now, ...more }))
      if (next === undefined) delete saved[id]
      else saved[id] = next
      phases.push(next?.phase ?? 'unsigned')
      server.replaceZones(zonesWith(saved))
      const isSigned = next !== undefined && !['leaving', 'left'].includes(next.phase)
      // Before caches have let go of anything, and after.
      for (const pauseMs of [0, 2100]) {
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
        for (const [name, type] of [
          ['www.signed.example', 'A'],
          [`new${now}.signed.example`, 'A'],
          ['signed.example', 'SRV'],
        ] as const) {
          const said = await askIt(name, type)
          assert.match(said, /status: NOERROR/, `${next?.phase}: ${said}`)
          if (isSigned) assert.match(said, /flags:[^;]* ad[ ;]/, `${next.phase}: ${said}`)
        }
      }
    }
    const tags = (): number[] => saved[id]!.keys.map(tagOf)
    await step({ command: 'roll' })
    await step({})
    await step({ parent: { tags: tags().slice(1), ttl: 1 } })
    await step({})
    await step({ wanted: null })
    await step({ wanted: null, parent: { tags: [], ttl: 0 } })
    await step({ wanted: null })
    assert.deepEqual(phases, [
      'publishing',
      'submitting',
      'retiring',
      'signed',
      'leaving',
      'left',
      'unsigned',
    ])
  })
})
