import { connectionError, FRAME_SIZE_ERROR, type H2Error, PROTOCOL_ERROR, streamError } from './error.ts'
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  GOAWAY,
  HAS_PRIORITY,
  HEAD_OCTETS,
  HEADERS,
  PADDED,
  PING,
  PRIORITY,
  PRIORITY_UPDATE,
  PUSH_PROMISE,
  RST_STREAM,
  readUint31,
  readUint32,
  SETTINGS,
  WINDOW_UPDATE,
} from './frame.ts'

/**
 * Reads the frames that a client sends, one after the other, where they lie (RFC 9113 §4.1).
 *
 * After `read` gave 'frame' the fields below describe it, until the next `read`; nothing is allocated. What a frame
 * means for its stream is not looked at here, but no frame gets between those of a field block (RFC 9113 §4.3).
 *
 * @example
 *     for (;;) {
 *       const result = reader.read(input.octets, input.start, input.end)
 *       if (result === 'incomplete') return
 *       if (result !== 'frame') fail(result, reader.streamId)   // a stream error: go on after reader.frameOctets
 *       else handle(reader, input.octets)
 *       input.use(reader.frameOctets)
 *     }
 */
export class FrameReader {
  type = 0
  flags = 0
  streamId = 0
  /** the whole frame with its head */
  frameOctets = 0
  /** the payload as flow control counts it, with padding (RFC 9113 §6.9.1) */
  payloadOctets = 0
  /** what the payload is about, from here to `end`: without padding, priority and fixed fields before it */
  start = 0
  end = 0
  /** RST_STREAM, GOAWAY: the error code; WINDOW_UPDATE: the increment */
  number = 0
  /** GOAWAY: the last stream; PRIORITY_UPDATE: the prioritized stream */
  otherId = 0
  readonly #maxFrameOctets: number
  /** the stream whose field block is open, else 0 */
  #openBlock = 0

  /** @param maxFrameOctets our SETTINGS_MAX_FRAME_SIZE */
  constructor(maxFrameOctets: number) {
    this.#maxFrameOctets = maxFrameOctets
  }

  /**
   * Read the frame that begins at `start`.
   *
   * A fault is told as soon as the head shows it. A stream error comes only when the whole frame is there.
   */
  read(octets: Uint8Array, start: number, end: number): 'frame' | 'incomplete' | H2Error {
    if (end - start < HEAD_OCTETS) return 'incomplete'
    const length = (octets[start]! << 16) | (octets[start + 1]! << 8) | octets[start + 2]!
    this.type = octets[start + 3]!
    this.flags = octets[start + 4]!
    this.streamId = readUint31(octets, start + 5)
    this.frameOctets = HEAD_OCTETS + length
    this.payloadOctets = length
    const fault = this.#checkHead(length)
    if (fault !== undefined && fault.scope === 'connection') return fault
    if (end - start < this.frameOctets) return 'incomplete'
    if (fault !== undefined) return fault
    this.start = start + HEAD_OCTETS
    this.end = this.start + length
    return this.#readPayload(octets) ?? 'frame'
  }

  /** Length, stream and order: what the head alone shows. */
  #checkHead(length: number): H2Error | undefined {
    const { type, streamId } = this
    // RFC 9113 §4.2: the rest of such a frame would have to be read over; the connection is not worth it.
    if (length > this.#maxFrameOctets) {
      return connectionError(
        FRAME_SIZE_ERROR,
        `a frame has ${length} octets, more than ${this.#maxFrameOctets}`,
      )
    }
    if (this.#openBlock !== 0) {
      if (type !== CONTINUATION || streamId !== this.#openBlock)
        return connectionError(PROTOCOL_ERROR, 'another frame stands inside a field block')
    } else if (type === CONTINUATION) {
      return connectionError(PROTOCOL_ERROR, 'CONTINUATION continues no field block')
    }
    if (type === PUSH_PROMISE) return connectionError(PROTOCOL_ERROR, 'a client cannot push')
    const rule = RULES[type]
    // RFC 9113 §5.5: unknown types are ignored.
    if (rule === undefined) return undefined
    if (type !== WINDOW_UPDATE && rule.isOnStream !== (streamId !== 0)) {
      return connectionError(PROTOCOL_ERROR, `${rule.name} is on stream ${streamId}`)
    }
    if (length < rule.least || length > rule.most || (type === SETTINGS && length % 6 !== 0)) {
      const reason = `${rule.name} has ${length} octets`
      return type === PRIORITY
        ? streamError(FRAME_SIZE_ERROR, reason)
        : connectionError(FRAME_SIZE_ERROR, reason)
    }
    if (type === SETTINGS && length > 0 && (this.flags & ACK) !== 0) {
      return connectionError(FRAME_SIZE_ERROR, 'SETTINGS with ACK is not empty')
    }
    return undefined
  }

