import { createHash } from 'node:crypto'
import type { Refusal } from '#http/wire/refusal.ts'
import { refuse } from '#http/wire/refusal.ts'
import { broadcastFolder } from '#media/live/folder.ts'
import type { LiveTrack } from '#media/live/news.ts'
import type { LivePlan } from '#media/live/plan.ts'
import type { Desk, LiveReply } from '#media/live/request.ts'
import type { Brought, InputTrack } from '#media/live/wire/input.ts'
import type { Sample } from '#media/live/wire/sample.ts'
import { MediaFault } from '#media/wire/fault.ts'
import { CutFault, type CutPart, Cutter } from './cutter.ts'
import { SegmentWriter, writeInits } from './segment-writer.ts'

export type EncoderOptions = {
  readonly desk: Desk
  readonly stream: string
  readonly plan: LivePlan
  readonly worker: number
  /** how far the first track may be ahead of another before a part goes without that one */
  readonly lateSeconds: number
}

/** An encoder that cannot be followed, with the answer that it gets. */
export class EncoderFault extends Error {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(refusal.reason)
    this.refusal = refusal
  }
}

type Early = { readonly track: number; readonly sample: Sample }

/** ten seconds of 200 frames a second, and of sound the more */
const LIMIT_EARLY = 4000

/** For so long a second encoder waits for the first one to leave. */
const BUSY_MS = 3000
const BUSY_LOOK_MS = 100
/** Who has sent a part so lately is there. */
const ALIVE_MS = 1000

type Opened = {
  readonly ticket: number
  readonly cutter: Cutter
  readonly writer: SegmentWriter
  /** place of each track among those of the broadcast */
  readonly places: readonly number[]
}

/** Takes what an encoder brings, cuts it, writes it, and tells of it. Calls come one after the other. */
export class Encoder {
  readonly #options: EncoderOptions
  readonly #tracks: InputTrack[] = []
  #early: Early[] = []
  #earlyOctets = 0
  #opened: Opened | null = null

  constructor(options: EncoderOptions) {
    this.#options = options
  }

  get isOnAir(): boolean {
    return this.#opened !== null
  }

  /**
   * Add the tracks of an input.
   *
   * @returns the number of the first of them
   * @throws {EncoderFault} when viewers have been told of the tracks already, or there are too many
   */
  addTracks(tracks: readonly InputTrack[]): number {
    const { tracksLimit } = this.#options.plan
    const count = this.#tracks.length + tracks.length
    if (this.#opened !== null) throw fault(409, 'a track comes too late: the broadcast has begun without it')
    if (count > tracksLimit) throw fault(422, `the stream has ${count} tracks; ${tracksLimit} are the limit`)
    this.#tracks.push(...tracks)
    return count - tracks.length
  }

  /**
   * Follow what an input has brought.
   *
   * @param first number of the input's first track
   * @param mayOpen all tracks are known
   * @throws {EncoderFault} when it cannot be followed
   */
  async take(brought: readonly Brought[], first: number, mayOpen: boolean): Promise<void> {
    for (const item of brought) {
      if (item.kind === 'tracks') continue
      const track = first + item.track
      if (this.#opened !== null) await this.#cut(track, item.sample)
      else await this.#wait({ track, sample: item.sample })
    }
    if (this.#opened !== null || this.#leadSeconds() < this.#options.plan.partMs / 1000) return
    // Who sends faster than it is played does not wait for tracks that may come.
    if (mayOpen || this.#early.length > LIMIT_EARLY / 2) await this.#open()
  }

  /** It is over: what is left becomes the last part. */
  async finish(why: string): Promise<void> {
    if (this.#opened === null && this.#leadSeconds() > 0) await this.#open()
    const opened = this.#opened
    if (opened === null) return
    this.#opened = null
    const { ticket, cutter, writer } = opened
    try {
      for (const part of cutter.finish()) await this.#publish(opened, part)
    } finally {
      await writer.close()
      const { desk, stream } = this.#options
      await desk.ask({ kind: 'leave', stream, ticket, why })
    }
  }

  async #wait(early: Early): Promise<void> {
    this.#early.push(early)
    if (this.#early.length > LIMIT_EARLY)
      throw fault(422, `no key frame of the first track in ${LIMIT_EARLY} samples`)
    this.#earlyOctets += early.sample.octets.length
    const { bufferOctets } = this.#options.plan
    if (this.#earlyOctets > bufferOctets) {
      throw fault(422, `no key frame of the first track in ${bufferOctets} octets ("buffer")`)
    }
  }

  /** The first video decides where parts end, or the first sound where there is none. */
  #lead(): number {
    return Math.max(
      0,
      this.#tracks.findIndex(({ kind }) => kind === 'video'),
    )
  }

  /** Those of the track that decides, from its first key frame on. */
  #leadSamples(): Sample[] {
    const lead = this.#lead()
    const samples = this.#early.filter(({ track }) => track === lead).map(({ sample }) => sample)
    const first = samples.findIndex(({ isKey }) => isKey)
    return first === -1 ? [] : samples.slice(first)
  }

  #leadSeconds(): number {
    const ticks = this.#leadSamples().reduce((sum, sample) => sum + sample.ticks, 0)
    return ticks === 0 ? 0 : ticks / this.#tracks[this.#lead()]!.timescale
  }

  async #open(): Promise<void> {
    const { desk, stream, plan, lateSeconds } = this.#options
    const lead = this.#lead()
    const order = [lead, ...this.#tracks.keys().filter((i) => i !== lead)]
    const tracks = order.map((i) => this.#tracks[i]!)
    const first = this.#leadSamples()
    const told = describeTracks(tracks, frameSeconds(first, tracks[0]!), plan.partMs / 1000)
    const reply = await this.#begin(told)
    if (reply.kind === 'busy') throw fault(409, 'another encoder sends this stream')
    if (reply.kind === 'full') throw fault(507, `there are ${reply.limit} streams, which is the limit`)
    if (reply.kind !== 'begun') throw fault(503, 'the register did not begin the stream')
    const { ticket, id, targetSeconds, session, msn } = reply
    const folder = broadcastFolder(desk.root, stream, id)
    const names = told.map(({ name }) => name)
    await writeInits(folder, session.init, names, tracks)
    const begin = first[0]!.at / tracks[0]!.timescale
    const shifts = tracks.map(({ timescale }) => Math.round((session.startSeconds - begin) * timescale))
    const cutTracks = tracks.map(({ timescale, kind }) => ({ timescale, isVideo: kind === 'video' }))
    const rules = {
      targetSeconds,
      partSeconds: session.tracks[0]!.partSeconds,
      bufferOctets: plan.bufferOctets,
      lateSeconds,
    }
    this.#opened = {
      ticket,
      cutter: new Cutter(cutTracks, rules),
      writer: new SegmentWriter({ folder, tracks: told, shifts, msn }),
      places: this.#tracks.map((_, i) => order.indexOf(i)),
    }
    const early = this.#early
    this.#early = []
    for (const { track, sample } of early) await this.#cut(track, sample)
  }

  /**
   * An encoder that comes back may be here before it is known that it was gone: it is refused when the first one has
   * sent something since, and waits otherwise, at most until the first one's silence is over.
   */
  async #begin(tracks: readonly LiveTrack[]): Promise<LiveReply> {
    const { desk, stream, worker, plan } = this.#options
    const startedMs = performance.now()
    for (;;) {
      const reply = await desk.ask({ kind: 'begin', stream, worker, tracks })
      const waitedMs = performance.now() - startedMs
      if (reply.kind !== 'busy' || waitedMs > BUSY_MS + plan.silenceMs) return reply
      if (waitedMs > BUSY_MS && reply.quietMs < ALIVE_MS) return reply
      await new Promise((resolve) => setTimeout(resolve, BUSY_LOOK_MS))
    }
  }

  async #cut(track: number, sample: Sample): Promise<void> {
    const opened = this.#opened!
    for (const part of cutOf(opened, track, sample)) await this.#publish(opened, part)
  }

