import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import dns from 'node:dns'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { syncBuiltinESMExports } from 'node:module'
import type net from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { originAt } from '../../../test/origin.ts'
import { peer } from '../../../test/peers.ts'
import { startProxy, startScript, talk } from '../../../test/proxy.ts'
import { httpLimits } from '../config.ts'
import type { OriginTls } from '../service-plan.ts'
import { createOrigins } from './origins.ts'

const ask = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
const folder = mkdtempSync(join(tmpdir(), 'portico-socket-'))
const servers: net.Server[] = []
after(() => {
  for (const server of servers) server.close()
  rmSync(folder, { recursive: true })
})

async function listen(server: net.Server, ...where: [string] | [number, string]): Promise<number> {
  server.listen(...(where as [number, string]))
  await once(server, 'listening')
  servers.push(server)
  return where.length === 1 ? 0 : (server.address() as net.AddressInfo).port
}

test('an origin at a Unix socket is asked there, its name in the log', async () => {
  const socketPath = join(folder, 'app.sock')
  await listen(
    http.createServer((request, response) => response.end(`${request.headers.host} over a socket`)),
    socketPath,
  )
  const plan = originAt(0, { host: '', authority: 'localhost', socketPath })
  const proxy = await startProxy([plan])
  assert.match(await talk(proxy.port, [ask]), /\r\n\r\na over a socket$/)
  assert.equal(proxy.ends[0]!.note.answeredBy, `unix:${socketPath}`)
  const missing = await startProxy([{ ...plan, socketPath: join(folder, 'none.sock') }])
  assert.match(await talk(missing.port, [ask]), /^HTTP\/1\.1 502 /)
})

test('an origin that is told clients by the PROXY protocol gets each request on a connection of its own', async () => {
  const origin = await startScript(
    (head) => `HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n${head.slice(0, 5)}`,
  )
  const proxy = await startProxy([originAt(origin.port, { proxyProtocol: 1 })])
  for (let i = 0; i < 2; i++) assert.match(await talk(proxy.port, [ask]), /\r\n\r\nPROXY$/)
  assert.equal(origin.sockets.length, 2)
  for (const head of origin.heads) {
    const line = new RegExp(
      `^PROXY TCP4 127\\.0\\.0\\.1 0\\.0\\.0\\.0 \\d+ ${proxy.port}\r\nGET / HTTP/1\\.1\r\n`,
    )
    assert.match(head, line)
  }
})

const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
)
for (const address of ['127.0.0.1', ...(hasIpv6 ? ['::1'] : [])]) {
  test(`an origin that listens on ${address} only is reached by a name of both families (RFC 8305 §5)`, async (context) => {
    const both = [
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ]
    const addresses = address === '::1' ? both.toReversed() : both
    const server = http.createServer((_request, response) => response.end('reached'))
    const port = await listen(server, 0, address)
    const proxy = await startProxy([originAt(port, { host: `both-${addresses[0]!.family}` })])
    // Servers look up where they listen: only now is the name ours.
    context.mock.method(
      dns,
      'lookup',
      (_name: string, _options: object, callback: (error: null, found: dns.LookupAddress[]) => void) =>
        callback(null, addresses),
    )
    syncBuiltinESMExports()
    assert.match(await talk(proxy.port, [ask]), /reached$/)
    context.mock.restoreAll()
    syncBuiltinESMExports()
  })
}

describe('an origin that wants a client certificate', { skip: !peer('openssl') && 'needs openssl' }, () => {
  let port = 0
  const openssl = (...args: string[]): void =>
    void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })

  before(async () => {
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    openssl(
      'req',
      '-x509',
      ...curve,
      '-days',
      '2',
      '-subj',
      '/CN=Test',
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
    )
    for (const name of ['server', 'client']) {
      openssl('req', ...curve, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`)
      writeFileSync(join(folder, `${name}.ext`), 'subjectAltName=DNS:api.internal')
      const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${name}.ext`]
      openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-days', '2', '-out', `${name}.pem`)
    }
    const [key, cert, ca] = ['server.key', 'server.pem', 'ca.pem'].map((name) =>
      readFileSync(join(folder, name)),
    )
    const options = { key: key!, cert: cert!, ca: ca!, requestCert: true }
    const server = https.createServer(options, (request, response) => {
      const socket = request.socket as TLSSocket
      response.end(`${socket.servername} ${socket.getPeerCertificate().subject?.CN}`)
    })
    port = await listen(server, 0, '127.0.0.1')
  })

  const answer = async (tls?: OriginTls): Promise<string> => {
    const plan = originAt(port, { scheme: 'https', ...(tls === undefined ? {} : { tls }) })
    const proxy = await startProxy([plan], { folder })
    return talk(proxy.port, [ask])
  }

  test('is shown it, asked for by the name of the file, and verified against its authority (RFC 6066 §3)', async () => {
    const shown = { ca: 'ca.pem', name: 'api.internal', certificate: 'client.pem', key: 'client.key' }
    assert.match(await answer(shown), /\r\n\r\napi\.internal client$/)
  })

  test('is not spoken to when its name or its authority is another', async () => {
    assert.match(await answer({ ca: 'ca.pem' }), /502 .*for another name/s)
    assert.match(await answer({ name: 'api.internal' }), /^HTTP\/1\.1 502 /)
  })

  test('is not planned at all when a file cannot be read: a reload then changes nothing', () => {
    const origins = createOrigins({ limits: httpLimits(), portOf: () => null, folder })
    const plan = originAt(port, { scheme: 'https', tls: { ca: 'none.pem' } })
    assert.throws(() => origins.pool(plan, null), /ENOENT.*none\.pem/)
    origins.close()
  })
})
