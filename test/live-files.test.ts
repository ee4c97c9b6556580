import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { initOctets } from './media/live-encoder.ts'
import { fragments, type LiveClient, liveClient } from './media/live-put.ts'
import { readPlaylist } from './media/playlists.ts'
import { type Running, startRunning } from './running.ts'

let portico: Running
let client: LiveClient
before(async () => {
  portico = await startRunning(
    { hosts: { live: { live: { root: './live', segment: '2s' }, http: 'serve' } } },
    { workers: 2 },
  )
  client = liveClient(portico.ports.http)
})
after(() => portico.stop())

function secondsOf(playlist: string): number {
  return readPlaylist(playlist).segments.reduce((sum, { seconds }) => sum + seconds, 0)
}

test('a file that begins before the end of the last one has come is read after it', async () => {
  assert.equal(await client.putWhole('/over/init-0.m4s', initOctets), 201)
  const first = client.put('/over/chunk-0-1.m4s')
  const octets = fragments(0, 20)
  await first.write(octets.subarray(0, -5000))
  await client.playlistOf('over')
  const second = client.putWhole('/over/chunk-0-2.m4s', fragments(20, 10))
  const third = client.putWhole('/over/chunk-0-3.m4s', fragments(30, 10))
  await new Promise((resolve) => setTimeout(resolve, 100))
  await first.write(octets.subarray(-5000))
  assert.equal(await first.end(), 201)
  assert.deepEqual([await second, await third], [201, 201])
  const playlist = await client.endOf('over')
  assert.doesNotMatch(playlist, /DISCONTINUITY/)
  assert.ok(Math.abs(secondsOf(playlist) - 8) < 0.01, playlist)
})

test('a segment that comes before what stands before it, or before the one with the number before, waits for it', async () => {
  const third = client.putWhole('/early/chunk-0-3.m4s', fragments(40, 10))
  const first = client.putWhole('/early/chunk-0-1.m4s', fragments(0, 20))
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal(await client.putWhole('/early/init-0.m4s', initOctets), 201)
  assert.equal(await first, 201)
  assert.equal(await client.putWhole('/early/chunk-0-2.m4s', fragments(20, 20)), 201)
  assert.equal(await third, 201)
  const playlist = await client.endOf('early')
  assert.doesNotMatch(playlist, /DISCONTINUITY/)
  assert.ok(Math.abs(secondsOf(playlist) - 10) < 0.01, playlist)
})

test('a file that breaks off does not hold up the next one', async () => {
  assert.equal(await client.putWhole('/broken/init-0.m4s', initOctets), 201)
  const first = client.put('/broken/chunk-0-1.m4s')
  await first.write(fragments(0, 25))
  const second = client.putWhole('/broken/chunk-0-2.m4s', fragments(25, 15))
  first.destroy()
  assert.equal(await second, 201)
  assert.ok(Math.abs(secondsOf(await client.endOf('broken')) - 8) < 0.01)
})