  async #publish({ ticket, writer }: Opened, part: CutPart): Promise<void> {
    const { desk, stream } = this.#options
    const tracks = await writer.write(part)
    const { independent, closes } = part
    const reply = await desk.ask({
      kind: 'news',
      stream,
      ticket,
      news: { kind: 'part', independent, closes, tracks },
    })
    if (reply.kind === 'gone') {
      this.#opened = null
      await writer.close()
      throw fault(410, 'the broadcast was ended')
    }
  }
}

function cutOf({ cutter, places }: Opened, track: number, sample: Sample): CutPart[] {
  try {
    return cutter.take(places[track]!, sample)
  } catch (error) {
    if (error instanceof CutFault) throw fault(422, error.message)
    throw error
  }
}

/** What an encoder is answered for a fault of its octets. */
export function faultOf(error: unknown): unknown {
  return error instanceof MediaFault ? fault(422, error.message) : error
}

function fault(status: number, reason: string): EncoderFault {
  return new EncoderFault(refuse(status, reason))
}

/** Length of most of the first frames: encoders begin with odd ones. */
function frameSeconds(samples: readonly Sample[], { timescale }: InputTrack): number {
  const lengths = samples.map(({ ticks }) => ticks).toSorted((a, b) => a - b)
  return Math.max(1, lengths[lengths.length >> 1]!) / timescale
}

/**
 * @param frameSeconds of the first track
 * @param wantedSeconds of a part
 */
function describeTracks(
  tracks: readonly InputTrack[],
  frameSeconds: number,
  wantedSeconds: number,
): LiveTrack[] {
  const counts = { video: 0, audio: 0 }
  // Whole frames, so that no part is longer than is said, and none much shorter.
  const partSeconds = Math.max(1, Math.round(wantedSeconds / frameSeconds)) * frameSeconds
  return tracks.map(({ entry, ...track }, i) => {
    const format = createHash('sha256').update(entry).digest('hex').slice(0, 16)
    const name = `${track.kind[0]}${counts[track.kind]++}`
    // Cut where the first track is, a part may be longer by a frame of this one.
    const samples = /^[ae]c-3$/.test(track.codec) ? DOLBY_SAMPLES : FRAME_SAMPLES
    const slack = i === 0 ? 0 : track.kind === 'audio' ? samples / track.sampleRate : frameSeconds
    const frameRate = track.kind === 'video' ? round(1 / frameSeconds) : 0
    return { ...track, name, format, frameRate, partSeconds: round(partSeconds + slack) }
  })
}

/** Of AAC; frames of other codecs are shorter. */
const FRAME_SAMPLES = 1024
/** Of AC-3, and the most of E-AC-3. */
const DOLBY_SAMPLES = 1536

function round(value: number): number {
  return Math.round(value * 1e5) / 1e5
}
