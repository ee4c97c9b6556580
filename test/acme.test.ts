import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { type Refusal, type Rules, startAuthority, type TestAuthority } from './acme-authority.ts'
import { choosePorts, preparePortico, type Restartable } from './acme-portico.ts'
import { until } from './running.ts'

const hosts = { '@': { respond: 'apex' }, www: { respond: 'www' } }

type World = { readonly authority: TestAuthority; readonly portico: Restartable; readonly folder: string }

type Wishes = {
  readonly rules?: Partial<Rules>
  readonly records?: object
  /** beside `acme` */
  readonly issuer?: object
  /** beside `issuer` */
  readonly certificates?: object
}

/** A Portico that orders from our own authority; both end with the test. */
async function world(context: TestContext, wishes: Wishes = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'portico-acme-'))
  const ports = await choosePorts()
  const authority = await startAuthority(folder, ports.dns)
  Object.assign(authority.rules, wishes.rules)
  const issuer = { acme: authority.directory, root: authority.root, ...wishes.issuer }
  const portico = await preparePortico(folder, ports, {
    hosts,
    ...(wishes.records === undefined ? {} : { records: wishes.records }),
    certificates: { issuer, ...wishes.certificates },
  })
  context.after(async () => {
    if (process.env['SHOW']) console.log(portico.output())
    await portico.stop()
    await authority.stop()
    await rm(folder, { recursive: true, force: true })
  })
  return { authority, portico, folder }
}

async function isIssued(portico: Restartable): Promise<boolean> {
  return (await portico.certificate('www.example.test'))?.issuer.CN === 'Test authority'
}

/** Requests after which the process is killed: each step of an order, just after the authority has carried it out. */
const steps = ['newAccount', 'newOrder', 'authorization', 'challenge', 'order', 'finalize', 'certificate']

for (const step of steps) {
  test(`kill -9 when the authority has heard ${step}: the order goes on, and no second one is placed (RFC 8555 §7.3.1, §7.1.2.1)`, async (context) => {
    const { authority, portico, folder } = await world(context)
    let killed: Promise<void> | undefined
    authority.onRequest = (kind) => {
      if (kind === step) killed ??= portico.kill()
    }
    portico.start()
    await until(() => killed !== undefined, 20_000)
    await killed
    portico.start()
    await until(() => isIssued(portico), 20_000)
    assert.equal(authority.orders.length, 1)
    const files = await readdir(join(folder, 'state', 'acme', 'certificates'))
    // What is being written has another ending, and is renamed.
    for (const file of files.filter((name) => name.endsWith('.json'))) {
      const { mode } = await stat(join(folder, 'state', 'acme', 'certificates', file))
      assert.equal(mode & 0o077, 0, `${file} can be read by others`)
    }
  })
}

test('a name is proved by dns-persist-01 where that is offered and allowed', async (context) => {
  const { authority, portico } = await world(context, {
    rules: { challenges: ['dns-persist-01'] },
    certificates: { challenges: ['dns-persist-01'] },
  })
  portico.start()
  await until(() => isIssued(portico), 20_000)
  const proved = [...authority.orders[0]!.proved.values()].map(({ type }) => type)
  assert.deepEqual(proved, ['dns-persist-01', 'dns-persist-01'])
})

test('a certificate is renewed when its authority advises to, and says what it replaces (RFC 9773 §4, §5)', async (context) => {
  const { authority, portico } = await world(context, {
    rules: { window: { start: 1000, end: 2000 }, lifetimeMs: 10_000 },
  })
  authority.onRequest = (kind) => {
    // For the second one the advice is far away, so that it ends.
    if (kind !== 'newOrder' || authority.orders.length < 2) return
    authority.rules.window = { start: Date.now() + 86_400_000, end: Date.now() + 172_800_000 }
    authority.rules.lifetimeMs = 90 * 86_400_000
  }
  portico.start()
  await until(() => authority.orders[1]?.status === 'valid', 20_000)
  await until(async () => (await certs(portico))[0]?.next.startsWith('renewed at') === true)
  const [first, second] = authority.orders
  assert.equal(first?.replaces, undefined)
  assert.match(second?.replaces ?? '', /^[\w-]+\.[\w-]+$/)
  const { nextAt } = (await certs(portico))[0]!
  const inDays = (Date.parse(nextAt!) - Date.now()) / 86_400_000
  assert.ok(inDays > 0.99 && inDays < 2, `renewed in ${inDays} days`)
  assert.equal(authority.orders.length, 2)
})

