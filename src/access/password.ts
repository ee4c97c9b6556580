import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { memoryOctets, parseScryptHash, printScryptHash, type ScryptHash } from './wire/phc.ts'

// RFC 7914 §2 leaves the cost open; 32 MiB and about 60 ms a guess are what a login can wait for.
const COST = { cost: 2 ** 15, blockSize: 8, parallelization: 1 }

/** Hash a password under a new salt, for the file. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const made = { ...COST, salt, hash: Buffer.alloc(32) }
  return printScryptHash({ ...made, hash: await derive(password, made) })
}

/** What is known of a password: a promise while it is being computed, `busy` when too many are. */
export type Verified = boolean | 'busy' | Promise<boolean>

export type PasswordVerifier = {
  /** @param hash undefined for a user that nobody knows: that takes as long as one that is known */
  verify(hash: string | undefined, user: string, password: string): Verified
}

/** How many hashes are computed at once: one a core that others need too. */
const LIMIT_RUNNING = 2
/** How many wait: at 60 ms each, the last waits two seconds. */
const LIMIT_WAITING = 64
/** How many passwords are known to be right, and for how long: a browser sends one with each request. */
const LIMIT_KNOWN = 1000
const KNOWN_MS = 300_000

/**
 * Create what verifies passwords of all routes.
 *
 * Those that were right are known for a while as a keyed digest, so that one login costs one hash; those that were
 * wrong are computed again, so that guessing stays slow.
 *
 * @param now in milliseconds
 */
export function createPasswordVerifier(now: () => number): PasswordVerifier {
  const key = randomBytes(32)
  const known = new Map<string, number>()
  const underWay = new Map<string, Promise<boolean>>()
  const gate = createGate()

  function verify(hash: string | undefined, user: string, password: string): Verified {
    const parsed = hash === undefined ? undefined : parseScryptHash(hash)
    const digest = createHmac('sha256', key)
      .update(JSON.stringify([hash, user, password]))
      .digest('base64')
    const until = known.get(digest)
    if (until !== undefined && until > now()) return true
    const other = underWay.get(digest)
    if (other !== undefined) return other
    if (gate.isFull()) return 'busy'
    const result = gate
      .run(() => isRight(password, parsed))
      .then((right) => {
        if (right) remember(digest)
        return right
      })
      .finally(() => underWay.delete(digest))
    underWay.set(digest, result)
    return result
  }

  function remember(digest: string): void {
    known.delete(digest)
    known.set(digest, now() + KNOWN_MS)
    // A Map keeps the order of insertion: the first is the oldest.
    if (known.size > LIMIT_KNOWN) known.delete(known.keys().next().value!)
  }

  return { verify }
}

/** So many at a time, so many in a queue. */
function createGate(): { isFull: () => boolean; run: <T>(work: () => Promise<T>) => Promise<T> } {
  let running = 0
  const waiting: (() => void)[] = []
  return {
    isFull: () => waiting.length >= LIMIT_WAITING,
    async run(work) {
      if (running < LIMIT_RUNNING) running++
      else await new Promise<void>((resolve) => waiting.push(resolve))
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        if (next === undefined) running--
        // The place goes on to the next one.
        else next()
      }
    },
  }
}

const NOBODY: ScryptHash = { ...COST, salt: Buffer.alloc(16), hash: Buffer.alloc(32) }

async function isRight(password: string, wanted: ScryptHash | undefined): Promise<boolean> {
  const { hash } = wanted ?? NOBODY
  const found = await derive(password, wanted ?? NOBODY)
  return timingSafeEqual(found, hash) && wanted !== undefined
}

function derive(
  password: string,
  { cost, blockSize, parallelization, salt, hash }: ScryptHash,
): Promise<Buffer> {
  const maxmem = 2 * memoryOctets(cost, blockSize)
  return new Promise((resolve, reject) => {
    // NFC, so that a letter with its accent is one password on all keyboards (RFC 8265 §4.2.1).
    const text = password.normalize('NFC')
    scrypt(text, salt, hash.length, { cost, blockSize, parallelization, maxmem }, (error, found) => {
      if (error === null) resolve(found)
      else reject(error)
    })
  })
}
