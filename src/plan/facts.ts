import type { SecretFact } from '#bucket/plan.ts'
import type { PathKind } from '#core/settings.ts'
import type { CertificateFact } from '#tls/plan.ts'

/**
 * What the Plan must know of the world beside the file: gathered once, printable, fakeable.
 * No secrets and no time.
 */
export type Facts = {
  /** a laptop: loopback, unprivileged ports, `.localhost` names */
  readonly dev: boolean
  /** public addresses of this machine's interfaces, for a file without `address` */
  readonly addresses: readonly string[]
  /** what the certificate files of the file hold; absent: they were not read */
  readonly certificates?: readonly CertificateFact[]
  /** files of secrets that the file names; absent: they were not looked at */
  readonly secrets?: readonly SecretFact[]
  /** what the file names on disk and cannot be used; absent: nobody looked */
  readonly paths?: readonly PathFact[]
}

/** Something that the file names, as written, and what stands in the way: such as `does not exist`. */
export type PathFact = { readonly path: string; readonly kind: PathKind; readonly fault: string }