test('the profile of the file is asked for, and one that is not offered is refused in words', async (context) => {
  const wanted = await world(context, {
    rules: { profiles: { shortlived: 'six days' } },
    issuer: { profile: 'shortlived' },
  })
  wanted.portico.start()
  await until(() => isIssued(wanted.portico), 20_000)
  assert.equal(wanted.authority.orders[0]?.profile, 'shortlived')
  const unknown = await world(context, { issuer: { profile: 'gold' } })
  unknown.portico.start()
  const failure = await failureOf(unknown.portico)
  assert.match(failure.message, /does not have the profile of the file.*"gold" is not among/)
  assert.equal(unknown.authority.orders.length, 0)
})

/** What an authority refuses with, what is said of it, and what is advised. */
const refusals: [Refusal, said: RegExp, fix: RegExp][] = [
  [
    { status: 403, type: 'caa', detail: 'CAA record for example.test prevents issuance' },
    /^CAA records forbid localhost:\d+ to issue for example\.test, \*\.example\.test \(RFC 8659 §4\)\. It said: CAA record/,
    /"CAA" in "records"/,
  ],
  [
    { status: 429, type: 'rateLimited', detail: 'too many certificates', retryAfter: '7200' },
    /limits how often it may be asked\. It said: too many certificates\./,
    /waits as long as it was told/,
  ],
  [
    { status: 400, type: 'rejectedIdentifier', detail: 'no such suffix' },
    /does not issue for names such as/,
    /"issuer": "local"/,
  ],
]

for (const [refusal, said, fix] of refusals) {
  test(`certs says what ${refusal.type} means and what to do (RFC 8555 §6.7)`, async (context) => {
    const { authority, portico } = await world(context)
    authority.refuse('newOrder', refusal)
    // Single names are tried at once where a wildcard is refused.
    if (refusal.retryAfter === undefined) authority.refuse('newOrder', refusal)
    portico.start()
    const failure = await failureOf(portico)
    assert.match(failure.message, said)
    assert.match(failure.fix, fix)
    const waitSeconds = (Date.parse((await certs(portico))[0]!.nextAt!) - Date.parse(failure.at)) / 1000
    if (refusal.retryAfter !== undefined)
      assert.ok(waitSeconds >= Number(refusal.retryAfter), `${waitSeconds} s`)
    else assert.ok(waitSeconds >= 60 && waitSeconds <= 67, `${waitSeconds} s`)
    // A person who mended it does not wait.
    assert.equal((await portico.command('certs', 'renew', 'www.example.test')).code, 0)
    await until(() => isIssued(portico), 20_000)
  })
}

test('another issuer in the file issues anew, and the certificate in use serves until then', async (context) => {
  const { authority, portico, folder } = await world(context)
  portico.start()
  await until(() => isIssued(portico), 20_000)
  const first = (await portico.certificate('www.example.test'))?.serialNumber
  const second = await startAuthority(join(folder, 'second'), portico.ports.dns)
  context.after(() => second.stop())
  await edit(portico, (file) => {
    file.certificates.issuer = { acme: second.directory, root: second.root }
  })
  await until(async () => {
    const certificate = await portico.certificate('www.example.test')
    assert.equal(certificate?.issuer.CN, 'Test authority')
    return certificate.serialNumber !== first
  })
  assert.deepEqual([authority.orders.length, second.orders.length], [1, 1])
})

test('the second authority is asked at once when the first limits', async (context) => {
  const first = await world(context)
  const second = await startAuthority(join(first.folder, 'second'), first.portico.ports.dns)
  context.after(() => second.stop())
  first.authority.refuse('newOrder', {
    status: 429,
    type: 'rateLimited',
    detail: 'later',
    retryAfter: '86400',
  })
  await edit(first.portico, (file) => {
    file.certificates.issuer = [file.certificates.issuer, { acme: second.directory, root: second.root }]
  })
  first.portico.start()
  await until(() => isIssued(first.portico), 20_000)
  assert.equal(first.authority.orders.length, 0)
  assert.equal(second.orders.length, 1)
})

