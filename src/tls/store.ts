import type { SecureContext } from 'node:tls'
import type { Log } from '#core/log.ts'
import { type Issued, type Issuers, isFresh, isSame, isValid } from './issuer.ts'
import type { CertificatePlan, ServedTls, TlsLimits, UnknownNames } from './plan.ts'
import { closeContext, secureContext } from './secure.ts'
import { compileCertificates, type Selection, select, selectRoots } from './select.ts'

/** What a handshake gets: a certificate loaded for use, or the reason why there is none. */
export type Choice =
  | {
      readonly ready: Ready
      readonly certificate: CertificatePlan
      readonly reason: Selection['reason']
      /** the host asks clients for a certificate of theirs */
      readonly asksClient: boolean
    }
  | { readonly ready: null; readonly reason: Selection['reason'] | 'not issued yet' }

export type Ready = {
  readonly issued: Issued
  /** to be used at once: it is closed when the certificate is renewed or dropped */
  readonly context: SecureContext
  /** of the certificate beside it; Node takes one of a context that a name selects */
  readonly beside: SecureContext | null
}

/** A certificate, loaded for its hosts: those that ask clients for certificates have a context of their own. */
type Kept = {
  /** of the plan node that it was issued for */
  readonly key: string
  readonly issued: Issued
  /** by the roots that clients' certificates stand on; null: none is asked for */
  readonly loaded: Map<string | null, Ready>
}

/** PEM of what clients' certificates stand on, by host. */
export type ClientRoots = ReadonlyMap<string, string>

/** Certificates of one thread, loaded for handshakes: asked for when a name is first wanted, kept, and renewed. */
export type CertificateStore = {
  /**
   * Compile a plan. The function that comes back puts it to use at once and cannot fail.
   *
   * @param roots of the hosts that ask clients for certificates
   * @param known certificates by id that need not be asked for
   */
  prepare(plan: ServedTls, roots?: ClientRoots, known?: ReadonlyMap<string, Issued>): () => void
  /** @param serverName from the ClientHello; undefined when it had none */
  contextFor(serverName: string | undefined): Choice | Promise<Choice>
  /** What is there for a name at this moment; what is missing or due is asked for, and not waited for. */
  contextNow(serverName: string | undefined): Choice
  /** Take over a certificate that was renewed elsewhere, if this store has its predecessor. */
  renew(id: string, issued: Issued): void
  limits(): TlsLimits
  /** Whether any host asks clients for certificates. */
  asksClients(): boolean
  /** Whether any certificate has another beside it, so that it counts what a client can use. */
  hasPairs(): boolean
  unknownNames(): UnknownNames
}

export type CertificateStoreOptions = {
  readonly plan: ServedTls
  /** of the hosts that ask clients for certificates, until a plan is prepared */
  readonly clientRoots?: ClientRoots
  readonly issuers: Issuers
  /** milliseconds since 1970 */
  readonly now: () => number
  readonly log: Log
}

