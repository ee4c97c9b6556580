import assert from 'node:assert/strict'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { type ConnectionOptions, connect } from 'node:tls'
import { silent } from '#core/log.ts'
import { openAuthority } from '#tls/authority.ts'
import { choosePorts, handshake, preparePortico } from './acme-portico.ts'
import { startPebble } from './pebble.ts'
import { peer, run } from './peers.ts'
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

const openssl = peer('openssl')

test('a host lets in clients with a certificate under its roots, and no session or connection of another host opens it', {
  skip: openssl === undefined && 'needs openssl',
}, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'portico-clients-'))
  for (const name of ['good', 'other']) {
    const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.pem`)]
    const words = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '1',
      '-subj',
      `/CN=${name}`,
      ...files,
    ]
    await run(openssl!, words)
  }
  const ports = await choosePorts()
  const portico = await preparePortico(folder, ports, {
    hosts: {
      open: { respond: 'open' },
      closed: { respond: 'closed', clientCertificates: './good.pem' },
    },
    certificates: {},
  })
  context.after(async () => {
    await portico.stop()
    await rm(folder, { recursive: true, force: true })
  })
  portico.start()
  await until(async () => (await portico.certificate('open.example.test')) !== null)
  const read = async (name: string) => readFile(join(folder, name), 'utf8')
  const good = { key: await read('good.key'), cert: await read('good.pem') }
  const other = { key: await read('other.key'), cert: await read('other.pem') }

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const ask = (servername: string, host: string, options: ConnectionOptions = {}) =>
      request(ports.https, host, { servername, maxVersion, ...options })
    const first = await ask('closed.example.test', 'closed.example.test', good)
    assert.match(first.text, /^HTTP\/1\.1 200.*closed$/s)
    const again = { ...good, ...(first.session === undefined ? {} : { session: first.session }) }
    assert.match((await ask('closed.example.test', 'closed.example.test', again)).text, /^HTTP\/1\.1 200/)
    assert.equal((await ask('closed.example.test', 'closed.example.test', other)).text, '')
    assert.equal((await ask('closed.example.test', 'closed.example.test')).text, '')
    const open = await ask('open.example.test', 'open.example.test', good)
    assert.match(open.text, /200.*open$/s)
    assert.match((await ask('open.example.test', 'closed.example.test', good)).text, /^HTTP\/1\.1 421/)
    const resumed = open.session === undefined ? {} : { session: open.session }
    assert.equal((await ask('closed.example.test', 'closed.example.test', resumed)).text, '')
  }
})

/** One request on a connection of its own: what came back, empty when nothing did, and the session for a later one. */
function request(
  port: number,
  host: string,
  options: ConnectionOptions,
): Promise<{ text: string; session: Buffer | undefined }> {
  return new Promise((resolve) => {
    let text = ''
    let session: Buffer | undefined
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
    socket.on('session', (next) => (session = next))
    socket.on('error', () => {})
    socket.on('data', (part) => (text += part))
    socket.on('close', () => resolve({ text, session }))
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
  })
}
