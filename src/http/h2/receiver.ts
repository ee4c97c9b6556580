import type { HttpLimits } from '../plan.ts'
import type { Fields } from '../wire/fields.ts'
import { Input } from '../wire/input.ts'
import { isRefusal, type Refusal, refuse } from '../wire/refusal.ts'
import { Budget } from './budget.ts'
import { ControlFrames, type ControlOwner } from './control-frames.ts'
import { FieldBlocks } from './field-blocks.ts'
import { ReceiveWindow } from './receive-window.ts'
import type { Sender } from './sender.ts'
import type { Stream } from './stream.ts'
import type { StreamBody } from './stream-body.ts'
import type { Streams } from './streams.ts'
import * as errors from './wire/error.ts'
import { connectionError, type H2Error, isH2Error, streamError } from './wire/error.ts'
import * as frames from './wire/frame.ts'
import { FrameReader } from './wire/frame-reader.ts'
import { HpackDecoder } from './wire/hpack-decoder.ts'
import { type RefusedHead, type RequestHead, type RequestRules, readTrailers } from './wire/request-fields.ts'
import { RequestReader } from './wire/request-reader.ts'

/** What the receiving half asks of its connection. */
export type ReceiverOwner = ControlOwner & {
  readonly nowMs: number
  /** A request has come; `hasContent` unless its stream ended with it. */
  request(streamId: number, head: RequestHead | RefusedHead, hasContent: boolean): void
  /** no new streams: GOAWAY has named the last one (RFC 9113 §6.8) */
  readonly refusesStreams: boolean
  /** The content is larger than allowed. */
  breakBody(stream: Stream, refusal: Refusal): void
  /** END_STREAM has arrived. */
  clientEnded(stream: Stream): void
  bodyWanted(streamId: number): void
  /** The connection cannot go on (RFC 9113 §5.4.1). */
  fail(error: H2Error): void
  /** The stream cannot go on (RFC 9113 §5.4.2). */
  failStream(stream: Stream, error: H2Error): void
}

/** The receiving half of a connection: what each frame means. */
export class Receiver {
  /** the client's first SETTINGS have arrived */
  hasBegun = false
  /** since when a field block has been arriving, in milliseconds of the clock; Infinity when none is */
  headSinceMs: number = Infinity
  /** the last frame has arrived only in part */
  isInsideFrame = false
  readonly window: ReceiveWindow
  readonly controls: ControlFrames
  readonly #owner: ReceiverOwner
  readonly #sender: Sender
  readonly #streams: Streams
  readonly #input = new Input()
  readonly #reader = new FrameReader(MAX_FRAME_OCTETS)
  readonly #decoder = new HpackDecoder(TABLE_OCTETS)
  readonly #requests = new RequestReader(this.#decoder)
  readonly #blocks = new FieldBlocks()
  readonly #control: Budget
  readonly #isSecure: boolean
  #rules: RequestRules
  #hasPreface = false
  #isOver = false

