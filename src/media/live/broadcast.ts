import type { LiveTrack, News, Stretch } from './news.ts'

/** One encoder's stretch of a broadcast: what lies between discontinuities. */
export type Session = {
  readonly tracks: readonly LiveTrack[]
  readonly init: number
  readonly atMs: number
  readonly startSeconds: number
  /** how many encoders there were before it */
  readonly number: number
}

export type Part = { readonly independent: boolean; readonly tracks: readonly Stretch[] }

export type Segment = {
  readonly msn: number
  readonly session: Session
  /** the first of its session, and not of the broadcast */
  readonly isAfterBreak: boolean
  /** all of it, of each track */
  tracks: readonly Stretch[]
  independent: boolean
  /** those that are still told apart; empty for older segments */
  parts: Part[]
}

export type BroadcastState = 'waiting' | 'live' | 'lost' | 'ended'

/**
 * One airing of a stream, from its first encoder to its end, as all threads know it: made of its news alone.
 *
 * Segments and parts of all tracks end together, so that one count serves all playlists.
 */
export class Broadcast {
  readonly stream: string
  readonly id: string
  startedMs = 0
  targetSeconds = 1
  state: BroadcastState = 'waiting'
  /** since when the state is so */
  sinceMs = 0
  why = ''
  /** complete, the oldest first */
  readonly segments: Segment[] = []
  /** the one that grows */
  open: Segment | null = null
  session: Session | null = null
  /** Media Sequence Number of the first segment that is left */
  firstMsn = 0
  /** discontinuities before it */
  discontinuitySequence = 0
  /** when the last part came, as far as who follows it knows; null before */
  newsMs: number | null = null
  /** grows with all that is told */
  version = 0

  constructor(stream: string, id: string) {
    this.stream = stream
    this.id = id
  }

  /** number of the segment that grows, or comes next */
  get nextMsn(): number {
    return this.firstMsn + this.segments.length
  }

  /** parts there are of it */
  get openParts(): number {
    return this.open?.parts.length ?? 0
  }

  /** length of what is left, in seconds */
  get seconds(): number {
    const first = this.segments[0] ?? this.open
    if (first === undefined || first === null) return 0
    return endOf(this.open ?? this.segments.at(-1)!) - startOf(first)
  }

  get octets(): number {
    return this.segments.reduce((sum, segment) => sum + octetsOf(segment), 0)
  }

  segmentOf(msn: number): Segment | undefined {
    return msn === this.nextMsn ? (this.open ?? undefined) : this.segments[msn - this.firstMsn]
  }

  apply(news: News): void {
    this.version++
    switch (news.kind) {
      case 'begun':
        this.startedMs = this.sinceMs = news.atMs
        this.targetSeconds = news.targetSeconds
        return
      case 'encoder':
        this.#close()
        this.session = { ...news, number: (this.session?.number ?? -1) + 1 }
        this.#turn('live', news.atMs)
        return
      case 'part':
        this.#add(news)
        return
      case 'lost':
        this.#close()
        this.#turn('lost', news.atMs, news.why)
        return
      case 'ended':
        this.#close()
        this.#turn('ended', news.atMs)
        return
      case 'dropped':
        this.segments.splice(0, news.msn - this.firstMsn)
        this.firstMsn = news.msn
        this.discontinuitySequence = news.discontinuities
    }
  }

  /** What tells somebody else all that is left of it; parts only of the newest segments. */
  retell(): News[] {
    const news: News[] = [{ kind: 'begun', atMs: this.startedMs, targetSeconds: this.targetSeconds }]
    if (this.firstMsn > 0) {
      const discontinuities = this.discontinuitySequence
      news.push({ kind: 'dropped', msn: this.firstMsn, discontinuities })
    }
    let told: Session | null = null
    const tell = (session: Session): void => {
      const { tracks, init, atMs, startSeconds } = session
      news.push({ kind: 'encoder', tracks, init, atMs, startSeconds })
      told = session
    }
    for (const segment of [...this.segments, ...(this.open === null ? [] : [this.open])]) {
      if (segment.session !== told) tell(segment.session)
      const isOpen = segment === this.open
      const { parts, independent, tracks, isAfterBreak } = segment
      // The others are seen to stand behind another encoder's.
      const more = isAfterBreak && segment.msn === this.firstMsn ? { afterBreak: true } : {}
      if (parts.length === 0)
        news.push({ kind: 'part', independent, closes: true, tracks, whole: true, ...more })
      for (const [i, part] of parts.entries()) {
        const closes = !isOpen && i === parts.length - 1
        news.push({ kind: 'part', ...part, closes, ...(i === 0 ? more : {}) })
      }
    }
    if (this.session !== null && this.session !== told) tell(this.session)
    if (this.state === 'lost') news.push({ kind: 'lost', atMs: this.sinceMs, why: this.why })
    if (this.state === 'ended') news.push({ kind: 'ended', atMs: this.sinceMs })
    return news
  }

  #turn(state: BroadcastState, atMs: number, why = ''): void {
    this.state = state
    this.sinceMs = atMs
    this.why = why
  }

  #add({ independent, closes, tracks, whole, afterBreak }: Extract<News, { kind: 'part' }>): void {
    if (this.session === null) return
    if (this.open === null) {
      const before = this.segments.at(-1)
      const isAfterBreak = before === undefined ? afterBreak === true : before.session !== this.session
      this.open = { msn: this.nextMsn, session: this.session, isAfterBreak, independent, tracks, parts: [] }
    } else {
      this.open.tracks = this.open.tracks.map((stretch, i) => joinStretches(stretch, tracks[i]!))
    }
    if (whole !== true) this.open.parts.push({ independent, tracks })
    if (closes) this.#close()
  }

  /** Parts are told apart for three target durations (RFC 8216bis §6.2.2); two more segments serve late requests. */
  #close(): void {
    if (this.open === null) return
    this.segments.push(this.open)
    this.open = null
    const old = this.segments[this.segments.length - PARTED_SEGMENTS - 1]
    if (old !== undefined) old.parts = []
  }
}

/** Segments whose parts are told apart. Short segments may come in a row: at least three target durations of them. */
const PARTED_SEGMENTS = 8

function joinStretches(a: Stretch, b: Stretch): Stretch {
  if (a.octets === 0) return b
  if (b.octets === 0) return a
  return { at: a.at, ticks: b.at + b.ticks - a.at, octets: a.octets + b.octets }
}

/** In the time of the broadcast, by the track that decides. */
export function startOf({ tracks, session }: Segment): number {
  return tracks[0]!.at / session.tracks[0]!.timescale
}

/** In the time of the broadcast. */
export function endOf({ tracks, session }: Segment): number {
  return (tracks[0]!.at + tracks[0]!.ticks) / session.tracks[0]!.timescale
}

/** When the first sample of a segment came from the encoder, milliseconds since 1970. */
export function wallOf(segment: Segment): number {
  const { atMs, startSeconds } = segment.session
  return atMs + (startOf(segment) - startSeconds) * 1000
}

/** Octets of all tracks. */
export function octetsOf({ tracks }: Segment): number {
  return tracks.reduce((sum, { octets }) => sum + octets, 0)
}
