import { messageOf } from '#core/errors.ts'
import { type Refusal, refuse } from '#http/wire/refusal.ts'
import type { LivePlan } from '#media/live/plan.ts'
import type { Desk, Fed, FedFile, FilePlace } from '#media/live/request.ts'
import type { Input, InputTrack } from '#media/live/wire/input.ts'
import { Encoder, EncoderFault, faultOf } from './encoder.ts'
import { FileTurns } from './file-turns.ts'
import { openInput } from './open-input.ts'
import { readInits, saveInit } from './saved-inits.ts'

export type FeedOptions = {
  readonly desk: Desk
  readonly stream: string
  readonly plan: LivePlan
  readonly worker: number
}

type FeedInput = {
  input: Input | null
  /** null: not known yet */
  tracks: readonly InputTrack[] | null
  /** number of the first of them */
  first: number
  hasSamples: boolean
  /** number of its last file; null when they have none */
  last: number | null
}

type FileBegun = { readonly isInit: boolean; readonly needsInit: boolean; readonly number: number | null }

/** Inputs that say nothing of themselves for so long, when others have, are left out. */
const GRACE_MS = 3000
/** Files of another track may be on their way for so long. */
const SETTLE_MS = 1000
const LIMIT_INPUTS = 64

/** An encoder whose stream comes in pieces that this thread is handed: files that it writes, or a pipe. */
export class Feed {
  readonly #options: FeedOptions
  readonly #onOver: () => void
  #encoder: Encoder
  readonly #inputs = new Map<string, FeedInput>()
  readonly #turns = new FileTurns((input, file) => this.#placeOf(input, file))
  /** where files belong that are being read, by their ids */
  readonly #places = new Map<string, FilePlace>()
  /** what has come of files that stand before segments */
  readonly #inits = new Map<string, Buffer[]>()
  #hasRecalled = false
  #firstSampleAtMs = Infinity
  #newestInputAtMs = 0
  #turn: Promise<unknown> = Promise.resolve()
  #silence: NodeJS.Timeout | undefined
  #settling: NodeJS.Timeout | undefined
  #isOver = false

  /** @param onOver it takes nothing more; another one may take its place */
  constructor(options: FeedOptions, onOver: () => void) {
    this.#options = options
    this.#onOver = onOver
    this.#encoder = this.#createEncoder()
    this.#expect()
  }

  /**
   * Take octets; one after the other, and files in their order.
   *
   * @returns why they are refused, or null; after a refusal the stream is over
   */
  async take(fed: Fed): Promise<Refusal | null> {
    const { file, input, begins, octets } = fed
    if (octets === null) await this.#turns.rest()
    else if (file !== null && begins) this.#places.set(file.id, await this.#turns.begin(input, file))
    const done = this.#turn.then(() => this.#take(fed))
    this.#turn = done.catch(() => {})
    const refusal = await done
    if (file?.isOver === true) {
      this.#turns.end(this.#places.get(file.id)?.input ?? input, file)
      this.#places.delete(file.id)
    }
    return refusal
  }

  async #take(fed: Fed): Promise<Refusal | null> {
    if (this.#isOver) return refuse(410, 'the stream is over')
    this.#expect()
    try {
      if (fed.octets === null) await this.#finish('the encoder ended')
      else if (fed.octets.length > 0) await this.#read(fed, fed.octets)
      if (fed.isInit && fed.file !== null) await this.#save(fed, fed.file.isOver)
      return null
    } catch (error) {
      const told = faultOf(error)
      await this.#finish(messageOf(told))
      if (told instanceof EncoderFault) return told.refusal
      throw told
    }
  }

