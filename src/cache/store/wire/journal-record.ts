import { crc32 } from 'node:zlib'

/** What the journal of the disk tier says, one after the other; the last word about a file counts. */
export type JournalRecord =
  | {
      readonly kind: 'stored'
      /** number of the file */
      readonly file: number
      readonly lengthOctets: number
      readonly isStale: boolean
      readonly hits: number
      readonly keyOctets: number
      readonly metaOctets: number
      /** key, meta and tags */
      readonly record: Buffer
    }
  | { readonly kind: 'removed'; readonly file: number }

/** Octets at the begin of every journal. */
export const JOURNAL_MARK: Buffer = Buffer.from('PORTICO journal 1\n', 'latin1')

/** One record: its length, its sum, and what it says. */
export function encodeJournalRecord(record: JournalRecord): Buffer {
  const octets = Buffer.alloc(
    record.kind === 'stored' ? STORED_OCTETS + record.record.length : REMOVED_OCTETS,
  )
  octets.writeUInt32LE(octets.length, 0)
  octets.writeUInt8(record.kind === 'stored' ? STORED : REMOVED, 8)
  octets.writeDoubleLE(record.file, 12)
  if (record.kind === 'stored') {
    octets.writeUInt8(record.isStale ? 1 : 0, 9)
    octets.writeUInt8(record.hits, 10)
    octets.writeDoubleLE(record.lengthOctets, 20)
    octets.writeUInt32LE(record.keyOctets, 28)
    octets.writeUInt32LE(record.metaOctets, 32)
    octets.set(record.record, STORED_OCTETS)
  }
  octets.writeUInt32LE(crc32(octets.subarray(8)), 4)
  return octets
}

/**
 * Read the record at an offset.
 *
 * @returns where the next one begins; null when there is no whole record here: the journal ends, or was cut
 */
export function decodeJournalRecord(
  octets: Buffer,
  at: number,
): { record: JournalRecord; next: number } | null {
  if (at + REMOVED_OCTETS > octets.length) return null
  const next = at + octets.readUInt32LE(at)
  if (next < at + REMOVED_OCTETS || next > octets.length) return null
  if (crc32(octets.subarray(at + 8, next)) !== octets.readUInt32LE(at + 4)) return null
  const file = octets.readDoubleLE(at + 12)
  if (octets.readUInt8(at + 8) === REMOVED) return { record: { kind: 'removed', file }, next }
  if (octets.readUInt8(at + 8) !== STORED || next < at + STORED_OCTETS) return null
  const record: JournalRecord = {
    kind: 'stored',
    file,
    isStale: octets.readUInt8(at + 9) === 1,
    hits: octets.readUInt8(at + 10),
    lengthOctets: octets.readDoubleLE(at + 20),
    keyOctets: octets.readUInt32LE(at + 28),
    metaOctets: octets.readUInt32LE(at + 32),
    record: octets.subarray(at + STORED_OCTETS, next),
  }
  return record.keyOctets + record.metaOctets <= record.record.length ? { record, next } : null
}

const STORED = 1
const REMOVED = 2
const REMOVED_OCTETS = 20
const STORED_OCTETS = 36