  #readPayload(octets: Uint8Array): H2Error | undefined {
    const { start } = this
    switch (this.type) {
      case DATA:
        return this.#unpad(octets)
      case HEADERS:
        return this.#readHeaders(octets)
      case CONTINUATION:
        if ((this.flags & END_HEADERS) !== 0) this.#openBlock = 0
        return undefined
      case PRIORITY:
        return this.#dependsOnItself(octets) ? streamError(PROTOCOL_ERROR, SELF_DEPENDENCY) : undefined
      case RST_STREAM:
        this.number = readUint32(octets, start)
        return undefined
      case WINDOW_UPDATE:
        this.number = readUint31(octets, start)
        return this.number === 0 ? this.#refuseIncrement() : undefined
      case GOAWAY:
        this.otherId = readUint31(octets, start)
        this.number = readUint32(octets, start + 4)
        this.start += 8
        return undefined
      case PRIORITY_UPDATE:
        this.otherId = readUint31(octets, start)
        this.start += 4
        // RFC 9218 §7.1
        return this.otherId === 0
          ? connectionError(PROTOCOL_ERROR, 'PRIORITY_UPDATE is about stream 0')
          : undefined
      default:
        return undefined
    }
  }

  #readHeaders(octets: Uint8Array): H2Error | undefined {
    const fault = this.#unpad(octets)
    if (fault !== undefined) return fault
    if ((this.flags & END_HEADERS) === 0) this.#openBlock = this.streamId
    if ((this.flags & HAS_PRIORITY) === 0) return undefined
    if (this.end - this.start < 5) {
      return connectionError(FRAME_SIZE_ERROR, 'HEADERS has no room for its priority')
    }
    // RFC 7540 §5.3.1 makes it the stream's fault; but what then became of the field block?
    return this.#dependsOnItself(octets) ? connectionError(PROTOCOL_ERROR, SELF_DEPENDENCY) : undefined
  }

  /** RFC 9113 §5.3.2: priorities of this kind are read over. RFC 7540 §5.3.1: but no stream depends on itself. */
  #dependsOnItself(octets: Uint8Array): boolean {
    const dependency = readUint31(octets, this.start)
    this.start += 5
    return dependency === this.streamId
  }

  /** RFC 9113 §6.1, §6.2: padding as long as the payload, or longer, is a connection error. */
  #unpad(octets: Uint8Array): H2Error | undefined {
    if ((this.flags & PADDED) === 0) return undefined
    if (this.start === this.end) return connectionError(FRAME_SIZE_ERROR, 'a padded frame has no Pad Length')
    const padding = octets[this.start]!
    if (padding >= this.end - this.start) {
      return connectionError(PROTOCOL_ERROR, 'the padding is as long as the payload, or longer')
    }
    this.start += 1
    this.end -= padding
    return undefined
  }

  /** RFC 9113 §6.9: on a stream the fault is the stream's. */
  #refuseIncrement(): H2Error {
    const reason = 'WINDOW_UPDATE increments by 0'
    return this.streamId === 0 ? connectionError(PROTOCOL_ERROR, reason) : streamError(PROTOCOL_ERROR, reason)
  }
}

/** What the head of each type of frame must say: its stream and the least and most octets of its payload. */
type Rule = {
  readonly name: string
  readonly isOnStream: boolean
  readonly least: number
  readonly most: number
}

const SELF_DEPENDENCY = 'a stream depends on itself'
const ANY = Number.MAX_SAFE_INTEGER

const RULE_OF_TYPE: ReadonlyMap<number, Rule> = new Map([
  [DATA, { name: 'DATA', isOnStream: true, least: 0, most: ANY }],
  [HEADERS, { name: 'HEADERS', isOnStream: true, least: 0, most: ANY }],
  [PRIORITY, { name: 'PRIORITY', isOnStream: true, least: 5, most: 5 }],
  [RST_STREAM, { name: 'RST_STREAM', isOnStream: true, least: 4, most: 4 }],
  [SETTINGS, { name: 'SETTINGS', isOnStream: false, least: 0, most: ANY }],
  [PING, { name: 'PING', isOnStream: false, least: 8, most: 8 }],
  [GOAWAY, { name: 'GOAWAY', isOnStream: false, least: 8, most: ANY }],
  [WINDOW_UPDATE, { name: 'WINDOW_UPDATE', isOnStream: false, least: 4, most: 4 }],
  [CONTINUATION, { name: 'CONTINUATION', isOnStream: true, least: 0, most: ANY }],
  [PRIORITY_UPDATE, { name: 'PRIORITY_UPDATE', isOnStream: false, least: 4, most: ANY }],
])

/** The rules by type, so that a frame costs one look-up. */
const RULES: readonly (Rule | undefined)[] = Array.from({ length: 256 }, (_, type) => RULE_OF_TYPE.get(type))
