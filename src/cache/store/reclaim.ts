import { closeSync, openSync } from 'node:fs'
import { readFully } from '#core/read-fully.ts'
import type { Pack, Packs, Staged } from './packs.ts'
import type { Parts } from './parts.ts'
import { field } from './shared.ts'
import { isPacked, PACKED_HEAD_OCTETS, packedAt, placeOf } from './wire/pack.ts'

/**
 * Give up the pack whose objects are worth least for what it takes: what was asked for again moves on, up to half a
 * pack, the rest is dropped. The file goes when the journal knows all that.
 *
 * @param append writes sealed bodies to another pack
 * @returns undefined when there is none to give up
 */
export async function reclaim(
  parts: Parts,
  packs: Packs,
  append: (octets: Buffer, staged: readonly Staged[]) => Promise<void>,
): Promise<Pack | undefined> {
  const { files, lock, room, table } = parts
  const pack = leastWorthy(parts, packs.closed())
  if (pack === undefined || files === null) return undefined
  pack.isLeaving = true
  const isHere = (slot: number): boolean => isIn(parts, slot, pack)
  const slots = [...new Set(pack.slots)].filter(isHere)
  const staying = worthiest(parts, slots, packs.packOctets / 2)
  for (let at = 0; at < slots.length; at += BATCH) {
    await lock.holdSoon(() => {
      for (const slot of slots.slice(at, at + BATCH)) {
        if (!staying.has(slot) && isHere(slot) && !table.isPinned(slot)) room.evict(slot)
      }
    })
  }
  const descriptor = openSync(files.pathOf(placeOf({ pack: pack.number, offset: 0 })), 'r')
  try {
    await move(parts, { slots, isHere, descriptor }, append)
  } finally {
    closeSync(descriptor)
  }
  return pack
}

function isIn({ table }: Parts, slot: number, { number }: Pack): boolean {
  const place = table.getBig(slot, field.file)
  return isPacked(place) && packedAt(place).pack === number && table.get(slot, field.linked) === 1
}

function leastWorthy(parts: Parts, packs: readonly Pack[]): Pack | undefined {
  let victim: Pack | undefined
  let least = Number.POSITIVE_INFINITY
  for (const pack of packs) {
    const value = worthOf(parts, pack) / pack.octets
    if (pack.isLeaving || value >= least) continue
    victim = pack
    least = value
  }
  return victim
}

/** By some of its entries: what has left counts for nothing. */
function worthOf(parts: Parts, pack: Pack): number {
  const step = Math.max(1, Math.floor(pack.slots.length / SAMPLES))
  let sum = 0
  for (let n = 0; n < pack.slots.length; n += step) {
    const slot = pack.slots[n]!
    if (isIn(parts, slot, pack)) sum += parts.room.diskWorth(slot)
  }
  return sum * step
}

/** Those that were asked for again, the worthiest first, as far as there is room. */
function worthiest({ room, table }: Parts, slots: readonly number[], roomOctets: number): Set<number> {
  const worthy = slots
    .filter((slot) => table.get(slot, field.hits) > 1)
    .map((slot) => ({ slot, worth: room.diskWorth(slot) }))
    .sort((a, b) => b.worth - a.worth)
  const staying = new Set<number>()
  let octets = 0
  for (const { slot } of worthy) {
    octets += table.getBig(slot, field.length) + PACKED_HEAD_OCTETS
    if (octets > roomOctets) break
    staying.add(slot)
  }
  return staying
}

/** Copy bodies, sealed as they are, from one pack to another. */
async function move(
  { table }: Parts,
  from: { slots: readonly number[]; isHere: (slot: number) => boolean; descriptor: number },
  append: (octets: Buffer, staged: readonly Staged[]) => Promise<void>,
): Promise<void> {
  const stage = Buffer.allocUnsafeSlow(STAGE_OCTETS)
  let staged: Staged[] = []
  let end = 0
  for (const slot of from.slots) {
    // While others were moved it may have left, and something else may have its slot.
    if (!from.isHere(slot)) continue
    const generation = table.get(slot, field.generation)
    const octets = table.getBig(slot, field.length) + PACKED_HEAD_OCTETS
    if (end + octets > stage.length) {
      await append(stage.subarray(0, end), staged)
      staged = []
      end = 0
    }
    const { offset } = packedAt(table.getBig(slot, field.file))
    const filled = await readFully(from.descriptor, stage.subarray(end, end + octets), offset)
    // What was cut is dropped when it is read.
    if (filled < octets || table.get(slot, field.generation) !== generation) continue
    staged.push({ slot, generation, at: end })
    end += octets
  }
  if (staged.length > 0) await append(stage.subarray(0, end), staged)
}

const BATCH = 128
const SAMPLES = 64
/** Above what one body takes. */
const STAGE_OCTETS = 262_144
