import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, open, readdir, readlink, writeFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import http2 from 'node:http2'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { TransfersView } from '../src/cli/transfers-view.ts'
import { askBucket } from './bucket.ts'
import { matroskaStart, movieStart } from './media/movie.ts'
import { type Running, startRunning, until } from './running.ts'

const CONTENT_OCTETS = 2 ** 30
const FILM_SECONDS = 30
const FILM_OCTETS = FILM_SECONDS * 1_000_000
/** Played, they take a million octets a second. */
const movie = Buffer.concat([movieStart(FILM_OCTETS, FILM_SECONDS)], FILM_OCTETS)
const webm = Buffer.concat([matroskaStart(FILM_SECONDS)], FILM_OCTETS)
/** How long a paced film is received; PORTICO_PACE_SECONDS=10 is what is promised. */
const PACE_SECONDS = Number(process.env['PORTICO_PACE_SECONDS'] ?? 3)

const PACED = [
  ['paced', '/film.mp4'],
  ['paced', '/film.webm'],
  ['stored', '/film.mp4'],
  ['proxied', '/film.mp4'],
  ['proxied', '/film.webm'],
] as const

let portico: Running
const asked = new Set<ServerResponse>()
const origin = createServer((_request, response) => {
  asked.add(response)
  response.once('close', () => asked.delete(response))
  const piece = Buffer.alloc(65_536)
  const write = (): void => {
    // One that was destroyed takes everything, for ever.
    while (!response.destroyed && response.write(piece));
    response.once('drain', write)
  }
  write()
})

/** An origin that knows nothing of bit rates. */
const filmOrigin = createServer((request, response) => {
  const isWebm = request.url!.endsWith('webm')
  response.writeHead(200, {
    'Content-Type': isWebm ? 'video/webm' : 'video/mp4',
    'Content-Length': FILM_OCTETS,
  })
  response.end(isWebm ? webm : movie)
})

before(async () => {
  await once(filmOrigin.listen(0, '127.0.0.1'), 'listening')
  const films = filmOrigin.address() as AddressInfo
  await once(origin.listen(0, '127.0.0.1'), 'listening')
  const { port } = origin.address() as AddressInfo
  portico = await startRunning({
    hosts: {
      files: { files: './public', http: 'serve' },
      live: { service: port, http: 'serve' },
      paced: { files: './public', limits: { rate: '2x', rateAfter: '1MB' }, http: 'serve' },
      stored: { bucket: './media', limits: { rate: '2x', rateAfter: '1MB' }, http: 'serve' },
      proxied: { service: films.port, limits: { rate: '2x', rateAfter: '1MB' }, http: 'serve' },
    },
  })
  await mkdir(join(portico.folder, 'public'))
  const file = await open(join(portico.folder, 'public/film'), 'w')
  await file.truncate(CONTENT_OCTETS)
  await file.close()
  await writeFile(join(portico.folder, 'public/film.mp4'), movie)
  await writeFile(join(portico.folder, 'public/film.webm'), webm)
  const put = await askBucket(portico.ports.http, 'PUT', '/film.mp4', movie, { host: 'stored.example.com' })
  assert.equal(put.status, 201, put.text)
})
after(async () => {
  await portico.stop()
  for (const each of [origin, filmOrigin]) {
    each.closeAllConnections()
    each.close()
  }
})

/** A client that asks and reads nothing. */
async function ask(host: string, path = '/film'): Promise<Socket> {
  const socket = connect(portico.ports.http, '127.0.0.1')
  socket.on('error', () => {})
  socket.pause()
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}.example.com\r\n\r\n`)
  return socket
}

async function look(): Promise<TransfersView> {
  return JSON.parse((await portico.command('transfers', '--json')).stdout)
}

async function filesOpen(): Promise<number> {
  const folder = `/proc/${portico.child.pid}/fd`
  const links = await Promise.all(
    (await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(() => '')),
  )
  return links.filter((link) => link.endsWith('/film')).length
}

test('a client that takes nothing is seen as paused, and costs a block of memory, no more', async () => {
  const client = await ask('files')
  await until(async () => (await look()).paused === 1, 30_000)
  const { list } = await look()
  const [film] = list
  assert.equal(film!.url, 'files.example.com/film')
  assert.equal(film!.lengthOctets, CONTENT_OCTETS)
  assert.equal(film!.sentPerSecond, 0)
  assert.ok(film!.pausedMs >= 1000)
  assert.ok(film!.aheadOctets > 0 && film!.aheadOctets <= 131_072, `${film!.aheadOctets} octets ahead`)
  assert.match(
    (await portico.command('transfers', '--once')).stdout,
    /1 paused[\s\S]*paused .* files\.example\.com\/film/,
  )
  client.destroy()
})

test('a client that leaves frees descriptor and work within a second, whatever answers', async () => {
  const clients = [await ask('files'), await ask('live')]
  await until(async () => (await look()).paused === 2, 30_000)
  assert.equal(asked.size, 1)
  for (const client of clients) client.destroy()
  const left = performance.now()
  await until(async () => asked.size === 0)
  assert.ok(performance.now() - left < 1000, 'the origin was let go of')
  assert.equal((await look()).count, 0)
  // The file itself stays open for the next one, for a second or two.
  await until(async () => (await filesOpen()) === 0)
})

test('a stream of HTTP/2 that its client does not read blocks no other stream of the connection', async () => {
  const session = http2.connect(`http://127.0.0.1:${portico.ports.http}`)
  try {
    await once(session, 'connect')
    session.setLocalWindowSize(2 ** 24)
    const blocked = session.request({ ':path': '/film', ':authority': 'files.example.com' })
    await once(blocked, 'response')
    blocked.pause()
    await pause(200)
    for (let i = 0; i < 3; i++) {
      const other = session.request({
        ':path': '/film',
        ':authority': 'files.example.com',
        range: 'bytes=0-2999999',
      })
      let octets = 0
      for await (const part of other) octets += (part as Buffer).length
      assert.equal(octets, 3_000_000)
    }
    assert.ok(!blocked.destroyed)
  } finally {
    session.destroy()
  }
})

for (const [host, path] of PACED) {
  test(`a film goes as many times as fast as it is played as the file says, after its burst: ${host}${path}`, async () => {
    const client = await ask(host, path)
    let octets = 0
    client.on('data', (part: Buffer) => (octets += part.length)).resume()
    await until(() => octets > 1_000_000)
    const [begun, startedAt] = [octets, performance.now()]
    await pause(PACE_SECONDS * 1000)
    const perSecond = (octets - begun) / ((performance.now() - startedAt) / 1000)
    client.destroy()
    // A turn, 50 ms, more or less.
    const tolerance = 0.05 + 0.1 / PACE_SECONDS
    assert.ok(Math.abs(perSecond / 2_000_000 - 1) < tolerance, `${Math.round(perSecond)} octets a second`)
    if (process.env['PORTICO_PACE_SECONDS'])
      console.log(`${host}${path}: ${Math.round(perSecond)} octets a second`)
  })
}
