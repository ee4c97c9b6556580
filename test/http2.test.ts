import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { startRunning, until } from './running.ts'

test('HTTP/2: a stream lives through a reload, and finishes when Portico stops (RFC 9113 §6.8)', async () => {
  let waiting: ServerResponse | undefined
  const origin = createServer((request, response) => {
    if (request.url === '/slow') waiting = response.writeHead(200)
    else response.end(`${request.headers['forwarded']}`)
    response.flushHeaders()
  })
  await once(origin.listen(0, '127.0.0.1'), 'listening')
  const hosts = { app: { service: (origin.address() as AddressInfo).port } }
  const running = await startRunning({ hosts })
  const ca = await running.root()
  const client = http2.connect(`https://app.example.com:${running.ports.https}`, {
    ca,
    lookup: (_name, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }] as never, 4),
  })
  const goaways: number[] = []
  client.on('goaway', (_code, lastStreamId) => goaways.push(lastStreamId))

  const fast = client.request({ ':path': '/' })
  const [head] = await once(fast, 'response')
  assert.equal(head[':status'], 200)
  assert.match(String(await once(fast, 'data')), /proto=https/)

  const slow = client.request({ ':path': '/slow' })
  await once(slow, 'response')
  await running.write({ hosts: { ...hosts, '@': { respond: 'new\n' } } })
  await until(async () => {
    const again = client.request({ ':path': '/', ':authority': `example.com:${running.ports.https}` })
    const [{ ':status': status }] = await once(again, 'response')
    again.close()
    return status === 200
  })
  waiting!.write('after the reload, ')
  assert.equal(String((await once(slow, 'data'))[0]), 'after the reload, ')

  const stopped = running.stop()
  await until(() => goaways.length > 0)
  waiting!.end('and at the end')
  let text = ''
  for await (const chunk of slow) text += chunk
  assert.equal(text, 'and at the end')
  assert.equal(await stopped, 0)
  assert.deepEqual(goaways[0], 2 ** 31 - 1)
  client.destroy()
  origin.closeAllConnections()
  origin.close()
})
