import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Log } from '#core/log.ts'
import type { Plan } from '#plan/plan.ts'
import type { TlsSlice } from '#run/slice.ts'
import { type Authority, openAuthority } from '#tls/authority.ts'
import {
  type CertificateKeeper,
  type CertificateKeeperOptions,
  createCertificateKeeper,
  type PreparedCertificates,
} from '#tls/keeper.ts'
import { createTicketKeys } from '#tls/ticket-keys.ts'
import { type CertificateKeeping, type CertificateKeepingOptions, keepCertificates } from './certificates.ts'

/** Who issues the certificates of the main thread, and keeps them for the workers. */
export type FrontTls = Pick<CertificateKeeping, 'ask' | 'keeper'> & {
  readonly authority: Authority
  readonly certificates: CertificateKeeper
  prepare(plan: Plan): Promise<PreparedCertificates>
  /** What handshakes need of a Plan that was prepared, with the names that were granted since. */
  sliceOf(plan: Plan): TlsSlice
  /** what encrypts the tickets of all workers */
  ticketKey(): Uint8Array
  close(): Promise<void>
}

export type FrontTlsOptions = Pick<
  CertificateKeepingOptions,
  'folder' | 'stateFolder' | 'served' | 'show'
> & {
  readonly plan: Plan
  readonly log: Log
  /** a certificate takes the place of another */
  readonly onRenewal: CertificateKeeperOptions['publish']
  /** names were granted on demand */
  readonly onGrant: (slice: TlsSlice) => void
  readonly onTicketKey: (key: Uint8Array) => void
}

/** Often enough that a key of tickets outlives its time by little, also when a laptop slept meanwhile. */
const TICKET_KEYS_EVERY_MS = 60_000

/** @throws {Error} when state cannot be read */
export async function openFrontTls(options: FrontTlsOptions): Promise<FrontTls> {
  const { plan, folder, stateFolder, served, show, onRenewal, onGrant, onTicketKey, log } = options
  const state = join(stateFolder, 'tls')
  const authority = await openAuthority({ folder: state, host: hostname(), now: Date.now(), log })
  const publish = (id: string): void => void certificates.refresh(id)
  const keeping = await keepCertificates({
    authority,
    folder,
    stateFolder,
    served,
    publish,
    regrant,
    show,
    log,
  })
  const certificates = createCertificateKeeper({
    plan: plan.tls,
    issuers: keeping.issuers,
    now: Date.now,
    log,
    publish: onRenewal,
  })
  const slices = new WeakMap<Plan, TlsSlice>()
  const ticketKeys = createTicketKeys(() => served().plan.tls.limits.sessionTimeoutMs, Date.now)
  const timer = setInterval(renewTicketKey, TICKET_KEYS_EVERY_MS).unref()
  let ticketKey = ticketKeys.current()

  function renewTicketKey(): void {
    if (ticketKey === ticketKeys.current()) return
    ticketKey = ticketKeys.current()
    onTicketKey(ticketKey)
  }

  async function prepare(next: Plan): Promise<PreparedCertificates> {
    const { tls, clientRoots, commit, isBehind } = await keeping.prepare(next.tls)
    const prepared = await certificates.prepare(tls)
    slices.set(next, { tls, clientRoots })
    return {
      first: prepared.first,
      commit() {
        commit()
        prepared.commit()
        // Names were granted while it was prepared: what serves now has to hear of them again.
        if (isBehind()) setImmediate(() => void regrant().catch(sayForgotten))
      },
    }
  }

  function sayForgotten(error: unknown): void {
    log('error', 'granted names not served', { error: String(error) })
  }

  async function regrant(): Promise<void> {
    const before = served().plan
    const { commit } = await prepare(before)
    // A reload came first: what it serves now is prepared with the names.
    if (served().plan !== before) return regrant()
    commit()
    onGrant(slices.get(before)!)
  }

  const { ask, keeper } = keeping
  return {
    authority,
    certificates,
    ask,
    keeper,
    prepare,
    sliceOf: (prepared) => slices.get(prepared)!,
    ticketKey: () => ticketKey,
    async close() {
      clearInterval(timer)
      await keeper.close()
    },
  }
}
