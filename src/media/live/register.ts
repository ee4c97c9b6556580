import { rm, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '#core/log.ts'
import type { Refusal } from '#http/wire/refusal.ts'
import { forgetInits } from '#media/live/encoder/saved-inits.ts'
import { Broadcast, endOf, octetsOf, type Segment } from './broadcast.ts'
import { broadcastFolder, broadcastId, JOURNAL, segmentFile } from './folder.ts'
import { beginJournal, type Journal, listStreams, readBroadcast, unlinkBefore } from './journal.ts'
import type { LiveTrack, News } from './news.ts'
import type { LivePlan } from './plan.ts'
import type { Fed, LiveAsk, LiveFeed, LiveReply, LiveTold } from './request.ts'

export type RegisterOptions = {
  /** absolute */
  readonly root: string
  readonly plan: LivePlan
  /** milliseconds since 1970 */
  readonly now: () => number
  readonly tell: (told: LiveTold) => void
  /** hands octets to a worker */
  readonly feed: (worker: number, feed: LiveFeed) => Promise<Refusal | null>
  readonly log: Log
}

/** Streams of one folder: their names come from encoders, who have a key. */
const LIMIT_STREAMS = 1000
/** Who has an old playlist may still ask for what has left the window. */
const UNLINK_AFTER_MS = 60_000

type Held = {
  broadcast: Broadcast
  journal: Journal
  /** of the encoder that sends; null while none does */
  encoder: { readonly ticket: number; readonly worker: number } | null
  resume: NodeJS.Timeout | undefined
  /** what has left the window and is still on disk, the oldest first */
  fading: Segment[]
  /** changes happen one after the other */
  turn: Promise<unknown>
}

/**
 * What is on air from one folder: the one writer of its journals, on the main thread.
 *
 * Workers write the octets of segments, and say here what they have written; it is told to all of them.
 */
export class Register {
  plan: LivePlan
  readonly #options: RegisterOptions
  readonly #streams = new Map<string, Held>()
  /** workers that take the files of a stream */
  readonly #leaders = new Map<string, number>()
  readonly #loading: Promise<void>
  readonly #timers = new Set<NodeJS.Timeout>()
  #lastTicket = 0
  #isClosed = false

  constructor(options: RegisterOptions) {
    this.#options = options
    this.plan = options.plan
    this.#loading = this.#load()
  }

  async ask(ask: LiveAsk): Promise<LiveReply> {
    await this.#loading
    if (ask.kind === 'open') return { kind: 'open', broadcasts: this.#saved() }
    if (ask.kind === 'lead') return this.#lead(ask.stream, ask.worker)
    if (ask.kind === 'yield') return this.#yield(ask.stream, ask.worker)
    if (ask.kind === 'feed') return this.#feed(ask.worker, ask.fed)
    if (ask.kind === 'begin') return this.#inTurn(ask.stream, () => this.#begin(ask))
    if (ask.kind === 'end') await this.#finishFeed(ask.stream)
    const held = this.#streams.get(ask.stream)
    if (held === undefined) return { kind: 'gone' }
    return this.#inTurn(ask.stream, async () => {
      if (ask.kind === 'end') return this.#end(held)
      if (held.encoder?.ticket !== ask.ticket) return { kind: 'gone' }
      if (ask.kind === 'leave') return this.#lose(held, ask.why)
      await this.#add(held, ask.news)
      if (ask.news.kind === 'part' && ask.news.closes) await this.#trim(held)
      return DONE
    })
  }

  /** Broadcasts as they are at this moment, the newest of each stream. */
  broadcasts(): Broadcast[] {
    return [...this.#streams.values()].map(({ broadcast }) => broadcast)
  }

  find(stream: string): Broadcast | undefined {
    return this.#streams.get(stream)?.broadcast
  }

  /** A worker has died, and the encoders that sent to it are cut off. */
  forgetWorker(worker: number): void {
    for (const [stream, leader] of this.#leaders) if (leader === worker) this.#leaders.delete(stream)
    for (const [stream, held] of this.#streams) {
      if (held.encoder?.worker !== worker) continue
      this.#inTurn(stream, () => this.#lose(held, 'the worker that received it has died')).catch(() => {})
    }
  }

  /** Delete recordings that are over their time. */
  async sweep(): Promise<void> {
    await this.#loading
    const { root, now, tell } = this.#options
    for (const [stream, ids] of await listStreams(root)) {
      const held = this.#streams.get(stream)
      for (const id of ids) {
        const isNewest = held?.broadcast.id === id
        if (isNewest && held.broadcast.state !== 'ended') continue
        const folder = broadcastFolder(root, stream, id)
        const journal = await stat(join(folder, JOURNAL)).catch(() => null)
        if (journal !== null && now() - journal.mtimeMs < this.plan.recordingMs) continue
        await rm(folder, { recursive: true, force: true })
        if (!isNewest) continue
        this.#streams.delete(stream)
        await forgetInits(root, stream)
        tell({ root, stream, id, news: null })
      }
    }
  }

  close(): void {
    this.#isClosed = true
    for (const timer of this.#timers) clearTimeout(timer)
    for (const { resume } of this.#streams.values()) clearTimeout(resume)
  }

  /** What was on air when the process ended waits for its encoder. */
  async #load(): Promise<void> {
    const { root, log } = this.#options
    for (const [stream, ids] of await listStreams(root)) {
      const found = await readBroadcast(root, stream, ids.at(-1)!)
      if (found === null) continue
      const held: Held = { ...found, encoder: null, resume: undefined, fading: [], turn: Promise.resolve() }
      this.#streams.set(stream, held)
      await unlinkBefore(root, found.broadcast)
      if (found.broadcast.state === 'ended') continue
      await this.#lose(held, 'Portico was started anew').catch((error: unknown) =>
        log('error', 'live/journal', { stream, error: String(error) }),
      )
    }
  }

  #lead(stream: string, worker: number): LiveReply {
    const leader = this.#leaders.get(stream) ?? worker
    if (this.#leaders.size < LIMIT_STREAMS) this.#leaders.set(stream, leader)
    return { kind: 'led', worker: leader }
  }

  #yield(stream: string, worker: number): LiveReply {
    if (this.#leaders.get(stream) === worker) this.#leaders.delete(stream)
    return DONE
  }

  /** What a worker has taken of files, and not cut yet, is part of the stream that ends. */
  async #finishFeed(stream: string): Promise<void> {
    const leader = this.#leaders.get(stream)
    if (leader === undefined) return
    const { root, feed } = this.#options
    await feed(leader, {
      root,
      fed: { stream, input: '', file: null, octets: null, begins: false, isInit: false },
    })
  }

  async #feed(worker: number, fed: Fed): Promise<LiveReply> {
    const { root, feed } = this.#options
    return { kind: 'fed', refusal: await feed(worker, { root, fed }) }
  }

  #saved() {
    return this.broadcasts().map((broadcast) => {
      return { stream: broadcast.stream, id: broadcast.id, news: broadcast.retell() }
    })
  }

  #inTurn<Reply>(stream: string, change: () => Promise<Reply>): Promise<Reply> {
    const held = this.#streams.get(stream)
    if (held === undefined) return change()
    const done = held.turn.then(change)
    held.turn = done.catch(() => {})
    return done
  }

  async #begin({ stream, worker, tracks }: Extract<LiveAsk, { kind: 'begin' }>): Promise<LiveReply> {
    const before = this.#streams.get(stream)
    if (before?.encoder != null) {
      const { newsMs, sinceMs } = before.broadcast
      return { kind: 'busy', quietMs: this.#options.now() - Math.max(newsMs ?? 0, sinceMs) }
    }
    if (before === undefined && this.#streams.size >= LIMIT_STREAMS)
      return { kind: 'full', limit: LIMIT_STREAMS }
    const ticket = ++this.#lastTicket
    const encoder = { ticket, worker }
    const held =
      before !== undefined && before.broadcast.state === 'lost' ? before : this.#start(stream, before)
    held.encoder = encoder
    clearTimeout(held.resume)
    try {
      if (held.broadcast.version === 0) await this.#announce(held)
      const { broadcast } = held
      const session = sessionOf(broadcast, tracks, this.#options.now())
      await this.#add(held, session)
      const { id, targetSeconds, nextMsn } = broadcast
      return { kind: 'begun', ticket, id, targetSeconds, session, msn: nextMsn }
    } catch (error) {
      held.encoder = null
      throw error
    }
  }

  #start(stream: string, before: Held | undefined): Held {
    const broadcast = new Broadcast(stream, broadcastId(this.#options.now()))
    const turn = before?.turn ?? Promise.resolve()
    const held: Held = {
      broadcast,
      journal: undefined as never,
      encoder: null,
      resume: undefined,
      fading: [],
      turn,
    }
    this.#streams.set(stream, held)
    return held
  }

  async #announce(held: Held): Promise<void> {
    held.journal = await beginJournal(this.#options.root, held.broadcast)
    const targetSeconds = Math.ceil(this.plan.segmentMs / 1000)
    await this.#add(held, { kind: 'begun', atMs: this.#options.now(), targetSeconds })
  }

  /** On disk first: what viewers were told of is there after a crash. */
  async #add({ broadcast, journal }: Held, news: News): Promise<void> {
    await journal.add(news)
    broadcast.apply(news)
    if (news.kind === 'part') broadcast.newsMs = this.#options.now()
    this.#options.tell({ root: this.#options.root, stream: broadcast.stream, id: broadcast.id, news })
  }

  async #lose(held: Held, why: string): Promise<LiveReply> {
    held.encoder = null
    await this.#add(held, { kind: 'lost', atMs: this.#options.now(), why })
    const { stream } = held.broadcast
    if (this.#isClosed) return DONE
    held.resume = setTimeout(() => {
      void this.#inTurn(stream, async () => {
        if (held.broadcast.state === 'lost') await this.#end(held)
      }).catch(() => {})
    }, this.plan.resumeMs).unref()
    return DONE
  }

  async #end(held: Held): Promise<LiveReply> {
    clearTimeout(held.resume)
    held.encoder = null
    if (held.broadcast.state === 'ended') return DONE
    await this.#add(held, { kind: 'ended', atMs: this.#options.now() })
    if (this.plan.recordingMs === 0) await this.sweep()
    return DONE
  }

  /** Let go of what the window has left. */
  async #trim(held: Held): Promise<void> {
    const { broadcast, journal } = held
    const { segments, discontinuitySequence } = broadcast
    const count = surplus(segments, this.plan)
    if (count === 0) return
    const gone = segments.slice(0, count)
    const msn = broadcast.firstMsn + count
    const discontinuities = discontinuitySequence + gone.filter(({ isAfterBreak }) => isAfterBreak).length
    await this.#add(held, { kind: 'dropped', msn, discontinuities })
    await journal.tidy(broadcast)
    held.fading.push(...gone)
    this.#unlinkBeyond(held, this.plan.spaceOctets)
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      while (held.fading[0] !== undefined && held.fading[0].msn < msn) this.#unlinkOldest(held)
    }, UNLINK_AFTER_MS).unref()
    this.#timers.add(timer)
  }

  #unlinkBeyond(held: Held, spaceOctets: number): void {
    const { broadcast, fading } = held
    let octets = broadcast.octets + fading.reduce((sum, segment) => sum + octetsOf(segment), 0)
    while (octets > spaceOctets && fading[0] !== undefined) {
      octets -= octetsOf(fading[0])
      this.#unlinkOldest(held)
    }
  }

  #unlinkOldest({ broadcast, fading }: Held): void {
    this.#unlink(broadcast, fading.shift()!)
  }

  #unlink({ stream, id }: Broadcast, { msn, session }: Segment): void {
    const folder = broadcastFolder(this.#options.root, stream, id)
    for (const { name } of session.tracks) unlink(join(folder, segmentFile(name, msn))).catch(() => {})
  }
}

