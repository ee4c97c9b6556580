import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type Running, startRunning } from './running.ts'

/** How often the process is killed; 50 by hand: PORTICO_KILLS=50 node --test test/cache-kill.test.ts */
const KILLS = Number(process.env['PORTICO_KILLS'] ?? 2)
const OBJECTS = 60
const CLIENTS = 8

let running: Running

/** Made of a checksum and what follows; every fourth is large. */
function contentOf(id: number): Buffer {
  const body = Buffer.alloc(id % 4 === 0 ? 300_000 + id * 9000 : 500 + id * 50, `${id};`)
  return Buffer.concat([Buffer.from(`${createHash('sha1').update(body).digest('hex')}\n`), body])
}

const origin = http.createServer(async (request, response) => {
  const id = Number(request.url!.slice(1))
  const content = contentOf(id)
  const length = id % 3 === 0 ? {} : { 'Content-Length': content.length }
  response.writeHead(200, { 'Cache-Control': 'max-age=3600', ...length })
  // In pieces, so that the process dies in the midst of them.
  for (let at = 0; at < content.length; at += 50_000) {
    response.write(content.subarray(at, at + 50_000))
    await pause(2)
  }
  response.end()
})

before(async () => {
  await once(origin.listen(0, '127.0.0.1'), 'listening')
  const { port } = origin.address() as AddressInfo
  const hosts = { a: { service: port, cache: true, http: 'serve' } }
  running = await startRunning({ hosts }, { workers: 2, cache: { memory: '4MiB', disk: '64MiB' } })
})

after(async () => {
  origin.closeAllConnections()
  origin.close()
  assert.equal(await running.stop(), 0)
})

type Answer = { readonly status: number; readonly body: Buffer }

function get(id: number, headers: http.OutgoingHttpHeaders = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: running.ports.http, path: `/${id}`, agent: false }
    const request = http.get({ ...options, headers: { Host: 'a.example.com', ...headers } }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (octets) => chunks.push(octets)).on('error', reject)
      incoming.on('end', () => resolve({ status: incoming.statusCode!, body: Buffer.concat(chunks) }))
    })
    request.on('error', reject)
  })
}

function isWhole(body: Buffer): boolean {
  const sum = createHash('sha1').update(body.subarray(41)).digest('hex')
  return body.toString('latin1', 0, 40) === sum
}

/** Ask for this and that until the process is killed in the midst of it. */
async function askUntilKilled(): Promise<void> {
  const dead = once(running.child, 'exit')
  let isDead = false
  const client = async (): Promise<void> => {
    while (!isDead) await get(Math.floor(Math.random() * OBJECTS)).catch(() => pause(5))
  }
  const clients = Array.from({ length: CLIENTS }, client)
  await pause(100 + Math.random() * 900)
  running.child.kill('SIGKILL')
  await dead
  isDead = true
  await Promise.all(clients)
}

test(`kill -9 while responses are stored, ${KILLS} times: what is there afterwards is whole`, async (context) => {
  const kept: number[] = []
  for (let kill = 0; kill < KILLS; kill++) {
    await askUntilKilled()
    await running.restart()
    const stored = { 'Cache-Control': 'only-if-cached' }
    const answers = await Promise.all(Array.from({ length: OBJECTS }, (_, id) => get(id, stored)))
    for (const [id, { status, body }] of answers.entries()) {
      assert.ok(
        status === 504 || (status === 200 && isWhole(body)),
        `/${id}: ${status}, ${body.length} octets`,
      )
    }
    kept.push(answers.filter(({ status }) => status === 200).length)
  }
  context.diagnostic(`stored after each: ${kept.join(' ')}`)
  assert.ok(Math.max(...kept) > 0, 'nothing survived')
})
