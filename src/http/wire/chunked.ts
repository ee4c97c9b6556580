import { isTokenOctet } from './characters.ts'
import { type Fields, NameSet, noFields } from './fields.ts'
import { type HeadLimits, parseFieldLines } from './head.ts'
import type { Input } from './input.ts'
import { type Refusal, refuse } from './refusal.ts'

/**
 * Decodes chunked transfer coding (RFC 9112 §7.1).
 *
 * Content comes out as views of the octets that came in.
 */
export class ChunkedDecoder {
  /** trailer fields, once `read` has given `null`; those that may not be trailers are left out */
  trailers: Fields = noFields
  readonly #limits: HeadLimits
  #state:
    | 'size'
    | 'blank'
    | 'extension name'
    | 'extension value'
    | 'extension'
    | 'extension blank'
    | 'quoted'
    | 'escaped'
    | 'size LF'
    | 'content'
    | 'content CR'
    | 'content LF'
    | 'trailers'
    | 'end' = 'size'
  #sizeOctets = 0
  #digits = 0
  #extensionOctets = 0

  constructor(limits: HeadLimits) {
    this.#limits = limits
  }

  /**
   * Take content from the input, up to `limitOctets`.
   *
   * @returns octets; `null` at the end of the message; undefined when more input is needed; or what is wrong
   */
  read(input: Input, limitOctets: number): Buffer | null | undefined | Refusal {
    while (this.#state !== 'end') {
      if (input.length === 0) return undefined
      if (this.#state === 'content') {
        const content = input.take(Math.min(limitOctets, this.#sizeOctets))
        this.#sizeOctets -= content.length
        if (this.#sizeOctets === 0) this.#state = 'content CR'
        return content
      }
      if (this.#state === 'trailers') {
        const refusal = this.#readTrailers(input)
        if (refusal !== undefined) return refusal === 'more' ? undefined : refusal
      } else {
        const refusal = this.#readFraming(input)
        if (refusal !== undefined) return refusal
      }
    }
    return null
  }

  /** Everything between the contents of two chunks, octet by octet. */
  #readFraming(input: Input): Refusal | undefined {
    const { octets, start, end } = input
    let at = start
    let wrong = ''
    while (at < end && wrong === '' && this.#state !== 'content' && this.#state !== 'trailers') {
      wrong = this.#step(octets[at]!)
      at++
    }
    input.use(at - start)
    return wrong === '' ? undefined : refuse(400, wrong)
  }

  /** @returns what is wrong with the octet, or nothing */
  #step(octet: number): string {
    switch (this.#state) {
      case 'size':
        return this.#stepSize(octet)
      case 'blank':
      case 'extension name':
      case 'extension value':
      case 'extension':
      case 'extension blank':
      case 'quoted':
      case 'escaped':
        return this.#stepExtension(octet)
      case 'size LF':
        if (octet !== LF) return 'a chunk size is not followed by CRLF'
        this.#state = this.#sizeOctets === 0 ? 'trailers' : 'content'
        this.#digits = 0
        return ''
      case 'content CR':
        this.#state = 'content LF'
        return octet === CR ? '' : 'a chunk is longer than its size'
      default:
        this.#state = 'size'
        return octet === LF ? '' : 'a chunk is longer than its size'
    }
  }

  #stepSize(octet: number): string {
    const digit = hexDigit(octet)
    if (digit >= 0) {
      this.#sizeOctets = this.#sizeOctets * 16 + digit
      return ++this.#digits > LIMIT_SIZE_DIGITS ? 'a chunk size has too many digits' : ''
    }
    if (this.#digits === 0) return 'a chunk size is not hexadecimal'
    if (octet === CR) this.#state = 'size LF'
    else if (octet === SEMICOLON) this.#state = 'extension name'
    else if (octet === SP || octet === TAB) this.#state = 'blank'
    else return 'a chunk size is not hexadecimal'
    return ''
  }

  /** Extensions are read over (RFC 9112 §7.1.1), but by their grammar: others would see another end of the line. */
  #stepExtension(octet: number): string {
    const state = this.#state
    const isBlank = state === 'blank' || state === 'extension blank'
    // That they may not be long is up to us.
    if (++this.#extensionOctets > LIMIT_EXTENSION_OCTETS) return 'chunk extensions are too long'
    if (octet === CR && state === 'extension') {
      this.#state = 'size LF'
      return ''
    }
    if ((octet < SP && octet !== TAB) || octet === DEL) return 'a chunk size is not followed by CRLF'
    if (state === 'escaped') this.#state = 'quoted'
    else if (state === 'quoted') this.#state = this.#afterQuoted(octet)
    else if (octet === SP || octet === TAB) {
      if (state === 'extension') this.#state = 'extension blank'
    } else if (octet === SEMICOLON && (isBlank || state === 'extension')) this.#state = 'extension name'
    else if (octet === EQUALS && (state === 'extension' || state === 'extension blank'))
      this.#state = 'extension value'
    else if (octet === DQUOTE && state === 'extension value') this.#state = 'quoted'
    else if (isTokenOctet(octet) && !isBlank) this.#state = 'extension'
    else return state === 'blank' ? 'a chunk size is not followed by CRLF' : 'a chunk extension is malformed'
    return ''
  }

  #afterQuoted(octet: number): 'extension' | 'quoted' | 'escaped' {
    if (octet === DQUOTE) return 'extension'
    return octet === BACKSLASH ? 'escaped' : 'quoted'
  }

