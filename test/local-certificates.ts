import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { silent } from '#core/log.ts'
import { type Authority, openAuthority } from '#tls/authority.ts'
import type { ServedTls, TlsLimits } from '#tls/plan.ts'
import { wanted } from './certificate-plan.ts'

export const NOW: number = Date.UTC(2026, 0, 15, 12)
export const DAY = 86_400_000

const folder = await mkdtemp(join(tmpdir(), 'portico-tls-'))
after(() => rm(folder, { recursive: true }))

/** A local authority, whose certificates last six days. */
export const authority: Authority = await openAuthority({ folder, host: 'laptop', now: NOW, log: silent })

export const limits: TlsLimits = {
  lifetimeMs: 6 * DAY,
  sessionTimeoutMs: DAY,
  handshakeTimeoutMs: 5000,
  contexts: 16,
}

export const plan: ServedTls = {
  certificates: [wanted('example.com'), wanted('*.example.com'), wanted('localhost')],
  limits,
}
