import { crc32 } from 'node:zlib'

/** A cyclic redundancy check of octets that come in pieces. */
export type Crc = {
  update(octets: Uint8Array): void
  /** most significant octet first */
  digest(): Buffer
}

/** CRC-32 of ISO 3309, as zip has it. */
export function createCrc32(): Crc {
  let value = 0
  return {
    update(octets) {
      value = crc32(octets, value)
    },
    digest: () => inOctets(value),
  }
}

/** CRC-32C (RFC 3385 §3, RFC 9260 Appendix A). */
export function createCrc32c(): Crc {
  let value = ~0
  return {
    update(octets) {
      for (let i = 0; i < octets.length; i++) value = (value >>> 8) ^ CASTAGNOLI[(value ^ octets[i]!) & 0xff]!
    },
    digest: () => inOctets(~value >>> 0),
  }
}

/** CRC-64/NVME, which S3 clients send: two halves of 32 bits, for there are no integers of 64 that are quick. */
export function createCrc64(): Crc {
  let high = ~0
  let low = ~0
  return {
    update(octets) {
      for (let i = 0; i < octets.length; i++) {
        const at = (low ^ octets[i]!) & 0xff
        low = ((low >>> 8) | (high << 24)) ^ NVME_LOW[at]!
        high = (high >>> 8) ^ NVME_HIGH[at]!
      }
    },
    digest: () => Buffer.concat([inOctets(~high >>> 0), inOctets(~low >>> 0)]),
  }
}

function inOctets(value: number): Buffer {
  const octets = Buffer.alloc(4)
  octets.writeUInt32BE(value)
  return octets
}

/** The remainders of all octets; polynomials are reflected. */
function tableOf(polynomial: bigint, bits: bigint): Int32Array {
  return Int32Array.from({ length: 256 }, (_, octet) => {
    let value = BigInt(octet)
    for (let bit = 0; bit < 8; bit++) value = (value >> 1n) ^ (value & 1n ? polynomial : 0n)
    return Number(BigInt.asIntN(32, value >> bits))
  })
}

const NVME = 0x9a6c_9329_ac4b_c9b5n
const CASTAGNOLI = tableOf(0x82f6_3b78n, 0n)
const NVME_LOW = tableOf(NVME, 0n)
const NVME_HIGH = tableOf(NVME, 32n)
