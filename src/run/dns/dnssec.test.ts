import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { silent } from '#core/log.ts'
import { tagOf } from '#dns/dnssec/zone-keys.ts'
import { createDnsServer } from '#dns/server.ts'
import { compileZones } from '#dns/zone.ts'
import { until } from '../../../test/running.ts'
import { zonePlan } from '../../../test/zone-fixture.ts'
import { loadDnssec } from './dnssec.ts'

const zone = zonePlan('child.example.', ['@ NS ns1.example.'])
const parent = createDnsServer({
  zones: compileZones([], new Map()),
  limits: { udpPayload: 1232, tcpConnections: 4, tcpIdleMs: 1000 },
  log: silent,
})
let folder = ''
let resolver = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portico-keys-'))
  const { port } = await parent.listen('127.0.0.1', 0)
  resolver = `127.0.0.1:${port}`
  setDs()
})
after(async () => {
  await parent.close()
  await rm(folder, { recursive: true, force: true })
})

/** What the zone above has. */
function setDs(...tags: number[]): void {
  const ds = tags.map((tag) => `child DS ${tag} 13 2 ${'ab'.repeat(32)}`)
  const above = zonePlan('example.', ['@ NS ns1.example.', 'child NS ns1.example.', ...ds], tags.join())
  parent.replaceZones(compileZones([above], new Map()))
}

test('keys outlive the program, and a roll-over goes on when the parent has the DS', async () => {
  let now = 1_800_000_000
  const dnssec = { propagationMs: 0, lifetimeMs: null, resolver }
  const options = { stateFolder: folder, log: silent, now: () => now }
  const first = await loadDnssec(options)
  await first.advance([{ ...zone, dnssec }])
  const made = first.saved()[zone.id]!
  first.close()

  const keeper = await loadDnssec(options)
  const serve = async (): Promise<void> => keeper.commit(await keeper.advance([{ ...zone, dnssec }]))
  const phase = (): string | undefined => keeper.saved()[zone.id]?.phase
  await serve()
  assert.deepEqual(keeper.saved()[zone.id]!.keys, made.keys)
  keeper.watch(serve)
  try {
    now += 4000
    await until(() => phase() === 'signed')
    setDs(tagOf(made.keys[0]!))
    now += 4000
    await until(() => keeper.parent(zone.id)?.tags[0] === tagOf(made.keys[0]!))
    assert.equal(await keeper.command(zone.id, 'roll'), null)
    assert.equal(phase(), 'publishing')
    assert.match((await keeper.command(zone.id, 'roll'))!, /has to wait/)
    now += 4000
    await until(() => phase() === 'submitting')
    setDs(tagOf(keeper.saved()[zone.id]!.keys[1]!))
    now += 300
    await until(() => phase() === 'retiring')
    now += 8000
    await until(() => phase() === 'signed')
    assert.equal(keeper.saved()[zone.id]!.keys.length, 1)
    assert.notDeepEqual(keeper.saved()[zone.id]!.keys, made.keys)
  } finally {
    keeper.close()
  }
})

test('keys that cannot be read stop the start: others would make the domain bogus', async () => {
  const path = join(folder, 'dns', 'keys.json')
  await writeFile(path, '{"zone:child.example": 1}')
  const options = { stateFolder: folder, log: silent, now: () => 0 }
  await assert.rejects(
    loadDnssec(options),
    /^Error: Cannot use the keys of DNSSEC in .*keys\.json: it does not hold/,
  )
})
