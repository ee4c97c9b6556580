import { unitsFor } from './arena.ts'
import { FileWriter } from './file-writer.ts'
import type { Parts } from './parts.ts'
import { BLOCK_UNITS, control, field, flag } from './shared.ts'
import { trailerOctets } from './wire/object-file.ts'

/**
 * Give an entry a file; undefined when the disk is off, absent or full of what is read at this moment.
 *
 * @param lengthOctets of its body, as far as known
 */
export function beginFile(parts: Parts, slot: number, lengthOctets: number): FileWriter | undefined {
  const { files, lock, room, shared, table } = parts
  if (!files?.isOn()) return undefined
  const octets = lengthOctets + trailerOctets(recordOctets(parts, slot), lengthOctets)
  const isTaken = lock.hold(() => {
    if (!room.takeDisk(slot, octets)) return false
    const number = Atomics.add(shared.controlBig, control.nextFile >> 1, 1n)
    table.setBig(slot, field.file, Number(number))
    return true
  })
  return isTaken ? new FileWriter(files.pathOf(table.getBig(slot, field.file))) : undefined
}

/** Write what an entry, pinned, holds of its body in memory. */
export async function writeBody(
  { arena, shared, table }: Parts,
  slot: number,
  writer: FileWriter,
): Promise<void> {
  for (let block = table.get(slot, field.body); block !== 0; block = arena.next(block)) {
    const at = arena.dataAt(block)
    const octets = shared.arena.subarray(at, at + arena.octets(block))
    if (octets.length > 0) await writer.write(octets)
  }
}

/** Complete the file of a whole object, pinned; when that cannot be done the object is dropped. */
export async function completeFile(parts: Parts, slot: number, writer: FileWriter): Promise<void> {
  const { files, lock, table } = parts
  try {
    const octets = await writer.end({
      keyOctets: table.get(slot, field.keyOctets),
      metaOctets: table.get(slot, field.metaOctets),
      record: await lock.holdSoon(() => recordOf(parts, slot)),
    })
    await lock.holdSoon(() => {
      table.chargeDisk(slot, octets - table.getBig(slot, field.fileOctets))
      table.setFlags(slot, flag.onDisk, 0)
      table.addChore(slot)
    })
  } catch (error) {
    files?.turnOff(error)
    await writer.abandon()
    await lock.holdSoon(() => table.drop(slot))
  }
}

/** Keep a small body that was read from its file in memory too. Under the lock. @param slot pinned */
export function promote({ arena, room, shared, table }: Parts, slot: number, body: Uint8Array): void {
  if (table.get(slot, field.body) !== 0 || table.get(slot, field.linked) === 0) return
  let first = 0
  let last = 0
  for (let at = 0; at < body.length; ) {
    const units = Math.min(unitsFor(body.length - at), BLOCK_UNITS)
    const block = room.take(slot, units, Math.min(units, LEAST_UNITS))
    if (block === 0) break
    const part = body.subarray(at, at + arena.roomOctets(block))
    shared.arena.set(part, arena.dataAt(block))
    arena.setOctets(block, part.length)
    if (last === 0) first = block
    else arena.setNext(last, block)
    last = block
    at += part.length
    if (at < body.length) continue
    table.set(slot, field.body, first)
    table.set(slot, field.bodyOctets, body.length)
    return
  }
  for (let block = first; block !== 0; ) {
    const next = arena.next(block)
    table.charge(slot, -arena.units(block))
    arena.give(block)
    block = next
  }
}

/** A copy of key, meta and tags. Under the lock. */
export function recordOf({ arena, shared, table }: Parts, slot: number): Buffer {
  const at = arena.dataAt(table.get(slot, field.record))
  return Buffer.from(shared.arena.subarray(at, at + arena.octets(table.get(slot, field.record))))
}

function recordOctets({ table }: Parts, slot: number): number {
  return (
    table.get(slot, field.keyOctets) + table.get(slot, field.metaOctets) + table.get(slot, field.tagsOctets)
  )
}

const LEAST_UNITS = 8
