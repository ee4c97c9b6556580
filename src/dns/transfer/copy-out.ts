import { setImmediate as nextTurn } from 'node:timers/promises'
import { contentKey } from '#core/node.ts'
import { layAliases } from '../alias-addresses.ts'
import type { SigningKey } from '../dnssec/plan.ts'
import { type KnownSignature, signZone } from '../dnssec/sign-zone.ts'
import type { DnsOverlay } from '../overlay-plan.ts'
import type { RRsetPlan, ZonePlan } from '../plan.ts'
import { fileOf } from './copies.ts'
import { type Difference, differ, HISTORY_LIMIT, remember, type Version } from './difference.ts'
import { type Journal, openJournal } from './journal.ts'

/** What a copy of a zone has that answers of ours are given when they are asked for. */
export type CopyWith = {
  /** null: the zone is not signed here */
  readonly keys: readonly SigningKey[] | null
  readonly aliases: DnsOverlay['aliases']
}

/** A signature that was given out, as it is kept: who has it is told when another takes its place (RFC 1995 §4). */
type SavedSignature = KnownSignature & { readonly key: string }

/** Signatures of one zone's copy. */
type CopySignatures = {
  readonly journal: Journal<SavedSignature>
  /** what the last copy had, and what was made since */
  known: Map<string, KnownSignature>
}

const DAY_SECONDS = 86_400
/** RRsets that are signed at a time; then others have their turn. */
const BATCH = 200
/** Lines of the journal for each signature that counts; and some, so that small zones are not rewritten all the time. */
const LONG = { times: 2, more: 1000 } as const

/**
 * The zone with the key of what secondaries get: it changes with addresses of ALIAS, and once a day with signatures, of
 * which a seventh is due. So its serial grows, and they fetch them.
 */
export function copiedOut(zone: ZonePlan, { keys, aliases }: CopyWith, nowSeconds: number): ZonePlan {
  const day = keys === null ? null : Math.floor(nowSeconds / DAY_SECONDS)
  const found = (zone.aliases ?? []).map(({ owner }) => [aliases[owner]?.ipv4, aliases[owner]?.ipv6])
  if (day === null && found.length === 0) return zone
  return { ...zone, key: contentKey([zone.key, day, found]) }
}

/** What secondaries get of one zone, and what is remembered of what they got. */
export type GivenOut = {
  /** null before the first is made */
  copy: Version | null
  /** from older copies to this one */
  history: readonly Difference[]
  /** when `copy` is of the version that is served */
  ready: Promise<void>
  readonly historyJournal: Journal<Difference>
  readonly signatures: CopySignatures
}

/** Open what is remembered in a folder of state. */
export async function openGivenOut(folder: string, apex: string): Promise<GivenOut> {
  const historyJournal = await openJournal<Difference>(fileOf(folder, apex, 'history.jsonl'))
  const journal = await openJournal<SavedSignature>(fileOf(folder, apex, 'signatures.jsonl'))
  const known = new Map(journal.lines.map(({ key, of, data }) => [key, { of, data }]))
  const history = historyJournal.lines.reduce(remember, [])
  return { copy: null, history, ready: Promise.resolve(), historyJournal, signatures: { journal, known } }
}

/** Give out a version from now on, and remember what changed; whether it is another one. */
export async function renewCopy(out: GivenOut, version: Version, copyWith: CopyWith): Promise<boolean> {
  const { copy: before, historyJournal, signatures } = out
  if (before?.serial === version.serial) return false
  const copy = await copyOut(version, copyWith, signatures, Date.now() / 1000)
  out.copy = copy
  if (before === null) return true
  const difference = differ(before, copy)
  out.history = remember(out.history, difference)
  const isLong = historyJournal.count() >= LONG.times * HISTORY_LIMIT.differences
  if (isLong || out.history.length === 1) await historyJournal.replace(out.history)
  else await historyJournal.append([difference], false)
  return true
}

/** What secondaries get of a version: whole sets of addresses, signatures, and NSEC from name to name. */
async function copyOut(
  { plan, serial }: Version,
  { keys, aliases }: CopyWith,
  signatures: CopySignatures,
  nowSeconds: number,
): Promise<Version> {
  const laid = layAliases(plan, aliases)
  if (keys === null) return { plan: laid, serial }
  const made: SavedSignature[] = []
  const known = new Map<string, KnownSignature>()
  const rrsets: RRsetPlan[] = []
  const signed = signZone(laid, keys, {
    ...{ serial, nowSeconds, known: signatures.known },
    onUsed(key, signature, isMade) {
      known.set(key, signature)
      if (isMade) made.push({ key, ...signature })
    },
  })
  for (const rrset of signed) {
    rrsets.push({ from: plan.from, why: 'DNSSEC', ...rrset })
    if (rrsets.length % BATCH === 0) await nextTurn()
  }
  const { journal } = signatures
  signatures.known = known
  const isLong = journal.count() + made.length > LONG.times * known.size + LONG.more
  if (isLong) await journal.replace(Array.from(known, ([key, signature]) => ({ key, ...signature })))
  else if (made.length > 0) await journal.append(made, false)
  return { plan: { ...laid, rrsets }, serial }
}
