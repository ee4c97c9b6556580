import type { Log } from '#core/log.ts'
import { type Issued, type Issuer, isFresh } from './issuer.ts'
import type { CertificatePlan, TlsPlan } from './plan.ts'
import { compileCertificates, type Selection, select } from './select.ts'

/** For `explain`; times in milliseconds since 1970. */
export type CertificateDescription = {
  readonly reason: Selection['reason'] | 'not issued yet'
  readonly certificate:
    | (Pick<CertificatePlan, 'id' | 'names' | 'from'> & Pick<Issued, 'issuer' | 'notBefore' | 'notAfter'>)
    | null
}

/** Certificates of the whole program with their keys: issued when first asked for, kept, renewed, and published. */
export type CertificateKeeper = {
  /** Compile a plan. The function that comes back puts it to use at once and cannot fail. */
  prepare(plan: TlsPlan): () => void
  /** @param id of the plan node; null when there is none yet, or the plan does not want it */
  obtain(id: string): Promise<Issued | null>
  /** What is kept for a name; `obtain` first what should be there. */
  describe(serverName: string | undefined): CertificateDescription
}

export type CertificateKeeperOptions = {
  readonly plan: TlsPlan
  readonly issuers: Readonly<Record<CertificatePlan['issuer'], Issuer>>
  /** milliseconds since 1970 */
  readonly now: () => number
  readonly log: Log
  /** Called with each certificate that takes the place of another. */
  readonly publish: (id: string, issued: Issued) => void
}

/** @example createCertificateKeeper({ plan, issuers: { local: authority }, now: Date.now, log, publish }) */
export function createCertificateKeeper(options: CertificateKeeperOptions): CertificateKeeper {
  const { issuers, now, log, publish } = options
  let { limits } = options.plan
  let table = compileCertificates(options.plan.certificates)
  let byId = mapById(options.plan)
  /** by id; the one obtained last stands at the end */
  const kept = new Map<string, { readonly key: string; readonly issued: Issued }>()
  const underWay = new Map<string, Promise<Issued | null>>()

  function prepare(plan: TlsPlan): () => void {
    const nextTable = compileCertificates(plan.certificates)
    const nextById = mapById(plan)
    return () => {
      limits = plan.limits
      table = nextTable
      byId = nextById
      for (const [id, { key }] of kept) if (byId.get(id)?.key !== key) kept.delete(id)
    }
  }

  function obtain(id: string): Promise<Issued | null> {
    const certificate = byId.get(id)
    if (certificate === undefined) return Promise.resolve(null)
    const last = kept.get(id)
    if (last !== undefined && isFresh(last.issued, now())) return Promise.resolve(last.issued)
    const other = underWay.get(id)
    if (other !== undefined) return other
    const obtained = issue(certificate).finally(() => underWay.delete(id))
    underWay.set(id, obtained)
    return obtained
  }

  /** The best there is: when there is nothing new, the last one. */
  async function issue(certificate: CertificatePlan): Promise<Issued | null> {
    const { id, key, issuer } = certificate
    const last = kept.get(id)?.issued ?? null
    try {
      const issued = await issuers[issuer].issue(certificate, now(), limits.lifetimeMs)
      // A plan that was put to use meanwhile may want another one, or none.
      if (issued === null || byId.get(id)?.key !== key) return last
      log('debug', 'certificate issued', { certificate: id, notAfter: issued.notAfter })
      kept.delete(id)
      kept.set(id, { key, issued })
      if (kept.size > limits.contexts) kept.delete(kept.keys().next().value!)
      if (last !== null) publish(id, issued)
      return issued
    } catch (error) {
      log('error', 'certificate not issued', { certificate: id, error: String(error) })
      return last
    }
  }

  function describe(serverName: string | undefined): CertificateDescription {
    const { certificate, reason } = select(table, serverName)
    if (certificate === null) return { reason, certificate: null }
    const issued = kept.get(certificate.id)?.issued
    if (issued === undefined) return { reason: 'not issued yet', certificate: null }
    const { id, names, from } = certificate
    const { issuer, notBefore, notAfter } = issued
    return { reason, certificate: { id, names, from, issuer, notBefore, notAfter } }
  }

  return { prepare, obtain, describe }
}

function mapById({ certificates }: TlsPlan): ReadonlyMap<string, CertificatePlan> {
  return new Map(certificates.map((certificate) => [certificate.id, certificate]))
}
