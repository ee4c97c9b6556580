import type { Clock } from '../clock.ts'
import type { EndReason, ResponseHead } from '../exchange.ts'
import { flushAtEndOfTurn } from '../turn.ts'
import type { Fields } from '../wire/fields.ts'
import type { FrameOutput } from './frame-output.ts'
import { Scheduler } from './scheduler.ts'
import type { Stream, StreamHost } from './stream.ts'
import {
  ACK,
  END_STREAM,
  type FieldBlock,
  HEAD_OCTETS,
  writeFieldBlock,
  writeGoaway,
  writePing,
  writeRstStream,
  writeWindowUpdate,
} from './wire/frame.ts'
import { HpackEncoder } from './wire/hpack-encoder.ts'
import type { Priority } from './wire/priority.ts'
import { ResponseWriter } from './wire/response-writer.ts'
import { initialSettings, MAX_WINDOW, type Settings, writeSettings } from './wire/settings.ts'

/** What the sending half asks of its connection. */
export type SenderOwner = {
  /** The last octet of the response was handed to the output. */
  finish(stream: Stream): void
  abort(stream: Stream, reason: EndReason): void
  /** A frame of content was handed to the output. */
  sentData(): void
}

/** The sending half of a connection: which stream sends what, as windows and the socket allow. */
export class Sender implements StreamHost {
  readonly output: FrameOutput
  /** what the client said about itself */
  readonly settings: Settings = initialSettings()
  sendWindow: number = initialSettings().initialWindowSize
  readonly #owner: SenderOwner
  readonly #clock: Clock
  readonly #encoder = new HpackEncoder(TABLE_OCTETS)
  readonly #heads = new ResponseWriter(this.#encoder)
  readonly #scheduler = new Scheduler<Stream>()
  /** streams with content that the connection's window holds back */
  #parked: Stream[] = []
  #isSending = false
  #isAwaited = false
  #dateLine = ''
  #date = ''

  constructor(output: FrameOutput, clock: Clock, owner: SenderOwner) {
    this.output = output
    this.#clock = clock
    this.#owner = owner
  }

  wantTurn(stream: Stream): void {
    this.#scheduler.add(stream)
    this.sendSoon()
  }