/** @example createCertificateStore({ plan, issuers: { local: authority }, now: Date.now, log }) */
export function createCertificateStore(options: CertificateStoreOptions): CertificateStore {
  const { issuers, now, log } = options
  let { limits, unknownNames = 'refuse' } = options.plan
  let table = compileCertificates(options.plan.certificates)
  let byId = mapById(options.plan.certificates)
  /** by id of the plan node; the one used last stands at the end */
  const kept = new Map<string, Kept>()
  let { clientRoots = new Map() } = options
  let hasPairs = options.plan.certificates.some(({ pair }) => pair)
  /** questions under way, by id */
  const asked = new Map<string, Promise<void>>()

  function prepare(
    plan: ServedTls,
    roots: ClientRoots = new Map(),
    known: ReadonlyMap<string, Issued> = new Map(),
  ): () => void {
    const nextTable = compileCertificates(plan.certificates)
    const nextById = mapById(plan.certificates)
    return () => {
      limits = plan.limits
      unknownNames = plan.unknownNames ?? 'refuse'
      table = nextTable
      byId = nextById
      clientRoots = roots
      hasPairs = plan.certificates.some(({ pair }) => pair)
      for (const [id, { key }] of kept) if (byId.get(id)?.key !== key) drop(id)
      for (const { loaded } of kept.values()) dropUnused(loaded)
      for (const [id, issued] of known) if (!kept.has(id)) take(id, issued)
    }
  }

  function contextFor(serverName: string | undefined): Choice | Promise<Choice> {
    const choice = contextNow(serverName)
    if (choice.ready !== null && isValid(choice.ready.issued, now())) return choice
    const { certificate } = select(table, serverName)
    const answer = asked.get(certificate?.id ?? '')
    return answer === undefined ? choice : answer.then(() => choose(serverName))
  }

  function contextNow(serverName: string | undefined): Choice {
    const { certificate } = select(table, serverName)
    const ready = certificate === null ? undefined : kept.get(certificate.id)
    if (certificate !== null && (ready === undefined || !isFresh(ready.issued, now()))) ask(certificate)
    return choose(serverName)
  }

  /** Out of what is there. */
  function choose(serverName: string | undefined): Choice {
    const { certificate, reason } = select(table, serverName)
    if (certificate === null) return { ready: null, reason }
    const found = kept.get(certificate.id)
    if (found === undefined) return { ready: null, reason: 'not issued yet' }
    kept.delete(certificate.id)
    kept.set(certificate.id, found)
    const roots = serverName === undefined ? null : selectRoots(clientRoots, serverName)
    const ready = load(certificate.id, found, roots)
    if (ready === undefined) return { ready: null, reason: 'not issued yet' }
    return { ready, certificate, reason, asksClient: roots !== null }
  }

  /** Runs inside a handshake too, where a throw would end the program. */
  function load(id: string, { issued, loaded }: Kept, roots: string | null): Ready | undefined {
    const known = loaded.get(roots)
    if (known !== undefined) return known
    try {
      const beside = issued.beside === undefined ? null : secureContext(issued.beside, roots)
      const ready = { issued, context: secureContext(issued, roots), beside }
      loaded.set(roots, ready)
      return ready
    } catch (error) {
      notIssued(id, error)
      return undefined
    }
  }

  function dropUnused(loaded: Kept['loaded']): void {
    const used = new Set<string | null>([null, ...clientRoots.values()])
    for (const [roots, ready] of loaded) {
      if (used.has(roots)) continue
      loaded.delete(roots)
      close(ready)
    }
  }

  /** One question at a time for each certificate. It runs inside a handshake, where a throw would end the program. */
  function ask(certificate: CertificatePlan): void {
    const { id, issuer } = certificate
    if (asked.has(id)) return
    const settle = (issued: Issued | null): void => {
      // A plan that was put to use meanwhile may want another one, or none.
      if (issued !== null && byId.get(id)?.key === certificate.key) take(id, issued)
    }
    const fail = (error: unknown): void => notIssued(id, error)
    try {
      const answer = (issuers[issuer] ?? issuers.local).issue(certificate, now(), limits.lifetimeMs)
      if (!(answer instanceof Promise)) return settle(answer)
      const answered = answer.then(settle, fail).finally(() => asked.delete(id))
      asked.set(id, answered)
    } catch (error) {
      fail(error)
    }
  }

  function take(id: string, issued: Issued): void {
    const certificate = byId.get(id)
    const last = kept.get(id)
    if (certificate === undefined || isSame(last?.issued, issued)) return
    const next: Kept = { key: certificate.key, issued, loaded: new Map() }
    if (load(id, next, null) === undefined) return
    drop(id)
    kept.set(id, next)
    for (const oldest of kept.keys()) {
      if (kept.size <= limits.contexts) break
      drop(oldest)
    }
  }

  function notIssued(certificate: string, error: unknown): void {
    log('error', 'certificate not issued', { certificate, error: String(error) })
  }

  function drop(id: string): void {
    const dropped = kept.get(id)
    kept.delete(id)
    dropped?.loaded.forEach(close)
  }

  function close({ context, beside }: Ready): void {
    closeContext(context)
    if (beside !== null) closeContext(beside)
  }

  function renew(id: string, issued: Issued): void {
    if (kept.has(id)) take(id, issued)
  }

  return {
    prepare,
    contextFor,
    contextNow,
    renew,
    limits: () => limits,
    asksClients: () => clientRoots.size > 0,
    hasPairs: () => hasPairs,
    unknownNames: () => unknownNames,
  }
}

function mapById(certificates: readonly CertificatePlan[]): ReadonlyMap<string, CertificatePlan> {
  return new Map(certificates.map((certificate) => [certificate.id, certificate]))
}
