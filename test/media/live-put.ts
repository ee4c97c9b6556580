import { type ClientRequest, request } from 'node:http'
import { until } from '../running.ts'
import { fragmentOctets } from './live-encoder.ts'

/** A file of an encoder, on a connection of its own. */
export type Put = { write(octets: Uint8Array): Promise<void>; end(): Promise<number>; destroy(): void }

/** Words to a Portico whose host of live streams is live.example.com. */
export type LiveClient = {
  put(path: string): Put
  /** @returns the status of the answer; 0 when there is none */
  putWhole(path: string, ...octets: Uint8Array[]): Promise<number>
  ask(path: string): Promise<string>
  /** The playlist of the pictures of a stream, once there is one. */
  playlistOf(stream: string): Promise<string>
  /** End a stream, and read that playlist. */
  endOf(stream: string): Promise<string>
}

const headers = { Host: 'live.example.com' }

export function liveClient(port: number): LiveClient {
  const to = { port, host: '127.0.0.1', headers, agent: false } as const

  function put(path: string): Put {
    const sent: ClientRequest = request({ ...to, path, method: 'PUT' })
    const status = new Promise<number>((resolve) => {
      sent.on('response', (response) => resolve(response.resume().statusCode ?? 0))
      sent.on('error', () => resolve(0))
    })
    return {
      write: (octets) => new Promise((resolve) => sent.write(octets, () => resolve())),
      end() {
        sent.end()
        return status
      },
      destroy: () => sent.destroy(),
    }
  }

  function ask(path: string, method = 'GET'): Promise<string> {
    return new Promise((resolve, reject) => {
      const sent = request({ ...to, path, method }, (response) => {
        let text = ''
        response.on('data', (octets) => (text += octets)).on('end', () => resolve(text))
        response.on('error', reject)
      })
      sent.on('error', reject).end()
    })
  }

  async function pathOf(stream: string): Promise<string> {
    let path: string | undefined
    await until(async () => {
      path = /^(_\w+\/v0\.m3u8)$/m.exec(await ask(`/${stream}/index.m3u8`))?.[1]
      return path !== undefined
    })
    return `/${stream}/${path}`
  }

  return {
    put,
    async putWhole(path, ...octets) {
      const file = put(path)
      await file.write(Buffer.concat(octets))
      return file.end()
    },
    ask,
    playlistOf: async (stream) => ask(await pathOf(stream)),
    async endOf(stream) {
      const path = await pathOf(stream)
      await ask(`/${stream}`, 'DELETE')
      return ask(path)
    },
  }
}

/** So many fragments of 200 ms from one on: 10 make a segment of 2 s. */
export function fragments(first: number, count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, i) => fragmentOctets(first + i)))
}
