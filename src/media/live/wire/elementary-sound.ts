import { MediaFault } from '#media/wire/fault.ts'
import { CHANGED, CLOCK, Clock, type Elementary } from './elementary.ts'
import type { Frame, ReadFrame } from './frame.ts'
import type { InputTrack } from './input.ts'
import type { Sample } from './sample.ts'
import type { Pes } from './ts-packets.ts'

/** Sound: a packet is some frames, and one may go on in the next. */
export class ElementarySound implements Elementary {
  track: InputTrack | null = null
  readonly #language: string
  readonly #clock = new Clock()
  #rest = Buffer.alloc(0)
  readonly #readFrame: ReadFrame
  #first: Frame | null = null
  /** decode time of the next frame, in ticks of the track */
  #next = Number.NaN
  #ticks = 0

  constructor(readFrame: ReadFrame, language: string) {
    this.#readFrame = readFrame
    this.#language = language
  }

  get seconds(): number {
    return this.#first === null ? 0 : this.#ticks / this.#first.sampleRate
  }

  take({ pts, content }: Pes): Sample[] {
    const startsInside = this.#rest.length > 0
    const octets = Buffer.concat([this.#rest, content])
    const time = this.#clock.take(pts)
    const samples: Sample[] = []
    let at = 0
    while (octets.length - at >= LEAST_OCTETS) {
      const frame = this.#readFrame(octets, at)
      if (frame === null) {
        at++
        continue
      }
      if (frame.octets > octets.length - at) break
      if (frame.isLeftOut) {
        at += frame.octets
        continue
      }
      this.#learn(frame)
      // The time is that of the first frame that begins in this packet.
      if (samples.length === (startsInside ? 1 : 0)) this.#align(time)
      const content = octets.subarray(at + frame.headerOctets, at + frame.octets)
      samples.push(this.#sampleOf(frame.ticks, content))
      at += frame.octets
    }
    this.#rest = Buffer.from(octets.subarray(at))
    return samples
  }

  finish(): Sample[] {
    return []
  }

  #sampleOf(ticks: number, octets: Buffer): Sample {
    const sample = { at: this.#next, ticks, offset: 0, isKey: true, octets }
    this.#next += ticks
    this.#ticks += ticks
    return sample
  }

  /** Frames follow each other without a gap; times are rounded, so only what differs by more than a frame is one. */
  #align(time: number): void {
    const at = Math.round((time * this.#first!.sampleRate) / CLOCK)
    if (!(Math.abs(at - this.#next) <= this.#first!.ticks)) this.#next = at
  }

  #learn(frame: Frame): void {
    const first = (this.#first ??= frame)
    const { codec, sampleRate, channels } = frame
    if (first.codec !== codec || first.sampleRate !== sampleRate || first.channels !== channels)
      throw new MediaFault(CHANGED)
    this.track ??= {
      ...{ kind: 'audio', codec, timescale: sampleRate, language: this.#language, entry: frame.entry() },
      ...{ width: 0, height: 0, channels, sampleRate },
    }
  }
}

/** Of a header, whichever it is. */
const LEAST_OCTETS = 8
