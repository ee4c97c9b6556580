import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { type Rules, startAuthority, type TestAuthority } from './acme-authority.ts'
import { choosePorts, preparePortico, type Restartable } from './acme-portico.ts'
import { until } from './running.ts'

const hosts = { '@': { respond: 'apex' }, www: { respond: 'www' } }

type World = { readonly authority: TestAuthority; readonly portico: Restartable; readonly folder: string }

/** A Portico that orders from our own authority; both end with the test. */
async function world(
  context: TestContext,
  {
    rules = {},
    records,
    certificates = {},
  }: { rules?: Partial<Rules>; records?: object; certificates?: object } = {},
): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'portico-acme-'))
  const ports = await choosePorts()
  const authority = await startAuthority(folder, ports.dns)
  Object.assign(authority.rules, rules)
  const issuer = { acme: authority.directory, root: authority.root, ...certificates }
  const rest = { certificates: { issuer } }
  const portico = await preparePortico(folder, ports, {
    hosts,
    ...(records === undefined ? {} : { records }),
    ...rest,
  })
  context.after(async () => {
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
  test(`kill -9 when the authority has heard ${step}: the order goes on, and no second one is placed`, async (context) => {
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
    for (const file of files) {
      const { mode } = await stat(join(folder, 'state', 'acme', 'certificates', file))
      assert.equal(mode & 0o077, 0, `${file} can be read by others`)
    }
  })
}

test('a name is proved by dns-persist-01 where that is offered and allowed', async (context) => {
  const { authority, portico } = await world(context, { rules: { challenges: ['dns-persist-01'] } })
  const text = JSON.parse(await readFile(portico.file, 'utf8'))
  text.certificates.challenges = ['dns-persist-01']
  await (await import('node:fs/promises')).writeFile(portico.file, JSON.stringify(text))
  portico.start()
  await until(() => isIssued(portico), 20_000)
  assert.deepEqual(
    [...authority.orders[0]!.proved.values()].map(({ type }) => type),
    ['dns-persist-01', 'dns-persist-01'],
  )
})
