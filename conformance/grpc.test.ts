import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import * as grpc from '@grpc/grpc-js'
import { testCertificate } from '../test/certificate.ts'
import { EchoClient, type EchoServer, startEcho, type Words } from '../test/grpc/peers.ts'
import { originAt } from '../test/origin.ts'
import { startProxy } from '../test/proxy.ts'
import { until } from '../test/running.ts'

describe('gRPC passes through, cleartext on both sides', () => {
  let echo: EchoServer
  let client: EchoClient
  let proxy: Awaited<ReturnType<typeof startProxy>>

  before(async () => {
    echo = await startEcho()
    proxy = await startProxy([originAt(echo.port, { speaksHttp2: true })], {
      http2: true,
      limits: { answerTimeout: 500 },
    })
    client = new EchoClient(`127.0.0.1:${proxy.port}`, grpc.credentials.createInsecure())
  })
  after(() => {
    client.close()
    echo.stop()
  })

  test('one message, one answer, with metadata in head and trailers', async () => {
    const metadata = new grpc.Metadata()
    metadata.set('x-word', 'hello')
    const { words, head, status } = await client.once('Once', { text: 'Grüße' }, metadata)
    assert.deepEqual(words, { text: 'Grüße' })
    assert.equal(head?.get('x-peer')[0], '127.0.0.1')
    assert.equal(status.code, grpc.status.OK)
    assert.equal(status.metadata.get('x-trailer')[0], 'hello')
    assert.deepEqual(status.metadata.get('x-octets-bin')[0], Buffer.from([0, 255]))
  })

  test('a status other than OK, with its details, also without content (RFC 9113 §8.1)', async () => {
    const { words, status } = await client.once('Fail', { text: 'why', count: grpc.status.NOT_FOUND })
    assert.equal(words, undefined)
    assert.equal(status.code, grpc.status.NOT_FOUND)
    assert.equal(status.details, 'no: why')
    assert.deepEqual(status.metadata.get('grpc-status-details-bin')[0], Buffer.from('details'))
  })

  test('many messages in one answer, of more octets than any window', async () => {
    const content = randomBytes(100_000)
    const digest = createHash('sha256').update(content).digest('hex')
    const call = client.often('Often', { content, count: 100 })
    let count = 0
    for await (const words of call as AsyncIterable<Words>) {
      count++
      assert.equal(createHash('sha256').update(words.content!).digest('hex'), digest)
      // Who reads slowly holds the origin back.
      if (count < 5) await pause(20)
    }
    assert.equal(count, 100)
  })

  test('many messages in one request, and messages of 20 MB', async () => {
    const answer = await new Promise<Words | undefined>((resolve, reject) => {
      const call = client.gather((error, words) => (error ? reject(error) : resolve(words)))
      for (let i = 0; i < 3; i++) call.write({ content: randomBytes(20_000_000), text: `${i}` })
      call.end()
    })
    assert.deepEqual(answer, { text: '012', count: 60_000_000 })
  })

  test('a conversation that pauses for longer than an answer may take', async () => {
    const call = client.talk()
    const heard: string[] = []
    call.on('data', ({ text }: Words) => heard.push(text!))
    for (const text of ['a', 'b', 'c']) {
      call.write({ text })
      await until(() => heard.at(-1) === text)
      await pause(600)
    }
    call.end()
    const [status] = await once(call, 'status')
    assert.equal(status.code, grpc.status.OK)
    assert.deepEqual(heard, ['a', 'b', 'c'])
  })

  test('a client that cancels, and one whose deadline has come: the origin hears of both (RFC 9113 §8.1)', async () => {
    const before = echo.cancelled.length
    const call = client.talk()
    call.on('error', () => {})
    call.write({ text: 'x' })
    await once(call, 'data')
    call.cancel()
    await until(() => echo.cancelled.length === before + 1)
    const late = client.often('Wait', {}, { deadline: Date.now() + 200 })
    const [error] = await once(late, 'error')
    assert.equal(error.code, grpc.status.DEADLINE_EXCEEDED)
    await until(() => echo.cancelled.length === before + 2)
  })

  test('a hundred calls at a time go over one connection', async () => {
    const calls = Array.from({ length: 100 }, (_, i) => client.once('Once', { count: i }))
    for (const [i, { words, status }] of (await Promise.all(calls)).entries()) {
      assert.equal(status.code, grpc.status.OK)
      assert.equal(words?.count ?? 0, i)
    }
    assert.deepEqual(
      proxy.origins.states().map(({ open, connects, isDown }) => ({ open, connects, isDown })),
      [{ open: 1, connects: 1, isDown: false }],
    )
  })

  test('an origin that does not answer in time is 504, which clients of gRPC take for UNAVAILABLE', async () => {
    const call = client.often('Wait', {})
    const [error] = await once(call, 'error')
    assert.equal(error.code, grpc.status.UNAVAILABLE)
  })
})

test('gRPC passes through to an origin that chooses HTTP/2 in the TLS handshake (RFC 9113 §3.2)', async () => {
  const { key, cert } = await testCertificate('localhost')
  const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) }
  const echo = await startEcho(grpc.ServerCredentials.createSsl(null, [pair]))
  const origin = originAt(echo.port, { scheme: 'https', host: 'localhost', verify: false })
  const { port } = await startProxy([{ ...origin, speaksHttp2: true }], { http2: true })
  const client = new EchoClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure())
  const { words, status } = await client.once('Once', { text: 'over TLS' })
  client.close()
  echo.stop()
  assert.deepEqual([words, status.code], [{ text: 'over TLS' }, grpc.status.OK])
})