  /** Send at the end of this turn of the event loop what has gathered until then. */
  sendSoon(): void {
    if (this.#isAwaited || this.#isSending) return
    this.#isAwaited = true
    flushAtEndOfTurn(this)
  }

  /** @internal the end of the turn */
  flush(): void {
    this.#isAwaited = false
    this.send()
  }

  /** Send what the socket takes. */
  send(): void {
    if (this.#isSending) return
    this.#isSending = true
    while (!this.output.isFull) {
      const stream = this.#scheduler.take()
      if (stream === undefined) break
      if (!stream.hasEnded) this.#giveTurn(stream)
    }
    this.#isSending = false
    this.output.flush()
  }

  #giveTurn(stream: Stream): void {
    const windowBefore = this.sendWindow
    const turn = stream.turn()
    // Frames of an octet or two, for windows as small, earn nothing.
    if (windowBefore - this.sendWindow >= WORTHY_OCTETS) this.#owner.sentData()
    if (turn === 'over') {
      this.#owner.finish(stream)
    } else if (turn === 'more') {
      this.#scheduler.putBack(stream)
    } else if (turn === 'waits for its source') {
      stream.blockedSinceMs = Infinity
    } else {
      stream.noteBlocked(this.#clock.nowMs)
      if (turn === 'waits for the connection window') this.#parked.push(stream)
    }
  }

  /** The stream has ended. */
  remove(stream: Stream): void {
    this.#scheduler.remove(stream)
    const at = this.#parked.indexOf(stream)
    if (at >= 0) this.#parked.splice(at, 1)
  }

  /** RFC 9218 §7: the client changed its mind. */
  prioritize(stream: Stream, { urgency, incremental }: Priority): void {
    const { isQueued } = stream
    this.#scheduler.remove(stream)
    stream.urgency = urgency
    stream.isIncremental = incremental
    if (isQueued) this.#scheduler.add(stream)
  }

  /** WINDOW_UPDATE for the connection. @returns whether the window is one that can be (RFC 9113 §6.9.1) */
  openWindow(increment: number): boolean {
    this.sendWindow += increment
    if (this.sendWindow > MAX_WINDOW) return false
    if (this.#parked.length === 0) return true
    const parked = this.#parked
    this.#parked = []
    for (const stream of parked) this.wantTurn(stream)
    return true
  }

  /** The window of a stream changed. @returns whether it is one that can be (RFC 9113 §6.9.1, §6.9.2) */
  openStreamWindow(stream: Stream, increment: number): boolean {
    stream.sendWindow += increment
    if (stream.sendWindow > MAX_WINDOW) return false
    if (stream.blockedSinceMs !== Infinity && stream.sendWindow > 0) this.wantTurn(stream)
    return true
  }

  /** The client's SETTINGS were applied (RFC 9113 §6.5.3). */
  acknowledgeSettings(): void {
    this.#encoder.limitTable(this.settings.headerTableSize, this.settings.leastHeaderTableSize)
    this.writeSettings([], ACK)
  }

  writeSettings(settings: readonly (readonly [setting: number, value: number])[], flags = 0): void {
    this.output.reserve(HEAD_OCTETS + 6 * settings.length)
    this.output.end = writeSettings(this.output.octets, this.output.end, flags, settings)
    this.sendSoon()
  }

  writeHead(stream: Stream, head: ResponseHead, lengthOctets: number | null, isLast: boolean): void {
    this.#writeBlock(stream, this.#heads.head(head.status, head.fields, lengthOctets, this.#today()), isLast)
  }

  writeTrailers(stream: Stream, trailers: Fields): void {
    this.#writeBlock(stream, this.#heads.trailers(trailers), true)
  }

  inform(stream: Stream, status: number, fields: Fields): void {
    // What only hastens a client that does not keep up is not worth memory.
    if (this.output.isFull) return
    this.#writeBlock(stream, this.#heads.head(status, fields, null, ''), false)
    this.sendSoon()
  }

  abort(stream: Stream, reason: EndReason): void {
    this.#owner.abort(stream, reason)
  }

  writeReset(streamId: number, code: number): void {
    this.output.reserve(13)
    this.output.end = writeRstStream(this.output.octets, this.output.end, streamId, code)
    this.sendSoon()
  }

  writeWindowUpdate(streamId: number, increment: number): void {
    this.output.reserve(13)
    this.output.end = writeWindowUpdate(this.output.octets, this.output.end, streamId, increment)
    this.sendSoon()
  }

  writePing(opaque: Uint8Array, flags: number): void {
    this.output.reserve(17)
    this.output.end = writePing(this.output.octets, this.output.end, opaque, flags)
    this.sendSoon()
  }

  writeGoaway(lastStreamId: number, code: number, reason: string): void {
    this.output.reserve(17 + reason.length)
    this.output.end = writeGoaway(this.output.octets, this.output.end, lastStreamId, code, reason)
    this.sendSoon()
  }

  #writeBlock(stream: Stream, block: FieldBlock, isLast: boolean): void {
    const { output } = this
    output.reserve(block.length + HEAD_OCTETS * (1 + Math.floor(block.length / FRAME_OCTETS)))
    const flags = isLast ? END_STREAM : 0
    output.end = writeFieldBlock(output.octets, output.end, block, stream.id, flags, FRAME_OCTETS)
  }

  /** The value of Date (RFC 9110 §6.6.1): the same text for a second. */
  #today(): string {
    const { dateLine } = this.#clock
    if (dateLine !== this.#dateLine) {
      this.#dateLine = dateLine
      this.#date = dateLine.slice('Date: '.length, -2)
    }
    return this.#date
  }
}

const TABLE_OCTETS = 4096
const WORTHY_OCTETS = 1024
/** what every client takes (RFC 9113 §4.2) */
const FRAME_OCTETS = 16_384
