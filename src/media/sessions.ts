import type { Cmcd } from './wire/cmcd.ts'

/** What a player has said of itself (CMCD), as operators see it: plain JSON. */
export type Session = {
  readonly id: string
  readonly client: string
  /** path of the film */
  readonly film: string
  /** such as `HLS`, or '' when it does not say */
  readonly format: string
  /** milliseconds since 1970 */
  readonly firstMs: number
  readonly lastMs: number
  readonly requests: number
  /** from the first request to the first that was not for the start; null while it starts */
  readonly startupMs: number | null
  readonly rebuffers: number
  readonly bitrateKbps: number | null
  readonly bufferMs: number | null
  readonly throughputKbps: number | null
  /** it waits for octets */
  readonly isStarving: boolean
  /** 0: paused */
  readonly rate: number
}

export type Heard = { readonly client: string; readonly film: string; readonly nowMs: number }

/** The sessions of players that this worker hears of. */
export type Sessions = {
  hear(cmcd: Cmcd, heard: Heard): void
  /** those that were heard of within the last minute, the latest first */
  list(nowMs: number): Session[]
  readonly counts: MediaCounts
}

/** What has happened, ever. */
export type MediaCounts = {
  /** requests of players that had run empty */
  starved: number
  /** segments and such that were made */
  rendered: number
  /** of these, before anybody asked */
  ahead: number
}

/** What no player has said more than this long ago is over. */
const IDLE_MS = 60_000
/** Of one worker: whoever invents ids drives out the oldest, and no more. */
const LIMIT_SESSIONS = 1000

/** Create an empty list of sessions. */
export function createSessions(): Sessions {
  const known = new Map<string, Session>()
  const counts = { starved: 0, rendered: 0, ahead: 0 }
  return {
    hear(cmcd, { client, film, nowMs }) {
      if (cmcd.isStarved) counts.starved++
      if (cmcd.session === null) return
      // An id that somebody else says, too, is another session.
      const key = `${client} ${cmcd.session}`
      const before = known.get(key)
      known.delete(key)
      known.set(key, after(before, cmcd, { client, film, nowMs }))
      if (known.size > LIMIT_SESSIONS) known.delete(known.keys().next().value!)
    },
    list(nowMs) {
      for (const [key, { lastMs }] of known) {
        if (nowMs - lastMs < IDLE_MS) break
        known.delete(key)
      }
      return [...known.values()].reverse()
    },
    counts,
  }
}

function after(before: Session | undefined, cmcd: Cmcd, { client, film, nowMs }: Heard): Session {
  const firstMs = before?.firstMs ?? nowMs
  const isPicture = cmcd.objectType === 'v' || cmcd.objectType === 'av'
  const started = cmcd.startDelayMs ?? (cmcd.isStartup || before === undefined ? null : nowMs - firstMs)
  return {
    id: cmcd.session!,
    client,
    film,
    format: FORMATS[cmcd.format ?? ''] ?? before?.format ?? '',
    firstMs,
    lastMs: nowMs,
    requests: (before?.requests ?? 0) + 1,
    startupMs: before?.startupMs ?? started,
    // At the start, everything is empty.
    rebuffers: (before?.rebuffers ?? 0) + (cmcd.isStarved && before?.startupMs != null ? 1 : 0),
    bitrateKbps:
      (isPicture || before?.bitrateKbps == null ? cmcd.bitrateKbps : null) ?? before?.bitrateKbps ?? null,
    bufferMs: cmcd.bufferMs ?? before?.bufferMs ?? null,
    throughputKbps: cmcd.throughputKbps ?? before?.throughputKbps ?? null,
    isStarving: cmcd.isStarved || cmcd.isStartup,
    rate: cmcd.rate ?? before?.rate ?? 1,
  }
}

const FORMATS: Readonly<Record<string, string>> = { h: 'HLS', d: 'DASH', s: 'Smooth', o: 'other' }

/** Sessions of several workers as one list: a player has several connections. */
export function joinSessions(lists: readonly (readonly Session[])[]): Session[] {
  const joined = new Map<string, Session>()
  for (const session of lists.flat()) {
    const key = `${session.client} ${session.id}`
    const other = joined.get(key)
    joined.set(key, other === undefined ? session : both(other, session))
  }
  return [...joined.values()].sort((a, b) => b.lastMs - a.lastMs)
}

function both(a: Session, b: Session): Session {
  const [earlier, later] = a.lastMs <= b.lastMs ? [a, b] : [b, a]
  const startups = [a.startupMs, b.startupMs].filter((startup) => startup !== null)
  return {
    ...later,
    bitrateKbps: later.bitrateKbps ?? earlier.bitrateKbps,
    firstMs: Math.min(a.firstMs, b.firstMs),
    requests: a.requests + b.requests,
    rebuffers: a.rebuffers + b.rebuffers,
    startupMs: startups.length === 0 ? null : Math.max(...startups),
  }
}
