import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { silent } from '#core/log.ts'
import { type Portico, startPortico } from '#run/portico.ts'
import { initOctets, startEncoder } from './media/live-encoder.ts'
import { fragments, type LiveClient, liveClient } from './media/live-put.ts'
import { readPlaylist } from './media/playlists.ts'
import { until } from './running.ts'

let portico: Portico
let folder: string
let port: number
let client: LiveClient
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portico-live-'))
  const listen = { dns: 'off', http: '127.0.0.1:0', https: 'off', admin: 'off' }
  const hosts = { live: { live: { root: './live', segment: '2s' }, http: 'serve' } }
  const config = { listen, address: '203.0.113.10', workers: 2, domains: { 'example.com': { hosts } } }
  portico = await startPortico({ source: { config, folder }, dev: false, log: silent })
  port = portico.front.listeners().find(({ protocol }) => protocol === 'http')!.port
  client = liveClient(port)
})
after(async () => {
  await portico.stop(0)
  await rm(folder, { recursive: true })
})

/** Each of the workers dies, one after the other. */
async function killWorkers(): Promise<void> {
  for (const worker of [0, 1]) {
    const { restarts } = portico.front.workers()[worker]!
    portico.front.endWorker(worker)
    await until(() => {
      const now = portico.front.workers()[worker]!
      return now.state === 'serving' && now.restarts > restarts
    })
  }
}

test('a worker that dies takes no part with it that viewers were told of, and its encoder goes on after a discontinuity', async () => {
  const first = startEncoder(port, '/one')
  first.send(26)
  await until(async () => (await client.playlistOf('one')).includes('v0-2.1.m4s'))
  const path = /_\w+/.exec(await client.ask('/one/index.m3u8'))![0]
  const before = await client.ask(`/one/${path}/v0-1.m4s`)
  await killWorkers()
  assert.equal(await first.status, 0)
  const second = startEncoder(port, '/one')
  second.send(25)
  await until(async () => (await client.playlistOf('one')).includes('v0-4.0.m4s'))
  assert.equal(await client.ask(`/one/${path}/v0-1.m4s`), before)
  const playlist = await client.endOf('one')
  assert.match(playlist, /v0-2\.m4s\n#EXT-X-DISCONTINUITY\n.*v0-init-2/)
  // Of the 5.2 s that were sent, 0.4 s wait for the next picture and 0.4 s may be on their way.
  const seconds = readPlaylist(playlist).segments.map((segment) => segment.seconds)
  assert.ok(seconds[0]! + seconds[1]! + seconds[2]! > 4.3, playlist)
  second.destroy()
})

test('an encoder that sends files goes on with the next one, and need not say again what stands before them', async () => {
  const put = (number: number): Promise<number> => {
    return client.putWhole(`/two/chunk-0-${number}.m4s`, fragments((number - 1) * 10, 10))
  }
  assert.equal(await client.putWhole('/two/init-0.m4s', initOctets), 201)
  for (const number of [1, 2, 3]) assert.equal(await put(number), 201)
  // On air, a second later; the last part waits for the next picture.
  await until(async () => (await client.playlistOf('two')).includes('v0-2.3.m4s'))
  await killWorkers()
  for (const number of [4, 5, 6]) assert.equal(await put(number), 201)
  const playlist = await client.endOf('two')
  const { segments } = readPlaylist(playlist)
  assert.ok(segments.reduce((sum, { seconds }) => sum + seconds, 0) >= 11.5, playlist)
  assert.equal(playlist.match(/#EXT-X-DISCONTINUITY\n/g)?.length, 1)
})