const DONE: LiveReply = { kind: 'done' }
/** Of `space`: the rest is for what has left the window. */
const WINDOW_SHARE = 0.9
/** Players need so many segments to play at all. */
const LEAST_SEGMENTS = 3

/** How many segments at the beginning are too old, or too much. */
function surplus(segments: readonly Segment[], { windowMs, spaceOctets }: LivePlan): number {
  const end = segments.length === 0 ? 0 : endOf(segments.at(-1)!)
  let octets = segments.reduce((sum, segment) => sum + octetsOf(segment), 0)
  let count = 0
  for (const segment of segments) {
    if (segments.length - count <= LEAST_SEGMENTS) break
    if (end - endOf(segment) < windowMs / 1000 && octets <= WINDOW_SHARE * spaceOctets) break
    octets -= octetsOf(segment)
    count++
  }
  return count
}

/** The time of the broadcast goes on where the last encoder left it. */
function sessionOf(
  broadcast: Broadcast,
  tracks: readonly LiveTrack[],
  atMs: number,
): Extract<News, { kind: 'encoder' }> {
  const last = broadcast.segments.at(-1)
  const init = (broadcast.session?.init ?? 0) + 1
  // PART-TARGET of a playlist does not change (RFC 8216bis §6.2.1).
  const known = new Map(broadcast.session?.tracks.map(({ name, partSeconds }) => [name, partSeconds]))
  const kept = tracks.map((track) => ({ ...track, partSeconds: known.get(track.name) ?? track.partSeconds }))
  return { kind: 'encoder', tracks: kept, init, atMs, startSeconds: last === undefined ? 0 : endOf(last) }
}
