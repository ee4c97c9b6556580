import type { Log } from '#core/log.ts'
import { type Issued, type Issuers, isFresh } from './issuer.ts'
import type { CertificatePlan, ServedTls } from './plan.ts'
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
  /** Compile a plan, and obtain its first certificate: clients that send no name wait for none. */
  prepare(plan: ServedTls): Promise<PreparedCertificates>
  /** @param id of a plan node; null when it has none yet, or the plan has no such node */
  obtain(id: string): Promise<Issued | null>
  /** The issuer has another one for a plan node: publish it. */
  refresh(id: string): Promise<void>
  /** What a name gets, obtained where it is missing. */
  describe(serverName: string | undefined): Promise<CertificateDescription>
}

export type PreparedCertificates = {
  /** Put the plan to use; it cannot fail. */
  commit(): void
  /** the first certificate of the plan as it is kept at this moment, by its id */
  first(): ReadonlyMap<string, Issued>
}

export type CertificateKeeperOptions = {
  readonly plan: ServedTls
  readonly issuers: Issuers
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

  async function prepare(plan: ServedTls): Promise<PreparedCertificates> {
    const nextTable = compileCertificates(plan.certificates)
    const nextById = mapById(plan)
    const [first] = plan.certificates
    if (first !== undefined) await obtainFor(first)
    return {
      commit() {
        limits = plan.limits
        table = nextTable
        byId = nextById
        for (const [id, { key }] of kept) if (byId.get(id)?.key !== key) kept.delete(id)
      },
      first() {
        const last = first && kept.get(first.id)
        return new Map(last?.key === first?.key && last !== undefined ? [[first!.id, last.issued]] : [])
      },
    }
  }

  async function obtain(id: string): Promise<Issued | null> {
    const certificate = byId.get(id)
    return certificate === undefined ? null : obtainFor(certificate)
  }

  async function obtainFor(certificate: CertificatePlan): Promise<Issued | null> {
    const { id, key } = certificate
    const last = kept.get(id)
    if (last?.key === key && isFresh(last.issued, now())) return last.issued
    const other = underWay.get(key)
    if (other !== undefined) return other
    const obtained = issue(certificate).finally(() => underWay.delete(key))
    underWay.set(key, obtained)
    return obtained
  }

  /** The best there is: when there is nothing new, the last one. */
  async function issue(certificate: CertificatePlan): Promise<Issued | null> {
    const { id, key, issuer } = certificate
    const before = kept.get(id)
    const last = before?.key === key ? before.issued : null
    try {
      const issued = await (issuers[issuer] ?? issuers.local).issue(certificate, now(), limits.lifetimeMs)
      if (issued === null) return last
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

  async function refresh(id: string): Promise<void> {
    kept.delete(id)
    const issued = await obtain(id)
    if (issued !== null) publish(id, issued)
  }

  async function describe(serverName: string | undefined): Promise<CertificateDescription> {
    const { certificate, reason } = select(table, serverName)
    if (certificate === null) return { reason, certificate: null }
    const issued = await obtainFor(certificate)
    if (issued === null) return { reason: 'not issued yet', certificate: null }
    const { id, names, from } = certificate
    const { issuer, notBefore, notAfter } = issued
    return { reason, certificate: { id, names, from, issuer, notBefore, notAfter } }
  }

  return { prepare, obtain, refresh, describe }
}

function mapById({ certificates }: ServedTls): ReadonlyMap<string, CertificatePlan> {
  return new Map(certificates.map((certificate) => [certificate.id, certificate]))
}
