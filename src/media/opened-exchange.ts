import type { Exchange, ResponseHead, Source } from '#http/exchange.ts'
import { joinFields, NameSet, withoutFields } from '#http/wire/fields.ts'
import { PassingExchange } from '#http/wire/passing-exchange.ts'
import type { Cmcd } from './wire/cmcd.ts'

export type OpenedOptions = {
  /** value of Access-Control-Allow-Origin; null: none */
  readonly cors: string | null
  /** caches on the way keep nothing for all */
  readonly isPrivate: boolean
  /** what the player has said; who says nothing is told nothing */
  readonly cmcd: Cmcd | null
  /** milliseconds that never go back */
  readonly monotonic: () => number
}

/** An exchange whose response pages of other origins may read (Fetch, CORS), and that only its client may keep when it is private. */
export class OpenedExchange extends PassingExchange {
  readonly #exchange: Exchange
  readonly #options: OpenedOptions
  readonly #startedMs: number

  constructor(exchange: Exchange, options: OpenedOptions) {
    super(exchange, exchange.request)
    this.#exchange = exchange
    this.#options = options
    this.#startedMs = options.cmcd === null ? 0 : options.monotonic()
  }

  override respond(head: ResponseHead, body: Source | Uint8Array | null): void {
    const { cors, isPrivate, cmcd, monotonic } = this.#options
    let { fields } = head
    const more: [string, string][] = cors === null ? [] : corsLines(cors, this.request.method)
    if (cmcd !== null)
      more.push(['CMSD-Dynamic', `"portico";rd=${Math.round(monotonic() - this.#startedMs)}`])
    if (isPrivate) {
      const control = fields.get('cache-control')
      if (control?.startsWith('public') === true) {
        fields = withoutFields(fields, PRIVATE)
        more.push(['Cache-Control', control.replace('public', 'private')])
      }
    }
    this.#exchange.respond({ ...head, fields: more.length === 0 ? fields : joinFields(fields, more) }, body)
  }
}

const PRIVATE = new NameSet(['cache-control', 'cache-tag'])

function corsLines(cors: string, method: string): [string, string][] {
  const lines: [string, string][] = [['Access-Control-Allow-Origin', cors]]
  if (cors !== '*') lines.push(['Vary', 'Origin'])
  if (method !== 'OPTIONS') return [...lines, ['Access-Control-Expose-Headers', EXPOSED]]
  return [
    ...lines,
    ['Access-Control-Allow-Methods', 'GET, HEAD, POST, OPTIONS'],
    ['Access-Control-Allow-Headers', ALLOWED],
    ['Access-Control-Max-Age', '86400'],
  ]
}

/** What players look at: how long it is, where it comes from, and what CMSD says (CTA-5006). */
const EXPOSED =
  'Content-Length, Content-Range, Date, Age, ETag, Cache-Status, Server-Timing, CMSD-Static, CMSD-Dynamic'
/** What players send: ranges, conditions, tokens, and CMCD (CTA-5004). */
const ALLOWED =
  'Range, If-None-Match, If-Modified-Since, Authorization, Content-Type, CMCD-Request, CMCD-Object, CMCD-Status, CMCD-Session'
