import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { type Running, startRunning, until } from './running.ts'

/** More than a quarter of the memory: it cannot be kept, and nobody says so in advance. */
const CONTENT = Buffer.from(Array.from({ length: 6 * 2 ** 20 }, (_, i) => (i * 31 + (i >> 8)) & 255))
const HALF = CONTENT.length / 2
const CLIENTS = 6

let running: Running
let port = 0
const asked: string[] = []
/** lets the first answer under a path go on */
const goOn = new Map<string, () => void>()

const origin = http.createServer((request, response) => {
  const path = request.url!
  const isFirst = !asked.includes(path)
  asked.push(path)
  response.setHeader('Cache-Control', 'max-age=600')
  if (path === '/strong') response.setHeader('ETag', '"strong"')
  const first = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1])
  if (first > 0) {
    assert.equal(request.headers['if-range'], '"strong"')
    const place = `bytes ${first}-${CONTENT.length - 1}/${CONTENT.length}`
    response.writeHead(206, { 'Content-Range': place }).write(CONTENT.subarray(first))
    return void response.end()
  }
  const content = path === '/other' && !isFirst ? Buffer.alloc(CONTENT.length, 'o') : CONTENT
  response.write(content.subarray(0, 1000))
  if (!isFirst) return void response.end(content.subarray(1000))
  goOn.set(path, () => {
    response.write(content.subarray(1000, HALF))
    if (path === '/cut') setTimeout(() => response.destroy(), 20)
    else response.end(content.subarray(HALF))
  })
})

before(async () => {
  await once(origin.listen(0, '127.0.0.1'), 'listening')
  port = (origin.address() as AddressInfo).port
  const hosts = { a: { service: port, cache: true, http: 'serve' } }
  running = await startRunning({ hosts }, { workers: 2, cache: { memory: '16MiB' } })
})

after(async () => {
  origin.closeAllConnections()
  origin.close()
  assert.equal(await running.stop(), 0)
})

/** @param hasBegun called with the first octets */
function get(path: string, hasBegun: () => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: running.ports.http, path, agent: false }
    const request = http.get({ ...options, headers: { Host: 'a.example.com' } }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (octets) => {
        if (chunks.length === 0) hasBegun()
        chunks.push(octets)
      })
      incoming.on('end', () => resolve(Buffer.concat(chunks))).on('error', reject)
    })
    request.on('error', reject)
  })
}

/** Several ask while the first answer stands still; then it goes on. */
async function together(path: string): Promise<PromiseSettledResult<Buffer>[]> {
  let begun = 0
  const answers = Array.from({ length: CLIENTS }, () => get(path, () => begun++))
  const all = Promise.allSettled(answers)
  await until(() => begun === CLIENTS, 30_000)
  assert.equal(asked.filter((one) => one === path).length, 1, 'one fetch for all')
  goOn.get(path)!()
  return all
}

test('whoever has joined what turns out too large to keep goes on with the rest (RFC 9111 §3.4)', async () => {
  for (const path of ['/plain', '/strong']) {
    for (const result of await together(path)) {
      if (result.status === 'rejected') throw result.reason
      assert.ok(result.value.equals(CONTENT), path)
    }
  }
})

test('nobody is given the rest of something else', async () => {
  const results = await together('/other')
  const whole = results.filter((result) => result.status === 'fulfilled')
  // Who asked first is fed beside the store.
  assert.equal(whole.length, 1)
  assert.ok(whole[0]!.value.equals(CONTENT))
})

test('an origin that breaks off is not asked again for everyone', async () => {
  const results = await together('/cut')
  assert.ok(results.every(({ status }) => status === 'rejected'))
  assert.equal(asked.filter((one) => one === '/cut').length, 1)
})
