import { type Refusal, refuse } from '#http/wire/refusal.ts'
import { Encoder, EncoderFault, faultOf } from './encoder.ts'
import { openInput } from './open-input.ts'
import type { LivePlan } from './plan.ts'
import type { Desk, Fed } from './request.ts'
import type { Input } from './wire/input.ts'

export type FeedOptions = {
  readonly desk: Desk
  readonly stream: string
  readonly plan: LivePlan
  readonly worker: number
}

type FeedInput = { input: Input | null; first: number; isKnown: boolean; hasSamples: boolean }

/** Inputs that say nothing of themselves for so long, when others have, are left out. */
const GRACE_MS = 3000
const LIMIT_INPUTS = 64

/** An encoder whose stream comes in pieces that this thread is handed: files that it writes, or a pipe. */
export class Feed {
  readonly #options: FeedOptions
  readonly #onOver: () => void
  #encoder: Encoder
  readonly #inputs = new Map<string, FeedInput>()
  #firstSampleAtMs = Infinity
  #turn: Promise<unknown> = Promise.resolve()
  #silence: NodeJS.Timeout | undefined
  #isOver = false

  /** @param onOver it takes nothing more; another one may take its place */
  constructor(options: FeedOptions, onOver: () => void) {
    this.#options = options
    this.#onOver = onOver
    this.#encoder = this.#createEncoder()
    this.#expect()
  }

  /**
   * Take octets; one after the other.
   *
   * @returns why they are refused, or null; after a refusal the stream is over
   */
  take(fed: Fed): Promise<Refusal | null> {
    const done = this.#turn.then(() => this.#take(fed))
    this.#turn = done
    return done
  }

  async #take(fed: Fed): Promise<Refusal | null> {
    if (this.#isOver) return refuse(410, 'the stream is over')
    this.#expect()
    try {
      if (fed.octets === null) await this.#finish('the encoder ended')
      else await this.#read(fed, fed.octets)
      return null
    } catch (error) {
      const told = faultOf(error)
      await this.#finish(told instanceof Error ? told.message : String(told))
      if (told instanceof EncoderFault) return told.refusal
      throw told
    }
  }

  async #read({ input: name, begins, isInit }: Fed, octets: Uint8Array): Promise<void> {
    if (isInit && begins && this.#inputs.get(name)?.hasSamples === true) await this.#beginAnew()
    const input = this.#inputOf(name, isInit)
    if (begins) input.input?.restart()
    input.input ??= openInput(octets, this.#options.plan.bufferOctets)
    const brought = input.input.take(octets)
    for (const item of brought) {
      if (item.kind === 'tracks') {
        input.first = this.#encoder.addTracks(item.tracks)
        input.isKnown = true
      } else {
        input.hasSamples = true
        this.#firstSampleAtMs = Math.min(this.#firstSampleAtMs, performance.now())
      }
    }
    if (input.isKnown) await this.#encoder.take(brought, input.first, this.#mayOpen())
  }

  /** The name of an initialisation segment may be another one than that of its segments, when there is but one. */
  #inputOf(name: string, isInit: boolean): FeedInput {
    const known = this.#inputs.get(name)
    if (known !== undefined) return known
    const only = this.#inputs.size === 1 ? [...this.#inputs.values()][0]! : undefined
    const input =
      !isInit && only?.isKnown === true && !only.hasSamples
        ? only
        : { input: null, first: 0, isKnown: false, hasSamples: false }
    if (this.#inputs.size >= LIMIT_INPUTS)
      throw new EncoderFault(refuse(422, `${LIMIT_INPUTS} kinds of files are the limit`))
    this.#inputs.set(name, input)
    return input
  }

  #mayOpen(): boolean {
    if (performance.now() - this.#firstSampleAtMs > GRACE_MS) return true
    return [...this.#inputs.values()].every(({ hasSamples }) => hasSamples)
  }

  /** What inputs have held back. */
  async #flush(): Promise<void> {
    for (const { input, first, isKnown } of new Set(this.#inputs.values())) {
      if (input !== null && isKnown) await this.#encoder.take(input.finish(), first, true)
    }
  }

  async #beginAnew(): Promise<void> {
    await this.#flush()
    await this.#encoder.finish('the encoder began anew')
    this.#encoder = this.#createEncoder()
    this.#inputs.clear()
    this.#firstSampleAtMs = Infinity
  }

  #createEncoder(): Encoder {
    const { plan } = this.#options
    // Files of one track come after those of the other, each as long as a segment.
    return new Encoder({ ...this.#options, lateSeconds: 3 * (plan.segmentMs / 1000) })
  }

  /** Segments come when they are whole. */
  #expect(): void {
    clearTimeout(this.#silence)
    const { silenceMs, segmentMs } = this.#options.plan
    this.#silence = setTimeout(
      () => {
        this.#turn = this.#turn.then(() => this.#finish(`nothing came for ${silenceMs + 2 * segmentMs} ms`))
      },
      silenceMs + 2 * segmentMs,
    ).unref()
  }

  async #finish(why: string): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#silence)
    this.#onOver()
    // What cannot be cut or told any more is lost with the encoder.
    await this.#flush().catch(() => {})
    await this.#encoder.finish(why).catch(() => {})
  }
}
