import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { peer, run } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { type Running, runCommand, startRunning, until } from '../test/running.ts'
import { ask, type NameServer, SECRET, serialAt, startKnot, startNamed, startNsd } from './name-servers.ts'

const knotd = peer('knotd')
const nsd = peer('nsd')
const named = peer('named')
const kdig = peer('kdig')
const nsupdate = peer('nsupdate')
const skip =
  [knotd, nsd, named, kdig, nsupdate].includes(undefined) && 'needs knotd, nsd, named, kdig and nsupdate'

const ZONE = 'example.com'
const keys = { transfer: { secret: { env: 'PORTICO_TEST_KEY' } } }
process.env['PORTICO_TEST_KEY'] = SECRET

let portico: Running
let secondaries: NameServer[] = []

before(async () => {
  if (skip !== false) return
  const ports = [await freePort(), await freePort(), await freePort()]
  portico = await startRunning(domain(ports, {}), { keys })
  const peerPort = portico.ports.dns
  secondaries = await Promise.all([
    startKnot(knotd!, {
      peerPort,
      port: ports[0]!,
      zones: `  - domain: ${ZONE}\n    master: portico\n    acl: peer`,
    }),
    startNamed(named!, {
      peerPort,
      port: ports[1]!,
      zones: (server) =>
        `zone "${ZONE}" { type secondary; file "zone"; primaries { ${server} key transfer; }; };`,
    }),
    startNsd(nsd!, {
      peerPort,
      port: ports[2]!,
      zones: (server) =>
        `zone:\n  name: "${ZONE}"\n  zonefile: "zone"\n  request-xfr: ${server} transfer\n  allow-notify: 127.0.0.1 transfer`,
    }),
  ])
})
after(async () => {
  await Promise.all([portico?.stop(), ...secondaries.map((server) => server.stop())])
})

/** Changes are told alone while they are fewer than the records of the zone. */
const filling = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, { A: `192.0.2.${i}` }]))

function domain(notify: readonly number[], records: object): object {
  return {
    hosts: {},
    records: { '@': { NS: 'ns1' }, ns1: { A: '192.0.2.1' }, www: { A: '192.0.2.2' }, ...filling, ...records },
    transfer: { to: '127.0.0.0/8', key: 'transfer', notify: notify.map((port) => `127.0.0.1:${port}`) },
    update: { keys: 'transfer' },
  }
}

async function inStep(): Promise<void> {
  const serial = await serialAt(portico.ports.dns, ZONE)
  for (const { port, output } of secondaries) {
    await until(async () => (await serialAt(port, ZONE)) === serial, 60_000).catch((error: unknown) => {
      throw new Error(`${error}: ${output().slice(-3000)}\n${portico.output().slice(-1500)}`)
    })
  }
}

test('knotd, named and nsd copy the zone, told by NOTIFY and signed by TSIG (RFC 5936 §2.2, RFC 1996 §3.6)', {
  skip,
}, async () => {
  await inStep()
  for (const { port } of secondaries) assert.equal(await ask(port, `www.${ZONE}`, 'A'), '192.0.2.2')
})

test('who has not the key, or another one, gets no copy (RFC 8945 §5.2)', { skip }, async () => {
  const axfr = async (...words: string[]): Promise<string> => {
    const args = [
      '@127.0.0.1',
      '-p',
      `${portico.ports.dns}`,
      '+timeout=2',
      '+retry=0',
      ZONE,
      'AXFR',
      ...words,
    ]
    const { stdout, stderr } = await run(kdig!, args)
    return `${stdout}${stderr}`
  }
  assert.match(await axfr(), /REFUSED/)
  assert.match(await axfr('-y', 'hmac-sha256:transfer:AAAAAAAAAAAAAAAAAAAAAA=='), /NOTAUTH|BADSIG/)
  assert.match(await axfr('-y', `hmac-sha256:other:${SECRET}`), /NOTAUTH|BADKEY/)
  const whole = await axfr('-y', `hmac-sha256:transfer:${SECRET}`)
  assert.match(whole, /www\.example\.com\.\s+\d+\s+IN\s+A\s+192\.0\.2\.2/)
  assert.equal(whole.match(/\sSOA\s/g)?.length, 2)
})

