import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { silent } from '#core/log.ts'
import { createDnsServer } from '#dns/server.ts'
import { compileZones } from '#dns/zone.ts'
import { choosePorts, handshake, type Ports, preparePortico, type Restartable } from '../test/acme-portico.ts'
import { type Pebble, type PebbleOptions, startPebble } from '../test/pebble.ts'
import { peer, run } from '../test/peers.ts'
import { checkText, fileText } from '../test/planted/planted.ts'
import { until } from '../test/running.ts'

const pebblePath = peer('pebble')
const openssl = peer('openssl')
const skip = pebblePath === undefined && 'needs pebble'

const hosts = { '@': { respond: 'apex' }, www: { respond: 'www' }, '*': { respond: 'any' } }

type World = { readonly pebble: Pebble; readonly portico: Restartable; readonly folder: string }

type Wishes = {
  readonly hosts?: object
  readonly issuer?: object
  readonly certificates?: object
  readonly pebble?: (ports: Ports) => Partial<PebbleOptions>
}

/** A Portico and the pebble that it orders from; both end with the test. */
async function world(context: TestContext, wishes: Wishes = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'portico-pebble-'))
  const ports = await choosePorts()
  const wanted = { httpPort: ports.http, tlsPort: ports.https, ...wishes.pebble?.(ports) }
  const pebble = await startPebble({ pebble: pebblePath!, folder, dnsPort: ports.dns, ...wanted })
  const issuer = { acme: pebble.directory, root: pebble.root, ...wishes.issuer }
  const portico = await preparePortico(folder, ports, {
    hosts: wishes.hosts ?? hosts,
    certificates: { issuer, ...wishes.certificates },
  })
  context.after(async () => {
    await portico.stop()
    await pebble.stop()
    await rm(folder, { recursive: true, force: true })
  })
  return { pebble, portico, folder }
}

async function untilIssued({ portico }: World, name: string): Promise<string> {
  let names = ''
  await until(async () => {
    const certificate = await portico.certificate(name)
    names = certificate?.subjectaltname ?? ''
    return String(certificate?.issuer.CN).startsWith('Pebble')
  }, 60_000)
  return names
}

test('pebble issues domain and wildcard in one order, and half of all nonces refused is no matter (RFC 8555 §6.5, §7.3, §7.4, §8)', {
  skip,
}, async (context) => {
  const it = await world(context)
  const doctor = async (): Promise<string> => {
    const words = ['doctor', '--resolver', '127.0.0.1:9', '--timeout', '2s']
    return (await it.portico.command(...words)).stdout
  }
  assert.match(
    await doctor(),
    /localhost:\d+ answers in \d+ ms, so the first is there some [\d.]+ s after the start/,
  )
  it.portico.start()
  assert.equal(await untilIssued(it, 'any.example.test'), 'DNS:example.test, DNS:*.example.test')
  const ca = await it.pebble.issuerRoot()
  await handshake(it.portico.ports.https, 'example.test', { ca })
  assert.equal(it.pebble.output().match(/Added order/g)?.length, 1)
  const { code, stdout } = await it.portico.command('certs')
  assert.match(stdout, /example\.test \*\.example\.test +Pebble Intermediate.* +(89|90) days +renewed at 20/)
  assert.equal(code, 0)
  assert.match(
    await doctor(),
    /shows one of Pebble Intermediate.*, [\d.]+ m?s after its order, good for (89|90) days/,
  )
})

test('pebble binds the account to a key that it knows (RFC 8555 §7.3.4)', { skip }, async (context) => {
  const macKey = Buffer.alloc(32, 7).toString('base64url')
  const it = await world(context, {
    issuer: { eab: { kid: 'kid-1', keyFile: './eab.key' } },
    pebble: () => ({ bindings: { 'kid-1': macKey } }),
  })
  await writeFile(join(it.folder, 'eab.key'), macKey)
  it.portico.start()
  await untilIssued(it, 'www.example.test')
})

for (const challenge of ['http-01', 'tls-alpn-01']) {
  test(`pebble takes ${challenge} where DNS is not allowed (RFC 8555 §8.3, RFC 8737 §3)`, {
    skip,
  }, async (context) => {
    const it = await world(context, {
      hosts: { '@': { respond: 'apex' }, www: { respond: 'www' } },
      certificates: { challenges: [challenge] },
    })
    it.portico.start()
    assert.equal(await untilIssued(it, 'www.example.test'), 'DNS:www.example.test')
    assert.equal(await untilIssued(it, 'example.test'), 'DNS:example.test')
  })
}

test('pebble issues for a key of RSA where the file wants one (RFC 4055 §5)', { skip }, async (context) => {
  const it = await world(context, { certificates: { keyType: 'rsa' } })
  it.portico.start()
  await untilIssued(it, 'www.example.test')
  const certificate = await it.portico.certificate('www.example.test')
  assert.equal(certificate?.bits, 2048)
})

/** Words for openssl s_client, and the key of the certificate that it gets. */
const clients: readonly [words: readonly string[], key: 'EC' | 'RSA'][] = [
  [[], 'EC'],
  [['-sigalgs', 'rsa_pss_rsae_sha256'], 'RSA'],
  [['-tls1_2'], 'EC'],
  [['-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256'], 'RSA'],
  [['-tls1_2', '-sigalgs', 'RSA+SHA256'], 'RSA'],
]

