import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer, get as httpGet, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { startRunning, until } from './running.ts'

const RELOADS = 50
const SOCKETS = 100
const WORKERS = { workers: 2 }
const DOWNLOAD_OCTETS = 2 ** 30
const CHUNK = Buffer.alloc(65_536, 'x')

/** An origin: a WebSocket echo, a 1 GiB download, and small answers. */
async function startOrigin(): Promise<{ port: number; close(): void }> {
  const server = createServer((request, response) => {
    if (request.url !== '/large') {
      response.end('small')
      return
    }
    response.setHeader('Content-Length', DOWNLOAD_OCTETS)
    let left = DOWNLOAD_OCTETS
    const more = (): void => {
      while (left > 0) {
        left -= CHUNK.length
        if (!response.write(CHUNK)) {
          response.once('drain', more)
          return
        }
      }
      response.end()
    }
    more()
  })
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) => socket.on('message', (message) => socket.send(message)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    close() {
      for (const client of sockets.clients) client.terminate()
      server.close()
      server.closeAllConnections()
    },
  }
}

test('100 WebSockets, a slow 1 GiB download and requests under load live through 50 reloads of two workers', {
  timeout: 90_000,
}, async () => {
  const origin = await startOrigin()
  const hosts = (extra: object): object => ({
    hosts: { app: { service: origin.port, http: 'serve' }, ...extra },
  })
  const running = await startRunning(hosts({}), WORKERS)
  const url = `127.0.0.1:${running.ports.http}`
  const headers = { Host: 'app.example.com' }
  try {
    const sockets = Array.from({ length: SOCKETS }, () => new WebSocket(`ws://${url}/`, { headers }))
    await Promise.all(sockets.map((socket) => once(socket, 'open')))
    let closed = 0
    for (const socket of sockets) socket.on('close', () => closed++)

    const [download] = (await once(
      httpGet(`http://${url}/large`, { headers, agent: false }),
      'response',
    )) as [IncomingMessage]
    let received = 0
    let downloadFailed = ''
    // The reader pauses after every piece, so that the download is under way during all reloads.
    let isSlow = true
    download.on('error', (error) => (downloadFailed = error.message))
    download.on('data', (octets: Buffer) => {
      received += octets.length
      if (!isSlow) return
      download.pause()
      setTimeout(() => download.resume(), 20)
    })

    const load = { done: false, requests: 0, failures: [] as string[] }
    const agent = new Agent({ keepAlive: true, maxSockets: 8 })
    const users = Array.from({ length: 8 }, async () => {
      while (!load.done) {
        const failure = await ask(`http://${url}/`, headers, agent)
        load.requests++
        if (failure !== '') load.failures.push(failure)
      }
    })

    for (let i = 0; i < RELOADS; i++) {
      const added = { [`h${i}`]: { respond: `${i}` }, [`k${i % 3}`]: { service: 9 } }
      await running.write(hosts(added), WORKERS)
      await until(
        async () => (await ask(`http://${url}/`, { Host: `h${i}.example.com` }, undefined, 308)) === '',
      )
    }
    load.done = true
    await Promise.all(users)
    assert.deepEqual(load.failures, [])
    assert.ok(load.requests > RELOADS, `${load.requests} requests`)

    assert.equal(closed, 0)
    const echoes = sockets.map((socket) => once(socket, 'message'))
    for (const socket of sockets) socket.send('still here')
    for (const echo of echoes) assert.equal(String((await echo)[0]), 'still here')

    assert.ok(received < DOWNLOAD_OCTETS, 'the download was still under way')
    isSlow = false
    await once(download, 'end')
    assert.equal(downloadFailed, '')
    assert.equal(received, DOWNLOAD_OCTETS)
    for (const socket of sockets) socket.terminate()
    agent.destroy()
    console.log(`${RELOADS} reloads, ${load.requests} requests beside them, none failed`)
  } finally {
    await running.stop()
    origin.close()
  }
})

/** Ask for a page; the failure in words, empty when there is none. */
function ask(url: string, headers: Record<string, string>, agent?: Agent, wanted = 200): Promise<string> {
  return new Promise((resolve) => {
    httpGet(url, { headers, ...(agent === undefined ? {} : { agent }) }, (response) => {
      response.resume()
      response.once('end', () =>
        resolve(response.statusCode === wanted ? '' : `status ${response.statusCode}`),
      )
      response.once('error', (error) => resolve(error.message))
    }).once('error', (error) => resolve(error.message))
  })
}
