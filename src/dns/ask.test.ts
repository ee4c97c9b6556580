import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { askServer } from './ask.ts'
import { decodeMessage, encodeMessage, type Message } from './wire/message.ts'

const ASK = { name: 'example.com.', type: 'A', recursive: true, timeoutMs: 1000 }

function answer(octets: Uint8Array, change: Partial<Message> = {}): Buffer {
  const { edns: _edns, ...query } = decodeMessage(octets) as Message
  const rdata = Uint8Array.of(192, 0, 2, 1)
  const record = { owner: query.question[0]!.name, type: 1, class: 1, ttl: 60, rdata }
  return encodeMessage({ ...query, qr: true, answer: [record], ...change })
}

test('askServer() passes over what answers another question, and asks over TCP what was truncated (RFC 5452 §9.1, RFC 7766 §5)', async () => {
  const tcp = createServer((socket) => {
    socket.once('data', (octets: Buffer) => {
      const whole = answer(octets.subarray(2))
      const prefix = Buffer.from([whole.length >> 8, whole.length & 0xff])
      // In two parts, as a network may cut it.
      socket.write(Buffer.concat([prefix, whole.subarray(0, 5)]), () => socket.end(whole.subarray(5)))
    })
  }).listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const { port } = tcp.address() as AddressInfo
  const udp = createSocket('udp4').bind(port, '127.0.0.1')
  await once(udp, 'listening')
  udp.on('message', (octets, from) => {
    const { id } = decodeMessage(octets) as Message
    const wrong = [
      answer(octets, { id: id ^ 1 }),
      answer(octets, { question: [] }),
      Buffer.from('no message'),
    ]
    for (const reply of [...wrong, answer(octets, { tc: true, answer: [] })])
      udp.send(reply, from.port, from.address)
  })
  const said = await askServer({ address: '127.0.0.1', port }, ASK)
  udp.close()
  tcp.close()
  assert.ok(typeof said === 'object')
  assert.equal(said.answer.length, 1)
})

test('askServer() says why there is no answer', async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  assert.equal(
    await askServer({ address: '127.0.0.1', port }, { ...ASK, timeoutMs: 100 }),
    'no answer in time',
  )
  socket.close()
  await once(socket, 'close')
  assert.equal(await askServer({ address: '127.0.0.1', port }, ASK), 'nothing listens there')
})
