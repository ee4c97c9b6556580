import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import test from 'node:test'
import { flattenedVerify } from 'jose'
import { dnsDigest, keyAuthorization, signBinding, signKeyChange, signRequest } from './jws.ts'

const pair = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { private: privateKey, public: publicKey }
}
const key = pair()
const content = { url: 'https://a.test/new', nonce: 'n', payload: { a: 1 } }

test('signRequest() names nonce, URL and the key, later the account (RFC 8555 §6.2)', async () => {
  const first = await flattenedVerify(await signRequest(content, { key, kid: null }), key.public)
  assert.equal(Buffer.from(first.payload).toString(), '{"a":1}')
  const { jwk, ...head } = first.protectedHeader ?? {}
  assert.deepEqual(head, { alg: 'ES256', nonce: 'n', url: 'https://a.test/new' })
  assert.deepEqual(Object.keys(jwk ?? {}).sort(), ['crv', 'kty', 'x', 'y'])
  const later = await flattenedVerify(
    await signRequest(content, { key, kid: 'https://a.test/1' }),
    key.public,
  )
  assert.equal(later.protectedHeader?.kid, 'https://a.test/1')
  assert.equal(later.protectedHeader?.jwk, undefined)
})

test('signRequest() without payload is POST-as-GET: an empty one (RFC 8555 §6.3)', async () => {
  assert.equal((await signRequest({ ...content, payload: undefined }, { key, kid: 'k' })).payload, '')
})

test('signBinding() is a MAC over the key of the account (RFC 8555 §7.3.4)', async () => {
  const macKey = Buffer.alloc(32, 1)
  const jws = await signBinding(key, 'https://a.test/new', { kid: 'k', macKey: macKey.toString('base64url') })
  const { payload, protectedHeader } = await flattenedVerify(jws, macKey)
  assert.deepEqual(JSON.parse(Buffer.from(payload).toString()), key.public.export({ format: 'jwk' }))
  assert.deepEqual(protectedHeader, { alg: 'HS256', kid: 'k', url: 'https://a.test/new' })
})

test('signKeyChange() is signed by the new key and names the old one (RFC 8555 §7.3.5)', async () => {
  const next = pair()
  const jws = await signKeyChange({ key, next }, 'https://a.test/change', 'https://a.test/1')
  const { payload, protectedHeader } = await flattenedVerify(jws, next.public)
  assert.deepEqual(JSON.parse(Buffer.from(payload).toString()), {
    account: 'https://a.test/1',
    oldKey: key.public.export({ format: 'jwk' }),
  })
  assert.equal(protectedHeader?.['nonce'], undefined)
})

test('keyAuthorization() and dnsDigest() (RFC 8555 §8.1, §8.4; the key of RFC 7517 appendix A.2)', async () => {
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
    y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
    d: '870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE',
  }
  const known = createPrivateKey({ key: jwk, format: 'jwk' })
  const text = await keyAuthorization('token', { private: known, public: createPublicKey(known) })
  assert.equal(text, 'token.cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s')
  assert.equal(dnsDigest(text).length, 43)
})
