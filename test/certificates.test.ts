import assert from 'node:assert/strict'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { silent } from '#core/log.ts'
import { openAuthority } from '#tls/authority.ts'
import { choosePorts, preparePortico } from './acme-portico.ts'
import { until } from './running.ts'

test('certificates brought as files serve their names, and a new one is served without a restart', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'portico-files-'))
  const authority = await openAuthority({ folder, host: 'test', now: Date.now(), log: silent })
  const from = { file: '', line: 0, column: 0 }
  const plan = { id: '', key: '', from, names: ['a.example.test'], issuer: 'local' } as const
  const bring = async (): Promise<void> => {
    const { key, chain } = authority.issue(plan, Date.now(), 86_400_000)
    // Key first: in between the two do not belong together, and that must change nothing.
    await writeFile(join(folder, 'new.key'), key)
    await rename(join(folder, 'new.key'), join(folder, 'a.key'))
    await writeFile(join(folder, 'new.pem'), chain)
    await rename(join(folder, 'new.pem'), join(folder, 'a.pem'))
  }
  await bring()
  const portico = await preparePortico(folder, await choosePorts(), {
    hosts: { a: { respond: 'a' }, b: { respond: 'b' } },
    certificates: { files: [{ cert: './a.pem', key: './a.key' }] },
  })
  context.after(async () => {
    await portico.stop()
    await rm(folder, { recursive: true, force: true })
  })
  portico.start()
  let first: string | undefined
  await until(async () => {
    const certificate = await portico.certificate('a.example.test')
    first = certificate?.serialNumber
    return certificate?.issuer.CN === authority.root.name
  })
  assert.match(String((await portico.certificate('b.example.test'))?.issuer.CN), /^Portico local authority/)
  await bring()
  await until(async () => (await portico.certificate('a.example.test'))?.serialNumber !== first)
  const { stdout } = await portico.command('certs')
  assert.match(stdout, /a\.example\.test +\.\/a\.pem +read again when its files change/)
})
