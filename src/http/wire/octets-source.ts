import type { Source } from '../exchange.ts'

/** A source of octets that are all at hand; they are not modified or copied. */
export function sourceOf(octets: Uint8Array): Source {
  let at = 0
  return {
    read(limitOctets) {
      if (at >= octets.length) return null
      const slice = octets.subarray(at, at + limitOctets)
      at += slice.length
      return slice
    },
    cancel() {
      at = octets.length
    },
  }
}
