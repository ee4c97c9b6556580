import { createHmac, timingSafeEqual } from 'node:crypto'
import { takeName } from './field.ts'
import { lowerName, parseName, printName } from './name.ts'
import { asBuffer, attempt, encodeInteger, Fault, OctetReader } from './octets.ts'
import { CLASS, TYPE } from './types.ts'

/** Algorithms that must or should be there (RFC 8945 §6), as node:crypto calls their hash. */
export const ALGORITHMS = {
  'hmac-sha256': 'sha256',
  'hmac-sha384': 'sha384',
  'hmac-sha512': 'sha512',
} as const

export type Algorithm = keyof typeof ALGORITHMS

/** A secret that two servers share. */
export type TsigKey = {
  /** absolute, lower case, presentation form */
  readonly name: string
  readonly algorithm: Algorithm
  readonly secret: Uint8Array
}

/** By name. */
export type TsigKeys = ReadonlyMap<string, TsigKey>

/** Values of the error field (RFC 8945 §5.2). */
export const TSIG_ERROR = { NOERROR: 0, BADSIG: 16, BADKEY: 17, BADTIME: 18, BADTRUNC: 22 } as const

/** Seconds that the clocks of both may differ by (RFC 8945 §5.2.3). */
const FUDGE_SECONDS = 300
/** RFC 8945 §5.2.2.1: octets of a MAC, at least, and at least half of what the hash gives. */
const MAC_MIN_OCTETS = 10
/** RFC 8945 §5.3.1: of 100 messages in a row one has a TSIG at least. */
const UNSIGNED_LIMIT = 99
const ARCOUNT = 10
const HEADER = 12

/** A message with its TSIG record taken off. */
export type Split = {
  /** the message as it was before it was signed: with its own id, and one record less */
  readonly bare: Buffer
  readonly tsig: Tsig
}

/** The fields of the record (RFC 8945 §4.2). */
export type Tsig = {
  readonly keyName: string
  readonly algorithm: string
  readonly timeSeconds: number
  readonly fudgeSeconds: number
  readonly mac: Uint8Array
  readonly error: number
  readonly other: Uint8Array
}

/** What a check comes to; `error` is a value of `TSIG_ERROR`. */
export type Verdict =
  | { readonly ok: true; readonly bare: Buffer; readonly chain: TsigChain; readonly key: string }
  | {
      readonly ok: false
      readonly bare: Buffer
      readonly error: number
      readonly tsig: Tsig
      readonly chain: TsigChain | null
    }

/**
 * Take the TSIG record off a message.
 *
 * @returns null when it has none; a text when it cannot be read, or the TSIG is not its last record (RFC 8945 §5.1)
 */
export function splitTsig(message: Uint8Array): Split | null | string {
  return attempt(() => {
    const reader = new OctetReader(message, 0, message.length, true)
    reader.take(4)
    const [questions, ...counts] = [reader.u16(), reader.u16(), reader.u16(), reader.u16()]
    for (let i = 0; i < questions!; i++) {
      takeName(reader)
      reader.take(4)
    }
    const records = counts.reduce((sum, count) => sum + count, 0)
    for (let i = 0; i < records; i++) {
      const start = reader.at
      const owner = takeName(reader)
      const type = reader.u16()
      const [rclass, ttl, length] = [reader.u16(), reader.u32(), reader.u16()]
      const rdata = new OctetReader(reader.take(length))
      if (type !== TYPE.TSIG) continue
      if (i < records - 1 || counts[2] === 0 || reader.left > 0)
        throw new Fault('TSIG is not the last record')
      if (rclass !== CLASS.ANY || ttl !== 0) throw new Fault('TSIG has a class or a TTL of its own')
      const { id, ...tsig } = readTsig(owner, rdata)
      const bare = Buffer.from(message.subarray(0, start))
      bare.writeUInt16BE(id, 0)
      bare.writeUInt16BE(counts[2]! - 1, ARCOUNT)
      return { bare, tsig }
    }
    return null
  })
}

