/** A password's hash by scrypt (RFC 7914 §2) with what it was made with. */
export type ScryptHash = {
  /** CPU and memory cost, a power of two */
  readonly cost: number
  readonly blockSize: number
  readonly parallelization: number
  readonly salt: Uint8Array
  readonly hash: Uint8Array
}

/**
 * Read a hash in the form that password hashing programs share: `$scrypt$ln=15,r=8,p=1$SALT$HASH`.
 *
 * @returns undefined for another form, a cost that guessing makes light of, or one that would take 256 MiB or more
 */
export function parseScryptHash(text: string): ScryptHash | undefined {
  const match = FORM.exec(text)
  if (match === null) return undefined
  const [, ln, r, p, salt = '', hash = ''] = match
  const [cost, blockSize, parallelization] = [2 ** Number(ln), Number(r), Number(p)]
  const memory = memoryOctets(cost, blockSize)
  if (memory < LEAST_MEMORY || memory >= MOST_MEMORY || parallelization < 1 || parallelization > 16)
    return undefined
  return {
    cost,
    blockSize,
    parallelization,
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  }
}

/** The text of a hash; the reverse of `parseScryptHash`. */
export function printScryptHash({ cost, blockSize, parallelization, salt, hash }: ScryptHash): string {
  return `$scrypt$ln=${Math.log2(cost)},r=${blockSize},p=${parallelization}$${base64(salt)}$${base64(hash)}`
}

/** Octets of memory that one verification takes (RFC 7914 §2). */
export function memoryOctets(cost: number, blockSize: number): number {
  return 128 * cost * blockSize
}

// 16 octets of salt and 32 of hash are what everyone makes; less than 8 and 16 protects nobody.
const FORM =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/
// 8 MiB: half of the least that OWASP's password storage guide accepts.
const LEAST_MEMORY = 2 ** 23
const MOST_MEMORY = 2 ** 28

function base64(octets: Uint8Array): string {
  return Buffer.from(octets).toString('base64').replace(/=+$/, '')
}
