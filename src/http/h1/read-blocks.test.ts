import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import net from 'node:net'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { silent } from '#core/log.ts'
import { httpLimits } from '#http/config.ts'
import type { Handler } from '#http/exchange.ts'
import { createHttpServer } from '#http/server.ts'
import { noFields } from '#http/wire/fields.ts'
import { originAt } from '../../../test/origin.ts'
import { startOrigin, startProxy } from '../../../test/proxy.ts'
import { ReadBlocks } from './read-blocks.ts'

test('a block is read into again when nobody has its octets any more, and left to who has them', () => {
  const inUse = new Set<ArrayBufferLike>()
  const blocks = new ReadBlocks((memory) => inUse.has(memory))
  const first = blocks.next()!
  assert.equal(blocks.next(), first)
  inUse.add(first.buffer)
  const second = blocks.next()!
  assert.notEqual(second, first)
  inUse.add(second.buffer)
  const third = blocks.next()!
  inUse.add(third.buffer)
  assert.equal(blocks.next(), undefined, 'a connection has three')
  inUse.delete(first.buffer)
  inUse.delete(third.buffer)
  blocks.giveBack()
  const others = new ReadBlocks(() => false)
  const given = [others.next(), new ReadBlocks(() => false).next()]
  assert.ok(given.includes(first) && !given.includes(second))
})

const CONTENT = randomBytes(6_000_000)
const SHA256 = createHash('sha256').update(CONTENT).digest('hex')

/** Answers with the hash of the content. Each piece is looked at when the reader has slept over it. */
const hashSlowly: Handler = (exchange) => {
  const read = async (): Promise<void> => {
    const hash = createHash('sha256')
    const { body } = exchange.request
    for (let count = 0; ; count++) {
      const octets = await body!.read(1 + ((count * 77_777) % 300_000))
      if (octets === null) break
      if (count % 3 === 0) await pause(count % 2)
      hash.update(octets)
    }
    const said = Buffer.from(hash.digest('hex'))
    exchange.respond({ status: 200, fields: noFields, lengthOctets: said.length }, said)
  }
  read().catch(() => exchange.abort('portico failed'))
}

/** Send the content in pieces of changing sizes. */
function upload(isChunked: boolean, agent: net.Socket): Promise<string> {
  const headers = isChunked ? {} : { 'content-length': CONTENT.length }
  return new Promise((resolve, reject) => {
    const asked = request(
      { method: 'POST', path: '/', headers: { host: 'a.test', ...headers }, createConnection: () => agent },
      (reply) => {
        let text = ''
        reply.on('data', (part) => (text += part)).on('end', () => resolve(text))
      },
    )
    asked.on('error', reject)
    const send = async (): Promise<void> => {
      for (let at = 0, count = 1; at < CONTENT.length; count++) {
        const next = at + ((count * 123_457) % 700_000)
        if (!asked.write(CONTENT.subarray(at, next))) await new Promise((go) => asked.once('drain', go))
        at = next
      }
      asked.end()
    }
    send().catch(reject)
  })
}

test('large contents arrive octet for octet, however slowly they are read', async () => {
  const server = createHttpServer({ limits: httpLimits({}), handler: hashSlowly, log: silent })
  const listener = await server.prepare({ address: '127.0.0.1', port: 0 })
  listener.commit()
  try {
    const uploads = Array.from({ length: 6 }, (_, i) =>
      upload(i % 2 === 0, net.connect(listener.port, '127.0.0.1')),
    )
    assert.deepEqual(new Set(await Promise.all(uploads)), new Set([SHA256]))
  } finally {
    await server.close(0)
  }
})

test('large contents arrive at an origin octet for octet', async () => {
  const origin = await startOrigin((socket) => {
    let head = ''
    let left = Number.NaN
    const hash = createHash('sha256')
    socket.on('data', (part: Buffer) => {
      let content = part
      if (Number.isNaN(left)) {
        head += part.toString('latin1')
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        content = Buffer.from(head.slice(end + 4), 'latin1')
        left = Number(/content-length: (\d+)/i.exec(head)![1])
      }
      hash.update(content)
      left -= content.length
      if (left === 0) socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n${hash.digest('hex')}`)
      socket.pause()
      setTimeout(() => socket.resume(), 1)
    })
  })
  const { port } = await startProxy([originAt(origin)])
  const uploads = [0, 1, 2].map(() => upload(false, net.connect(port, '127.0.0.1')))
  assert.deepEqual(await Promise.all(uploads), [SHA256, SHA256, SHA256])
})
