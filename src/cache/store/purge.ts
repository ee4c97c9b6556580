import { setImmediate as turn } from 'node:timers/promises'
import { hashStem } from './hash.ts'
import type { Lookup } from './lookup.ts'
import type { Parts } from './parts.ts'
import { isNamed } from './purge-log.ts'
import { control, count, field, flag } from './shared.ts'
import type { PurgeReceipt, PurgeSelector } from './store.ts'
import type { Table } from './table.ts'
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
  for (const slots of 'keys' in selector
    ? byKeys(parts, lookup, selector.keys)
    : byScan(parts, lookup, selector)) {
    await parts.lock.holdSoon(() => {
      for (const slot of slots) {
        if (!isNamedStill(parts, lookup, slot, selector)) continue
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

function* byKeys({ lock }: Parts, lookup: Lookup, keys: readonly string[]): Generator<number[]> {
  // Under the lock: while the index is made anew after a death, a key is not found without it.
  for (const key of keys) yield (lock.hold(() => lookup.find(key)) ?? lookup.find(key)).map(({ id }) => id)
}

/** Look at all objects, in slices: what is created meanwhile was fetched after the purge, or is refused. */
function* byScan({ shared, table }: Parts, lookup: Lookup, selector: PurgeSelector): Generator<number[]> {
  const mayBeNamed = filterFor(selector, shared.seed)
  const end = table.end()
  let found: number[] = []
  let turnEnd = performance.now() + TURN_MS
  for (let slot = 1; slot < end; slot++) {
    if (found.length >= BATCH || (slot % 256 === 0 && performance.now() > turnEnd)) {
      yield found
      found = []
      turnEnd = performance.now() + TURN_MS
    }
    if (table.get(slot, field.linked) === 0) continue
    if (!mayBeNamed(table, slot)) continue
    const names = lookup.names(slot)
    // Not readable: it changes at this moment, and is looked at again under the lock.
    if (names === undefined || isNamed(selector, names.key, names.tags)) found.push(slot)
  }
  yield found
}

/** What can be said of an entry without reading its strings. */
function filterFor(selector: PurgeSelector, seed: Int32Array): (table: Table, slot: number) => boolean {
  if ('tags' in selector) {
    const wanted = selector.tags.map((tag) => tagBits([tag]))
    return (table, slot) => {
      const bits = table.get(slot, field.tagBits)
      return wanted.some((tag) => (bits & tag) === tag)
    }
  }
  // All that stands under some URIs: `https://example.com/a ` and what follows.
  if ('prefixes' in selector && selector.prefixes.every((prefix) => prefix.includes(' '))) {
    const stems = selector.prefixes.map((prefix) => hashStem(prefix, seed))
    return (table, slot) => stems.includes(table.get(slot, field.stem))
  }
  return () => true
}

/** Whether the entry still holds an object that is named. Under the lock. */
function isNamedStill({ table }: Parts, lookup: Lookup, slot: number, selector: PurgeSelector): boolean {
  if (table.get(slot, field.linked) === 0) return false
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