  constructor(owner: ReceiverOwner, sender: Sender, streams: Streams, isSecure: boolean) {
    this.#owner = owner
    this.#sender = sender
    this.#streams = streams
    this.#isSecure = isSecure
    this.#rules = this.#rulesOf(owner.limits)
    this.#control = new Budget(owner.limits.http2Control)
    this.controls = new ControlFrames(this.#reader, sender, streams, owner)
    this.window = new ReceiveWindow(sender, owner.limits.http2Streams, (id) => owner.bodyWanted(id))
  }

  /** Octets have arrived. */
  take(chunk: Buffer): void {
    const input = this.#input
    input.append(chunk)
    if (!this.#hasPreface && !this.#readPreface()) return
    while (!this.#isOver) {
      const result = this.#reader.read(input.octets, input.start, input.end)
      if (result === 'incomplete') break
      const fault = result === 'frame' ? this.#handle(input.octets) : result
      input.use(this.#reader.frameOctets)
      if (fault !== undefined) this.#report(fault)
    }
    this.#noteIncomplete()
  }

  /** Take no more. */
  stop(): void {
    this.#isOver = true
    this.#input.use(this.#input.length)
  }

  refill(ms: number): void {
    this.controls.refill(ms)
    this.#control.refill(ms, this.#owner.limits.http2Control)
  }

  /** RFC 9113 §3.4: whatever begins otherwise is not HTTP/2. */
  #readPreface(): boolean {
    const { octets, start, length } = this.#input
    const count = Math.min(length, frames.PREFACE.length)
    if (frames.PREFACE.compare(octets, start, start + count, 0, count) !== 0) {
      this.#report(connectionError(errors.PROTOCOL_ERROR, 'the connection does not begin with the preface'))
      return false
    }
    if (count < frames.PREFACE.length) return false
    this.#input.use(count)
    this.#hasPreface = true
    return true
  }

  #report(fault: H2Error): void {
    if (fault.scope === 'connection') {
      this.stop()
      this.#owner.fail(fault)
      return
    }
    if (!this.controls.mayReset()) return this.#report(tooMany('faults'))
    const { streamId } = this.#reader
    const stream = this.#streams.open.get(streamId)
    if (stream !== undefined) this.#owner.failStream(stream, fault)
    // RFC 9113 §6.4: there is no RST_STREAM on an idle stream.
    else if (this.#streams.stateOf(streamId) === 'idle') this.#report({ ...fault, scope: 'connection' })
  }

  #noteIncomplete(): void {
    const { type } = this.#reader
    this.isInsideFrame = this.#input.length > 0
    const isHead = this.isInsideFrame && type === frames.HEADERS
    if (!isHead && !this.#blocks.isOpen) this.headSinceMs = Infinity
    else if (this.headSinceMs === Infinity) this.headSinceMs = this.#owner.nowMs
  }

  #handle(octets: Buffer): H2Error | undefined {
    const { type, flags } = this.#reader
    if (!this.hasBegun) {
      const isFirst = type === frames.SETTINGS && (flags & frames.ACK) === 0
      if (!isFirst) return connectionError(errors.PROTOCOL_ERROR, 'the first frame is not SETTINGS')
      this.hasBegun = true
    }
    switch (type) {
      case frames.DATA:
        return this.#readData(octets)
      case frames.HEADERS:
        return this.#readHeaders(octets)
      case frames.CONTINUATION:
        return this.#readContinuation(octets)
      default:
        // None of the others brings content: a client that sends many of them has no good reason.
        return this.#control.use() ? this.controls.read(octets) : tooMany('control frames')
    }
  }

  #readData(octets: Buffer): H2Error | undefined {
    const { streamId, flags, start, end, payloadOctets } = this.#reader
    const isLast = (flags & frames.END_STREAM) !== 0
    if (!this.window.take(payloadOctets))
      return connectionError(errors.FLOW_CONTROL_ERROR, 'DATA exceeds the window')
    if (start === end && !isLast && !this.#control.use()) return tooMany('empty DATA frames')
    const stream = this.#streams.open.get(streamId)
    if (stream === undefined) {
      this.window.giveConnectionWindow(payloadOctets)
      return this.#judgeLate('DATA')
    }
    const { body } = stream
    if (body === null || body.isComplete) {
      this.window.giveConnectionWindow(payloadOctets)
      return streamError(errors.STREAM_CLOSED, 'DATA stands after the end of the stream')
    }
    if (payloadOctets > body.windowOctets) {
      this.window.giveConnectionWindow(payloadOctets)
      return streamError(errors.FLOW_CONTROL_ERROR, 'DATA exceeds the window of its stream')
    }
    body.windowOctets -= payloadOctets
    stream.awaitsContinue = false
    const padding = payloadOctets - (end - start)
    if (padding > 0) this.#givePadding(body, padding)
    // Judged first: nobody is to pass on octets beyond the length that was stated.
    const fault = this.#judgeLength(stream, body.receivedOctets + end - start, isLast)
    if (end > start) body.arrived(octets.subarray(start, end), fault === undefined)
    return fault ?? (isLast ? this.#end(stream, undefined) : undefined)
  }

  #givePadding(body: StreamBody, octets: number): void {
    this.window.giveConnectionWindow(octets)
    body.giveWindow(octets)
  }

  /** RFC 9113 §8.1.1: the content is as long as Content-Length says. */
  #judgeLength(stream: Stream, receivedOctets: number, isLast: boolean): H2Error | undefined {
    if (stream.request.upgrade !== undefined) return undefined
    const stated = stream.request.lengthOctets
    if (stated !== null && (receivedOctets > stated || (isLast && receivedOctets < stated))) {
      return streamError(errors.PROTOCOL_ERROR, 'the content is not as long as Content-Length says')
    }
    const { bodyOctets } = this.#owner.limits
    if (receivedOctets > bodyOctets && stream.body?.isUnlimited !== true) {
      this.#owner.breakBody(stream, refuse(413, `the content is larger than ${bodyOctets} octets`))
    }
    return undefined
  }

