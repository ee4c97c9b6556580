import type { HttpLimits } from '../plan.ts'
import { Budget } from './budget.ts'
import type { Sender } from './sender.ts'
import type { Stream } from './stream.ts'
import type { Streams } from './streams.ts'
import * as errors from './wire/error.ts'
import { connectionError, type H2Error, streamError } from './wire/error.ts'
import * as frames from './wire/frame.ts'
import type { FrameReader } from './wire/frame-reader.ts'
import { type Priority, parsePriority } from './wire/priority.ts'
import { applySettings } from './wire/settings.ts'

/** What frames without content ask of their connection. */
export type ControlOwner = {
  readonly limits: HttpLimits
  /** RST_STREAM has arrived. */
  clientReset(stream: Stream): void
  /** The client answered our PING. */
  pinged(): void
}

/** The frames that bring no content: what each does to windows, settings, priorities and streams. */
export class ControlFrames {
  readonly #reader: FrameReader
  readonly #sender: Sender
  readonly #streams: Streams
  readonly #owner: ControlOwner
  readonly #resets: Budget
  /** priorities told before their requests (RFC 9218 §7) */
  readonly #priorities = new Map<number, Priority>()

  constructor(reader: FrameReader, sender: Sender, streams: Streams, owner: ControlOwner) {
    this.#reader = reader
    this.#sender = sender
    this.#streams = streams
    this.#owner = owner
    this.#resets = new Budget(owner.limits.http2Resets)
  }

  /** Do what the frame says that the reader has read. */
  read(octets: Buffer): H2Error | undefined {
    const { type, flags, start, end } = this.#reader
    switch (type) {
      case frames.RST_STREAM:
        return this.#readReset()
      case frames.SETTINGS:
        return (flags & frames.ACK) === 0 ? this.#readSettings(octets, start, end) : undefined
      case frames.PING:
        if ((flags & frames.ACK) !== 0) this.#owner.pinged()
        else this.#sender.writePing(octets.subarray(start, end), frames.ACK)
        return undefined
      case frames.WINDOW_UPDATE:
        return this.#readWindowUpdate()
      case frames.PRIORITY_UPDATE:
        return this.#readPriorityUpdate(octets.toString('latin1', start, end))
      default:
        // RFC 9113 §5.5: unknown types are ignored, as are PRIORITY (§5.3.2) and GOAWAY: the client ends the rest.
        return undefined
    }
  }

  refill(ms: number): void {
    this.#resets.refill(ms, this.#owner.limits.http2Resets)
  }

  /** What makes us reset streams costs as much as what resets them. @returns false when it happened too often */
  mayReset(): boolean {
    return this.#resets.use()
  }

  #readReset(): H2Error | undefined {
    const { streamId } = this.#reader
    if (this.#streams.stateOf(streamId) === 'idle') return onIdle('RST_STREAM')
    const stream = this.#streams.open.get(streamId)
    if (stream === undefined) return undefined
    this.#owner.clientReset(stream)
    return this.#resets.use() ? undefined : connectionError(errors.ENHANCE_YOUR_CALM, 'too many resets')
  }

  #readSettings(octets: Buffer, start: number, end: number): H2Error | undefined {
    const { settings } = this.#sender
    const before = settings.initialWindowSize
    const fault = applySettings(octets, start, end, settings)
    if (fault !== undefined) return fault
    this.#sender.acknowledgeSettings()
    const change = settings.initialWindowSize - before
    if (change === 0) return undefined
    // RFC 9113 §6.9.2: windows of streams move with it, below zero too.
    for (const stream of this.#streams.open.values()) {
      if (!this.#sender.openStreamWindow(stream, change)) return windowOverflow(connectionError)
    }
    return undefined
  }

  #readWindowUpdate(): H2Error | undefined {
    const { streamId, number } = this.#reader
    if (streamId === 0) {
      return this.#sender.openWindow(number) ? undefined : windowOverflow(connectionError)
    }
    const stream = this.#streams.open.get(streamId)
    if (stream !== undefined) {
      return this.#sender.openStreamWindow(stream, number) ? undefined : windowOverflow(streamError)
    }
    return this.#streams.stateOf(streamId) === 'idle' ? onIdle('WINDOW_UPDATE') : undefined
  }

  /** RFC 9218 §7.1: also for a stream that is yet to come. */
  #readPriorityUpdate(value: string): H2Error | undefined {
    const id = this.#reader.otherId
    const priority = parsePriority(value)
    const stream = this.#streams.open.get(id)
    if (stream !== undefined) {
      this.#sender.prioritize(stream, priority)
    } else if (id % 2 === 0) {
      return connectionError(errors.PROTOCOL_ERROR, 'PRIORITY_UPDATE is about a stream of the server')
    } else if (id > this.#streams.lastId && this.#priorities.size < this.#owner.limits.http2Streams) {
      this.#priorities.set(id, priority)
    }
    return undefined
  }

  /** What PRIORITY_UPDATE said before the request came; it is told once. */
  takePriority(streamId: number): Priority | undefined {
    if (this.#priorities.size === 0) return undefined
    const priority = this.#priorities.get(streamId)
    this.#priorities.delete(streamId)
    return priority
  }
}

function onIdle(name: string): H2Error {
  return connectionError(errors.PROTOCOL_ERROR, `${name} is on a stream that was never opened`)
}

function windowOverflow(fault: (code: number, reason: string) => H2Error): H2Error {
  return fault(errors.FLOW_CONTROL_ERROR, 'the window is to be larger than 2^31 - 1')
}
