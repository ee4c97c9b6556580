import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { peer, run } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { type Running, startRunning, until } from '../test/running.ts'
import { ask, type NameServer, SECRET, serialAt, startKnot, startNamed } from './name-servers.ts'

const knotd = peer('knotd')
const named = peer('named')
const nsupdate = peer('nsupdate')
const kdig = peer('kdig')
const skip = [knotd, named, nsupdate, kdig].includes(undefined) && 'needs knotd, named, nsupdate and kdig'

process.env['PORTICO_TEST_KEY'] = SECRET
const keys = { transfer: { secret: { env: 'PORTICO_TEST_KEY' } } }

const zoneText = (serial: number, expire: number): string => `$TTL 60
@ SOA ns1 hostmaster ${serial} 2 1 ${expire} 60
@ NS ns1
ns1 A 192.0.2.1
www A 192.0.2.2
*.wild TXT "any; \\"one\\""
odd\\.dot TYPE65280 \\# 3 616263
`

/** Changes are told alone while they are fewer than the records of the zone. */
const filling = Array.from({ length: 50 }, (_, i) => `f${i} A 192.0.2.${i}\n`).join('')

let portico: Running
let knot: NameServer
let bind: NameServer

before(async () => {
  if (skip !== false) return
  const [knotPort, bindPort] = [await freePort(), await freePort()]
  portico = await startRunning({ hosts: {} }, rest(knotPort, bindPort))
  const peerPort = portico.ports.dns
  knot = await startKnot(knotd!, {
    peerPort,
    port: knotPort,
    files: { 'knot.test.zone': zoneText(1, 4), 'large.test.zone': largeZone() },
    zones: ['knot', 'large']
      .map((name) => `  - domain: ${name}.test\n    acl: peer\n    notify: portico`)
      .join('\n'),
  })
  bind = await startNamed(named!, {
    peerPort,
    port: bindPort,
    files: { 'bind.zone': zoneText(7, 600) + filling },
    zones: () => `zone "bind.test" { type primary; file "bind.zone"; allow-transfer { key transfer; };
  allow-update { key transfer; }; notify explicit; also-notify { 127.0.0.1 port ${peerPort} key transfer; }; ixfr-from-differences yes; };`,
  })
})
after(async () => {
  await Promise.all([portico?.stop(), knot?.stop(), bind?.stop()])
})

function rest(knotPort: number, bindPort: number): object {
  const from = (port: number): object => ({ secondary: { from: `127.0.0.1:${port}`, key: 'transfer' } })
  return {
    keys,
    domains: {
      'knot.test': from(knotPort),
      'large.test': from(knotPort),
      'bind.test': { ...from(bindPort), transfer: { to: '127.0.0.1' } },
      'never.test': from(1),
    },
  }
}

