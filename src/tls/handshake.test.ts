import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net'
import test, { type TestContext } from 'node:test'
import { type ConnectionOptions, connect, createServer, type Server, type TLSSocket } from 'node:tls'
import { silent } from '#core/log.ts'
import { wanted } from '../../test/certificate-plan.ts'
import { temporaryFolder } from '../../test/folder.ts'
import { rsaCertificate } from '../../test/rsa-certificate.ts'
import { openAuthority } from './authority.ts'
import { createHandshake, type HandshakeOptions } from './handshake.ts'
import type { Issuer } from './issuer.ts'
import type { TlsLimits, UnknownNames } from './plan.ts'
import { type CertificateStore, createCertificateStore } from './store.ts'
import { createTicketKeys } from './ticket-keys.ts'

const DAY = 86_400_000
// So long ago that a certificate of then still stands today, and so does its renewal after four days.
const START = Date.now() - 5 * DAY
const limits: TlsLimits = {
  lifetimeMs: 6 * DAY,
  sessionTimeoutMs: DAY,
  // Long for whoever only waits for a core, short for the test that waits for it.
  handshakeTimeoutMs: 3000,
  contexts: 16,
}
const plan = { certificates: [wanted('example.com'), wanted('*.example.com')], limits }

const folder = temporaryFolder()
const authority = await openAuthority({ folder, host: 'laptop', now: START, log: silent })

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`${version}: the name in the ClientHello selects the certificate`, async (t) => {
    const { port } = await serve(t)
    const only = { port, minVersion: version, maxVersion: version }
    const api = await hello({ ...only, servername: 'api.example.com' })
    assert.equal(api.getPeerCertificate().subjectaltname, 'DNS:*.example.com')
    assert.equal(api.getProtocol(), version)
    const apex = await hello({ ...only, servername: 'example.com' })
    assert.equal(apex.getPeerCertificate().subjectaltname, 'DNS:example.com')
  })

  test(`${version}: a name without certificate is refused with the alert unrecognized_name (RFC 6066 §3, RFC 8446 §6)`, async (t) => {
    const { port } = await serve(t)
    const only = { port, minVersion: version, maxVersion: version }
    for (const servername of ['other.test', 'a.b.example.com', '*.example.com']) {
      await assert.rejects(hello({ ...only, servername }), { code: 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME' })
    }
  })

  test(`${version}: a client that sends no name gets the first certificate`, async (t) => {
    const { port } = await serve(t)
    const socket = await hello({
      port,
      minVersion: version,
      maxVersion: version,
      checkServerIdentity: () => undefined,
    })
    assert.equal(socket.getPeerCertificate().subjectaltname, 'DNS:example.com')
  })

  test(`${version}: a session is resumed by its ticket, until its key is renewed (RFC 5077 §4)`, async (t) => {
    const clock = { now: START }
    const { port } = await serve(t, {}, clock)
    const only = { port, minVersion: version, maxVersion: version, servername: 'example.com' }
    const session = await ticketOf(only)
    assert.equal((await hello({ ...only, session })).isSessionReused(), true)
    clock.now = START + DAY
    assert.equal((await hello({ ...only, session })).isSessionReused(), false)
  })
}

test('servers that share ticket keys resume the sessions of each other', async (t) => {
  const key = Buffer.alloc(48, 7)
  const ticketKeys = { current: () => key }
  const [one, two] = [await serve(t, { ticketKeys }), await serve(t, { ticketKeys })]
  const session = await ticketOf({ port: one.port, servername: 'example.com' })
  assert.equal((await hello({ port: two.port, servername: 'example.com', session })).isSessionReused(), true)
})

test('the certificate for clients without a name follows renewals and new plans', async (t) => {
  const clock = { now: START }
  const { port, store } = await serve(t, {}, clock)
  const nameless = { port, checkServerIdentity: () => undefined }
  const first = (await hello(nameless)).getPeerCertificate()
  clock.now = START + 4 * DAY
  const renewed = (await hello(nameless)).getPeerCertificate()
  assert.equal(renewed.subjectaltname, first.subjectaltname)
  assert.notEqual(renewed.serialNumber, first.serialNumber)
  store.prepare({ certificates: [wanted('new.test')], limits })()
  assert.equal((await hello(nameless)).getPeerCertificate().subjectaltname, 'DNS:new.test')
  store.prepare({ certificates: [], limits })()
  await assert.rejects(hello(nameless), { code: 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE' })
})

test('a certificate that is not there yet is refused with internal_error', async (t) => {
  const { port } = await serve(t, {}, { now: START }, { issue: () => null })
  await assert.rejects(hello({ port, servername: 'example.com' }), {
    code: 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR',
  })
})

const refused: readonly [what: string, options: ConnectionOptions, code: RegExp][] = [
  [
    'TLS 1.1 (RFC 8996 §2)',
    { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' },
    /PROTOCOL_VERSION/,
  ],
  [
    'RSA key exchange and CBC (RFC 9325 §4.2)',
    { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:ECDHE-ECDSA-AES128-SHA' },
    /HANDSHAKE_FAILURE/,
  ],
  ['a protocol that is not offered (RFC 7301 §3.2)', { ALPNProtocols: ['h2'] }, /NO_APPLICATION_PROTOCOL/],
]
for (const [what, options, code] of refused) {
  test(`refused: ${what}`, async (t) => {
    const { port } = await serve(t)
    await assert.rejects(hello({ port, servername: 'example.com', ...options }), { code })
  })
}

test('HTTP/1.1 is agreed by ALPN (RFC 7301)', async (t) => {
  const { port } = await serve(t)
  const socket = await hello({ port, servername: 'example.com', ALPNProtocols: ['h2', 'http/1.1'] })
  assert.equal(socket.alpnProtocol, 'http/1.1')
})

test('renegotiation is refused (RFC 9325 §3.5)', async (t) => {
  const { port } = await serve(t)
  const socket = await hello({ port, servername: 'example.com', maxVersion: 'TLSv1.2' })
  const error = await new Promise<Error | null>((resolve) => {
    socket.once('error', resolve)
    socket.renegotiate({}, resolve)
  })
  assert.match(error?.message ?? '', /no renegotiation/i)
})

test('clients that send noise, leave or stay silent are logged at debug and closed; the server goes on', async (t) => {
  const said: string[] = []
  const { port, server } = await serve(t, { log: (level, event) => said.push(`${level} ${event}`) })
  const failures = on(server, 'tlsClientError', 4)
  const [noisy, cut, leaving, quiet] = [
    await open(port),
    await open(port),
    await open(port),
    await open(port),
  ]
  const closed = Promise.all([noisy, cut, leaving, quiet].map((client) => once(client, 'close')))
  noisy.write('GET / HTTP/1.1\r\n\r\n')
  cut.end(Buffer.from('16030100c8010000c4', 'hex'))
  leaving.resetAndDestroy()
  await Promise.all([failures, closed])
  assert.ok(said.every((event) => event.startsWith('debug ')))
  assert.equal(said.filter((event) => event === 'debug handshake failed').length, 4)
  assert.ok((await hello({ port, servername: 'example.com' })).authorized)
})

test('connections outlive the context that they began with', async (t) => {
  const { port, store } = await serve(t)
  store.prepare({ ...plan, limits: { ...limits, contexts: 1 } })()
  const names = Array.from({ length: 40 }, (_, turn) => (turn % 2 === 0 ? 'example.com' : 'api.example.com'))
  const sockets = await Promise.all(names.map((servername) => hello({ port, servername })))
  store.prepare({ certificates: [], limits })()
  const echoes = sockets.map((socket) => once(socket, 'data'))
  for (const socket of sockets) socket.write('ping')
  const texts = await Promise.all(echoes)
  assert.ok(texts.every(([octets]) => String(octets) === 'ping'))
})

test('clients that reset while they are refused do no harm', async (t) => {
  const { port } = await serve(t)
  for (let turn = 0; turn < 20; turn++) {
    const raw = await open(port)
    connect({ socket: raw, servername: 'other.test' }).on('error', () => {})
    setTimeout(() => raw.resetAndDestroy(), turn % 3)
    await once(raw, 'close')
  }
  assert.ok((await hello({ port, servername: 'example.com' })).authorized)
})

const able: readonly [what: string, options: ConnectionOptions, kind: 'ec' | 'rsa'][] = [
  ['TLS 1.3', {}, 'ec'],
  ['TLS 1.3 without ECDSA', { sigalgs: 'rsa_pss_rsae_sha256' }, 'rsa'],
  ['TLS 1.2', { maxVersion: 'TLSv1.2' }, 'ec'],
  ['TLS 1.2 without its ciphers', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }, 'rsa'],
]
for (const [what, options, kind] of able) {
  test(`where a certificate of RSA stands beside, a client of ${what} gets ${kind}`, async (t) => {
    const { port } = await serve(t, {}, { now: START }, pairs, true)
    // Where nobody is named OpenSSL chooses, in the order of the client.
    for (const named of [{ servername: 'api.example.com' }, ...(kind === 'rsa' ? [{}] : [])]) {
      const socket = await hello({ port, rejectUnauthorized: false, ...options, ...named })
      assert.equal(socket.getPeerX509Certificate()?.publicKey.asymmetricKeyType, kind)
    }
  })
}

const policies: readonly [unknownNames: UnknownNames, outcome: { code: string } | null][] = [
  ['refuse', { code: 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME' }],
  ['close', { code: 'ECONNRESET' }],
  ['default', null],
]
for (const [unknownNames, outcome] of policies) {
  test(`a name without certificate, where the file says ${unknownNames} (RFC 6066 §3)`, async (t) => {
    const { port, store } = await serve(t)
    store.prepare({ ...plan, unknownNames })()
    const asked = hello({ port, servername: 'other.test', rejectUnauthorized: false })
    if (outcome !== null) return assert.rejects(asked, outcome)
    assert.equal((await asked).getPeerCertificate().subjectaltname, 'DNS:example.com')
  })
}

// Made before any handshake: a key of RSA takes its time.
const beside = rsaCertificate(['example.com', '*.example.com'])
/** Certificates of two kinds for one name. */
const pairs: Issuer = {
  issue(certificate, now, lifetimeMs) {
    return { ...authority.issue(certificate, now, lifetimeMs), beside }
  },
}

type Clock = { now: number }

async function serve(
  t: TestContext,
  options: Partial<HandshakeOptions> = {},
  clock: Clock = { now: START },
  issuer: Issuer = authority,
  pair = false,
): Promise<{ port: number; server: Server; store: CertificateStore }> {
  const now = () => clock.now
  const log = options.log ?? silent
  const certificates = plan.certificates.map((each) => (pair ? { ...each, pair } : each))
  const store = createCertificateStore({
    plan: { certificates, limits },
    issuers: { local: issuer },
    now,
    log,
  })
  const ticketKeys = createTicketKeys(() => store.limits().sessionTimeoutMs, now)
  const handshake = createHandshake({ store, log, ticketKeys, ...options })
  const server = createServer(handshake.options, (socket) => {
    socket.on('error', () => {})
    socket.write('hello')
    socket.pipe(socket)
  })
  handshake.attach(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const open = new Set<Socket>()
  server.on('connection', (socket) => open.add(socket))
  t.after(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, server, store }
}

/** Connect, wait for the first octets, which come after any ticket, and leave the socket to the test. */
async function hello(options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', ca: authority.root.pem, ...options })
  await once(socket, 'data')
  socket.on('error', () => {}) // the server resets what is open when the test ends
  return socket
}

async function ticketOf(options: ConnectionOptions): Promise<Buffer> {
  const socket = connect({ host: '127.0.0.1', ca: authority.root.pem, ...options })
  const [session] = await once(socket, 'session')
  assert.ok(Buffer.isBuffer(session))
  socket.on('error', () => {})
  return session
}

async function open(port: number): Promise<Socket> {
  const socket = connectTcp(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.resume()
  await once(socket, 'connect')
  return socket
}

function on(server: Server, event: string, times: number): Promise<void> {
  return new Promise((resolve) => {
    let seen = 0
    server.on(event, () => ++seen === times && resolve())
  })
}
