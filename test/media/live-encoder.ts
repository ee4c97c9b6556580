import { request } from 'node:http'
import { readAdts } from '#media/live/wire/aac.ts'
import { avcEntry, readSps } from '#media/live/wire/h264.ts'
import { writeInit } from '#media/live/wire/init.ts'
import type { InputTrack } from '#media/live/wire/input.ts'
import { writePart } from '#media/live/wire/part.ts'
import type { Sample } from '#media/live/wire/sample.ts'

/** 320×240, Constrained Baseline. */
const SPS = Buffer.from('6742c00dd90141fb011000000300100000030320f14299', 'hex')
const PPS = Buffer.from('68cb83cb20', 'hex')
const ADTS = Buffer.from('fff15080017ffc', 'hex')

const video: InputTrack = {
  ...{ kind: 'video', timescale: 12_800, language: 'und', ...avcEntry(readSps(SPS)!, SPS, PPS) },
  ...{ width: 320, height: 240, channels: 0, sampleRate: 0 },
}
const audio: InputTrack = {
  ...{ kind: 'audio', timescale: 44_100, language: 'deu', codec: 'mp4a.40.2' },
  ...{ width: 0, height: 0, channels: 2, sampleRate: 44_100, entry: readAdts(ADTS, 0)!.entry() },
}

/** What stands before the fragments of a stream with one video and one audio track. */
export const initOctets: Buffer = writeInit([
  { id: 1, track: video },
  { id: 2, track: audio },
])

/** A fragment of 200 ms: five pictures, of which each 50th is a key frame, and the sound beside them. */
export function fragmentOctets(index: number): Buffer {
  const pictures = Array.from({ length: 5 }, (_, i): Sample => {
    const number = index * 5 + i
    const isKey = number % 50 === 0
    return { at: number * 512, ticks: 512, offset: 0, isKey, octets: Buffer.alloc(isKey ? 900 : 300, number) }
  })
  const first = Math.ceil((index * 0.2 * 44_100) / 1024)
  const end = Math.ceil(((index + 1) * 0.2 * 44_100) / 1024)
  const sound = Array.from({ length: end - first }, (_, i): Sample => {
    return {
      at: (first + i) * 1024,
      ticks: 1024,
      offset: 0,
      isKey: true,
      octets: Buffer.alloc(90, first + i),
    }
  })
  return Buffer.concat([writePart(1, index + 1, pictures, 0), writePart(2, index + 1, sound, 0)])
}

/** An encoder whose clock the test is: it sends when it is told to. */
export type TestEncoder = {
  /** so many more fragments, of 200 ms each */
  send(fragments: number): void
  /** the request is complete */
  end(): void
  /** as when the encoder is killed */
  destroy(): void
  /** of the answer */
  readonly status: Promise<number>
}

/** Begin to publish. */
export function startEncoder(port: number, path: string, headers: Record<string, string> = {}): TestEncoder {
  const { promise: status, resolve } = Promise.withResolvers<number>()
  const sent = request({
    port,
    host: '127.0.0.1',
    path,
    method: 'PUT',
    headers: { Host: 'live.example.com', ...headers },
  })
  sent.on('response', (response) => {
    response.resume()
    resolve(response.statusCode ?? 0)
  })
  sent.on('error', () => resolve(0))
  sent.write(initOctets)
  let index = 0
  return {
    send(fragments) {
      for (let i = 0; i < fragments; i++) sent.write(fragmentOctets(index++))
    },
    end: () => sent.end(),
    destroy: () => sent.destroy(),
    status,
  }
}