function readTsig(owner: Uint8Array, rdata: OctetReader): Tsig & { id: number } {
  const algorithm = printName(lowerName(takeName(rdata))).slice(0, -1)
  const timeSeconds = rdata.u16() * 2 ** 32 + rdata.u32()
  const fudgeSeconds = rdata.u16()
  const mac = rdata.take(rdata.u16())
  const [id, error] = [rdata.u16(), rdata.u16()]
  const other = rdata.take(rdata.u16())
  if (rdata.left > 0) throw new Fault('TSIG has octets behind its fields')
  return { keyName: printName(lowerName(owner)), algorithm, timeSeconds, fudgeSeconds, mac, id, error, other }
}

/**
 * Check a request that was signed (RFC 8945 §5.2): key, MAC, time, in this order.
 *
 * @returns a text for what is no message that a TSIG can be checked of: FORMERR
 */
export function checkRequest({ bare, tsig }: Split, keys: TsigKeys, nowSeconds: number): Verdict | string {
  const key = keys.get(tsig.keyName)
  if (key === undefined || key.algorithm !== tsig.algorithm) {
    return { ok: false, bare, error: TSIG_ERROR.BADKEY, tsig, chain: null }
  }
  if (!hasMacLength(tsig.mac, key)) return `a MAC of ${tsig.mac.length} octets`
  const chain = new TsigChain(key)
  const isGenuine = chain.isMac(tsig, [bare, variables(tsig)])
  if (!isGenuine) return { ok: false, bare, error: TSIG_ERROR.BADSIG, tsig, chain: null }
  chain.follow(tsig.mac)
  if (!isInTime(tsig, nowSeconds)) return { ok: false, bare, error: TSIG_ERROR.BADTIME, tsig, chain }
  return { ok: true, bare, chain, key: key.name }
}

function hasMacLength(mac: Uint8Array, { algorithm, secret }: TsigKey): boolean {
  const full = createHmac(ALGORITHMS[algorithm], secret).digest().length
  return mac.length <= full && mac.length >= Math.max(MAC_MIN_OCTETS, full / 2)
}

function isInTime({ timeSeconds, fudgeSeconds }: Tsig, nowSeconds: number): boolean {
  return Math.abs(nowSeconds - timeSeconds) <= fudgeSeconds
}

/** Messages that are signed one after the other, each over the MAC of the one before (RFC 8945 §5.3). */
export class TsigChain {
  readonly key: TsigKey
  /** MAC of the message before, with its length; empty before the first */
  #prior: Uint8Array = new Uint8Array()
  #count = 0
  /** messages without TSIG since the last one with it */
  #unsigned: Uint8Array[] = []

  constructor(key: TsigKey) {
    this.key = key
  }

  /** What comes next answers, or goes on after, a message with this MAC. */
  follow(mac: Uint8Array): void {
    this.#prior = Buffer.concat([encodeInteger(mac.length, 2), mac])
  }

  /** Octets that a signature adds to a message. */
  get octets(): number {
    const { name, algorithm } = this.key
    return wire(name).length + 10 + algorithm.length + 2 + 16 + 6 + this.#digest([]).length
  }

  isMac(tsig: Tsig, parts: readonly Uint8Array[]): boolean {
    const mac = this.#digest(parts)
    return timingSafeEqual(mac.subarray(0, tsig.mac.length), tsig.mac)
  }

  /**
   * Sign a message that is whole otherwise.
   *
   * @param error of a request whose time was wrong: the answer says ours (RFC 8945 §5.2.3)
   */
  sign(message: Uint8Array, nowSeconds: number, request?: { error: number; timeSeconds: number }): Buffer {
    const isLate = request?.error === TSIG_ERROR.BADTIME
    const tsig: Tsig = {
      keyName: this.key.name,
      algorithm: this.key.algorithm,
      timeSeconds: isLate ? request.timeSeconds : nowSeconds,
      fudgeSeconds: FUDGE_SECONDS,
      mac: new Uint8Array(),
      error: request?.error ?? TSIG_ERROR.NOERROR,
      other: isLate ? encodeInteger(nowSeconds, 6) : new Uint8Array(),
    }
    const mac = this.#digest([message, this.#count === 0 ? variables(tsig) : timers(tsig)])
    this.#count++
    this.follow(mac)
    return appendTsig(message, { ...tsig, mac })
  }

  /** Sign a request, and begin with it: what comes next answers it. */
  request(message: Uint8Array, nowSeconds: number): Buffer {
    this.#prior = new Uint8Array()
    this.#count = 0
    const signed = this.sign(message, nowSeconds)
    this.#count = 0
    return signed
  }