  #end(stream: Stream, trailers: Fields | undefined): undefined {
    stream.body!.complete(trailers)
    this.#owner.clientEnded(stream)
  }

  #readHeaders(octets: Buffer): H2Error | undefined {
    const { streamId, flags, start, end } = this.#reader
    if ((flags & frames.END_HEADERS) !== 0) return this.#readBlock(streamId, flags, octets, start, end)
    this.#blocks.begin(streamId, flags, octets.subarray(start, end))
    return undefined
  }

  #readContinuation(octets: Buffer): H2Error | undefined {
    const { flags, start, end } = this.#reader
    const blocks = this.#blocks
    const fault = blocks.add(
      octets.subarray(start, end),
      2 * this.#owner.limits.headerOctets + MAX_FRAME_OCTETS,
    )
    if (fault !== undefined || (flags & frames.END_HEADERS) === 0) return fault
    const block = blocks.take()
    return this.#readBlock(blocks.streamId, blocks.flags, block, 0, block.length)
  }

  #readBlock(
    streamId: number,
    flags: number,
    octets: Buffer,
    start: number,
    end: number,
  ): H2Error | undefined {
    const isLast = (flags & frames.END_STREAM) !== 0
    const streams = this.#streams
    const stream = streams.open.get(streamId)
    if (stream !== undefined) return this.#readTrailers(stream, isLast, octets, start, end)
    if (streamId % 2 === 0) return connectionError(errors.PROTOCOL_ERROR, 'a client opens an even stream')
    if (streamId <= streams.lastId) {
      return this.#passOver(octets, start, end) ?? this.#judgeLate('HEADERS')
    }
    streams.lastId = streamId
    if (this.#owner.refusesStreams) {
      // RFC 9113 §6.8: GOAWAY has told the client; what follows on the stream is passed over too.
      streams.close(streamId, true)
      return this.#passOver(octets, start, end)
    }
    const { limits } = this.#owner
    if (streams.open.size >= limits.http2Streams) {
      const fault = this.#passOver(octets, start, end)
      return fault ?? this.#refuseStream(streamId, errors.REFUSED_STREAM)
    }
    if (this.#rules.limits !== limits) this.#rules = this.#rulesOf(limits)
    const head = this.#requests.read(octets, start, end, this.#rules)
    if (isH2Error(head)) return head.scope === 'connection' ? head : this.#refuseStream(streamId, head.code)
    // RFC 9113 §8.1.1: a request that ends here has no content, whatever its Content-Length says.
    if (!isRefusal(head) && isLast && (head.lengthOctets ?? 0) > 0) {
      return this.#refuseStream(streamId, errors.PROTOCOL_ERROR)
    }
    this.#owner.request(streamId, head, !isLast)
    this.#control.earn(EARNED_BY_REQUEST)
    return undefined
  }

  #readTrailers(
    stream: Stream,
    isLast: boolean,
    octets: Buffer,
    start: number,
    end: number,
  ): H2Error | undefined {
    const list = this.#decoder.decode(octets, start, end, this.#owner.limits)
    if (isH2Error(list)) return list
    const { body } = stream
    if (body === null || body.isComplete) {
      return streamError(errors.STREAM_CLOSED, 'HEADERS stands after the end of the stream')
    }
    if (!isLast) return streamError(errors.PROTOCOL_ERROR, 'trailers do not end the stream')
    if (list === 'too large') return streamError(errors.ENHANCE_YOUR_CALM, 'the trailers are too large')
    const trailers = readTrailers(list)
    if (isH2Error(trailers)) return trailers
    return this.#judgeLength(stream, body.receivedOctets, true) ?? this.#end(stream, trailers)
  }

  /** A block that nobody reads still changes the table (RFC 9113 §4.3). */
  #passOver(octets: Buffer, start: number, end: number): H2Error | undefined {
    const list = this.#decoder.decode(octets, start, end, this.#owner.limits)
    if (isH2Error(list)) return list
    return this.#control.use() ? undefined : tooMany('requests that are refused')
  }

  /** Refuse a stream before anybody was told of it. */
  #refuseStream(streamId: number, code: number): H2Error | undefined {
    this.#streams.close(streamId, true)
    this.#sender.writeReset(streamId, code)
    return this.controls.mayReset() ? undefined : tooMany('requests that are refused')
  }

  /** RFC 9113 §5.1: DATA or HEADERS on a stream that is not open. */
  #judgeLate(name: string): H2Error | undefined {
    switch (this.#streams.stateOf(this.#reader.streamId)) {
      case 'reset':
        return undefined
      case 'ended':
        return connectionError(errors.STREAM_CLOSED, `${name} is on a stream that has ended`)
      default:
        return connectionError(errors.PROTOCOL_ERROR, `${name} is on a stream that was never opened`)
    }
  }

  /** Frames that went out: as many WINDOW_UPDATE may come for them. */
  earn(count: number): void {
    this.#control.earn(count)
  }

  #rulesOf(limits: HttpLimits): RequestRules {
    return { limits, isSecure: this.#isSecure, takesConnectProtocol: true }
  }
}

/** our SETTINGS_MAX_FRAME_SIZE and SETTINGS_HEADER_TABLE_SIZE: the values that need not be said */
const MAX_FRAME_OCTETS = 16_384
const TABLE_OCTETS = 4096
/** a request may bring some SETTINGS, PRIORITY and WINDOW_UPDATE along */
const EARNED_BY_REQUEST = 2

function tooMany(what: string): H2Error {
  return connectionError(errors.ENHANCE_YOUR_CALM, `too many ${what}`)
}
