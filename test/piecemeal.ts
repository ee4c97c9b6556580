import type { Source } from '#http/exchange.ts'

/** A body that comes in pieces of the sizes that are named, again and again; its memory is used again, as a source may. */
export function piecemeal(octets: Uint8Array, sizes: readonly number[]): Source {
  let at = 0
  let turn = 0
  let last: Buffer | undefined
  return {
    read(limitOctets) {
      last?.fill(0xee)
      if (at >= octets.length) return null
      const size = Math.max(1, Math.min(limitOctets, sizes[turn++ % sizes.length]!))
      last = Buffer.from(octets.subarray(at, at + size))
      at += last.length
      return turn % 2 === 0 ? last : Promise.resolve(last)
    },
    cancel() {},
  }
}
