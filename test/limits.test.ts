import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { type Running, startRunning, until } from './running.ts'

let running: Running

before(async () => {
  const host = { respond: 'a', http: 'serve' }
  running = await startRunning(
    {
      hosts: {
        any: host,
        few: { ...host, limits: { requests: '2/h' } },
        routes: {
          http: 'serve',
          limits: { requests: '1/m', burst: 2 },
          routes: {
            '/a': { respond: 'a' },
            '/b': { respond: 'b' },
            '/c': { respond: 'c', limits: { requests: '1/h' } },
          },
        },
      },
    },
    { limits: { client: { connections: 3, requests: '1/h', burst: 40 } } },
  )
})

after(async () => {
  assert.equal(await running.stop(), 0)
})

type Answer = { status: number; wait: string | null }

async function get(host: string, path = '/'): Promise<Answer> {
  const socket = connect(running.ports.http, '127.0.0.1')
  socket.end(`GET ${path} HTTP/1.1\r\nHost: ${host}.example.com\r\nConnection: close\r\n\r\n`)
  let text = ''
  for await (const part of socket.setEncoding('latin1')) text += part
  return { status: Number(text.split(' ')[1]), wait: /^retry-after: (\d+)/im.exec(text)?.[1] ?? null }
}

test('requests of a client to a host are limited, whatever the route, until a route says otherwise (RFC 6585 §4)', async () => {
  assert.deepEqual(await get('few'), { status: 200, wait: null })
  assert.deepEqual(await get('few'), { status: 200, wait: null })
  const { status, wait } = await get('few')
  assert.equal(status, 429)
  assert.ok(Number(wait) > 1700 && Number(wait) <= 1800, `${wait}`)
  assert.equal((await get('any')).status, 200)
  assert.equal((await get('routes', '/a')).status, 200)
  assert.equal((await get('routes', '/b')).status, 200)
  assert.equal((await get('routes', '/a')).status, 429)
  assert.equal((await get('routes', '/c')).status, 200)
  assert.equal((await get('routes', '/c')).status, 429)
})

for (const protocol of ['http', 'https'] as const) {
  test(`a client has only so many connections over ${protocol}, and gets their places back`, async () => {
    const open = async (): Promise<Socket> => {
      const servername = 'any.example.com'
      const options = {
        host: '127.0.0.1',
        port: running.ports[protocol],
        servername,
        rejectUnauthorized: false,
      }
      const socket = protocol === 'https' ? connectTls(options) : connect(options)
      socket.on('error', () => {})
      await new Promise((resolve) => {
        socket.once(protocol === 'https' ? 'secureConnect' : 'connect', resolve).once('close', resolve)
      })
      return socket
    }
    const isServed = (socket: Socket): Promise<boolean> => {
      return new Promise((resolve) => {
        socket.once('data', () => resolve(true)).once('close', () => resolve(false))
        if (socket.destroyed) resolve(false)
        else socket.write('GET / HTTP/1.1\r\nHost: any.example.com\r\n\r\n')
      })
    }
    const sockets = [await open(), await open(), await open(), await open(), await open()]
    const served = await Promise.all(sockets.map(isServed))
    assert.deepEqual(served, [true, true, true, false, false])
    for (const socket of sockets) socket.destroy()
    await until(async () => {
      const socket = await open()
      const isOpen = await isServed(socket)
      socket.destroy()
      return isOpen
    })
  })
}

test('requests of a client to all hosts together are limited', async () => {
  const found: number[] = []
  for (let i = 0; i < 45 && found.at(-1) !== 429; i++) found.push((await get('any')).status)
  assert.equal(found.at(-1), 429)
  assert.equal((await get('routes', '/a')).status, 429)
})

test('explain says how often a client may ask', async () => {
  const { stdout } = await running.command('explain', `http://few.example.com:${running.ports.http}/`)
  assert.match(stdout, /limits +40 requests of a client at once, then one every 3600000 ms; 429 beyond/)
  assert.match(
    stdout,
    /2 requests of a client at once, then one every 1800000 ms; 429 beyond\n +counted for host few/,
  )
})
