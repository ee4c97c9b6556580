import { Fault } from './body.ts'

/** Decodes base64 (RFC 4648 §4, §5) that comes in pieces. */
export class Base64Decoder {
  /** up to three characters that wait for their fourth */
  #rest = ''
  #isPadded = false
  /** what was decoded last */
  #decoded: Buffer = NONE

  /**
   * @param octets characters, escapes of JSON taken out
   * @returns octets that stay until the next call
   * @throws {Fault} when a character is none of base64
   */
  decode(octets: Uint8Array): Buffer {
    const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length)
    if (this.#decoded.length < text.length) this.#decoded = Buffer.allocUnsafeSlow(text.length + 4)
    const begin = Math.min(text.length, (4 - this.#rest.length) % 4)
    this.#rest += text.toString('latin1', 0, begin)
    if (this.#rest.length % 4 > 0) return NONE
    let end = this.#decodeWhole(this.#rest, 0)
    const whole = text.length - ((text.length - begin) % 4)
    // In short strings, which cost nothing to collect.
    for (let at = begin; at < whole; at += SLICE) {
      end += this.#decodeWhole(text.toString('latin1', at, Math.min(at + SLICE, whole)), end)
    }
    this.#rest = text.toString('latin1', whole)
    return this.#decoded.subarray(0, end)
  }

  /** What is left when the text has ended: padding may be missing. */
  end(): Buffer {
    if (this.#rest.length === 1) throw new Fault(400, 'base64 ends with a single character')
    this.#decoded = Buffer.alloc(3)
    const end = this.#decodeWhole(this.#rest === '' ? '' : this.#rest.padEnd(4, '='), 0)
    this.#rest = ''
    return this.#decoded.subarray(0, end)
  }

  /** @returns how many octets the characters are */
  #decodeWhole(text: string, at: number): number {
    if (text === '') return 0
    if (this.#isPadded) throw new Fault(400, 'base64 goes on after its padding')
    const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
    this.#isPadded = padding > 0
    const written = this.#decoded.write(text, at, 'base64')
    // Node leaves out what it does not know: then octets are missing.
    if (written !== (text.length / 4) * 3 - padding) {
      throw new Fault(400, 'base64 holds a character that is not of its alphabet')
    }
    return written
  }
}

const NONE = Buffer.alloc(0)
/** a multiple of four */
const SLICE = 32_768
