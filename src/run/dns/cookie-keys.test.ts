import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadCookieKeys } from './cookie-keys.ts'

test('the key of cookies outlives a restart, and a day later only to believe (RFC 9018 §5, RFC 7873 §7.1)', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portico-cookies-'))
  try {
    let now = 1_000_000
    const first = (await loadCookieKeys(folder, () => now)).current()
    assert.deepEqual(
      first.map((key) => key.length),
      [16],
    )
    assert.equal((await stat(join(folder, 'dns', 'cookie-keys.json'))).mode & 0o777, 0o600)
    const again = await loadCookieKeys(folder, () => now)
    assert.deepEqual(again.current(), first)
    assert.equal(await again.renew(), false)
    now += 86_400_000
    assert.equal(await again.renew(), true)
    assert.equal(again.current().length, 2)
    assert.deepEqual(again.current()[1], first[0])
    await writeFile(join(folder, 'dns', 'cookie-keys.json'), 'broken')
    assert.equal((await loadCookieKeys(folder, () => now)).current().length, 1)
  } finally {
    await rm(folder, { recursive: true })
  }
})