test('pebble issues for both kinds of keys, and each client gets the chain that it can use (RFC 8446 §4.2.3)', {
  skip: skip || (openssl === undefined && 'needs openssl'),
}, async (context) => {
  const it = await world(context, { certificates: { keyType: 'both' } })
  const root = join(it.folder, 'issuer.pem')
  await writeFile(root, await it.pebble.issuerRoot())
  it.portico.start()
  await until(async () => {
    const { stdout } = await it.portico.command('certs', '--json')
    const rows = stdout.startsWith('[') ? (JSON.parse(stdout) as { issuer: string }[]) : []
    return rows.length === 2 && rows.every(({ issuer }) => issuer.startsWith('Pebble'))
  }, 60_000)
  for (const [words, key] of clients) {
    const target = ['-connect', `127.0.0.1:${it.portico.ports.https}`, '-servername', 'www.example.test']
    const trust = ['-CAfile', root, '-verify_hostname', 'www.example.test', '-verify_return_error']
    const { stdout, stderr } = await run(openssl!, ['s_client', ...target, ...trust, ...words])
    assert.match(stdout, /Verify return code: 0 \(ok\)/, `${words.join(' ')} ${stderr}`)
    assert.match(stdout, key === 'EC' ? /ECDSA/ : /Peer signature type: RSA/, words.join(' '))
  }
  const { stdout } = await it.portico.command('certs', 'renew', 'www.example.test')
  assert.match(stdout, /is ordered again/)
})

test('pebble gives one certificate to a Portico that is killed eight times on the way', {
  skip,
}, async (context) => {
  const it = await world(context)
  for (let i = 0; i < 8; i++) {
    it.portico.start()
    await new Promise((resolve) => setTimeout(resolve, 350 + i * 25))
    await it.portico.kill()
  }
  it.portico.start()
  await untilIssued(it, 'www.example.test')
  assert.equal(it.pebble.output().match(/Added order/g)?.length, 1)
})

test('a domain whose DNS is elsewhere: what was not found over DNS is proved over HTTP (RFC 8555 §8.3)', {
  skip,
}, async (context) => {
  const text = fileText({ hosts: '"@": { "respond": "x" }, "www": { "respond": "x" }' })
  const { plan } = checkText(
    text.replaceAll('example.com', 'example.test').replace('203.0.113.10', '127.0.0.1'),
  )
  const other = createDnsServer({
    zones: compileZones(plan!.dns.zones, new Map()),
    limits: plan!.dns.limits,
    log: silent,
  })
  const { port } = await other.listen('127.0.0.1', 0)
  context.after(() => other.close())
  const it = await world(context, { pebble: () => ({ dnsPort: port }) })
  it.portico.start()
  assert.equal(await untilIssued(it, 'www.example.test'), 'DNS:example.test, DNS:www.example.test')
  const { stdout } = await it.portico.command('certs')
  assert.match(stdout, /What is shown over DNS was not found, so names are proved in other ways/)
})

test('a TXT record that is not ours: certs says what the authority saw, and what to do (RFC 8555 §8.4)', {
  skip,
}, async (context) => {
  const text = fileText({
    hosts: '"@": { "respond": "x" }',
    records: '"_acme-challenge": { "TXT": "stale" }',
  })
  const { plan } = checkText(text.replaceAll('example.com', 'example.test'))
  const other = createDnsServer({
    zones: compileZones(plan!.dns.zones, new Map()),
    limits: plan!.dns.limits,
    log: silent,
  })
  const { port } = await other.listen('127.0.0.1', 0)
  context.after(() => other.close())
  const certificates = { challenges: 'dns-01' }
  const { portico } = await world(context, { certificates, pebble: () => ({ dnsPort: port }) })
  portico.start()
  await until(() => portico.output().includes('certificate not issued'), 60_000)
  const { code, stdout } = await portico.command('certs')
  assert.equal(code, 1)
  assert.match(stdout, /found no proof, or another one, that example\.test, \*\.example\.test is yours/)
  assert.match(stdout, /Portico showed _acme-challenge\.example\.test\. TXT "/)
  assert.match(stdout, /It said: Correct value not found for DNS challenge/)
  assert.match(stdout, /Fix: let the registrar delegate the domain to this machine/)
  assert.match(stdout, /tried again at 20/)
  const status = await portico.command('status')
  assert.match(status.stdout, /Fix: let the registrar/)
})

test('short certificates are renewed under load, and no handshake fails', { skip }, async (context) => {
  const minutes = Number(process.env['PORTICO_RENEWAL_MINUTES'] ?? 0)
  const [lifetimeSeconds, seconds] = minutes > 0 ? [120, minutes * 60] : [6, 14]
  const it = await world(context, { pebble: () => ({ lifetimeSeconds }) })
  it.portico.start()
  await untilIssued(it, 'www.example.test')
  const ca = await it.pebble.issuerRoot()
  const serials = new Set<string>()
  let count = 0
  for (const end = performance.now() + seconds * 1000; performance.now() < end; count++) {
    const peers = await Promise.all(
      ['www.example.test', 'example.test'].map((name) => handshake(it.portico.ports.https, name, { ca })),
    )
    for (const { peer: certificate } of peers) serials.add(certificate.serialNumber)
    // Enough to meet the moment of the switch, and room for the others on this machine.
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  context.diagnostic(`${count * 2} handshakes over ${serials.size} certificates`)
  assert.ok(serials.size >= 3, `${serials.size} certificates`)
})
