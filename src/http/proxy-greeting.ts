import type { Socket } from 'node:net'
import { type ConnectionHost, endsOf, type ServedConnection } from './client-connection.ts'
import { TICK_MS } from './clock.ts'
import { readProxyHeader } from './wire/proxy-header.ts'
import { isRefusal } from './wire/refusal.ts'

/** A connection of a proxy, until it has said who its client is. */
export class ProxyGreeting implements ServedConnection {
  readonly #socket: Socket
  readonly #host: ConnectionHost
  readonly #onRead: () => void
  readonly #deadlineMs: number
  #received: Buffer = Buffer.alloc(0)

  /** @param onRead called when the header was read; the socket is paused before the first octet behind it */
  constructor(socket: Socket, host: ConnectionHost, onRead: () => void) {
    this.#socket = socket
    this.#host = host
    this.#onRead = onRead
    this.#deadlineMs = host.clock.nowMs + host.limits.headerTimeoutMs + TICK_MS
    host.connections.add(this)
    socket.on('data', this.#take).on('end', this.#leave).on('error', this.#leave).on('close', this.#leave)
    socket.resume()
  }

  transfers(): [] {
    return []
  }

  check(nowMs: number): void {
    if (nowMs > this.#deadlineMs) this.destroy()
  }

  retire(): void {
    this.destroy()
  }

  destroy(): void {
    this.#host.connections.delete(this)
    this.#socket.destroy()
  }

  readonly #take = (chunk: Buffer): void => {
    this.#received = Buffer.concat([this.#received, chunk])
    const header = readProxyHeader(this.#received)
    if (header === undefined) return
    if (isRefusal(header)) {
      const client = this.#socket.remoteAddress
      this.#host.log('info', 'http/refused', { client, status: 0, reason: header.reason })
      return this.destroy()
    }
    this.#passOn(header.lengthOctets)
    if (header.client !== null) this.#name(header.client)
    this.#onRead()
  }

  /** Leave the socket as if the header had never been there. */
  #passOn(lengthOctets: number): void {
    const socket = this.#socket
    this.#host.connections.delete(this)
    socket.off('data', this.#take).off('end', this.#leave).off('error', this.#leave).off('close', this.#leave)
    socket.pause()
    const rest = this.#received.subarray(lengthOctets)
    if (rest.length > 0) socket.unshift(rest)
  }

  #name(client: { readonly address: string; readonly port: number; readonly localPort: number }): void {
    const { proxied } = this.#host
    const ends = endsOf(this.#socket)
    proxied.set(ends, client)
    this.#socket.once('close', () => proxied.delete(ends))
  }

  readonly #leave = (): void => this.destroy()
}
