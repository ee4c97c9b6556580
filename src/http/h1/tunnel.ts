import type { ClientConnection } from '#http/client-connection.ts'
import type { EndReason, Source } from '#http/exchange.ts'
import { Pump, type PumpTarget } from '#http/source.ts'

/** Octets in both directions after 101 (RFC 9110 §7.8). As a source it gives what the client sends. */
export class Tunnel implements Source, PumpTarget {
  receivedOctets = 0
  sentOctets = 0
  readonly #connection: ClientConnection
  readonly #pump: Pump
  #waiting:
    | { resolve(octets: Uint8Array | null): void; reject(failure: Error): void; limitOctets: number }
    | undefined
  #isOver = false
  /** the client sent FIN, or nobody reads it any more */
  #isReadOver = false
  #isWriteOver = false

  constructor(connection: ClientConnection, toClient: Source) {
    this.#connection = connection
    this.#pump = new Pump(toClient, this)
  }

  read(limitOctets: number): Uint8Array | null | Promise<Uint8Array | null> {
    const octets = this.#take(limitOctets)
    if (octets !== undefined) return octets
    if (this.#isOver) return Promise.reject(new Error('The connection to the client broke off'))
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject, limitOctets }
      this.#connection.resumeReading()
    })
  }

  /** Octets have arrived, or the client sent FIN. */
  feed(): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    const octets = this.#take(waiting.limitOctets)
    if (octets === undefined) return
    this.#waiting = undefined
    waiting.resolve(octets)
  }

  cancel(reason: EndReason): void {
    if (!this.#isReadOver) this.#connection.destroy(reason)
  }

  resume(): void {
    this.#pump.run()
  }

  /** The connection is gone, or both directions have ended. */
  end(reason: EndReason): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#pump.stop(reason)
    const waiting = this.#waiting
    this.#waiting = undefined
    if (reason === 'finished') waiting?.resolve(null)
    else waiting?.reject(new Error(`The connection to the client broke off: ${reason}`))
  }

  isBlocked(): boolean {
    return this.#connection.output.isBlocked
  }

  takeOctets(octets: Uint8Array): void {
    this.sentOctets += octets.length
    this.#connection.output.send('', octets)
    this.#connection.noteProgress()
  }

  takePause(): void {}

  takeEnd(): void {
    this.#isWriteOver = true
    this.#connection.shutdown()
    this.#finish()
  }

  takeFailure(): void {
    this.#connection.destroy('origin broke off')
  }

  #take(limitOctets: number): Uint8Array | null | undefined {
    const { input, isReadOver } = this.#connection
    if (input.length > 0) {
      const octets = input.take(limitOctets)
      this.receivedOctets += octets.length
      return octets
    }
    if (!isReadOver) return undefined
    this.#isReadOver = true
    this.#finish()
    return null
  }

  #finish(): void {
    if (this.#isReadOver && this.#isWriteOver) this.#connection.finishTunnel()
  }
}
