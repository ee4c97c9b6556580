import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { createBearerVerifier } from './bearer.ts'

const { publicKey, privateKey } = await generateKeyPair('EdDSA')
const set = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one' }] })
let fetches = 0
let answer: { status: number; body: string } = { status: 200, body: set }
const server = createServer((_request, response) => {
  fetches++
  response.writeHead(answer.status).end(answer.body)
})
await once(server.listen(0, '127.0.0.1'), 'listening')
after(() => server.close().closeAllConnections())

const plan = {
  realm: 'API',
  issuer: 'id',
  audience: ['api'],
  jwks: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
  algorithms: ['EdDSA'],
  skewMs: 0,
  claims: [['X-User', 'sub']] as const,
}
const times = { cacheMaxAge: 0, cooldownDuration: 60_000, timeoutDuration: 1000 }

function token(kid = 'one'): Promise<string> {
  const signed = new SignJWT({ sub: 'ann' }).setIssuer('id').setAudience('api').setExpirationTime('1m')
  return signed.setProtectedHeader({ alg: 'EdDSA', kid }).sign(privateKey)
}

/** Whether a token is let in, else the status. */
async function judge(verify: ReturnType<typeof createBearerVerifier>, text: string): Promise<true | number> {
  const verdict = await verify(text)
  if (verdict.isAdmitted) return true
  return 'status' in verdict.answer ? verdict.answer.status : 0
}

test('the last keys serve while the issuer fails, and it is left alone for a while (RFC 7517 §5)', async () => {
  const verify = createBearerVerifier(plan, [], times)
  assert.equal(await judge(verify, await token()), true)
  answer = { status: 500, body: '' }
  fetches = 0
  assert.equal(await judge(verify, await token()), true)
  assert.equal(await judge(verify, await token()), true)
  assert.equal(await judge(verify, await token('two')), 401)
  assert.equal(fetches, 1)
})

for (const [what, body] of [
  ['no set', '{}'],
  ['no JSON', '<html>'],
  ['more than a mebibyte', ' '.repeat(2 ** 20) + set],
] as const) {
  test(`keys that are ${what} are none: 503, and nobody is let in (RFC 7517 §5)`, async () => {
    answer = { status: 200, body }
    assert.equal(await judge(createBearerVerifier(plan, [], times), await token()), 503)
  })
}

test('an algorithm that was not asked for is refused (RFC 7519 §7.2)', async () => {
  answer = { status: 200, body: set }
  const verify = createBearerVerifier({ ...plan, algorithms: ['ES256'] }, [], times)
  assert.equal(await judge(verify, await token()), 401)
})
