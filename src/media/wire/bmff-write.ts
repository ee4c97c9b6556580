const encoder = new TextEncoder()

/** Octets as they are, or text. */
export type Part = Uint8Array | string

/** A box of ISO 14496-12 §4.2 around its parts. */
export function box(type: string, ...parts: readonly Part[]): Uint8Array {
  const contents = parts.map((part) => (typeof part === 'string' ? encoder.encode(part) : part))
  const octets = contents.reduce((sum, part) => sum + part.length, 8)
  const written = new Uint8Array(octets)
  new DataView(written.buffer).setUint32(0, octets)
  for (let i = 0; i < 4; i++) written[4 + i] = type.charCodeAt(i)
  let at = 8
  for (const part of contents) {
    written.set(part, at)
    at += part.length
  }
  return written
}

/** A box with version and flags (ISO 14496-12 §4.2.2). */
export function fullBoxOf(
  type: string,
  version: number,
  flags: number,
  ...parts: readonly Part[]
): Uint8Array {
  return box(type, u32((version << 24) | flags), ...parts)
}

/** Numbers of 32 bits each, signed or not. */
export function u32(...values: readonly number[]): Uint8Array {
  const octets = new Uint8Array(values.length * 4)
  const view = new DataView(octets.buffer)
  values.forEach((value, i) => {
    view.setUint32(i * 4, value)
  })
  return octets
}

/** Numbers of 16 bits each. */
export function u16(...values: readonly number[]): Uint8Array {
  const octets = new Uint8Array(values.length * 2)
  const view = new DataView(octets.buffer)
  values.forEach((value, i) => {
    view.setUint16(i * 2, value)
  })
  return octets
}

/** Numbers of 64 bits each, exact up to 2^53. */
export function u64(...values: readonly number[]): Uint8Array {
  const octets = new Uint8Array(values.length * 8)
  const view = new DataView(octets.buffer)
  values.forEach((value, i) => {
    view.setBigUint64(i * 8, BigInt(value))
  })
  return octets
}

/** `count` octets of zero, or of the values given. */
export function zeros(count: number): Uint8Array {
  return new Uint8Array(count)
}
