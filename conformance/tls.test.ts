import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { createServer } from 'node:tls'
import { silent } from '#core/log.ts'
import { openAuthority } from '#tls/authority.ts'
import { createHandshake } from '#tls/handshake.ts'
import { createCertificateStore } from '#tls/store.ts'
import { createTicketKeys } from '#tls/ticket-keys.ts'
import { wanted } from '../test/certificate-plan.ts'
import { peer, run } from '../test/peers.ts'

const openssl = peer('openssl')
const curl = peer('curl')
const needsOpenssl = { skip: openssl === undefined && 'needs openssl' }
const needsCurl = { skip: curl === undefined && 'needs curl' }

const DAY = 86_400_000
const folder = await mkdtemp(join(tmpdir(), 'portico-tls-'))
const authority = await openAuthority({ folder, host: 'laptop', now: Date.now(), log: silent })
const limits = { lifetimeMs: 7 * DAY, sessionTimeoutMs: DAY, handshakeTimeoutMs: 5000, contexts: 16 }
const certificates = [wanted('example.com'), wanted('*.example.com'), wanted('sub1.example.localhost')]
const store = createCertificateStore({
  plan: { certificates, limits },
  issuers: { local: authority },
  now: Date.now,
  log: silent,
})
const handshake = createHandshake({
  store,
  log: silent,
  ticketKeys: createTicketKeys(() => 3_600_000, Date.now),
})
const server = createServer(handshake.options, (socket) => {
  socket.on('error', () => {})
  socket.once('data', () =>
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nhi\n'),
  )
})
handshake.attach(server)
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo
after(async () => {
  server.close()
  await rm(folder, { recursive: true })
})

test('openssl verify: root and leaf hold up to the strict rules of RFC 5280', needsOpenssl, async () => {
  const leaf = join(folder, 'leaf.pem')
  await writeFile(leaf, authority.issue(wanted('*.example.com'), Date.now(), DAY).chain)
  const strict = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', authority.root.path]
  const covered = await run(openssl!, [...strict, '-verify_hostname', 'a.example.com', leaf])
  assert.equal(covered.code, 0, covered.stderr)
  const tooDeep = await run(openssl!, [...strict, '-verify_hostname', 'a.b.example.com', leaf])
  assert.match(tooDeep.stderr, /hostname mismatch/i)
  assert.equal(
    (await run(openssl!, [...strict.slice(0, 2), '-CAfile', authority.root.path, authority.root.path])).code,
    0,
  )
})

for (const version of ['1_2', '1_3']) {
  test(`openssl s_client: TLS ${version} with the right certificate for the name`, needsOpenssl, async () => {
    for (const name of ['example.com', 'api.example.com', 'sub1.example.localhost']) {
      const { code, stdout } = await client([`-tls${version}`, '-servername', name, '-verify_hostname', name])
      assert.equal(code, 0)
      assert.match(stdout, /Verify return code: 0 \(ok\)/)
    }
  })

  test(
    `openssl s_client: TLS ${version} refuses other names with unrecognized_name`,
    needsOpenssl,
    async () => {
      for (const name of ['a.b.example.com', 'other.test', 'sub2.example.localhost']) {
        const { stderr } = await client([`-tls${version}`, '-servername', name])
        assert.match(stderr, /alert number 112/)
      }
    },
  )

  test(
    `openssl s_client: TLS ${version} gives the first certificate when no name is sent`,
    needsOpenssl,
    async () => {
      const { stdout } = await client([`-tls${version}`, '-noservername', '-verify_hostname', 'example.com'])
      assert.match(stdout, /Verify return code: 0 \(ok\)/)
    },
  )

  test(`openssl s_client: TLS ${version} resumes by ticket`, needsOpenssl, async () => {
    const session = join(folder, `session${version}`)
    const words = [`-tls${version}`, '-servername', 'api.example.com']
    await client([...words, '-sess_out', session])
    const { stdout } = await client([...words, '-sess_in', session])
    assert.match(stdout, /^Reused, TLS/m)
  })
}

test('curl --cacert reaches hosts by name, and refuses what is one label too deep', needsCurl, async () => {
  assert.equal((await fetchWithCurl('api.example.com')).stdout, 'hi\n')
  assert.equal((await fetchWithCurl('sub1.example.localhost')).stdout, 'hi\n')
  // 35: the handshake failed. 60: the certificate is not trusted.
  assert.equal((await fetchWithCurl('a.b.example.com')).code, 35)
  const untrusting = await run(curl!, [
    '-sS',
    '--resolve',
    `example.com:${port}:127.0.0.1`,
    `https://example.com:${port}/`,
  ])
  assert.equal(untrusting.code, 60)
})

/** One request: it ends when the server closes, after the tickets came. */
function client(words: string[]): ReturnType<typeof run> {
  const common = ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', authority.root.path, '-ign_eof']
  return run(openssl!, [...common, ...words], { input: 'GET / HTTP/1.1\r\n\r\n' })
}

function fetchWithCurl(name: string): ReturnType<typeof run> {
  const resolve = `${name}:${port}:127.0.0.1`
  return run(curl!, [
    '-sS',
    '--cacert',
    authority.root.path,
    '--resolve',
    resolve,
    `https://${name}:${port}/`,
  ])
}
