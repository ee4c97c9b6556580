import { randomFillSync } from 'node:crypto'

// One call for many ids: each call costs more than the octets it gives.
const pool = Buffer.alloc(4096)
let used = pool.length

/** So many random octets as hexadecimal digits, never all 0 (Trace Context, 3.2.2.3). */
export function randomHex(octets: 8 | 16): string {
  if (used + octets > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const digits = pool.toString('hex', used, used + octets)
  used += octets
  return /[^0]/.test(digits) ? digits : randomHex(octets)
}
