import { type Refusal, refuse } from '#http/wire/refusal.ts'
import type { Broadcast } from '#media/live/broadcast.ts'

/** Who has waited for so many target durations waits for something that does not come (RFC 8216bis §6.2.5.2). */
export const WAIT_TARGETS = 3

/** What a client says of the playlist that it wants (RFC 8216bis §6.2.5). */
export type Directives = {
  /** a playlist with this segment, or with this part of it */
  readonly msn: number | null
  readonly part: number | null
  /** older segments may be left out */
  readonly skip: boolean
}

/** Read `_HLS_msn`, `_HLS_part` and `_HLS_skip`. Other names that begin so are for later versions and mean nothing. */
export function readDirectives(query: URLSearchParams): Directives | Refusal {
  const msn = readNumber(query.get('_HLS_msn'))
  const part = readNumber(query.get('_HLS_part'))
  if (Number.isNaN(msn)) return refuse(400, '_HLS_msn is a number of a segment')
  if (Number.isNaN(part)) return refuse(400, '_HLS_part is a number of a part')
  if (part !== null && msn === null) return refuse(400, '_HLS_part needs _HLS_msn beside it')
  const skip = query.get('_HLS_skip')
  return { msn, part, skip: skip === 'YES' || skip === 'v2' }
}

/**
 * Decide whether the playlist that a client wants is there.
 *
 * @param partSeconds PART-TARGET
 * @returns the refusal of what lies too far ahead (RFC 8216bis §6.2.5.2)
 */
export function judgeReload(
  broadcast: Broadcast,
  { msn, part }: Directives,
  partSeconds: number,
): 'now' | 'wait' | Refusal {
  if (msn === null || broadcast.state === 'ended') return 'now'
  const { nextMsn, openParts } = broadcast
  // The last segment of the playlist is the one that grows, once it has a part.
  const last = openParts > 0 ? nextMsn : nextMsn - 1
  if (msn > last + 2) return refuse(400, `segment ${msn} lies too far ahead: the last one is ${last}`)
  if (part !== null) {
    const limit = partSeconds < 1 ? Math.ceil(3 / partSeconds) : 3
    const ahead = msn === nextMsn ? part - openParts + 1 : part + 1
    if (msn >= nextMsn && ahead > limit + (msn - nextMsn) * limit) {
      return refuse(400, `part ${part} of segment ${msn} lies too far ahead`)
    }
  }
  return hasReached(broadcast, msn, part) ? 'now' : 'wait'
}

/** A part beyond the last one of its segment is the first one of the next (RFC 8216bis §6.2.5.2). */
export function hasReached(broadcast: Broadcast, msn: number, part: number | null): boolean {
  const { nextMsn, openParts } = broadcast
  const parts = broadcast.segmentOf(msn)?.parts.length ?? 0
  if (msn === nextMsn - 1 && part !== null && parts > 0 && part >= parts) return openParts > 0
  if (msn < nextMsn) return true
  return part !== null && msn === nextMsn && part < openParts
}

function readNumber(text: string | null): number | null {
  if (text === null) return null
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
}
