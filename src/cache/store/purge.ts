import { setImmediate as turn } from 'node:timers/promises'
import type { Lookup } from './lookup.ts'
import type { SharedObject } from './object.ts'
import type { Parts } from './parts.ts'
import { isNamed } from './purge-log.ts'
import { control, count, field, flag } from './shared.ts'
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
  await note(parts, selector)
  const receipt = { selector, mode, objects: 0, octets: 0 }
  const take = (object: SharedObject): void => {
    receipt.octets += object.storedOctets
    if (apply(parts, object, mode)) receipt.objects += 1
  }
  if ('keys' in selector) for (const key of selector.keys) lookup.allOf(key).forEach(take)
  else await scan(parts, lookup, selector, take)
  parts.shared.counts[count.purged]! += receipt.objects
  await choresDone(parts)
  return { ...receipt, doneAtMs: Date.now() }
}

/** The lock may be with a worker that died: main hears of it, and we wait for that. */
async function note({ lock, purges }: Parts, selector: PurgeSelector): Promise<void> {
  while (lock.hold(() => purges.note(selector)) === null) await turn()
}

/** Until the keeper has written down all that was to do until now; not for long when there is none or it is stuck. */
async function choresDone({ files, shared }: Parts): Promise<void> {
  if (!files?.isOn()) return
  const wanted = Atomics.load(shared.control, control.choreCount)
  const deadline = performance.now() + KEEPER_MS
  while (performance.now() < deadline) {
    const done = Atomics.load(shared.control, control.choresDone)
    if (wanted - done <= 0 || !files.isOn()) return
    const change = Atomics.waitAsync(shared.control, control.choresDone, done, 100)
    if (change.async) await change.value
  }
}

/** Look at all objects, in slices: what is created meanwhile was fetched after the purge, or is refused. */
async function scan(
  { table }: Parts,
  lookup: Lookup,
  selector: PurgeSelector,
  take: (object: SharedObject) => void,
): Promise<void> {
  const wanted = 'tags' in selector ? selector.tags.map((tag) => tagBits([tag])) : []
  const end = table.end()
  for (let slot = 1; slot < end; slot++) {
    if (slot % SLICE === 0) await turn()
    if (table.get(slot, field.linked) === 0) continue
    const bits = table.get(slot, field.tagBits)
    if ('tags' in selector && !wanted.some((tag) => (bits & tag) === tag)) continue
    const object = lookup.peek(slot)
    if (object !== undefined && isNamed(selector, object.key, object.tags)) take(object)
  }
}

function apply({ lock, table }: Parts, object: SharedObject, mode: 'hard' | 'soft'): boolean {
  const { slot, generation } = object
  const isApplied = lock.hold(() => {
    if (table.get(slot, field.generation) !== generation || table.get(slot, field.linked) === 0) return false
    if (mode === 'hard') table.drop(slot)
    else table.setFlags(slot, flag.stale, 0)
    // The journal learns it too: a restart must not bring it back.
    if (table.getBig(slot, field.file) !== 0) table.addChore(slot)
    return true
  })
  return isApplied === true
}

/** Entries looked at in one turn: about 1 ms. */
const SLICE = 32_768
const KEEPER_MS = 10_000
