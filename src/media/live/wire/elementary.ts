import { MediaFault } from '#media/wire/fault.ts'
import { type AdtsHeader, aacEntry, readAdts } from './aac.ts'
import { avcEntry, nalUnits, readSps } from './h264.ts'
import type { InputTrack } from './input.ts'
import type { Sample } from './sample.ts'
import type { Pes } from './ts-packets.ts'

/** Makes samples of the packets of one elementary stream. */
export type Elementary = {
  /** what it is, once that has come */
  readonly track: InputTrack | null
  /** how much of it has come */
  readonly seconds: number
  take(pes: Pes): Sample[]
  finish(): Sample[]
}

const CLOCK = 90_000
const WRAP = 2 ** 33
/** Parameter sets other than the first: players would have to begin anew, and so has the encoder. */
const CHANGED = 'The picture has changed its size or coding: the encoder has to begin anew'

type Unit = { readonly dts: number; readonly pts: number; readonly isKey: boolean; readonly octets: Buffer }

/** Times of 33 bits as a clock that does not begin anew (ISO 13818-1 §2.4.3.7). */
class Clock {
  #last = Number.NaN

  take(time: number): number {
    if (Number.isNaN(this.#last)) this.#last = time
    const distance = (((time - this.#last) % WRAP) + WRAP) % WRAP
    return (this.#last += distance > WRAP / 2 ? distance - WRAP : distance)
  }
}

/** H.264: a packet is a picture; how long it lasts is known when the next one comes. */
export class ElementaryAvc implements Elementary {
  track: InputTrack | null = null
  readonly #clock = new Clock()
  #sps: Buffer | null = null
  #pps: Buffer | null = null
  #unit: Unit | null = null
  #firstDts = Number.NaN
  #ticks = 0

  get seconds(): number {
    return this.#unit === null ? 0 : (this.#unit.dts - this.#firstDts) / CLOCK
  }

  take({ pts, dts, content }: Pes): Sample[] {
    const units = nalUnits(content)
    for (const unit of units) this.#learn(unit)
    const kept = units.filter((unit) => !NOT_KEPT.has(unit[0]! & 31))
    if (kept.length === 0 || this.track === null) return []
    const isKey = kept.some((unit) => (unit[0]! & 31) === IDR)
    const at = this.#clock.take(dts)
    const next = { dts: at, pts: at + ((pts - dts + WRAP) % WRAP), isKey, octets: withLengths(kept) }
    const samples = this.#unit === null ? [] : [this.#sampleOf(this.#unit, at)]
    if (Number.isNaN(this.#firstDts)) this.#firstDts = at
    this.#unit = next
    return samples
  }

  finish(): Sample[] {
    const unit = this.#unit
    this.#unit = null
    return unit === null ? [] : [this.#sampleOf(unit, unit.dts + (this.#ticks || CLOCK / 25))]
  }

  #sampleOf({ dts, pts, isKey, octets }: Unit, end: number): Sample {
    this.#ticks = end - dts
    if (this.#ticks < 0)
      throw new MediaFault(`Decode times of the pictures go back by ${-this.#ticks / CLOCK} s`)
    return { at: dts, ticks: this.#ticks, offset: pts - dts, isKey, octets }
  }

  #learn(unit: Buffer): void {
    const type = unit[0]! & 31
    if (type === SPS) this.#sps = sameOr(this.#sps, unit, this.track !== null)
    if (type === PPS && (this.#pps === null || this.track === null)) this.#pps = Buffer.from(unit)
    if (this.track !== null || this.#sps === null || this.#pps === null) return
    const sps = readSps(this.#sps)
    if (sps === null) throw new MediaFault('The sequence parameter set of the H.264 stream cannot be read')
    const { codec, entry } = avcEntry(sps, this.#sps, this.#pps)
    const { width, height } = sps
    this.track = {
      ...{ kind: 'video', codec, timescale: CLOCK, language: 'und', entry },
      ...{ width, height, channels: 0, sampleRate: 0 },
    }
  }
}

const [IDR, SPS, PPS] = [5, 7, 8]
/** Parameter sets stand in the sample entry; delimiters and filling are the transport's. */
const NOT_KEPT = new Set([SPS, PPS, 9, 12])

function sameOr(known: Buffer | null, unit: Buffer, isTold: boolean): Buffer {
  if (known !== null && isTold && !known.equals(unit)) throw new MediaFault(CHANGED)
  return Buffer.from(unit)
}

/** ISO 14496-15 §5.3.4.2: each unit behind its length. */
function withLengths(units: readonly Buffer[]): Buffer {
  return Buffer.concat(
    units.flatMap((unit) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(unit.length)
      return [length, unit]
    }),
  )
}

/** AAC in ADTS: a packet is some frames, and one may go on in the next. */
export class ElementaryAac implements Elementary {
  track: InputTrack | null = null
  readonly #language: string
  readonly #clock = new Clock()
  #rest = Buffer.alloc(0)
  #first: AdtsHeader | null = null
  /** decode time of the next frame, in ticks of the track */
  #next = Number.NaN
  #frames = 0

  constructor(language: string) {
    this.#language = language
  }

  get seconds(): number {
    return this.#first === null ? 0 : (this.#frames * FRAME_SAMPLES) / this.#first.sampleRate
  }

  take({ pts, content }: Pes): Sample[] {
    const startsInside = this.#rest.length > 0
    const octets = Buffer.concat([this.#rest, content])
    const time = this.#clock.take(pts)
    const samples: Sample[] = []
    let at = 0
    while (octets.length - at >= 7) {
      const header = readAdts(octets, at)
      if (header === null) {
        at++
        continue
      }
      if (header.octets > octets.length - at) break
      this.#learn(header)
      // The time is that of the first frame that begins in this packet.
      if (samples.length === (startsInside ? 1 : 0)) this.#align(time)
      samples.push(this.#sampleOf(octets.subarray(at + header.headerOctets, at + header.octets)))
      at += header.octets
    }
    this.#rest = Buffer.from(octets.subarray(at))
    return samples
  }

  finish(): Sample[] {
    return []
  }

  #sampleOf(octets: Buffer): Sample {
    const sample = { at: this.#next, ticks: FRAME_SAMPLES, offset: 0, isKey: true, octets }
    this.#next += FRAME_SAMPLES
    this.#frames++
    return sample
  }

  /** Frames follow each other without a gap; times are rounded, so only what differs by more than a frame is one. */
  #align(time: number): void {
    const at = Math.round((time * this.#first!.sampleRate) / CLOCK)
    if (!(Math.abs(at - this.#next) <= FRAME_SAMPLES)) this.#next = at
  }

  #learn(header: AdtsHeader): void {
    const first = (this.#first ??= header)
    if (first.sampleRate !== header.sampleRate || first.channels !== header.channels)
      throw new MediaFault(CHANGED)
    if (this.track !== null) return
    const { sampleRate, channels } = header
    this.track = {
      ...{ kind: 'audio', timescale: sampleRate, language: this.#language, ...aacEntry(header) },
      ...{ width: 0, height: 0, channels, sampleRate },
    }
  }
}

const FRAME_SAMPLES = 1024
