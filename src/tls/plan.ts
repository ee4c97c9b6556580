import { contentKey, type PlanNode } from '#core/node.ts'
import type { Position } from '#core/problem.ts'

/** A certificate that is wanted. `id` is `certificate:` and the first name. */
export type CertificatePlan = PlanNode & {
  /** A-labels in lower case without final dot; the left-most label may be `*` */
  readonly names: readonly string[]
  readonly issuer: 'local'
}

export type TlsPlan = {
  /** the first one is served to clients that send no name */
  readonly certificates: readonly CertificatePlan[]
  readonly limits: TlsLimits
}

/** Milliseconds and counts; the settings table in `config.ts` says what each means. */
export type TlsLimits = {
  readonly lifetimeMs: number
  readonly sessionTimeoutMs: number
  readonly handshakeTimeoutMs: number
  readonly contexts: number
}

/**
 * Decide which certificates are wanted: one for each name that answers over HTTPS.
 *
 * The local authority issues for a name at its first handshake, so a certificate for each costs nothing.
 */
export function planCertificates(
  wanted: readonly { readonly name: string; readonly from: Position }[],
  limits: TlsLimits,
): TlsPlan {
  const certificates = wanted.map(({ name, from }): CertificatePlan => {
    const content = { names: [name], issuer: 'local' as const }
    return { id: `certificate:${name}`, key: contentKey(content), from, ...content }
  })
  return { certificates, limits }
}