test('a proof follows a CNAME into another domain of the file, and one that leads away is refused (RFC 8555 §8.4)', async (context) => {
  const near = await world(context, { records: { _acme_challenge: {} } })
  await edit(near.portico, ({ domains }) => {
    domains['example.test']!.records = { '_acme-challenge': { CNAME: 'example.proofs.test.' } }
    domains['proofs.test'] = { hosts: {} }
  })
  near.portico.start()
  await until(() => isIssued(near.portico), 20_000)
  const far = await world(context, { records: { '_acme-challenge': { CNAME: 'proofs.elsewhere.net.' } } })
  far.portico.start()
  const failure = await failureOf(far.portico)
  assert.match(failure.message, /leads elsewhere.*alias of proofs\.elsewhere\.net\./)
  // Its own names are proved elsewhere; those below it here, one by one.
  const orders = far.authority.orders.filter(({ names }) => names.includes('example.test'))
  assert.ok(
    orders.length > 0 && orders.every(({ names, status }) => names.length === 1 && status === 'pending'),
  )
})

test('a wildcard that is refused gives way to single names, and is asked for again on request (RFC 8555 §7.4)', async (context) => {
  const { authority, portico } = await world(context)
  const detail = 'No wildcards here.'
  authority.rules.againstWildcards = { status: 400, type: 'rejectedIdentifier', detail }
  portico.start()
  await until(() => isIssued(portico), 20_000)
  const single = await portico.certificate('www.example.test')
  assert.equal(single?.subjectaltname, 'DNS:example.test, DNS:www.example.test')
  const { code, stdout } = await portico.command('certs')
  assert.equal(code, 1)
  assert.match(stdout, /The wildcard was refused, so there are single names: .*No wildcards here\./)
  await portico.kill()
  portico.start()
  await until(() => isIssued(portico), 20_000)
  assert.equal(authority.orders.length, 1, 'what was kept is served on')
  authority.rules.againstWildcards = null
  await portico.command('certs', 'renew', 'example.test')
  await until(async () => {
    const names = (await portico.certificate('www.example.test'))?.subjectaltname ?? ''
    return names.includes('*.example.test')
  }, 20_000)
  assert.equal((await portico.command('certs')).code, 0)
})

test('explain shows the proof while it stands, and it goes with its order', async (context) => {
  const { authority, portico } = await world(context)
  let shown: Promise<string> | undefined
  authority.onRequest = (kind) => {
    if (kind !== 'challenge' || shown !== undefined) return
    shown = portico.command('explain', '_acme-challenge.example.test', 'TXT').then(({ stdout }) => stdout)
    return shown
  }
  portico.start()
  await until(() => isIssued(portico), 20_000)
  assert.match(
    (await shown) ?? '',
    /_acme-challenge\.example\.test\. 60 TXT "[\w-]{43}".*proof for a certificate/s,
  )
  const { stdout } = await portico.command('explain', '_acme-challenge.example.test', 'TXT')
  assert.match(stdout, /NXDOMAIN/)
})

test('the key of the account is replaced, and the new one orders (RFC 8555 §7.3.5)', async (context) => {
  const { authority, portico } = await world(context)
  portico.start()
  await until(() => isIssued(portico), 20_000)
  const { stdout, code } = await portico.command('certs', 'roll-keys')
  assert.match(stdout, /was replaced/)
  assert.equal(code, 0)
  await portico.command('certs', 'renew', 'example.test')
  await until(() => authority.orders[1]?.status === 'valid', 20_000)
  assert.equal(authority.requests.filter((kind) => kind === 'newAccount').length, 1)
})

type Row = { readonly next: string; readonly nextAt: string | null; readonly failure: Failure | null }
type Failure = { readonly at: string; readonly message: string; readonly fix: string }

async function certs(portico: Restartable): Promise<Row[]> {
  const { stdout } = await portico.command('certs', '--json')
  return stdout === '' ? [] : (JSON.parse(stdout) as Row[])
}

async function failureOf(portico: Restartable): Promise<Failure> {
  await until(() => portico.output().includes('certificate not issued'), 20_000)
  let failure: Failure | null = null
  await until(async () => (failure = (await certs(portico))[0]?.failure ?? null) !== null)
  return failure!
}

type File = {
  domains: { [name: string]: { hosts: object; records?: object } }
  certificates: { issuer: unknown }
}

async function edit({ file }: Restartable, change: (file: File) => void): Promise<void> {
  const value = JSON.parse(await readFile(file, 'utf8')) as File
  change(value)
  await writeFile(file, JSON.stringify(value))
}
