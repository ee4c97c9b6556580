/** NAL units between their start codes (ITU-T H.264 §B.1.1, H.265 §B.2.1). */
export function nalUnits(octets: Buffer): Buffer[] {
  const units: Buffer[] = []
  let from = -1
  for (let at = octets.indexOf(START); at !== -1; at = octets.indexOf(START, at + 3)) {
    if (from !== -1) units.push(withoutZeros(octets.subarray(from, at)))
    from = at + 3
  }
  if (from !== -1) units.push(withoutZeros(octets.subarray(from)))
  return units.filter(({ length }) => length > 0)
}

const START = Buffer.from([0, 0, 1])

function withoutZeros(unit: Buffer): Buffer {
  let end = unit.length
  while (end > 0 && unit[end - 1] === 0) end--
  return unit.subarray(0, end)
}

/** ITU-T H.264 §7.3.1, H.265 §7.3.1.1: 3 behind two zeros is not part of the content. */
export function withoutEmulation(unit: Buffer): Buffer {
  const kept: number[] = []
  for (const [i, octet] of unit.entries()) {
    if (octet !== 3 || i < 2 || unit[i - 1] !== 0 || unit[i - 2] !== 0) kept.push(octet)
  }
  return Buffer.from(kept)
}

/** Bits from the left; zeros behind the end, which `isOver` tells of. */
export class Bits {
  readonly #octets: Buffer
  #at = 0

  constructor(octets: Buffer) {
    this.#octets = octets
  }

  get isOver(): boolean {
    return this.#at > this.#octets.length * 8
  }

  take(count: number): number {
    let value = 0
    for (let i = 0; i < count; i++, this.#at++) {
      value = value * 2 + (((this.#octets[this.#at >> 3] ?? 0) >> (7 - (this.#at & 7))) & 1)
    }
    return value
  }

  /** ITU-T H.264 §9.1. */
  golomb(): number {
    let zeros = 0
    while (zeros < 32 && !this.isOver && this.take(1) === 0) zeros++
    return 2 ** zeros - 1 + this.take(zeros)
  }

  signedGolomb(): number {
    const value = this.golomb()
    return value % 2 === 1 ? (value + 1) / 2 : -value / 2
  }
}
