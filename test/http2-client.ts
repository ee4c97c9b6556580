import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import * as wire from '#http/h2/wire/frame.ts'
import { FrameReader } from '#http/h2/wire/frame-reader.ts'
import { HpackDecoder } from '#http/h2/wire/hpack-decoder.ts'
import { HpackEncoder } from '#http/h2/wire/hpack-encoder.ts'
import { writeSettings } from '#http/h2/wire/settings.ts'

/** A frame that came from the server. `text` is what can be read of it: fields, error codes, content. */
export type Frame = {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  /** RST_STREAM, GOAWAY: the error code; WINDOW_UPDATE: the increment */
  readonly number: number
  readonly payload: Buffer
  /** of HEADERS, by name */
  readonly fields: Readonly<Record<string, string>>
}

/** Fields of a GET, for `headers`. */
export const GET: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', 'a'],
  [':path', '/'],
]
/** Fields of a POST, for `headers`. */
export const POST: readonly (readonly [string, string])[] = [[':method', 'POST'], ...GET.slice(1)]

/** A client that sends whatever frames a test wants, over TCP with prior knowledge (RFC 9113 §3.3). */
export class RawClient {
  readonly socket: net.Socket
  readonly frames: Frame[] = []
  isClosed = false
  readonly #reader = new FrameReader(16_384)
  readonly #decoder = new HpackDecoder(4096)
  readonly #encoder = new HpackEncoder(4096)
  #input: Buffer = Buffer.alloc(0)
  #seen = 0

  private constructor(socket: net.Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('error', () => {})
    socket.on('close', () => (this.isClosed = true))
  }

  /** Connect, and send the preface with `settings` unless they are null. */
  static async connect(
    port: number,
    settings: readonly (readonly [number, number])[] | null = [],
  ): Promise<RawClient> {
    const socket = net.connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const client = new RawClient(socket)
    if (settings !== null) client.send(wire.PREFACE, settingsFrame(settings))
    return client
  }

  send(...frames: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(frames))
  }

  /** The block of a header section, built on those that were made before. */
  block(fields: readonly (readonly [string, string])[]): Buffer {
    this.#encoder.begin()
    for (const [name, value] of fields) this.#encoder.add(name, value, 'incremental')
    return Buffer.from(this.#encoder.block.subarray(0, this.#encoder.length))
  }

  /** HEADERS, whole, with END_STREAM unless `hasContent`. */
  headers(streamId: number, fields: readonly (readonly [string, string])[], hasContent = false): Buffer {
    const flags = wire.END_HEADERS | (hasContent ? 0 : wire.END_STREAM)
    return frame(wire.HEADERS, flags, streamId, this.block(fields))
  }

  /** The first frame of the kind that was not waited for before; waits until it comes. */
  async next(type: number, streamId?: number): Promise<Frame> {
    for (let tries = 0; tries < 500; tries++) {
      for (let i = this.#seen; i < this.frames.length; i++) {
        const found = this.frames[i]!
        if (found.type !== type || (streamId !== undefined && found.streamId !== streamId)) continue
        this.#seen = i + 1
        return found
      }
      if (this.isClosed) break
      await pause(5)
    }
    const got = this.frames
      .slice(this.#seen)
      .map(({ type, streamId, number }) => `${type}@${streamId}:${number}`)
    throw new Error(`No frame of type ${type} came, but ${got.join(' ') || 'nothing'}`)
  }

  /** The error code of GOAWAY, and the end of the connection after it. */
  async goaway(): Promise<number> {
    const { number } = await this.next(wire.GOAWAY)
    for (let tries = 0; tries < 500 && !this.socket.readableEnded && !this.isClosed; tries++) await pause(5)
    this.socket.destroy()
    return number
  }

  /** Answers PING: what was sent before it was dealt with. */
  async settled(): Promise<void> {
    this.send(frame(wire.PING, 0, 0, Buffer.from('settled!')))
    await this.next(wire.PING)
  }

  #take(chunk: Buffer): void {
    this.#input = Buffer.concat([this.#input, chunk])
    let at = 0
    const reader = this.#reader
    while (reader.read(this.#input, at, this.#input.length) === 'frame') {
      const { type, flags, streamId, number, start, end } = reader
      const payload = this.#input.subarray(start, end)
      const fields: Record<string, string> = {}
      if (type === wire.HEADERS) {
        const list = this.#decoder.decode(payload, 0, payload.length, {
          headerOctets: 65_536,
        })
        if (Array.isArray(list)) for (const { name, value } of list) fields[name] = value
      }
      this.frames.push({ type, flags, streamId, number, payload, fields })
      at += reader.frameOctets
    }
    this.#input = this.#input.subarray(at)
  }
}

/** A frame of any kind, right or wrong. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const octets = Buffer.alloc(wire.HEAD_OCTETS + payload.length)
  octets.set(payload, wire.writeFrameHead(octets, 0, payload.length, type, flags, streamId))
  return octets
}

/** SETTINGS with numbers and values. */
export function settingsFrame(settings: readonly (readonly [number, number])[]): Buffer {
  const octets = Buffer.alloc(wire.HEAD_OCTETS + 6 * settings.length)
  writeSettings(octets, 0, 0, settings)
  return octets
}

/** A payload of 32-bit numbers. */
export function uint32(...values: readonly number[]): Buffer {
  const octets = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) octets.writeUInt32BE(value, 4 * i)
  return octets
}
