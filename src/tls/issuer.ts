import type { CertificatePlan } from './plan.ts'

/** A certificate with its key, ready for a handshake. */
export type Issued = {
  /** PEM: private key, and the chain with the leaf first */
  readonly key: string
  readonly chain: string
  /** who signed, for people */
  readonly issuer: string
  /** milliseconds since 1970 */
  readonly notBefore: number
  readonly notAfter: number
  /** from here on the issuer is asked again */
  readonly renewAt: number
}

export type Issuer = {
  /**
   * The best certificate there is now, or null while there is none yet.
   *
   * Called inside a handshake: it does not wait. An issuer that needs the network orders in its own time and
   * gives what it has.
   *
   * @param now milliseconds since 1970
   * @param lifetimeMs how long it should last, where the issuer leaves the choice
   */
  issue(certificate: CertificatePlan, now: number, lifetimeMs: number): Issued | null
}
