import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { silent } from '#core/log.ts'
import { temporaryFolder } from '../../test/folder.ts'
import { type Authority, openAuthority } from './authority.ts'
import type { CertificatePlan } from './plan.ts'

const NOW = Date.UTC(2026, 0, 15, 12)
const DAY = 86_400_000

test('openAuthority() makes a root that may sign servers and nothing below (RFC 5280 §4.2.1)', async (t) => {
  const { root } = await open(temporaryFolder(t))
  const certificate = new X509Certificate(root.pem)
  assert.equal(certificate.ca, true)
  assert.ok(certificate.verify(certificate.publicKey))
  assert.equal(root.name, 'Portico local authority laptop 2026-01-15')
  assert.equal(root.fingerprint, certificate.fingerprint256)
  assert.equal(certificate.validFromDate.getTime(), NOW - 3_600_000)
  assert.equal(root.notAfter, NOW + 3650 * DAY)
  // BOOLEAN true, INTEGER 0: an authority, path length 0.
  assert.ok(certificate.raw.includes(Buffer.from('30060101ff020100', 'hex')))
})

test('the root has no name constraints, so that hosts can be added later (RFC 5280 §4.2.1.10)', async (t) => {
  const { root } = await open(temporaryFolder(t))
  assert.ok(!new X509Certificate(root.pem).raw.includes(Buffer.from('0603551d1e', 'hex')))
})

test('a long host name leaves the name of the root within 64 characters (RFC 5280 appendix A)', async (t) => {
  const { root } = await open(temporaryFolder(t), { host: 'h'.repeat(200) })
  assert.equal(root.name.length, 64)
})

test('the key of the root can be read by its owner only, and no draft stays behind', async (t) => {
  const folder = temporaryFolder(t)
  await open(folder)
  assert.equal((await stat(join(folder, 'root.key'))).mode & 0o777, 0o600)
  assert.equal((await stat(join(folder, 'root.pem'))).mode & 0o777, 0o644)
  assert.deepEqual((await readdir(folder)).sort(), ['root.key', 'root.pem'])
})

test('the root survives a restart', async (t) => {
  const folder = temporaryFolder(t)
  const before = await open(folder)
  const after = await open(folder, { now: NOW + DAY })
  assert.equal(after.root.pem, before.root.pem)
  const leaf = new X509Certificate(issue(after, ['example.com']).chain)
  assert.ok(leaf.checkIssued(new X509Certificate(before.root.pem)))
})

test('a process that was killed between key and certificate is continued', async (t) => {
  const folder = temporaryFolder(t)
  await open(folder)
  const key = await readFile(join(folder, 'root.key'), 'utf8')
  await rm(join(folder, 'root.pem'))
  const { root } = await open(folder)
  assert.equal(await readFile(join(folder, 'root.key'), 'utf8'), key)
  assert.ok(new X509Certificate(root.pem).checkPrivateKey(createPrivateKey(key)))
})

test('processes that start at once agree on one root', async (t) => {
  const folder = temporaryFolder(t)
  const opened = await Promise.all(Array.from({ length: 8 }, () => open(folder)))
  assert.equal(new Set(opened.map(({ root }) => root.fingerprint)).size, 1)
})

test('two roots of one host and day have different subjects', async (t) => {
  const [one, two] = [await open(temporaryFolder(t)), await open(temporaryFolder(t))]
  assert.equal(one.root.name, two.root.name)
  assert.notEqual(new X509Certificate(one.root.pem).subject, new X509Certificate(two.root.pem).subject)
})

const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const large = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
const faults: readonly [what: string, break_: (folder: string) => Promise<unknown>, says: RegExp][] = [
  [
    'cut short',
    (folder) => writeFile(join(folder, 'root.key'), '-----BEGIN'),
    /root\.key does not hold a private key/,
  ],
  ['empty', (folder) => writeFile(join(folder, 'root.key'), ''), /root\.key does not hold a private key/],
  ['of another type', (folder) => writeFile(join(folder, 'root.key'), pem(large)), /one of P-256 is wanted/],
  ['another', (folder) => writeFile(join(folder, 'root.key'), pem(other)), /do not belong together/],
  ['missing', (folder) => rm(join(folder, 'root.key')), /root\.key is missing/],
]
for (const [what, breakIt, says] of faults) {
  test(`openAuthority() refuses a key that is ${what}, and says what to do`, async (t) => {
    const folder = temporaryFolder(t)
    await open(folder)
    await breakIt(folder)
    await assert.rejects(
      open(folder),
      (error: Error) => says.test(error.message) && /Fix: restore/.test(error.message),
    )
  })
}

