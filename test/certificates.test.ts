import assert from 'node:assert/strict'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { silent } from '#core/log.ts'
import { openAuthority } from '#tls/authority.ts'
import { choosePorts, handshake, preparePortico } from './acme-portico.ts'
import { startPebble } from './pebble.ts'
import { peer } from './peers.ts'
import { until } from './running.ts'

test('certificates brought as files serve their names, and a new one is served without a restart', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'portico-files-'))
  const authority = await openAuthority({ folder, host: 'test', now: Date.now(), log: silent })
  const from = { file: '', line: 0, column: 0 }
  const plan = { id: '', key: '', from, names: ['a.example.test'], issuer: 'local' } as const
  const bring = async (): Promise<void> => {
    const { key, chain } = authority.issue(plan, Date.now(), 86_400_000)
    // Key first: in between the two do not belong together, and that must change nothing.
    await writeFile(join(folder, 'new.key'), key)
    await rename(join(folder, 'new.key'), join(folder, 'a.key'))
    await writeFile(join(folder, 'new.pem'), chain)
    await rename(join(folder, 'new.pem'), join(folder, 'a.pem'))
  }
  await bring()
  const portico = await preparePortico(folder, await choosePorts(), {
    hosts: { a: { respond: 'a' }, b: { respond: 'b' } },
    certificates: { files: [{ cert: './a.pem', key: './a.key' }] },
  })
  context.after(async () => {
    await portico.stop()
    await rm(folder, { recursive: true, force: true })
  })
  portico.start()
  let first: string | undefined
  await until(async () => {
    const certificate = await portico.certificate('a.example.test')
    first = certificate?.serialNumber
    return certificate?.issuer.CN === authority.root.name
  })
  assert.match(String((await portico.certificate('b.example.test'))?.issuer.CN), /^Portico local authority/)
  await bring()
  await until(async () => (await portico.certificate('a.example.test'))?.serialNumber !== first)
  const { stdout } = await portico.command('certs')
  assert.match(stdout, /a\.example\.test +\.\/a\.pem +read again when its files change/)
})

const pebble = peer('pebble')

test('a name below "*" that no certificate has: asked about, ordered, or refused and remembered', {
  skip: pebble === undefined && 'needs pebble',
}, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'portico-demand-'))
  const asked: string[] = []
  const service = createServer((request, response) => {
    const name = new URL(request.url ?? '', 'http://a').searchParams.get('domain') ?? ''
    asked.push(name)
    response.writeHead(name.startsWith('no.') ? 404 : 200).end()
  }).listen(0, '127.0.0.1')
  const ports = await choosePorts()
  const authority = await startPebble({
    pebble: pebble!,
    folder,
    dnsPort: ports.dns,
    httpPort: ports.http,
    tlsPort: ports.https,
  })
  const ask = `http://127.0.0.1:${(service.address() as AddressInfo).port}/may`
  const issuer = { acme: authority.directory, root: authority.root }
  const portico = await preparePortico(folder, ports, {
    hosts: { '*': { respond: 'any' } },
    certificates: { issuer, onDemand: { ask, perHour: 2 } },
  })
  context.after(async () => {
    await portico.stop()
    await authority.stop()
    service.close()
    await rm(folder, { recursive: true, force: true })
  })
  portico.start()
  await until(async () => (await portico.certificate('a.example.test')) !== null)
  const names = [
    'x.y.example.test',
    'x.y.example.test',
    'no.y.example.test',
    'no.y.example.test',
    'z.y.example.test',
  ]
  const issuers = await names.reduce<Promise<string[]>>(async (before, name) => {
    const list = await before
    const found = await handshake(ports.https, name).then(
      ({ peer: one }) => String(one.issuer.CN),
      () => 'refused',
    )
    return [...list, found.replace(/ CA .*/, '')]
  }, Promise.resolve([]))
  const ours = 'Pebble Intermediate'
  assert.deepEqual(issuers, [ours, ours, 'refused', 'refused', ours])
  assert.deepEqual(asked, ['x.y.example.test', 'no.y.example.test', 'z.y.example.test'])
  await assert.rejects(handshake(ports.https, 'more.y.example.test'))
  await assert.rejects(handshake(ports.https, 'elsewhere.test'))
  assert.equal(asked.length, 3)
  await portico.kill()
  portico.start()
  await until(async () => String((await portico.certificate('x.y.example.test'))?.issuer.CN).startsWith(ours))
  assert.equal(asked.length, 3)
})