  async #read({ input: said, file, begins, isInit }: Fed, octets: Uint8Array): Promise<void> {
    const needsInit = file?.needsInit === true
    if (needsInit && begins && this.#placeOf(said, file) === null) {
      await this.#recall()
      this.#places.set(file.id, this.#placeOf(said, file) ?? { input: said, number: file.number })
    }
    const place = file === null ? undefined : this.#places.get(file.id)
    const { input: name, number } = place ?? { input: said, number: file?.number ?? null }
    if (begins && this.#isAnew(name, { isInit, needsInit, number }))
      await this.#beginAnew('the encoder began anew', [])
    const input = this.#inputOf(name, isInit, needsInit)
    if (begins) {
      input.input?.restart()
      input.last = number ?? input.last
    }
    input.input ??= openInput(octets, this.#options.plan.bufferOctets)
    const brought = input.input.take(octets)
    for (const item of brought) {
      if (item.kind === 'tracks') {
        input.tracks = item.tracks
        // Viewers have been told of the tracks: they are told anew, with this one.
        if (this.#encoder.isOnAir) await this.#beginAnew('the encoder sends another track', [...this.#inputs])
        else input.first = this.#encoder.addTracks(item.tracks)
      } else {
        input.hasSamples = true
        this.#firstSampleAtMs = Math.min(this.#firstSampleAtMs, performance.now())
      }
    }
    if (input.tracks === null) return
    await this.#encoder.take(brought, input.first, this.#mayOpen(file === null))
    if (!this.#encoder.isOnAir) this.#openLater()
  }

  /** It says again what stands before its segments; or, where nothing does, counts them from the first again. */
  #isAnew(name: string, { isInit, needsInit, number }: FileBegun): boolean {
    const known = this.#inputs.get(name)
    if (known === undefined || !known.hasSamples) return false
    if (isInit) return true
    return !needsInit && number !== null && known.last !== null && number < known.last
  }

  /** Behind what stands before its segments: under its own name, or under the number of a variant. */
  #placeOf(input: string, { number, variant, needsInit }: FedFile): FilePlace | null {
    if (!needsInit || this.#known(input)?.tracks != null) return { input, number }
    return variant !== null && this.#inputs.get(variant.input)?.tracks != null ? variant : null
  }

  async #save({ input, octets }: Fed, isOver: boolean): Promise<void> {
    const pieces = [...(this.#inits.get(input) ?? []), Buffer.from(octets ?? [])]
    this.#inits.set(input, pieces)
    if (!isOver) return
    this.#inits.delete(input)
    await saveInit(this.#options.desk.root, this.#options.stream, input, Buffer.concat(pieces))
  }

  /** The encoder goes on with segments, and what stands before them was told to a worker that is no more. */
  async #recall(): Promise<void> {
    if (this.#hasRecalled) return
    this.#hasRecalled = true
    const { desk, stream } = this.#options
    for (const { input, octets } of await readInits(desk.root, stream)) {
      if (this.#inputs.has(input)) continue
      await this.#read({ stream, input, file: null, octets, begins: true, isInit: true }, octets)
    }
  }

  /** What stands before the segments of an input may have another name than they: `init.mp4`, `init_2.mp4`. */
  #known(name: string): FeedInput | undefined {
    const known = this.#inputs.get(name)
    if (known !== undefined) return known
    for (const [own, input] of this.#inputs) {
      const isNamed = own === '' || name.endsWith(`_${own}`)
      if (isNamed && input.tracks !== null && !input.hasSamples) return input
    }
    return undefined
  }

  #inputOf(name: string, isInit: boolean, needsInit: boolean): FeedInput {
    // It has waited for one of its name.
    const only = needsInit && this.#inputs.size === 1 ? [...this.#inputs.values()][0] : undefined
    const known = isInit ? this.#inputs.get(name) : (this.#known(name) ?? only)
    const input = known ?? { input: null, tracks: null, first: 0, hasSamples: false, last: null }
    if (known === undefined) this.#newestInputAtMs = performance.now()
    if (this.#inputs.size >= LIMIT_INPUTS && !this.#inputs.has(name))
      throw new EncoderFault(refuse(422, `${LIMIT_INPUTS} kinds of files are the limit`))
    this.#inputs.set(name, input)
    return input
  }

  #mayOpen(isOnePipe: boolean): boolean {
    const nowMs = performance.now()
    if (nowMs - this.#firstSampleAtMs > GRACE_MS) return true
    if (!isOnePipe && nowMs - this.#newestInputAtMs < SETTLE_MS) return false
    return this.#inputs.values().every(({ hasSamples }) => hasSamples)
  }

  /** Files may come seldom. */
  #openLater(): void {
    clearTimeout(this.#settling)
    this.#settling = setTimeout(() => {
      this.#turn = this.#turn.then(() => this.#openNow()).catch(() => {})
    }, SETTLE_MS).unref()
  }

  async #openNow(): Promise<void> {
    if (this.#isOver) return
    try {
      await this.#encoder.take([], 0, this.#mayOpen(false))
    } catch (error) {
      await this.#finish(messageOf(error))
    }
  }

  /** What inputs have held back. */
  async #flush(): Promise<void> {
    for (const input of new Set(this.#inputs.values())) {
      const brought = input.input?.finish() ?? []
      const told = brought.find((item) => item.kind === 'tracks')
      if (input.tracks === null && told !== undefined && !this.#encoder.isOnAir) {
        input.tracks = told.tracks
        input.first = this.#encoder.addTracks(told.tracks)
      }
      if (input.tracks !== null) await this.#encoder.take(brought, input.first, true)
    }
  }

  /** What comes from now on stands behind a discontinuity; these inputs go on. */
  async #beginAnew(why: string, inputs: readonly (readonly [string, FeedInput])[]): Promise<void> {
    await this.#flush()
    await this.#encoder.finish(why)
    this.#encoder = this.#createEncoder()
    this.#firstSampleAtMs = Infinity
    this.#inputs.clear()
    for (const [name, input] of inputs) this.#inputs.set(name, input)
    for (const input of new Set(this.#inputs.values())) {
      input.hasSamples = false
      if (input.tracks !== null) input.first = this.#encoder.addTracks(input.tracks)
    }
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
    clearTimeout(this.#settling)
    this.#turns.release()
    this.#onOver()
    // What cannot be cut or told any more is lost with the encoder.
    await this.#flush().catch(() => {})
    await this.#encoder.finish(why).catch(() => {})
  }
}
