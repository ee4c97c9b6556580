import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { WebSocket, WebSocketServer } from 'ws'
import { originAt } from '../test/origin.ts'
import { peer, run } from '../test/peers.ts'
import { type StartedProxy, startProxy } from '../test/proxy.ts'

const curl = peer('curl')
const skip = curl === undefined && 'needs curl'

const GIB = 2 ** 30
const BLOCK = Buffer.alloc(2 ** 20, 'portico ')
const BLOCKS = 1024
// Whatever is held back would have to be held somewhere: a gibibyte passes through less than this.
const LIMIT_GROWTH_OCTETS = 200 * 2 ** 20

const sockets = new WebSocketServer({ noServer: true })
sockets.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
})
let aborted = 0
const origin = http.createServer(serveOrigin)
origin.on('upgrade', (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request))
})
let proxy: StartedProxy

before(async () => {
  origin.listen(0, '127.0.0.1')
  await once(origin, 'listening')
  const { port } = origin.address() as AddressInfo
  proxy = await startProxy([originAt(port)], { limits: { answerTimeout: 2000 } })
})

after(() => {
  origin.closeAllConnections()
  origin.close()
})

async function serveOrigin(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  switch (request.url) {
    case '/large': {
      response.setHeader('Content-Length', GIB)
      for (let i = 0; i < BLOCKS; i++) if (!response.write(BLOCK)) await once(response, 'drain')
      response.end()
      break
    }
    case '/digest': {
      const hash = createHash('sha1')
      for await (const chunk of request) hash.update(chunk)
      response.end(hash.digest('hex'))
      break
    }
    case '/echo':
      request.pipe(response)
      break
    case '/trailers':
      response.setHeader('Trailer', 'X-Sum')
      response.write('content')
      response.addTrailers({ 'X-Sum': '42' })
      response.end()
      break
    case '/events':
      response.setHeader('Content-Type', 'text/event-stream')
      for (let i = 0; i < 3; i++) {
        response.write(`data: ${i}\n\n`)
        await pause(150)
      }
      response.end()
      break
    case '/slow':
      request.once('close', () => aborted++)
      break
    default:
      response.end(JSON.stringify(request.headers))
  }
}

/** Run curl; its standard output. */
async function fetched(path: string, ...options: string[]): Promise<string> {
  const { stdout } = await run(
    curl!,
    ['-sS', '--max-time', '60', ...options, `http://127.0.0.1:${proxy.port}${path}`],
    { timeoutMs: 60_000 },
  )
  return stdout
}

