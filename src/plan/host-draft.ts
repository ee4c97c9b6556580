import type { HostConfig } from '#http/host-config.ts'
import type { WrittenAt } from '#http/plan.ts'

/** A host of the file: what it is called, and where it stands. */
export type HostDraft = {
  /** absolute name of its domain */
  readonly apex: string
  /** absolute */
  readonly name: string
  /** as written */
  readonly text: string
  readonly written: HostConfig
  readonly at: WrittenAt
}