test('openAuthority() refuses a certificate that is no certificate', async (t) => {
  const folder = temporaryFolder(t)
  await open(folder)
  await writeFile(join(folder, 'root.pem'), 'hello')
  await assert.rejects(open(folder), /root\.pem does not hold a certificate/)
})

test('openAuthority() refuses a leaf in place of the root', async (t) => {
  const folder = temporaryFolder(t)
  const leaf = issue(await open(folder), ['example.com'])
  await writeFile(join(folder, 'root.key'), leaf.key)
  await writeFile(join(folder, 'root.pem'), leaf.chain)
  await assert.rejects(open(folder), /not the certificate of an authority that Portico made/)
})

test('openAuthority() refuses a root that has ended', async (t) => {
  const folder = temporaryFolder(t)
  await open(folder)
  await assert.rejects(open(folder, { now: NOW + 3651 * DAY }), /root\.pem ended on 2036-01-13/)
})

test('a key that others can read is reported', async (t) => {
  const folder = temporaryFolder(t)
  await open(folder)
  await chmod(join(folder, 'root.key'), 0o640)
  const said: string[] = []
  await open(folder, { log: (level, event) => said.push(`${level} ${event}`) })
  assert.deepEqual(said, ['warning authority key can be read by others'])
})

test('a leaf names its hosts in the subjectAltName and nowhere else (RFC 5280 §4.2.1.6)', async (t) => {
  const authority = await open(temporaryFolder(t))
  const issued = issue(authority, ['*.example.com', 'xn--bcher-kva.example'])
  const leaf = new X509Certificate(issued.chain)
  assert.equal(leaf.subject, 'CN=Portico local certificate')
  assert.equal(leaf.subjectAltName, 'DNS:*.example.com, DNS:xn--bcher-kva.example')
  assert.equal(leaf.ca, false)
  assert.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1'])
  assert.ok(leaf.verify(new X509Certificate(authority.root.pem).publicKey))
  assert.ok(leaf.checkPrivateKey(createPrivateKey(issued.key)))
})

test('a leaf begins an hour ago and is renewed after two thirds of its time', async (t) => {
  const issued = issue(await open(temporaryFolder(t)), ['example.com'], NOW + 500, 6 * DAY)
  const leaf = new X509Certificate(issued.chain)
  assert.equal(issued.notBefore, NOW + 500 - 3_600_000)
  assert.equal(leaf.validFromDate.getTime(), NOW - 3_600_000)
  assert.equal(leaf.validToDate.getTime(), NOW + 6 * DAY)
  assert.equal(issued.renewAt, NOW + 500 + 4 * DAY)
})

test('a leaf does not outlive the root', async (t) => {
  const { root, issue } = await open(temporaryFolder(t))
  const issued = issue(wanted(['example.com']), root.notAfter - DAY, 7 * DAY)
  assert.equal(issued.notAfter, root.notAfter)
})

test('serial numbers are positive, of 128 bits at most, and differ (RFC 5280 §4.1.2.2)', async (t) => {
  const authority = await open(temporaryFolder(t))
  const serials = Array.from(
    { length: 64 },
    () => new X509Certificate(issue(authority, ['a.test']).chain).serialNumber,
  )
  assert.equal(new Set(serials).size, 64)
  for (const serial of serials) assert.match(serial, /^[0-9A-F]{1,32}$/)
})

test('many names on one certificate keep its encoding whole', async (t) => {
  const names = Array.from({ length: 3000 }, (_, index) => `host-${index}.example.com`)
  const leaf = new X509Certificate(issue(await open(temporaryFolder(t)), names).chain)
  assert.equal(leaf.checkHost('host-2999.example.com'), 'host-2999.example.com')
})

function open(
  folder: string,
  options: Partial<Parameters<typeof openAuthority>[0]> = {},
): Promise<Authority> {
  return openAuthority({ folder, host: 'laptop', now: NOW, log: silent, ...options })
}

function issue(
  authority: Authority,
  names: string[],
  now = NOW,
  lifetimeMs = 7 * DAY,
): ReturnType<Authority['issue']> {
  return authority.issue(wanted(names), now, lifetimeMs)
}

function wanted(names: string[]): CertificatePlan {
  const from = { file: 'portico.jsonc', line: 1, column: 1 }
  return { id: `certificate:${names[0]}`, key: 'k', from, names, issuer: 'local' }
}

function pem(key: typeof other): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}