describe('a gibibyte', { skip }, () => {
  test('comes down complete, in bounded memory', async () => {
    const hash = createHash('sha1')
    const child = spawn(curl!, ['-sS', '--max-time', '60', `http://127.0.0.1:${proxy.port}/large`])
    let received = 0
    const growth = watchMemory()
    for await (const chunk of child.stdout) {
      received += (chunk as Buffer).length
      hash.update(chunk as Buffer)
    }
    assert.equal(received, GIB)
    assert.equal(hash.digest('hex'), digestOf(BLOCK))
    assert.ok(growth() < LIMIT_GROWTH_OCTETS, `grew by ${growth()} octets`)
  })

  test('goes up complete in chunks, in bounded memory', async () => {
    const options = ['-sS', '--max-time', '60', '-T', '-', '-H', 'Expect:', '-X', 'POST']
    const child = spawn(curl!, [...options, `http://127.0.0.1:${proxy.port}/digest`])
    const growth = watchMemory()
    const answer = child.stdout.toArray()
    for (let i = 0; i < BLOCKS; i++) if (!child.stdin.write(BLOCK)) await once(child.stdin, 'drain')
    child.stdin.end()
    assert.equal(Buffer.concat(await answer).toString(), digestOf(BLOCK))
    assert.ok(growth() < LIMIT_GROWTH_OCTETS, `grew by ${growth()} octets`)
  })

  test('goes up complete with its length, in bounded memory', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'portico-proxy-'))
    try {
      // A hole: a gibibyte of zeros that needs no disk.
      const file = join(folder, 'zeros')
      writeFileSync(file, '')
      truncateSync(file, GIB)
      const growth = watchMemory()
      const answer = await fetched('/digest', '-T', file, '-X', 'POST', '-H', 'Expect:')
      assert.equal(answer, digestOf(Buffer.alloc(BLOCK.length)))
      assert.ok(growth() < LIMIT_GROWTH_OCTETS, `grew by ${growth()} octets`)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('curl', { skip }, () => {
  test('sends and gets chunks at the same time', async () => {
    const text = 'abc'.repeat(30_000)
    const answer = await fetched('/echo', '-X', 'POST', '-H', 'Transfer-Encoding: chunked', '-d', text)
    assert.equal(answer, text)
  })

  test('gets trailers when it takes them', async () => {
    const answer = await fetched('/trailers', '-i', '--raw', '-H', 'TE: trailers', '-H', 'Connection: TE')
    assert.match(answer, /\r\n0\r\nX-Sum: 42\r\n\r\n$/)
  })

  test('waits for 100 before it sends much', async () => {
    const text = 'x'.repeat(100_000)
    const answer = await fetched('/digest', '-X', 'POST', '-H', 'Expect: 100-continue', '-d', text)
    assert.equal(answer, digest(Buffer.from(text)))
  })

  test('of HTTP/1.0 is served', async () => {
    assert.match(await fetched('/', '-0'), /"via":"1\.0 portico"/)
  })

  test('is told whose fault a slow origin is', async () => {
    assert.match(
      await fetched('/slow', '-i'),
      /^HTTP\/1\.1 504 .*The service behind this address has the fault/s,
    )
  })
})

test('events are not held back', async () => {
  const arrivals: number[] = []
  const start = performance.now()
  const response = await fetch(`http://127.0.0.1:${proxy.port}/events`)
  for await (const chunk of response.body!) {
    assert.match(Buffer.from(chunk).toString(), /^data: \d\n\n$/)
    arrivals.push(performance.now() - start)
  }
  assert.equal(arrivals.length, 3)
  assert.ok(arrivals[2]! - arrivals[0]! > 200, `they came at ${arrivals} ms`)
})

test('a request that the client gives up is given up at the origin', async () => {
  const before = aborted
  const controller = new AbortController()
  const request = http.get(`http://127.0.0.1:${proxy.port}/slow`, { signal: controller.signal })
  request.on('error', () => {})
  await pause(100)
  // As a browser does with a tab that is closed under way.
  request.socket!.resetAndDestroy()
  for (let i = 0; aborted === before && i < 100; i++) await pause(10)
  assert.equal(aborted, before + 1)
})

test('an origin that is gone gives 502, and is found again when it is back', async () => {
  const server = http.createServer((_request, response) => response.end('back'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const { port: front } = await startProxy([originAt(port)])
  const ask = async (): Promise<number> => (await fetch(`http://127.0.0.1:${front}/`)).status
  assert.equal(await ask(), 200)
  server.closeAllConnections()
  server.close()
  assert.equal(await ask(), 502)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  assert.equal(await ask(), 200)
  server.closeAllConnections()
  server.close()
})

describe('a WebSocket (RFC 9110 §7.8)', () => {
  const open = async (): Promise<WebSocket> => {
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/socket`)
    await once(socket, 'open')
    return socket
  }

  test('echoes text and large binary messages', async () => {
    const socket = await open()
    const messages = ['hello', Buffer.alloc(3_000_000, 'b'), '']
    for (const message of messages) {
      socket.send(message)
      const [data] = (await once(socket, 'message')) as [Buffer]
      assert.equal(digest(data), digest(Buffer.from(message)))
    }
    socket.close(1000, 'done')
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
    assert.deepEqual([code, reason.toString()], [1000, 'done'])
  })

  test('may be one of many that say nothing', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, open))
    // Longer than an answer may take.
    await pause(2500)
    for (const socket of all) {
      socket.send('still here')
      assert.equal(`${(await once(socket, 'message'))[0]}`, 'still here')
      socket.terminate()
    }
  })
})

function watchMemory(): () => number {
  const before = process.memoryUsage.rss()
  let most = before
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 20).unref()
  return () => {
    clearInterval(timer)
    return most - before
  }
}

/** The digest of a gibibyte that repeats a block. */
function digestOf(block: Buffer): string {
  const hash = createHash('sha1')
  for (let i = 0; i < BLOCKS; i++) hash.update(block)
  return hash.digest('hex')
}

function digest(octets: Buffer): string {
  return createHash('sha1').update(octets).digest('hex')
}
