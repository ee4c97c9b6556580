import type { IncomingMessage } from 'node:http'
import type { Source } from '#http/exchange.ts'

/** A response as a body: it is read no faster than it is wanted. */
export class ResponseSource implements Source {
  readonly #response: IncomingMessage
  #left: Buffer = NONE
  #failure: Error | undefined
  #wake: () => void = () => {}

  constructor(response: IncomingMessage) {
    this.#response = response
    const wake = (): void => this.#wake()
    response.on('readable', wake).on('end', wake).on('close', wake)
    response.on('error', (error) => {
      this.#failure = error
      this.#wake()
    })
  }

  read(limitOctets: number): Uint8Array | null | Promise<Uint8Array | null> {
    if (this.#left.length === 0) {
      const arrived = this.#response.read() as Buffer | null
      if (arrived === null) return this.#wait(limitOctets)
      this.#left = arrived
    }
    const octets = this.#left.subarray(0, limitOctets)
    this.#left = this.#left.subarray(octets.length)
    return octets
  }

  cancel(): void {
    this.#response.destroy()
  }

  aheadOctets(): number {
    return this.#left.length + this.#response.readableLength
  }

  async #wait(limitOctets: number): Promise<Uint8Array | null> {
    if (this.#response.readableEnded) return null
    if (this.#failure !== undefined) throw this.#failure
    if (this.#response.destroyed) throw new Error('The response broke off')
    await new Promise<void>((resolve) => (this.#wake = resolve))
    return this.read(limitOctets)
  }
}

const NONE = Buffer.alloc(0)
