import type { SavedZones } from '#dns/dnssec/keyed-zones.ts'
import type { SecondaryState } from '#dns/transfer/secondary.ts'
import type { Zones } from '#dns/zone.ts'
import type { OriginState } from '#http/origin/pool.ts'
import type { Plan } from '#plan/plan.ts'
import type { ProcessState } from '#processes/process.ts'
import type { CertificateDescription } from '#tls/keeper.ts'
import type { OnAir } from './broadcast.ts'
import type { LiveCache } from './cache.ts'
import type { SeenFile } from './file.ts'
import type { DnsKnown } from './pool.ts'

/** What a running Portico knows beside its Plan. */
export type Live = {
  readonly origins: readonly OriginState[]
  readonly processes: readonly ProcessState[]
  /** of the host that is asked about */
  readonly certificate: CertificateDescription
  readonly cache: LiveCache
  /** keys of signed zones */
  readonly signed: SavedZones
  readonly nowSeconds: number
  readonly secondaries: readonly SecondaryState[]
  readonly onAir: OnAir
}

/** What an answer can be taken from. */
export type World = {
  readonly plan: Plan
  readonly zones: Zones
  /** null: a file alone */
  readonly live: Live | null
  /** what a running Portico found out for its zones */
  readonly dns?: DnsKnown
  /** what stands on disk where a file is asked for */
  readonly file?: SeenFile | null
}
