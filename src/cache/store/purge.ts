import { setImmediate as turn } from 'node:timers/promises'
import { hashStem } from './hash.ts'
import type { Lookup } from './lookup.ts'
import type { Parts } from './parts.ts'
import { isNamed } from './purge-log.ts'
import { control, count, ENTRY_WORDS, field, flag } from './shared.ts'
import type { PurgeReceipt, PurgeSelector } from './store.ts'
import { tagBits } from './tag-bits.ts'

/** See `CacheStore.purge`. */
export async function purge(
  parts: Parts,
  lookup: Lookup,
  selector: PurgeSelector,
  mode: 'hard' | 'soft',
): Promise<PurgeReceipt> {
  // First of all: what is fetched already must not come in behind us.
  await parts.lock.holdSoon(() => parts.purges.note(selector))
  const receipt = { selector, mode, objects: 0, octets: 0 }
  for (const found of 'keys' in selector
    ? byKeys(parts, lookup, selector.keys)
    : byScan(parts, lookup, selector)) {
    await parts.lock.holdSoon(() => {
      for (const { slot, version } of found) {
        if (!isNamedStill(parts, lookup, { slot, version }, selector)) continue
        receipt.objects += 1
        receipt.octets += parts.table.getBig(slot, field.stored)
        apply(parts, slot, mode)
      }
    })
    await turn()
  }
  parts.shared.counts[count.purged]! += receipt.objects
  await choresDone(parts)
  return { ...receipt, doneAtMs: Date.now() }
}

/** Until the keeper has written down all that was to do until now; not for long when there is none or it is stuck. */
async function choresDone({ files, shared, table }: Parts): Promise<void> {
  if (!files?.isOn()) return
  table.ringKeeper()
  const wanted = Atomics.load(shared.control, control.choreCount)
  const deadline = performance.now() + KEEPER_MS
  while (performance.now() < deadline) {
    const done = Atomics.load(shared.control, control.choresDone)
    if (wanted - done <= 0 || !files.isOn()) return
    const change = Atomics.waitAsync(shared.control, control.choresDone, done, 100)
    if (change.async) await change.value
  }
}

/** An entry that a selector names; version 0: it changed while it was looked at. */
type Found = { readonly slot: number; readonly version: number }

function* byKeys({ lock }: Parts, lookup: Lookup, keys: readonly string[]): Generator<Found[]> {
  // Under the lock: while the index is made anew after a death, a key is not found without it.
  for (const key of keys) {
    const objects = lock.hold(() => lookup.find(key)) ?? lookup.find(key)
    yield objects.map(({ id }) => ({ slot: id, version: 0 }))
  }
}

/** Look at all objects, in slices: what is created meanwhile was fetched after the purge, or is refused. */
function* byScan(parts: Parts, lookup: Lookup, selector: PurgeSelector): Generator<Found[]> {
  const { shared, table } = parts
  const mayBeNamed = filterFor(selector, parts)
  const end = table.end()
  let found: Found[] = []
  let turnEnd = performance.now() + TURN_MS
  for (let slot = 1; slot < end; slot++) {
    if (found.length >= BATCH || (slot % 256 === 0 && performance.now() > turnEnd)) {
      yield found
      found = []
      turnEnd = performance.now() + TURN_MS
    }
    // What stands here since before the purge is seen without Atomics: the lock was taken since.
    if (shared.entries[slot * ENTRY_WORDS + field.linked] === 0 || !mayBeNamed(slot)) continue
    const version = table.get(slot, field.version)
    const names = lookup.names(slot)
    if (names === undefined) found.push({ slot, version: 0 })
    else if (isNamed(selector, names.key, names.tags)) found.push({ slot, version })
  }
  yield found
}

/** What can be said of an entry without reading its strings. */
function filterFor(selector: PurgeSelector, { arena, shared, table }: Parts): (slot: number) => boolean {
  const { entries, seed } = shared
  if ('tags' in selector) {
    const wanted = selector.tags.map((tag) => tagBits([tag]))
    return (slot) => {
      const bits = entries[slot * ENTRY_WORDS + field.tagBits]!
      for (const tag of wanted) if ((bits & tag) === tag) return true
      return false
    }
  }
  if (!('prefixes' in selector)) return () => true
  // All that stands under some URIs: `https://example.com/a ` and what follows.
  if (selector.prefixes.every((prefix) => prefix.includes(' '))) {
    const stems = selector.prefixes.map((prefix) => hashStem(prefix, seed))
    return (slot) => stems.includes(entries[slot * ENTRY_WORDS + field.stem]!)
  }
  const prefixes = selector.prefixes.map((prefix) => Buffer.from(prefix))
  return (slot) => {
    const version = table.get(slot, field.version)
    const record = table.get(slot, field.record)
    if (record <= 0 || record >= shared.shape.units) return true
    const keyAt = arena.dataAt(record)
    const isNamedHere = prefixes.some((prefix) => beginsWith(shared.arena, keyAt, prefix))
    // It changed meanwhile: what was read may be anything.
    return isNamedHere || version % 2 !== 0 || table.get(slot, field.version) !== version
  }
}

/** Whether octets stand at a place; from the end, since URIs of one host begin alike. */
function beginsWith(octets: Buffer, from: number, wanted: Buffer): boolean {
  for (let at = wanted.length - 1; at >= 0; at--) if (octets[from + at] !== wanted[at]) return false
  return true
}

/** Whether the entry still holds an object that is named. Under the lock. */
function isNamedStill(
  { table }: Parts,
  lookup: Lookup,
  { slot, version }: Found,
  selector: PurgeSelector,
): boolean {
  if (table.get(slot, field.linked) === 0) return false
  if (version !== 0 && table.get(slot, field.version) === version) return true
  const names = lookup.names(slot)
  return names !== undefined && isNamed(selector, names.key, names.tags)
}

function apply({ table }: Parts, slot: number, mode: 'hard' | 'soft'): void {
  if (mode === 'hard') table.drop(slot)
  else table.setFlags(slot, flag.stale, 0)
  // The journal learns it too: a restart must not bring it back.
  if (table.holds(slot) && table.getBig(slot, field.file) !== 0) table.addChore(slot)
}

/** What one turn of the event loop may take. */
const TURN_MS = 1
/** Objects that are purged while the lock is held once: below 1 ms. */
const BATCH = 128
const KEEPER_MS = 10_000
