import assert from 'node:assert/strict'
import { type ClientRequest, request } from 'node:http'
import { after, before, test } from 'node:test'
import { fragmentOctets, initOctets } from './live-encoder.ts'
import { readPlaylist } from './playlists.ts'
import { type Running, startRunning, until } from './running.ts'

let portico: Running
before(async () => {
  portico = await startRunning({ hosts: { live: { live: './live', http: 'serve' } } }, { workers: 2 })
})
after(() => portico.stop())

type Put = { write(octets: Uint8Array): Promise<void>; end(): Promise<number>; destroy(): void }

/** A file of an encoder, on a connection of its own. */
function put(path: string): Put {
  const sent: ClientRequest = request({
    ...{ port: portico.ports.http, host: '127.0.0.1', path, method: 'PUT', agent: false },
    headers: { Host: 'live.example.com' },
  })
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

async function putWhole(path: string, ...octets: Uint8Array[]): Promise<number> {
  const file = put(path)
  await file.write(Buffer.concat(octets))
  return file.end()
}

/** So many fragments of 200 ms from one on: 10 make a segment of 2 s. */
function fragments(first: number, count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, i) => fragmentOctets(first + i)))
}

function ask(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { Host: 'live.example.com' }
    const sent = request({ port: portico.ports.http, host: '127.0.0.1', path, headers }, (response) => {
      let text = ''
      response.on('data', (octets) => (text += octets)).on('end', () => resolve(text))
    })
    sent.on('error', reject).end()
  })
}

/** End a stream, and read the playlist of its pictures. */
async function endOf(stream: string): Promise<string> {
  let path: string | undefined
  await until(async () => {
    path = /^(_\w+\/v0\.m3u8)$/m.exec(await ask(`/${stream}/index.m3u8`))?.[1]
    return path !== undefined
  }, 30_000)
  const ended = request({
    ...{ port: portico.ports.http, host: '127.0.0.1', path: `/${stream}`, method: 'DELETE' },
    headers: { Host: 'live.example.com' },
  })
  await new Promise<void>((resolve) => ended.on('response', (said) => said.resume().on('end', resolve)).end())
  return ask(`/${stream}/${path}`)
}

function secondsOf(playlist: string): number {
  return readPlaylist(playlist).segments.reduce((sum, { seconds }) => sum + seconds, 0)
}

test('a file that begins before the end of the last one has come is read after it', async () => {
  assert.equal(await putWhole('/over/init-0.m4s', initOctets), 201)
  const first = put('/over/chunk-0-1.m4s')
  const octets = fragments(0, 20)
  await first.write(octets.subarray(0, -5000))
  const second = putWhole('/over/chunk-0-2.m4s', fragments(20, 10))
  const third = putWhole('/over/chunk-0-3.m4s', fragments(30, 10))
  await new Promise((resolve) => setTimeout(resolve, 100))
  await first.write(octets.subarray(-5000))
  assert.equal(await first.end(), 201)
  assert.deepEqual([await second, await third], [201, 201])
  const playlist = await endOf('over')
  assert.doesNotMatch(playlist, /DISCONTINUITY/)
  assert.ok(Math.abs(secondsOf(playlist) - 8) < 0.01, playlist)
})

test('a segment that comes before what stands before it, or before the one with the number before, waits for it', async () => {
  const third = putWhole('/early/chunk-0-3.m4s', fragments(40, 10))
  const first = putWhole('/early/chunk-0-1.m4s', fragments(0, 20))
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal(await putWhole('/early/init-0.m4s', initOctets), 201)
  assert.equal(await first, 201)
  assert.equal(await putWhole('/early/chunk-0-2.m4s', fragments(20, 20)), 201)
  assert.equal(await third, 201)
  const playlist = await endOf('early')
  assert.doesNotMatch(playlist, /DISCONTINUITY/)
  assert.ok(Math.abs(secondsOf(playlist) - 10) < 0.01, playlist)
})

test('a file that breaks off does not hold up the next one', async () => {
  assert.equal(await putWhole('/broken/init-0.m4s', initOctets), 201)
  const first = put('/broken/chunk-0-1.m4s')
  await first.write(fragments(0, 25))
  const second = putWhole('/broken/chunk-0-2.m4s', fragments(25, 15))
  first.destroy()
  assert.equal(await second, 201)
  assert.ok(Math.abs(secondsOf(await endOf('broken')) - 8) < 0.01)
})
