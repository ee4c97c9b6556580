import { MediaFault } from '#media/wire/fault.ts'
import { CHANGED, CLOCK, Clock, type Elementary, later } from './elementary.ts'
import { avcEntry, readSps } from './h264.ts'
import { HEVC_SETS, hevcEntry, readHevcSps } from './h265.ts'
import type { InputTrack } from './input.ts'
import { nalUnits } from './nal-units.ts'
import type { Sample } from './sample.ts'
import type { Pes } from './ts-packets.ts'

/** How pictures are coded. */
export type PictureCoding = {
  readonly name: string
  typeOf(unit: Buffer): number
  isKey(type: number): boolean
  /** types of the parameter sets that stand in the sample entry */
  readonly sets: readonly number[]
  /** of those, the one that says what the picture is */
  readonly mainSet: number
  /** delimiters and filling, which are the transport's */
  readonly padding: readonly number[]
  /** @returns null when the sets cannot be read */
  describe(sets: readonly Buffer[]): Pick<InputTrack, 'codec' | 'entry' | 'width' | 'height'> | null
}

/** ITU-T H.264 §7.4.1. */
export const AVC: PictureCoding = {
  name: 'H.264',
  typeOf: (unit) => unit[0]! & 31,
  isKey: (type) => type === 5,
  sets: [7, 8],
  mainSet: 7,
  padding: [9, 12],
  describe([spsUnit, ppsUnit]) {
    const sps = readSps(spsUnit!)
    return sps && { ...avcEntry(sps, spsUnit!, ppsUnit!), width: sps.width, height: sps.height }
  },
}

/** ITU-T H.265 §7.4.2.2: pictures that decoding can begin at have types 16 to 21. */
export const HEVC: PictureCoding = {
  name: 'HEVC',
  typeOf: (unit) => (unit[0]! >> 1) & 63,
  isKey: (type) => type >= 16 && type <= 21,
  sets: HEVC_SETS,
  mainSet: 33,
  padding: [35, 38],
  describe(sets) {
    const sps = readHevcSps(sets[1]!)
    return sps && { ...hevcEntry(sps, sets), width: sps.width, height: sps.height }
  },
}

type Unit = { readonly dts: number; readonly pts: number; readonly isKey: boolean; readonly octets: Buffer }

/** Pictures: a packet is one; how long it lasts is known when the next one comes. */
export class ElementaryPictures implements Elementary {
  track: InputTrack | null = null
  readonly #coding: PictureCoding
  readonly #clock = new Clock()
  readonly #sets = new Map<number, Buffer>()
  #unit: Unit | null = null
  #firstDts = Number.NaN
  #ticks = 0

  constructor(coding: PictureCoding) {
    this.#coding = coding
  }

  get seconds(): number {
    return this.#unit === null ? 0 : (this.#unit.dts - this.#firstDts) / CLOCK
  }

  take({ pts, dts, content }: Pes): Sample[] {
    const { typeOf, sets, padding, isKey } = this.#coding
    const units = nalUnits(content)
    for (const unit of units) this.#learn(unit)
    const kept = units.filter((unit) => !sets.includes(typeOf(unit)) && !padding.includes(typeOf(unit)))
    if (kept.length === 0 || this.track === null) return []
    const at = this.#clock.take(dts)
    const next = {
      ...{ dts: at, pts: at + later(pts, dts), octets: withLengths(kept) },
      isKey: kept.some((unit) => isKey(typeOf(unit))),
    }
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
    const { name, typeOf, sets, mainSet, describe } = this.#coding
    const type = typeOf(unit)
    if (!sets.includes(type)) return
    if (this.track !== null) {
      if (type === mainSet && !this.#sets.get(type)!.equals(unit)) throw new MediaFault(CHANGED)
      return
    }
    this.#sets.set(type, Buffer.from(unit))
    if (this.#sets.size < sets.length) return
    const described = describe(sets.map((one) => this.#sets.get(one)!))
    if (described === null)
      throw new MediaFault(`The sequence parameter set of the ${name} stream cannot be read`)
    this.track = {
      ...{ kind: 'video', timescale: CLOCK, language: 'und', ...described },
      ...{ channels: 0, sampleRate: 0 },
    }
  }
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
