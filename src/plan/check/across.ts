import type { Config } from '#config/load.ts'
import type { ZoneInput } from '#dns/plan.ts'
import type { Names } from '#dns/records/names.ts'
import type { RecordDraft } from '#dns/records/read-records.ts'
import type { HostPlan } from '#http/plan.ts'
import type { Facts } from '#plan/facts.ts'
import type { HostDraft } from '#plan/host-draft.ts'
import type { ListenerPlan } from '#plan/listeners.ts'
import type { ProcessPlan } from '#processes/plan.ts'

/** What the rules that cross services look at. */
export type Across = {
  readonly config: Config
  readonly facts: Facts
  /** hosts that are served here */
  readonly hosts: readonly HostDraft[]
  readonly plans: readonly HostPlan[]
  readonly processes: readonly ProcessPlan[]
  readonly listeners: readonly ListenerPlan[]
  readonly names: Names
  readonly drafted: readonly { readonly input: ZoneInput; readonly drafts: readonly RecordDraft[] }[]
}
