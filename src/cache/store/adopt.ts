import { hashKey, hashStem } from './hash.ts'
import type { Stored } from './journal.ts'
import type { Parts } from './parts.ts'
import { field, flag, state } from './shared.ts'
import { tagBits } from './tag-bits.ts'
import { trailerOctets } from './wire/object-file.ts'
import { isPacked } from './wire/pack.ts'

/** Make an entry for an object on disk, before any other. @returns 0 when there is no room for it. Under the lock. */
export function adopt({ room, shared, table }: Parts, stored: Stored): number {
  const { file, hits, isStale, keyOctets, lengthOctets, metaOctets, record } = stored
  const tagsJson = record.toString('utf8', keyOctets + metaOctets)
  const tags = tagsJson === '' ? [] : (JSON.parse(tagsJson) as string[])
  const slot = table.takeSlot()
  if (slot === 0) return 0
  if (!room.writeRecord(slot, { octets: record, keyOctets, metaOctets })) {
    table.giveSlot(slot)
    return 0
  }
  const key = record.toString('utf8', 0, keyOctets)
  hashKey(key, shared.seed, hash)
  table.set(slot, field.stem, hashStem(key, shared.seed))
  table.set(slot, field.hashLow, hash[0]!)
  table.set(slot, field.hashHigh, hash[1]!)
  table.set(slot, field.tagBits, tagBits(tags))
  table.set(slot, field.hits, hits)
  table.set(slot, field.flags, flag.onDisk | flag.unproven | (isStale ? flag.stale : 0))
  table.setBig(slot, field.length, lengthOctets)
  table.setBig(slot, field.stored, lengthOctets)
  table.setBig(slot, field.file, file)
  // A pack is counted as a whole.
  if (!isPacked(file)) table.chargeDisk(slot, lengthOctets + trailerOctets(record.length, lengthOctets))
  table.set(slot, field.state, state.whole)
  table.link(slot)
  return slot
}

const hash = new Int32Array(2)
