import type { SecureContext } from 'node:tls'
import type { Log } from '#core/log.ts'
import type { Issued, Issuer } from './issuer.ts'
import type { CertificatePlan, TlsLimits, TlsPlan } from './plan.ts'
import { closeContext, secureContext } from './secure.ts'
import { compileCertificates, type Selection, select, selectRoots } from './select.ts'

/** What a handshake gets: a certificate loaded for use, or the reason why there is none. */
export type Choice =
  | {
      readonly ready: Ready
      readonly certificate: CertificatePlan
      readonly reason: Selection['reason']
      /** the client has to show a certificate */
      readonly asksClient: boolean
    }
  | { readonly ready: null; readonly reason: Selection['reason'] | 'not issued yet' }

export type Ready = {
  /** of the plan node that it was issued for */
  readonly id: string
  readonly key: string
  readonly issued: Issued
  /** to be used at once: it is closed when the certificate is renewed or dropped */
  readonly context: SecureContext
}

/** For `explain`; times in milliseconds since 1970. */
export type CertificateDescription = {
  readonly reason: Choice['reason']
  readonly certificate:
    | (Pick<CertificatePlan, 'id' | 'names' | 'from'> & Pick<Issued, 'issuer' | 'notBefore' | 'notAfter'>)
    | null
}

/** Certificates by name: issued when first asked for, kept ready, renewed after two thirds of their time. */
export type CertificateStore = {
  /** Compile a plan. The function that comes back puts it to use at once and cannot fail. */
  prepare(plan: StoredPlan): () => void
  /** @param serverName from the ClientHello; undefined when it had none */
  contextFor(serverName: string | undefined): Choice
  /** Its issuer has another certificate: the next handshake gets it. */
  refresh(id: string): void
  describe(serverName: string | undefined): CertificateDescription
  limits(): TlsLimits
  /** whether any host asks its clients for certificates */
  asksClients(): boolean
}

/** The part of the Plan that handshakes need. */
type StoredPlan = Pick<TlsPlan, 'certificates' | 'limits'> & {
  /** PEM of the roots that clients of a host must be issued under, by its name */
  readonly clientRoots?: ReadonlyMap<string, string>
}

export type CertificateStoreOptions = {
  readonly plan: StoredPlan
  /** the local one issues where the one that is named is not given */
  readonly issuers: { readonly local: Issuer; readonly acme?: Issuer; readonly files?: Issuer }
  /** milliseconds since 1970 */
  readonly now: () => number
  readonly log: Log
}

/** @example createCertificateStore({ plan, issuers: { local: authority }, now: Date.now, log }) */
export function createCertificateStore(options: CertificateStoreOptions): CertificateStore {
  const { issuers, now, log } = options
  let limits = options.plan.limits
  let table = compileCertificates(options.plan.certificates)
  let clientRoots = options.plan.clientRoots ?? new Map<string, string>()
  /** by id of the plan node, with the roots of clients behind it; the one used last stands at the end */
  const kept = new Map<string, Ready>()

  function prepare(plan: StoredPlan): () => void {
    const compiled = compileCertificates(plan.certificates)
    const keys = new Map(plan.certificates.map(({ id, key }) => [id, key]))
    return () => {
      limits = plan.limits
      table = compiled
      clientRoots = plan.clientRoots ?? new Map()
      for (const [slot, { id, key }] of kept) if (keys.get(id) !== key) drop(slot)
    }
  }

  function contextFor(serverName: string | undefined): Choice {
    const { certificate, reason } = select(table, serverName)
    if (certificate === null) return { ready: null, reason }
    const roots = serverName === undefined ? null : selectRoots(clientRoots, serverName)
    const ready = readyFor(certificate, roots)
    if (ready === null) return { ready, reason: 'not issued yet' }
    return { ready, certificate, reason, asksClient: roots !== null }
  }

  function readyFor(certificate: CertificatePlan, roots: string | null): Ready | null {
    const slot = roots === null ? certificate.id : `${certificate.id} ${roots}`
    const last = kept.get(slot) ?? null
    const ready = last !== null && isFresh(last.issued) ? last : (load(certificate, roots) ?? last)
    if (ready === null) return null
    if (last !== null && last !== ready) drop(slot)
    kept.delete(slot)
    kept.set(slot, ready)
    for (const oldest of kept.keys()) {
      if (kept.size <= limits.contexts) break
      drop(oldest)
    }
    return ready
  }

  function refresh(id: string): void {
    for (const [slot, ready] of kept) if (ready.id === id) drop(slot)
  }

  function drop(slot: string): void {
    const dropped = kept.get(slot)
    kept.delete(slot)
    if (dropped !== undefined) closeContext(dropped.context)
  }

  /** Before notBefore: the clock was set back. */
  function isFresh({ notBefore, renewAt }: Issued): boolean {
    return now() >= notBefore && now() < renewAt
  }

  /** Runs inside a handshake, where a throw would end the program. */
  function load(certificate: CertificatePlan, roots: string | null): Ready | null {
    try {
      const issued = (issuers[certificate.issuer] ?? issuers.local).issue(
        certificate,
        now(),
        limits.lifetimeMs,
      )
      if (issued === null) return null
      log('debug', 'certificate issued', { certificate: certificate.id, notAfter: issued.notAfter })
      const { id, key } = certificate
      return { id, key, issued, context: secureContext(issued, roots) }
    } catch (error) {
      log('error', 'certificate not issued', { certificate: certificate.id, error: String(error) })
      return null
    }
  }

  function describe(serverName: string | undefined): CertificateDescription {
    const choice = contextFor(serverName)
    if (choice.ready === null) return { reason: choice.reason, certificate: null }
    const { id, names, from } = choice.certificate
    const { issuer, notBefore, notAfter } = choice.ready.issued
    return { reason: choice.reason, certificate: { id, names, from, issuer, notBefore, notAfter } }
  }

  return {
    prepare,
    contextFor,
    refresh,
    describe,
    limits: () => limits,
    asksClients: () => clientRoots.size > 0,
  }
}
