import type { CertificatePlan } from './plan.ts'

/** PEM: private key, and the chain with the leaf first. */
export type KeyAndChain = { readonly key: string; readonly chain: string }

/** A certificate with its key, ready for a handshake. */
export type Issued = KeyAndChain & {
  /** with a key of RSA and for the same names, for clients that cannot use the other */
  readonly beside?: KeyAndChain
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
   * The best certificate there is now, or null while there is none yet; at once, or soon.
   *
   * A handshake waits for it. An issuer that needs the network orders in its own time and gives what it has.
   *
   * @param now milliseconds since 1970
   * @param lifetimeMs how long it should last, where the issuer leaves the choice
   */
  issue(certificate: CertificatePlan, now: number, lifetimeMs: number): Issued | null | Promise<Issued | null>
}

/** Whether two are the same, what stands beside them included. */
export function isSame(a: Issued | undefined, b: Issued): boolean {
  return a?.chain === b.chain && a.beside?.chain === b.beside?.chain
}

/** Whether a certificate may be served without asking for another. Before notBefore: the clock was set back. */
export function isFresh({ notBefore, renewAt }: Issued, now: number): boolean {
  return now >= notBefore && now < renewAt
}

/** Whether clients accept a certificate at this time. */
export function isValid({ notBefore, notAfter }: Issued, now: number): boolean {
  return now >= notBefore && now < notAfter
}

/** By their name in the Plan; the local one stands in for those that are not there. */
export type Issuers = { readonly local: Issuer } & Readonly<
  Partial<Record<CertificatePlan['issuer'], Issuer>>
>
