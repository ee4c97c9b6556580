import { Fault } from './body.ts'

/** Decodes base64 (RFC 4648 §4, §5) that comes in pieces. */
export class Base64Decoder {
  /** up to three characters that wait for their fourth */
  #rest = ''
  #isPadded = false

  /**
   * @param octets characters, escapes of JSON taken out
   * @throws {Fault} when a character is none of base64
   */
  decode(octets: Uint8Array): Buffer {
    const text = this.#rest + Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1')
    const whole = text.length - (text.length % 4)
    this.#rest = text.slice(whole)
    return this.#decodeWhole(whole === text.length ? text : text.slice(0, whole))
  }

  /** What is left when the text has ended: padding may be missing. */
  end(): Buffer {
    if (this.#rest.length === 1) throw new Fault(400, 'base64 ends with a single character')
    const text = this.#rest === '' ? '' : this.#rest.padEnd(4, '=')
    this.#rest = ''
    return this.#decodeWhole(text)
  }

  #decodeWhole(text: string): Buffer {
    if (text === '') return NONE
    if (this.#isPadded) throw new Fault(400, 'base64 goes on after its padding')
    const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
    this.#isPadded = padding > 0
    const octets = Buffer.from(text, 'base64')
    // Node leaves out what it does not know: then octets are missing.
    if (octets.length !== (text.length / 4) * 3 - padding) {
      throw new Fault(400, 'base64 holds a character that is not of its alphabet')
    }
    return octets
  }
}

const NONE = Buffer.alloc(0)
