import { isDeepStrictEqual } from 'node:util'
import type { GeneratedKey } from './key.ts'
import type { DnssecPlan } from './plan.ts'

/** A key in state. */
export type SavedKey = GeneratedKey & {
  /** seconds since 1970 */
  readonly createdAt: number
  /** whether it signs everything; during a roll-over one key signs everything, and both sign the keys */
  readonly signsData: boolean
}

/**
 * Where a zone stands. Nothing of it goes on before what caches hold is over (RFC 7583 §3.3, RFC 6781 §4.1.2).
 *
 * - `beginning`: signed, but caches may hold what is not; the parent shall have no DS yet
 * - `signed`: one key, which the parent may name in a DS
 * - `publishing`: a new key stands beside the old one, until all caches know both
 * - `submitting`: the new key signs; the parent shall change its DS
 * - `retiring`: the parent has changed it; the old key stays until no cache has the old DS or old signatures
 * - `leaving`: the parent shall remove its DS
 * - `left`: it has; signed until no cache has the DS
 */
export type Phase = 'beginning' | 'signed' | 'publishing' | 'submitting' | 'retiring' | 'leaving' | 'left'

/** What is remembered of a signed zone. */
export type SavedZone = {
  /** one, or during a roll-over the old one and the new one */
  readonly keys: readonly SavedKey[]
  readonly phase: Phase
  /** seconds since 1970 */
  readonly since: number
  /** when the phase ends by itself; null: when the parent or a person says so */
  readonly until: number | null
  /** seconds that the DS at the parent may be held; 0: none was ever seen there */
  readonly dsTtl: number
  /** what the file said last: it still holds while the zone leaves */
  readonly wishes: DnssecPlan
}

/** What the parent says: key tags of the DS, and how long they may be held; null when it was not asked or gave no answer. */
export type ParentDs = { readonly tags: readonly number[]; readonly ttl: number } | null

/** What a person says: a new key is wanted, or the parent has done what it shall. */
export type RollCommand = 'roll' | 'submitted'

export type Advance = {
  /** null: the file wants no signatures */
  readonly wanted: DnssecPlan | null
  readonly nowSeconds: number
  /** the longest that a cache holds a record of the zone, in seconds */
  readonly ttl: number
  readonly parent: ParentDs
  readonly command: RollCommand | null
  readonly newKey: () => GeneratedKey
  readonly tagOf: (key: GeneratedKey) => number
}

/**
 * Take a zone one step on.
 *
 * @returns `saved` itself when nothing changes; undefined when the zone is not signed (any longer)
 */
export function advance(saved: SavedZone | undefined, input: Advance): SavedZone | undefined {
  const { wanted, nowSeconds } = input
  if (saved === undefined) return wanted === null ? undefined : begin(wanted, input)
  const known = note(saved, input)
  const isOver = known.until !== null && nowSeconds >= known.until
  if (wanted === null) return leave(known, input, isOver)
  switch (known.phase) {
    case 'beginning':
      return isOver ? enter(known, 'signed', input) : known
    case 'signed':
      return isRollWanted(known, input) ? publish(known, input) : known
    case 'publishing':
      return isOver ? submit(known, input) : known
    case 'submitting':
      return isSubmitted(known, input) ? enter(known, 'retiring', input, known.dsTtl + input.ttl) : known
    case 'retiring':
      return isOver ? enter({ ...known, keys: known.keys.slice(1) }, 'signed', input) : known
    default:
      // Asked for again before it had left.
      return enter(known, known.keys.length === 1 ? 'signed' : 'submitting', input)
  }
}

/** What the parent is asked for, by CDS and by people: keys for DS; none: no DS; null: leave it as it is (RFC 7344 §4). */
export function wishOf({ phase, keys }: SavedZone): readonly SavedKey[] | null {
  if (phase === 'leaving' || phase === 'left') return []
  return phase === 'beginning' ? null : keys.filter(({ signsData }) => signsData)
}

/** Whether the zone waits for its parent. */
export function waitsForParent({ phase }: SavedZone): boolean {
  return phase === 'submitting' || phase === 'leaving'
}

function begin(wishes: DnssecPlan, input: Advance): SavedZone {
  const key = { ...input.newKey(), createdAt: input.nowSeconds, signsData: true }
  const zone: SavedZone = { keys: [key], phase: 'beginning', since: 0, until: null, dsTtl: 0, wishes }
  return enter(zone, 'beginning', input, input.ttl)
}

/** Remember what the parent and the file say; the same object when that is nothing new. */
function note(saved: SavedZone, { parent, wanted }: Advance): SavedZone {
  const dsTtl = Math.max(saved.dsTtl, parent === null || parent.tags.length === 0 ? 0 : parent.ttl)
  const wishes = wanted ?? saved.wishes
  const isSame = dsTtl === saved.dsTtl && isDeepStrictEqual(wishes, saved.wishes)
  return isSame ? saved : { ...saved, dsTtl, wishes }
}

function isRollWanted({ keys, wishes }: SavedZone, { command, nowSeconds }: Advance): boolean {
  const lifetime = wishes.lifetimeMs
  const isOld = lifetime !== null && nowSeconds - keys[0]!.createdAt >= lifetime / 1000
  return command === 'roll' || isOld
}

function publish(saved: SavedZone, input: Advance): SavedZone {
  const key = { ...input.newKey(), createdAt: input.nowSeconds, signsData: false }
  return enter({ ...saved, keys: [...saved.keys, key] }, 'publishing', input, input.ttl)
}

function submit(saved: SavedZone, input: Advance): SavedZone {
  const keys = saved.keys.map((key, i) => ({ ...key, signsData: i > 0 }))
  return enter({ ...saved, keys }, 'submitting', input)
}

/** The DS of the new key is there; or there never was one, so that nobody validates. */
function isSubmitted({ keys, dsTtl }: SavedZone, { command, parent, tagOf }: Advance): boolean {
  if (command === 'submitted') return true
  if (parent === null) return false
  return parent.tags.includes(tagOf(keys[1]!)) || (parent.tags.length === 0 && dsTtl === 0)
}

function leave(saved: SavedZone, input: Advance, isOver: boolean): SavedZone | undefined {
  if (saved.phase === 'left') return isOver ? undefined : saved
  if (saved.phase !== 'leaving') return enter(saved, 'leaving', input)
  const isGone = input.command === 'submitted' || input.parent?.tags.length === 0
  return isGone ? enter(saved, 'left', input, saved.dsTtl) : saved
}

/** @param waitSeconds beside propagation; the phase has no end of its own when not given */
function enter(saved: SavedZone, phase: Phase, input: Advance, waitSeconds?: number): SavedZone {
  const { nowSeconds } = input
  const propagation = Math.ceil(saved.wishes.propagationMs / 1000)
  const until = waitSeconds === undefined ? null : nowSeconds + waitSeconds + propagation
  return { ...saved, phase, since: nowSeconds, until }
}