/** 30 000 names: more messages than the answer to one errand has. */
function largeZone(): string {
  const names = Array.from(
    { length: 30_000 },
    (_, i) => `name${i} A 10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
  )
  return `$TTL 60\n@ SOA ns1 hostmaster 1 600 600 6000 60\n@ NS ns1.example.net.\n${names.join('\n')}\n`
}

async function isServed(zone: string, serial: number): Promise<void> {
  await until(async () => (await serialAt(portico.ports.dns, zone)) === serial, 60_000).catch(
    (error: unknown) => {
      throw new Error(`${error}: ${portico.output().slice(-2000)}`)
    },
  )
}

async function update(server: NameServer, zone: string, ...lines: string[]): Promise<void> {
  const head = [`server 127.0.0.1 ${server.port}`, `zone ${zone}`, `key hmac-sha256:transfer ${SECRET}`]
  const { stderr, code } = await run(nsupdate!, [], { input: [...head, ...lines, 'send', ''].join('\n') })
  assert.equal(code, 0, stderr)
}

test('zones of knotd and named are copied and served (RFC 5936 §3, RFC 1034 §4.3.5)', { skip }, async () => {
  await isServed('knot.test', 1)
  await isServed('bind.test', 7)
  for (const zone of ['knot.test', 'bind.test']) {
    assert.equal(await ask(portico.ports.dns, `www.${zone}`, 'A'), '192.0.2.2')
    assert.equal(await ask(portico.ports.dns, `x.wild.${zone}`, 'TXT'), '"any; \\"one\\""')
    assert.equal(await ask(portico.ports.dns, `odd\\.dot.${zone}`, 'TYPE65280'), '\\# 3 616263')
    assert.equal(await ask(portico.ports.dns, `none.${zone}`, 'A'), 'NXDOMAIN')
  }
})

test('a zone of many messages comes whole', { skip }, async () => {
  await isServed('large.test', 1)
  assert.equal(await ask(portico.ports.dns, 'name29999.large.test', 'A'), '10.0.117.47')
})

test('changes come by IXFR when the primary says that there are some (RFC 1996 §3.11, RFC 1995 §4)', {
  skip,
}, async () => {
  for (const [server, zone] of [
    [knot, 'knot.test'],
    [bind, 'bind.test'],
  ] as const) {
    for (let i = 0; i < 5; i++) {
      await update(
        server,
        zone,
        `update add n${i}.${zone} 60 A 10.0.0.${i}`,
        `update delete n${i - 1}.${zone}`,
      )
    }
    await isServed(zone, await serialAt(server.port, zone))
    assert.equal(await ask(portico.ports.dns, `n4.${zone}`, 'A'), '10.0.0.4')
    assert.equal(await ask(portico.ports.dns, `n3.${zone}`, 'A'), 'NXDOMAIN')
    assert.match(portico.output(), new RegExp(`zone copied zone=${zone} serial=\\d+ by=changes`))
  }
})

test('a copy is served to others in turn (RFC 1995 §4)', { skip }, async () => {
  const args = ['@127.0.0.1', '-p', `${portico.ports.dns}`, 'bind.test', 'IXFR=7']
  const { stdout } = await run(kdig!, args)
  assert.ok((stdout.match(/\sSOA\s/g)?.length ?? 0) >= 4, stdout)
  assert.match(stdout, /n4\.bind\.test\./)
})

test('a zone of a primary that never answered is SERVFAIL (RFC 1034 §4.3.5)', { skip }, async () => {
  assert.equal(await ask(portico.ports.dns, 'www.never.test', 'A'), 'SERVFAIL')
  assert.match((await portico.command('explain', 'www.never.test', 'A')).stdout, /no copy of the zone/)
})

test('copies are kept in state and served at the start; they expire without their primary (RFC 1035 §3.3.13)', {
  skip,
}, async () => {
  await knot.stop()
  await bind.stop()
  const { child } = portico
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
  await portico.restart()
  assert.equal(await ask(portico.ports.dns, 'n4.bind.test', 'A'), '10.0.0.4')
  await until(async () => (await ask(portico.ports.dns, 'www.knot.test', 'A')) === 'SERVFAIL', 60_000).catch(
    (error: unknown) => {
      throw new Error(`${error}: ${portico.output().slice(-2000)}`)
    },
  )
  assert.equal(await ask(portico.ports.dns, 'www.bind.test', 'A'), '192.0.2.2')
})

test('zones that a catalog of knotd lists are copied, and no longer when it does not (RFC 9432 §5)', {
  skip,
}, async () => {
  const port = await freePort()
  const from = { from: `127.0.0.1:${port}`, key: 'transfer' }
  const reader = await startRunning(
    { hosts: {} },
    { keys, domains: { 'catalog.test': { secondary: from, catalog: true } } },
  )
  const { dns } = reader.ports
  const catalogText = `@ 60 SOA invalid. invalid. 1 600 600 6000 60\n@ 60 NS invalid.\nversion 60 TXT "2"\na.zones 60 PTR a.test.\n`
  const server = await startKnot(knotd!, {
    ...{ port, peerPort: dns },
    files: {
      'catalog.test.zone': catalogText,
      'a.test.zone': zoneText(1, 600),
      'b.test.zone': zoneText(1, 600),
    },
    zones: ['catalog', 'a', 'b']
      .map((name) => `  - domain: ${name}.test\n    acl: peer\n    notify: portico`)
      .join('\n'),
  })
  const answers = async (zone: string, wanted: string): Promise<void> => {
    await until(async () => (await ask(dns, `www.${zone}`, 'A')) === wanted, 60_000).catch(
      (error: unknown) => {
        throw new Error(`${error}: ${reader.output().slice(-2000)}`)
      },
    )
  }
  try {
    await answers('a.test', '192.0.2.2')
    assert.equal(await ask(dns, 'www.b.test', 'A'), 'REFUSED')
    await update(server, 'catalog.test', 'update add b.zones.catalog.test 60 PTR b.test.')
    await answers('b.test', '192.0.2.2')
    await update(server, 'a.test', 'update add new.a.test 60 A 192.0.2.9')
    await until(async () => (await ask(dns, 'new.a.test', 'A')) === '192.0.2.9', 60_000)
    await update(server, 'catalog.test', 'update delete a.zones.catalog.test PTR')
    await answers('a.test', 'REFUSED')
    // A reload keeps what the catalog lists, and so does a restart.
    assert.equal((await reader.command('reload')).code, 0)
    assert.equal(await ask(dns, 'www.b.test', 'A'), '192.0.2.2')
    assert.match((await reader.command('explain', 'www.b.test', 'A')).stdout, /copied from the primary/)
    const ended = new Promise((resolve) => reader.child.once('exit', resolve))
    reader.child.kill('SIGTERM')
    await Promise.all([ended, server.stop()])
    await reader.restart()
    assert.equal(await ask(dns, 'www.b.test', 'A'), '192.0.2.2')
    assert.equal(await ask(dns, 'www.a.test', 'A'), 'REFUSED')
  } finally {
    await Promise.all([reader.stop(), server.stop()])
  }
})
