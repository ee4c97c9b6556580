import { createHash } from 'node:crypto'
import type { Position } from '#core/problem.ts'
import type { RecordDraft } from '#dns/records/read-records.ts'

/** RFC 9432 §4.1: what a change of a member should not be lost for is soon seen. */
const TTL_SECONDS = 300

/**
 * Write a catalog zone (RFC 9432 §4.1): its version, and a PTR to each member at a name that stays the same.
 *
 * @param members apexes of the zones that it lists
 */
export function draftCatalog(apex: string, members: readonly string[], from: Position): RecordDraft[] {
  const draft = (owner: string, type: string, data: string): RecordDraft => {
    return { owner, type, data, ttl: TTL_SECONDS, from, why: 'default' }
  }
  return [
    draft(`version.${apex}`, 'TXT', '"2"'),
    ...members.map((member) => draft(`${memberLabel(member)}.zones.${apex}`, 'PTR', member)),
  ]
}

function memberLabel(apex: string): string {
  return createHash('sha256').update(apex).digest('hex').slice(0, 32)
}