test('1 000 changes by dynamic update reach knotd, named and nsd by IXFR (RFC 2136 §3.4, RFC 1995 §4)', {
  skip,
  timeout: 180_000,
}, async () => {
  const lines = [
    `server 127.0.0.1 ${portico.ports.dns}`,
    `zone ${ZONE}`,
    `key hmac-sha256:transfer ${SECRET}`,
  ]
  for (let i = 0; i < 1000; i++) {
    const name = `n${i % 300}.${ZONE}`
    if (i % 5 === 4) lines.push(`update delete ${name}`)
    lines.push(`update add ${name} 60 A 10.0.${i >> 8}.${i & 255}`, 'send')
  }
  const { stdout, stderr, code } = await run(nsupdate!, [], {
    input: `${lines.join('\n')}\n`,
    timeoutMs: 120_000,
  })
  assert.equal(code, 0, `${stdout}${stderr}`)
  await inStep()
  const copied = secondaries[0]!.output()
  const [wholes, steps] = [/\] AXFR, incoming.* finished/g, /\] IXFR, incoming.* finished/g].map(
    (done) => copied.match(done)?.length ?? 0,
  )
  assert.ok(wholes === 1 && steps! > 5, `${wholes} AXFR, ${steps} IXFR: ${copied.slice(-2000)}`)
  const dump = async (port: number): Promise<string[]> => {
    const args = [
      '@127.0.0.1',
      '-p',
      `${port}`,
      '-y',
      `hmac-sha256:transfer:${SECRET}`,
      '+noall',
      '+answer',
      ZONE,
      'AXFR',
    ]
    return (await run(kdig!, args)).stdout
      .split('\n')
      .filter((line) => line !== '')
      .sort()
  }
  assert.deepEqual(await dump(portico.ports.dns), await dump(secondaries[0]!.port))
})

test('import axfr makes a file of the zone, and says why where it may not', { skip }, async () => {
  const secret = join(portico.folder, 'transfer.key')
  await writeFile(secret, `${SECRET}\n`)
  const server = `127.0.0.1:${portico.ports.dns}`
  const made = await runCommand(['import', 'axfr', server, ZONE, '--key', 'transfer', '--secret', secret])
  assert.equal(made.code, 0, made.stderr)
  assert.match(made.stdout, /"www": \{ "A": \{ "data": "192\.0\.2\.2"/)
  const refused = await runCommand(['import', 'axfr', server, ZONE])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /was not copied from .*: the primary answers REFUSED/)
})

test('knotd serves what a catalog lists, and no longer what it does not (RFC 9432 §4.1)', {
  skip,
}, async () => {
  const port = await freePort()
  const transfer = { to: '127.0.0.1', key: 'transfer', notify: `127.0.0.1:${port}` }
  const member = { hosts: {}, records: { '@': { TXT: 'member' } }, transfer }
  const catalog = { catalog: true, transfer }
  const write = (domains: object): Promise<void> => portico.write({}, { keys, domains })
  await write({ 'catalog.test': catalog, 'one.test': member, 'two.test': member, 'private.test': {} })
  assert.equal((await portico.command('reload')).code, 0)
  const server = await startKnot(knotd!, {
    port,
    peerPort: portico.ports.dns,
    templates: '  - id: member\n    storage: FOLDER\n    master: portico\n    acl: peer',
    zones:
      '  - domain: catalog.test\n    master: portico\n    acl: peer\n    catalog-role: interpret\n    catalog-template: member',
  })
  try {
    for (const zone of ['one.test', 'two.test'])
      await until(async () => (await ask(port, zone, 'TXT')) === '"member"', 60_000).catch(
        (error: unknown) => {
          throw new Error(`${error}: ${server.output().slice(-3000)}`)
        },
      )
    assert.equal(await ask(port, 'private.test', 'SOA'), 'REFUSED')
    await write({ 'catalog.test': catalog, 'one.test': member })
    assert.equal((await portico.command('reload')).code, 0)
    await until(async () => (await ask(port, 'two.test', 'TXT')) === 'REFUSED', 60_000)
    assert.equal(await ask(port, 'one.test', 'TXT'), '"member"')
  } finally {
    await server.stop()
  }
})