  #readTrailers(input: Input): Refusal | 'more' | undefined {
    const { octets, start, end } = input
    const isEmpty = octets[start] === CR && start + 1 < end && octets[start + 1] === LF
    const trailersEnd = isEmpty ? start + 2 : input.findHeadEnd()
    if ((trailersEnd < 0 ? end : trailersEnd) - start > this.#limits.headerOctets) {
      return refuse(431, `the trailers are larger than ${this.#limits.headerOctets} octets`)
    }
    if (octets[start] === LF) return refuse(400, 'the line after the last chunk is not CRLF')
    if (trailersEnd < 0) return 'more'
    if (!isEmpty) {
      const fields = parseFieldLines(
        octets.toString('latin1', start, trailersEnd),
        0,
        this.#limits,
        NOT_TRAILERS,
      )
      if ('kind' in fields) return fields
      this.trailers = fields
    }
    input.use(trailersEnd - start)
    this.#state = 'end'
    return undefined
  }
}

const CR = 13
const LF = 10
const SP = 32
const TAB = 9
const SEMICOLON = 59
const EQUALS = 61
const DQUOTE = 34
const BACKSLASH = 92
const DEL = 127
/** 2^52 − 1 octets: every size up to this is a whole number in JavaScript */
const LIMIT_SIZE_DIGITS = 13
/** of all chunks of a message: an extension in every chunk of one octet would be free work for the sender */
const LIMIT_EXTENSION_OCTETS = 16_384

/** What may not stand in trailers (RFC 9110 §6.5.1): framing, routing, authentication, request modifiers, and what says how to read the content. */
export const NOT_TRAILERS: NameSet = new NameSet(
  `transfer-encoding content-length connection keep-alive upgrade te trailer host proxy-connection via
  forwarded x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port x-forwarded-prefix
  x-forwarded-server x-forwarded-ssl x-real-ip max-forwards expect range if-match if-none-match
  if-modified-since if-unmodified-since if-range cache-control pragma age expires date vary location retry-after
  authorization proxy-authorization www-authenticate proxy-authenticate set-cookie cookie
  content-encoding content-type content-range`.split(/\s+/),
)

function hexDigit(octet: number): number {
  if (octet >= 48 && octet <= 57) return octet - 48
  const lower = octet | 0x20
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}
