import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silent } from '#core/log.ts'
import { openAuthority } from '#tls/authority.ts'

/** A key and a certificate chain (PEM) for one name, of an authority that nobody knows. */
export async function testCertificate(name = 'test'): Promise<{ key: string; cert: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'portico-'))
  const authority = await openAuthority({ folder, host: 'test', now: Date.now(), log: silent })
  await rm(folder, { recursive: true })
  const from = { file: 'test', line: 1, column: 1 }
  const plan = { id: `certificate:${name}`, key: '', from, names: [name], issuer: 'local' } as const
  const { key, chain } = authority.issue(plan, Date.now(), 86_400_000)
  return { key, cert: chain }
}
