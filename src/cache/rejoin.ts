import { crc32 } from 'node:zlib'
import type { EndReason, Request, ResponseHead, Source } from '#http/exchange.ts'
import { ask } from '#http/wire/ask.ts'
import type { Cache } from './cache.ts'
import { withoutRoom } from './fill.ts'
import { remember } from './remembered.ts'
import { Outgrown } from './store/outgrown.ts'
import type { CachedObject } from './store/store.ts'
import type { Stored } from './stored.ts'
import { originRequest } from './validate.ts'

/** Opens octets of an object, from one up to (not including) another or its end; null when it is gone. */
export type ReadObject = (fromOctet: number, toOctet: number | null) => Source | null

/**
 * How an object is read that still grows, and may find no room: whoever has read some of it then asks the origin for the
 * rest, and goes on.
 *
 * With a strong validator the rest is asked for by a range (RFC 9111 §3.4). Else all is asked for again, and what was
 * read is compared with its beginning: what follows the same octets is what this client would have got in their place.
 *
 * @returns undefined when the object is read as any other: it is whole, or can neither outgrow its room nor be resumed
 */
export function readGrowing(
  cache: Cache,
  request: Request,
  object: CachedObject,
  stored: Stored,
): ReadObject | undefined {
  if (object.state !== 'growing' || stored.status !== 200 || request.method !== 'GET') return undefined
  const { etag } = stored.validators
  const strong = etag === undefined || etag.startsWith('W/') ? null : etag
  if (strong === null && object.lengthOctets !== null) return undefined
  return (fromOctet, toOctet) => {
    const source = object.read(fromOctet, toOctet)
    return (
      source && new Rejoining(cache, request, { source, key: object.key, etag: strong, fromOctet, toOctet })
    )
  }
}

type Joined = {
  readonly source: Source
  readonly key: string
  /** null: what was read is compared */
  readonly etag: string | null
  readonly fromOctet: number
  readonly toOctet: number | null
}

class Rejoining implements Source {
  readonly #cache: Cache
  readonly #request: Request
  readonly #joined: Joined
  #source: Source
  #octets = 0
  #sum = 0
  #isOver = false

  constructor(cache: Cache, request: Request, joined: Joined) {
    this.#cache = cache
    this.#request = request
    this.#joined = joined
    this.#source = joined.source
  }

  read(limitOctets: number): Uint8Array | null | Promise<Uint8Array | null> {
    const octets = this.#source.read(limitOctets)
    if (!(octets instanceof Promise)) return this.#note(octets)
    return octets.then(
      (arrived) => this.#note(arrived),
      (error: unknown) => this.#rejoin(error, limitOctets),
    )
  }

  cancel(reason: EndReason): void {
    this.#isOver = true
    this.#source.cancel(reason)
  }

  aheadOctets(): number {
    return this.#source.aheadOctets?.() ?? 0
  }

  #note(octets: Uint8Array | null): Uint8Array | null {
    if (octets === null) return null
    this.#octets += octets.length
    if (this.#joined.etag === null) this.#sum = crc32(octets, this.#sum)
    return octets
  }

  async #rejoin(error: unknown, limitOctets: number): Promise<Uint8Array | null> {
    if (!(error instanceof Outgrown)) throw error
    const { key, fromOctet } = this.#joined
    if (withoutRoom(fromOctet + this.#octets) === 'too large') remember(this.#cache, key, 'too large')
    const rest = await this.#askRest()
    if (rest === null) throw error
    if (this.#isOver) rest.cancel('client left')
    this.#source = rest
    return this.read(limitOctets)
  }

  /** The octets that are missing; null when the origin does not give the same. */
  #askRest(): Promise<Source | null> {
    const { plan, origin, counts } = this.#cache
    const { etag, fromOctet, toOctet } = this.#joined
    const at = fromOctet + this.#octets
    const last = toOctet === null ? '' : toOctet - 1
    const lines = etag === null ? '' : `Range: bytes=${at}-${last}\r\nIf-Range: ${etag}\r\n`
    counts.fetches++
    return new Promise((resolve) => {
      ask(origin, originRequest(plan, this.#request, lines), {
        informed() {},
        aborted: () => resolve(null),
        answered: (head, body) => {
          if (body === null) return resolve(null)
          if (isRest(head, at, etag)) return resolve(body)
          const isSame = head.status === 200 && (etag === null || head.fields.get('etag') === etag)
          if (isSame) return void this.#skip(body).then(resolve, () => resolve(null))
          body.cancel('finished')
          resolve(null)
        },
      })
    })
  }

  /** Read what this client has already; null when it is another. */
  async #skip(body: Source): Promise<Source | null> {
    const { etag, fromOctet, toOctet } = this.#joined
    const whole = new Cut(body)
    await whole.skip(fromOctet)
    const sum = await whole.skip(this.#octets)
    if (!this.#isOver && (etag !== null || sum === this.#sum)) return whole.upTo(toOctet)
    body.cancel('finished')
    return null
  }
}

function isRest({ status, fields }: ResponseHead, at: number, etag: string | null): boolean {
  const place = /^bytes (\d{1,15})-/i.exec(fields.get('content-range') ?? '')
  return status === 206 && etag !== null && fields.get('etag') === etag && Number(place?.[1]) === at
}

/** A body that is read from somewhere within. */
class Cut implements Source {
  readonly #body: Source
  #at = 0
  #end = Number.POSITIVE_INFINITY

  constructor(body: Source) {
    this.#body = body
  }

  /** @returns the sum of the octets that were passed over @throws {Error} when there are fewer */
  async skip(octets: number): Promise<number> {
    let sum = 0
    for (const end = this.#at + octets; this.#at < end; ) {
      const piece = await this.#body.read(Math.min(end - this.#at, PIECE_OCTETS))
      if (piece === null) throw new Error('The origin gives less than before')
      sum = crc32(piece, sum)
      this.#at += piece.length
    }
    return sum
  }

  upTo(end: number | null): Source {
    this.#end = end ?? Number.POSITIVE_INFINITY
    return this
  }

  read(limitOctets: number): Uint8Array | null | Promise<Uint8Array | null> {
    if (this.#at >= this.#end) {
      this.#body.cancel('finished')
      return null
    }
    const octets = this.#body.read(Math.min(limitOctets, this.#end - this.#at))
    return octets instanceof Promise ? octets.then((piece) => this.#passed(piece)) : this.#passed(octets)
  }

  cancel(reason: EndReason): void {
    this.#body.cancel(reason)
  }

  #passed(piece: Uint8Array | null): Uint8Array | null {
    this.#at += piece?.length ?? 0
    return piece
  }
}

const PIECE_OCTETS = 262_144
