import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { silent } from '#core/log.ts'
import { temporaryFolder } from '../../test/folder.ts'
import { openAuthority } from './authority.ts'
import { readPair } from './files.ts'

const folder = temporaryFolder()
const authority = await openAuthority({ folder, host: 'test', now: Date.now(), log: silent })
const from = { file: '', line: 0, column: 0 }
const plan = { id: '', key: '', from, names: ['a.test', '*.a.test'], issuer: 'local' } as const
const { key, chain } = authority.issue(plan, Date.now(), 3_600_000)
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

function path(name: string, text: string): string {
  const full = join(folder, name)
  writeFileSync(full, text)
  return full
}

const good = { cert: path('a.pem', chain), key: path('a.key', key) }
const other = path('b.key', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
const root = { cert: join(folder, 'root.pem'), key: join(folder, 'root.key') }

test('readPair() reads names, issuer and times', async () => {
  const pair = await readPair(good.cert, good.key)
  assert.ok(typeof pair !== 'string')
  assert.deepEqual(pair.names, ['a.test', '*.a.test'])
  assert.equal(pair.issued.issuer, authority.root.name)
})

const faults: [cert: string, key: string, said: RegExp][] = [
  ['missing.pem', good.key, /missing\.pem cannot be read: there is no such file\.$/],
  [good.cert, 'missing.key', /missing\.key cannot be read/],
  [good.key, good.key, /does not hold a certificate in PEM/],
  [good.cert, good.cert, /does not hold a private key in PEM without passphrase/],
  [good.cert, other, /is not the key of the certificate in/],
  [root.cert, root.key, /no DNS name in its subjectAltName/],
]

for (const [cert, keyPath, said] of faults) {
  test(`readPair() says ${said} (RFC 9525 §2)`, async () => {
    assert.match(String(await readPair(cert, keyPath)), said)
  })
}
