import assert from 'node:assert/strict'
import test from 'node:test'
import { certificateSettings, tlsLimits } from './config.ts'

test('every duration and count of certificates has a default within its limits, and a source', () => {
  for (const [key, setting] of Object.entries(certificateSettings.fields)) {
    if (setting.type !== 'duration' && setting.type !== 'integer') continue
    const { initial = Number.NaN, min, max, source } = setting
    assert.ok(initial >= min && initial <= max, key)
    assert.ok(source !== undefined, key)
  }
})

test('tickets last 7 days at most (RFC 8446 §4.6.1)', () => {
  const setting = certificateSettings.fields['sessionTimeout']
  assert.ok(setting?.type === 'duration')
  assert.equal(setting.max, 7 * 86_400_000)
})

test('the URL of an ACME directory needs https (RFC 8555 §7.1.1)', () => {
  const issuer = certificateSettings.fields['issuer']
  assert.ok(issuer?.type === 'either')
  const group = issuer.of.find((form) => form.type === 'group')
  const url = group?.fields['acme']
  assert.ok(url?.type === 'text' && url.form !== undefined)
  const pattern = new RegExp(url.form.pattern, 'u')
  assert.ok(pattern.test('https://acme.example/directory'))
  assert.ok(!pattern.test('http://acme.example/directory'))
})

test('tlsLimits() names the unit of what was read', () => {
  const config = {
    issuer: 'local' as const,
    challenges: [],
    files: [],
    keyType: 'ecdsa' as const,
    unknownNames: 'refuse' as const,
    lifetime: 1,
    sessionTimeout: 2,
    handshakeTimeout: 3,
    contexts: 4,
  }
  assert.deepEqual(tlsLimits(config), {
    lifetimeMs: 1,
    sessionTimeoutMs: 2,
    handshakeTimeoutMs: 3,
    contexts: 4,
  })
})
