import assert from 'node:assert/strict'
import { once } from 'node:events'
import test, { after, before } from 'node:test'
import { peer, run } from '../test/peers.ts'
import { type Running, startRunning } from '../test/running.ts'
import { ask, SECRET, serialAt } from './name-servers.ts'

const nsupdate = peer('nsupdate')
const knsupdate = peer('knsupdate')
const kdig = peer('kdig')
const skip = [nsupdate, knsupdate, kdig].includes(undefined) && 'needs nsupdate, knsupdate and kdig'

const ZONE = 'example.com'
process.env['PORTICO_TEST_KEY'] = SECRET
const keys = { transfer: { secret: { env: 'PORTICO_TEST_KEY' } } }
const domain = {
  hosts: {},
  records: {
    '@': { NS: ['ns1', 'ns2.example.net'], TXT: 'here' },
    ns1: { A: '192.0.2.1' },
    www: { A: ['192.0.2.2', '192.0.2.3'] },
    alias: { CNAME: 'www' },
    mail: { MX: '10 mx.example.net' },
  },
  update: { keys: 'transfer', names: ['@', 'www', 'alias', 'mail', '*.dyn', 'safe'] },
}

let portico: Running

before(async () => {
  if (skip === false) portico = await startRunning(domain, { keys })
})
after(() => portico?.stop())

/** Send one update; how it ended, as nsupdate prints it, or NOERROR. */
async function update(...lines: string[]): Promise<string> {
  const head = [`server 127.0.0.1 ${portico.ports.dns}`, `zone ${ZONE}`, `key hmac-sha256:transfer ${SECRET}`]
  const input = [...head, ...lines, 'send', ''].join('\n')
  const { stderr, stdout } = await run(nsupdate!, [], { input })
  return /update failed: (\w+)/.exec(stderr)?.[1] ?? (`${stdout}${stderr}` || 'NOERROR')
}

type Case = {
  readonly name: string
  readonly lines: readonly string[]
  readonly wants?: string
  readonly after?: readonly [owner: string, type: string, answer: string]
}

const CASES: readonly Case[] = [
  {
    name: 'a record is added',
    lines: ['add a.dyn.example.com 60 A 10.0.0.1'],
    after: ['a.dyn', 'A', '10.0.0.1'],
  },
  {
    name: 'a second one beside it, as an RRset has one TTL (RFC 2136 §3.4.2.2)',
    lines: ['add a.dyn.example.com 60 A 10.0.0.2'],
    after: ['a.dyn', 'A', '10.0.0.1 | 10.0.0.2'],
  },
  {
    name: 'one record goes by its data (RFC 2136 §2.5.4)',
    lines: ['delete a.dyn.example.com A 10.0.0.1'],
    after: ['a.dyn', 'A', '10.0.0.2'],
  },
  {
    name: 'an RRset goes by its type (RFC 2136 §2.5.2)',
    lines: ['delete www.example.com A'],
    after: ['www', 'A', 'NXDOMAIN'],
  },
  {
    name: 'a name goes with all its types (RFC 2136 §2.5.3)',
    lines: ['delete mail.example.com'],
    after: ['mail', 'MX', 'NXDOMAIN'],
  },
  {
    name: 'the name servers of the apex stay, its other records go (RFC 2136 §3.4.2.3)',
    lines: ['delete example.com'],
    after: ['@', 'NS', 'ns1.example.com. | ns2.example.net.'],
  },
  {
    name: 'other records of the apex went',
    lines: ['delete nothing.dyn.example.com'],
    after: ['@', 'TXT', ''],
  },
  {
    name: 'a name server goes while another one stays',
    lines: ['delete example.com NS ns2.example.net.'],
    after: ['@', 'NS', 'ns1.example.com.'],
  },
  {
    name: 'the last name server stays (RFC 2136 §3.4.2.4)',
    lines: ['delete example.com NS ns1.example.com.'],
    after: ['@', 'NS', 'ns1.example.com.'],
  },
  {
    name: 'nothing is added beside an alias (RFC 2136 §3.4.2.2)',
    lines: ['add alias.example.com 60 A 10.0.0.3'],
    after: ['alias', 'CNAME', 'www.example.com.'],
  },
  {
    name: 'an alias replaces an alias',
    lines: ['add alias.example.com 60 CNAME other.example.net.'],
    after: ['alias', 'CNAME', 'other.example.net.'],
  },
  {
    name: 'a name that must be in use and is not (RFC 2136 §2.4.4)',
    lines: ['prereq yxdomain none.dyn.example.com', 'add x.dyn.example.com 60 A 10.0.0.1'],
    wants: 'NXDOMAIN',
    after: ['x.dyn', 'A', 'NXDOMAIN'],
  },
  {
    name: 'a name that must not be in use and is (RFC 2136 §2.4.5)',
    lines: ['prereq nxdomain a.dyn.example.com', 'add x.dyn.example.com 60 A 10.0.0.1'],
    wants: 'YXDOMAIN',
  },
  {
    name: 'an RRset that must be there and is not (RFC 2136 §2.4.1)',
    lines: ['prereq yxrrset a.dyn.example.com MX', 'add x.dyn.example.com 60 A 10.0.0.1'],
    wants: 'NXRRSET',
  },
  {
    name: 'an RRset that must not be there and is (RFC 2136 §2.4.3)',
    lines: ['prereq nxrrset a.dyn.example.com A', 'add x.dyn.example.com 60 A 10.0.0.1'],
    wants: 'YXRRSET',
  },
  {
    name: 'an RRset that must have certain data and has other (RFC 2136 §2.4.2)',
    lines: ['prereq yxrrset a.dyn.example.com A 10.0.0.9', 'add x.dyn.example.com 60 A 10.0.0.1'],
    wants: 'NXRRSET',
  },
  {
    name: 'an RRset with the very data lets the update through (RFC 2136 §3.2.3)',
    lines: ['prereq yxrrset a.dyn.example.com A 10.0.0.2', 'add x.dyn.example.com 60 A 10.0.0.1'],
    after: ['x.dyn', 'A', '10.0.0.1'],
  },
  {
    name: 'a name outside the zone (RFC 2136 §3.4.1)',
    lines: ['add example.net 60 A 10.0.0.1'],
    wants: 'NOTZONE',
  },
  {
    name: 'an owner that "names" does not have, and all beside it',
    lines: ['add y.dyn.example.com 60 A 10.0.0.1', 'add ns1.example.com 60 A 10.0.0.1'],
    wants: 'REFUSED',
    after: ['y.dyn', 'A', 'NXDOMAIN'],
  },
]