  /**
   * Check the next message of an answer (RFC 8945 §5.3.1, §5.4).
   *
   * @returns the message without TSIG, or a text that says why it is not to be believed
   */
  check(message: Uint8Array, nowSeconds: number): Buffer | string {
    const split = splitTsig(message)
    if (typeof split === 'string') return split
    if (split === null) {
      if (this.#count === 0) return 'the first message is not signed'
      if (this.#unsigned.push(message) > UNSIGNED_LIMIT)
        return `${UNSIGNED_LIMIT} messages in a row are not signed`
      return Buffer.from(message)
    }
    const { bare, tsig } = split
    if (tsig.keyName !== this.key.name || tsig.algorithm !== this.key.algorithm)
      return `it is signed with ${tsig.keyName}, wanted ${this.key.name}`
    if (tsig.mac.length === 0) return `the server says ${tsigErrorName(tsig.error)}`
    if (!hasMacLength(tsig.mac, this.key)) return `a MAC of ${tsig.mac.length} octets`
    const last = this.#count === 0 ? variables(tsig) : timers(tsig)
    if (!this.isMac(tsig, [...this.#unsigned, bare, last])) return 'its MAC is not of our key'
    if (tsig.error !== TSIG_ERROR.NOERROR) return `the server says ${tsigErrorName(tsig.error)}`
    if (!isInTime(tsig, nowSeconds)) return 'its clock and ours differ'
    this.#unsigned = []
    this.#count++
    this.follow(tsig.mac)
    return bare
  }

  /** Whether what was checked so far ended with a signed message (RFC 8945 §5.3.1). */
  get isClosed(): boolean {
    return this.#count > 0 && this.#unsigned.length === 0
  }

  #digest(parts: readonly Uint8Array[]): Buffer {
    const hmac = createHmac(ALGORITHMS[this.key.algorithm], this.key.secret).update(this.#prior)
    for (const part of parts) hmac.update(part)
    return hmac.digest()
  }
}

/** Answer to a request whose key or MAC is not ours: a TSIG without a MAC (RFC 8945 §5.2.1, §5.2.2). */
export function appendError(message: Uint8Array, tsig: Tsig, error: number): Buffer {
  return appendTsig(message, { ...tsig, mac: new Uint8Array(), error, other: new Uint8Array() })
}

/** `BADSIG`, or `error 23`. */
export function tsigErrorName(error: number): string {
  const known = Object.entries(TSIG_ERROR).find(([, value]) => value === error)
  return known?.[0] ?? `error ${error}`
}

function appendTsig(message: Uint8Array, tsig: Tsig): Buffer {
  const bare = asBuffer(message)
  const rdata = Buffer.concat([
    wire(`${tsig.algorithm}.`),
    timers(tsig),
    encodeInteger(tsig.mac.length, 2),
    tsig.mac,
    bare.subarray(0, 2),
    encodeInteger(tsig.error, 2),
    encodeInteger(tsig.other.length, 2),
    tsig.other,
  ])
  const head = [
    wire(tsig.keyName),
    encodeInteger(TYPE.TSIG, 2),
    encodeInteger(CLASS.ANY, 2),
    encodeInteger(0, 4),
  ]
  const signed = Buffer.concat([bare, ...head, encodeInteger(rdata.length, 2), rdata])
  signed.writeUInt16BE(bare.length < HEADER ? 1 : bare.readUInt16BE(ARCOUNT) + 1, ARCOUNT)
  return signed
}

/** RFC 8945 §4.3.3. */
function variables(tsig: Tsig): Buffer {
  return Buffer.concat([
    wire(tsig.keyName),
    encodeInteger(CLASS.ANY, 2),
    encodeInteger(0, 4),
    wire(`${tsig.algorithm}.`),
    timers(tsig),
    encodeInteger(tsig.error, 2),
    encodeInteger(tsig.other.length, 2),
    tsig.other,
  ])
}

function timers({ timeSeconds, fudgeSeconds }: Tsig): Buffer {
  return Buffer.concat([encodeInteger(timeSeconds, 6), encodeInteger(fudgeSeconds, 2)])
}

function wire(name: string): Uint8Array {
  const octets = parseName(name)
  if (typeof octets === 'string') throw new Error(octets)
  return lowerName(octets)
}
