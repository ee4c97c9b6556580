import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type RequestListener, request, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { after, before, test } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { hashPassword } from '#access/password.ts'
import { type Running, startRunning } from './running.ts'

const servers: Server[] = []
const { publicKey, privateKey } = await generateKeyPair('ES256')
const stranger = await generateKeyPair('ES256')
let running: Running
/** what the verifier of forward auth was told */
const asked: IncomingHttpHeaders[] = []

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  servers.push(server)
  return (server.address() as AddressInfo).port
}

/** Admits the cookie `session=ann`; sends others to sign in. */
const verifier: RequestListener = ({ headers, url }, response) => {
  asked.push(headers)
  if (url === '/slow') return
  if (url === '/large') return void response.end(Buffer.alloc(70_000))
  if (headers.cookie?.includes('session=ann') !== true) {
    response
      .writeHead(302, { Location: 'https://login.example.com/', 'Set-Cookie': ['a=1', 'b=2'] })
      .end('sign in')
  } else response.writeHead(204, { 'Remote-User': 'ann', 'Remote-Groups': 'staff', 'X-Other': 'x' }).end()
}

before(async () => {
  const service = await serve((incoming, response) => response.end(JSON.stringify(incoming.headers)))
  servers[0]!.on('upgrade', ({ headers }, socket) => {
    socket.end(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n${headers['remote-user']}`,
    )
  })
  const keys = await serve(async (_incoming, response) => {
    response.end(JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'one' }] }))
  })
  const at = `http://127.0.0.1:${await serve(verifier)}`
  const bearer = {
    issuer: 'https://id.example.com',
    audience: 'api',
    jwks: `http://127.0.0.1:${keys}/jwks`,
    skew: '5s',
    claims: { 'X-User': 'sub', 'X-Groups': 'groups', 'X-Object': 'object' },
    realm: 'API',
  }
  const basic = { users: { ann: await hashPassword('open sesame') }, realm: 'API' }
  const forward = { url: `${at}/verify`, copy: ['Remote-User', 'Remote-Groups'] }
  const hosts = {
    token: { bearer },
    either: { bearer, basic },
    nokeys: { bearer: { ...bearer, jwks: `${at}/no-keys` } },
    verified: { forward },
    cached: { forward: { ...forward, cache: '10s' } },
    slow: { forward: { url: `${at}/slow`, timeout: '50ms' } },
    large: { forward: { url: `${at}/large` } },
    dead: { forward: { url: 'http://127.0.0.1:1/' } },
  }
  const entries = Object.entries(hosts).map(([name, access]) => [name, { service, http: 'serve', access }])
  running = await startRunning({ hosts: Object.fromEntries(entries) })
})

after(async () => {
  const code = await running.stop()
  for (const server of servers) server.close().closeAllConnections()
  assert.equal(code, 0)
})

type Answer = { status: number; headers: IncomingHttpHeaders; body: string }
type Headers = Record<string, string | string[]>

async function get(host: string, headers: Headers, method = 'GET', body?: string): Promise<Answer> {
  const fields = { host: `${host}.example.com`, ...headers }
  const sent = request({
    host: '127.0.0.1',
    port: running.ports.http,
    path: '/x?y=1',
    method,
    headers: fields,
  })
  const [response] = await once(sent.end(body), 'response')
  let text = ''
  for await (const part of response) text += part
  return { status: response.statusCode, headers: response.headers, body: text }
}

type Changes = {
  readonly key?: CryptoKey
  readonly kid?: string
  readonly claims?: Readonly<Record<string, unknown>>
}

async function token({ key = privateKey, kid = 'one', claims = {} }: Changes = {}): Promise<Headers> {
  const now = Math.floor(Date.now() / 1000)
  const payload = { iss: 'https://id.example.com', aud: 'api', sub: 'ann', exp: now + 60, ...claims }
  const signed = new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid })
  return { authorization: `Bearer ${await signed.sign(key)}` }
}

test('a token of the issuer lets in, and its claims go on as fields (RFC 6750 §2.1, RFC 7519 §4.1)', async () => {
  const claims = { groups: ['staff', 'Zürich'], object: { a: 1 } }
  const { status, body } = await get('token', await token({ claims }))
  assert.equal(status, 200)
  const { 'x-user': user, 'x-groups': groups, 'x-object': object } = JSON.parse(body)
  assert.deepEqual(
    [user, Buffer.from(groups, 'latin1').toString(), object],
    ['ann', 'staff,Zürich', undefined],
  )
})

const ago = (seconds: number): number => Math.floor(Date.now() / 1000) - seconds
const unsigned = [{ alg: 'none' }, { iss: 'https://id.example.com', aud: 'api', exp: ago(-60) }]
const refused: [what: string, headers: () => Promise<Headers>][] = [
  ['another key', () => token({ key: stranger.privateKey })],
  ['a key that nobody knows', () => token({ kid: 'two' })],
  ['another issuer', () => token({ claims: { iss: 'https://id.example.org' } })],
  ['another audience', () => token({ claims: { aud: 'web' } })],
  ['expired', () => token({ claims: { exp: ago(6) } })],
  ['not valid yet', () => token({ claims: { nbf: ago(-60) } })],
  ['no end', () => token({ claims: { exp: undefined } })],
  ['no signature', async () => ({ authorization: `Bearer ${unsigned.map(base64url).join('.')}.` })],
  ['no token at all', async () => ({ authorization: 'Bearer abc' })],
]

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

for (const [what, headers] of refused) {
  test(`a token is refused: ${what} (RFC 6750 §3, §3.1, RFC 7519 §4.1.4, §7.2)`, async () => {
    const { status, headers: fields } = await get('token', await headers())
    assert.deepEqual([status, fields['www-authenticate']], [401, 'Bearer realm="API", error="invalid_token"'])
  })
}

test('clocks may differ by the skew (RFC 7519 §4.1.4)', async () => {
  assert.equal((await get('token', await token({ claims: { exp: ago(2) } }))).status, 200)
})

test('who sends nothing is told every scheme (RFC 9110 §11.6.1, RFC 6750 §3)', async () => {
  const challenge = async (host: string, headers: Headers = {}): Promise<string | undefined> => {
    const { status, headers: fields } = await get(host, headers)
    assert.equal(status, 401)
    return fields['www-authenticate']
  }
  assert.equal(await challenge('token'), 'Bearer realm="API"')
  assert.equal(await challenge('either'), 'Basic realm="API", charset="UTF-8", Bearer realm="API"')
  const wrong = 'Basic realm="API", charset="UTF-8", Bearer realm="API", error="invalid_token"'
  assert.equal(await challenge('either', { authorization: 'Bearer abc' }), wrong)
  const authorization = `Basic ${Buffer.from('ann:open sesame').toString('base64')}`
  assert.equal((await get('either', { authorization })).status, 200)
  assert.equal((await get('either', await token())).status, 200)
})

test('without keys nobody is refused for good: 503 (RFC 7517 §5)', async () => {
  const { status, headers } = await get('nokeys', await token())
  assert.deepEqual([status, headers['retry-after']], [503, '2'])
})

test('what a client says of itself under our names never reaches the service (RFC 9110 §7.6.1)', async () => {
  const forged: Headers = { 'X-User': 'eve', x_user: 'eve', 'X-Groups': 'root', Connection: 'X-User, close' }
  const { body } = await get('token', { ...(await token()), ...forged })
  const fields = JSON.parse(body)
  assert.deepEqual([fields['x-user'], fields['x_user'], fields['x-groups']], ['ann', undefined, undefined])
  const verified = await get('verified', {
    Cookie: 'session=ann',
    'Remote-User': 'eve',
    Connection: 'Remote-User',
  })
  assert.equal(JSON.parse(verified.body)['remote-user'], 'ann')
})

test('forward auth: the verifier is told who asks for what, and 2xx lets in with the fields that are copied', async () => {
  asked.length = 0
  const { status, body } = await get(
    'verified',
    { Cookie: 'session=ann', 'Content-Length': '5' },
    'PUT',
    'hello',
  )
  assert.equal(status, 200)
  const { 'remote-user': user, 'remote-groups': groups, 'x-other': other } = JSON.parse(body)
  assert.deepEqual([user, groups, other], ['ann', 'staff', undefined])
  const told = asked[0]!
  const names = ['method', 'proto', 'host', 'uri', 'for'].map((name) => told[`x-forwarded-${name}`])
  assert.deepEqual(names, ['PUT', 'http', 'verified.example.com', '/x?y=1', '127.0.0.1'])
  assert.deepEqual([told.cookie, told['content-length']], ['session=ann', undefined])
})

test('forward auth: another answer goes to the client as it is', async () => {
  const { status, headers, body } = await get('verified', {})
  assert.deepEqual([status, headers.location, body], [302, 'https://login.example.com/', 'sign in'])
  assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2'])
})

test('forward auth: a 2xx is remembered for the same request and credentials only, another answer never', async () => {
  asked.length = 0
  const ask = async (cookie: string, method = 'GET'): Promise<number> => {
    return (await get('cached', { Cookie: cookie }, method)).status
  }
  assert.deepEqual([await ask('session=ann'), await ask('session=ann'), asked.length], [200, 200, 1])
  assert.deepEqual([await ask('session=ann', 'DELETE'), asked.length], [200, 2])
  assert.deepEqual([await ask('session=eve'), await ask('session=eve'), asked.length], [302, 302, 4])
})

for (const host of ['slow', 'large', 'dead']) {
  test(`forward auth: a verifier that is ${host} lets nobody in (RFC 9110 §15.6.3)`, async () => {
    assert.equal((await get(host, { Cookie: 'session=ann' })).status, 502)
  })
}

test('another protocol passes through a guard (RFC 9110 §7.8)', async () => {
  const upgrade = async (cookie: string): Promise<string> => {
    const socket = connect(running.ports.http, '127.0.0.1')
    const fields = `Host: verified.example.com\r\nConnection: Upgrade\r\nUpgrade: echo\r\nCookie: ${cookie}`
    socket.write(`GET / HTTP/1.1\r\n${fields}\r\n\r\n`)
    let text = ''
    for await (const part of socket.setEncoding('latin1')) {
      text += part
      if (/ann$|sign in$/.test(text)) break
    }
    return text
  }
  assert.match(await upgrade('session=ann'), /^HTTP\/1\.1 101 [\s\S]*\r\n\r\nann$/)
  assert.match(await upgrade('session=eve'), /^HTTP\/1\.1 302 /)
})