for (const { name, lines, wants = 'NOERROR', after: state } of CASES) {
  test(`update: ${name}`, { skip }, async () => {
    const words = lines.map((line) => (line.startsWith('prereq') ? line : `update ${line}`))
    assert.equal(await update(...words), wants)
    if (state === undefined) return
    const [owner, type, answer] = state
    const qname = owner === '@' ? ZONE : `${owner}.${ZONE}`
    assert.equal(await ask(portico.ports.dns, qname, type), answer)
  })
}

test('an update that is not signed, or by another key, is refused (RFC 2136 §3.3)', { skip }, async () => {
  const send = async (...head: string[]): Promise<string> => {
    const lines = [
      `server 127.0.0.1 ${portico.ports.dns}`,
      `zone ${ZONE}`,
      ...head,
      'update add z.dyn.example.com 60 A 10.0.0.1',
      'send',
      '',
    ]
    return (await run(nsupdate!, [], { input: lines.join('\n') })).stderr
  }
  assert.match(await send(), /REFUSED/)
  assert.match(await send(`key hmac-sha256:other ${SECRET}`), /NOTAUTH|BADKEY/)
  assert.equal(await ask(portico.ports.dns, `z.dyn.${ZONE}`, 'A'), 'NXDOMAIN')
})

test('knsupdate is understood, and the serial grows (RFC 2136 §3.6)', { skip }, async () => {
  const before = await serialAt(portico.ports.dns, ZONE)
  const input = `server 127.0.0.1 ${portico.ports.dns}\nzone ${ZONE}.\nkey hmac-sha256:transfer ${SECRET}\nadd k.dyn.${ZONE}. 60 TXT "by knot"\nsend\n`
  const { stdout, stderr } = await run(knsupdate!, [], { input })
  assert.equal(`${stdout}${stderr}`, '')
  assert.equal(await ask(portico.ports.dns, `k.dyn.${ZONE}`, 'TXT'), '"by knot"')
  assert.equal(await serialAt(portico.ports.dns, ZONE), before + 1)
})

test('explain and plan say that a record was updated, and a reload keeps it', { skip }, async () => {
  await portico.write({ ...domain, records: { ...domain.records, new: { A: '192.0.2.9' } } }, { keys })
  assert.equal((await portico.command('reload')).code, 0)
  assert.equal(await ask(portico.ports.dns, `new.${ZONE}`, 'A'), '192.0.2.9')
  assert.equal(await ask(portico.ports.dns, `a.dyn.${ZONE}`, 'A'), '10.0.0.2')
  assert.match((await portico.command('explain', `a.dyn.${ZONE}`, 'A')).stdout, /updated/)
  const { stdout } = await portico.command('plan')
  assert.match(stdout, /^ +a\.dyn\.example\.com\. +60 +A +10\.0\.0\.2 +updated, line/m)
  assert.match(stdout, /^ +new\.example\.com\. .*written, line/m)
})

test('what was acknowledged outlives kill -9 (RFC 2136 §3.5)', { skip }, async () => {
  assert.equal(await update('update add safe.example.com 60 A 10.9.9.9'), 'NOERROR')
  const serial = await serialAt(portico.ports.dns, ZONE)
  const ended = once(portico.child, 'exit')
  portico.child.kill('SIGKILL')
  await ended
  const { child, ports, restart } = portico
  assert.ok(child.signalCode === 'SIGKILL')
  await restart()
  assert.equal(await ask(ports.dns, `safe.${ZONE}`, 'A'), '10.9.9.9')
  assert.equal(await ask(ports.dns, `www.${ZONE}`, 'A'), 'NXDOMAIN')
  assert.equal(await serialAt(ports.dns, ZONE), serial)
})
