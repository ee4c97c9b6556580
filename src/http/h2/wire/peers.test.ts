import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2 from 'node:http2'
import net from 'node:net'
import { describe, test } from 'node:test'
import { Input } from '#http/wire/input.ts'
import { isH2Error } from './error.ts'
import { ACK, END_STREAM, HEADERS, PREFACE, SETTINGS, writeFieldBlock } from './frame.ts'
import { FrameReader } from './frame-reader.ts'
import { HpackDecoder } from './hpack-decoder.ts'
import { HpackEncoder } from './hpack-encoder.ts'
import { applySettings, HEADER_TABLE_SIZE, initialSettings, writeSettings } from './settings.ts'

type Pair = readonly [name: string, value: string]

const limits = { headerOctets: 65_536 }

/** The field lines of the i-th message: some that repeat, some that fill the table, some that Huffman coding is bad at. */
function messageFields(i: number): Pair[] {
  return [
    ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'],
    ['accept', 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8'],
    [`x-name-${i % 7}`, `value ${i % 3}`],
    ['x-long', 'abc'.repeat((i * 37) % 900)],
    ['x-marks', '\\^~<>{}|`#!'.repeat(i % 5)],
    ['x-number', String(i)],
    ['x-latin', '\u00e9\u00ff'.repeat(i % 4)],
  ]
}

/** Hand every frame of a connection to `visit`, which does what it likes with the payload at once. */
function readFrames(
  socket: net.Socket,
  preface: number,
  visit: (reader: FrameReader, octets: Buffer) => void,
): void {
  const input = new Input()
  const reader = new FrameReader(16_384)
  let skipped = preface
  socket.on('data', (chunk: Buffer) => {
    input.append(chunk)
    if (skipped > 0 && input.length >= skipped) {
      assert.deepEqual(input.take(skipped), PREFACE)
      skipped = 0
    }
    while (skipped === 0) {
      const result = reader.read(input.octets, input.start, input.end)
      if (result === 'incomplete') return
      assert.equal(result, 'frame')
      visit(reader, input.octets)
      input.use(reader.frameOctets)
    }
  })
}

describe('node:http2', () => {
  test('as a client says in its preface, settings and fields what we read, and takes our answers (RFC 9113 §3.4)', async () => {
    const MESSAGES = 60
    const server = net.createServer((socket) => {
      const decoder = new HpackDecoder(4096)
      const encoder = new HpackEncoder(4096)
      const settings = initialSettings()
      const output = Buffer.alloc(65_536)
      socket.write(output.subarray(0, writeSettings(output, 0, 0, [])))
      readFrames(socket, PREFACE.length, (reader, octets) => {
        if (reader.type === SETTINGS && (reader.flags & ACK) === 0) {
          assert.equal(applySettings(octets, reader.start, reader.end, settings), undefined)
          encoder.limitTable(settings.headerTableSize)
          socket.write(Buffer.from(output.subarray(0, writeSettings(output, 0, ACK, []))))
        }
        if (reader.type !== HEADERS) return
        const list = decoder.decode(octets, reader.start, reader.end, limits)
        assert.ok(Array.isArray(list), isH2Error(list) ? list.reason : 'too large')
        // The answer says what was understood.
        encoder.begin()
        encoder.add(':status', '200', 'incremental')
        for (const { name, value } of list) {
          if (!name.startsWith(':')) encoder.add(name, value, name === 'x-long' ? 'without' : 'incremental')
        }
        const end = writeFieldBlock(output, 0, encoder, reader.streamId, END_STREAM, settings.maxFrameSize)
        socket.write(Buffer.from(output.subarray(0, end)))
      })
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as net.AddressInfo
    const client = http2.connect(`http://127.0.0.1:${port}`, { settings: { headerTableSize: 500 } })
    await once(client, 'remoteSettings')
    for (let i = 0; i < MESSAGES; i++) {
      const stream = client.request({ ':path': `/${i}`, ...Object.fromEntries(messageFields(i)) })
      const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
      for (const [name, value] of messageFields(i))
        assert.equal(headers[name], value, `${name} of message ${i}`)
      stream.resume()
    }
    client.destroy()
    server.close()
    await once(server, 'close')
  })

  test('as a server reads our requests, with tables that shrink and grow, and we its answers', async () => {
    const MESSAGES = 60
    const server = http2.createServer({ settings: { headerTableSize: 200 } }, (request, response) => {
      const pairs = Object.entries(request.headers).filter(([name]) => !name.startsWith(':'))
      response.writeHead(200, Object.fromEntries(pairs) as http2.OutgoingHttpHeaders)
      response.end()
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as net.AddressInfo
    const socket = net.connect(port, '127.0.0.1')
    const encoder = new HpackEncoder(4096)
    const decoder = new HpackDecoder(300)
    const output = Buffer.alloc(65_536)
    const ask = (i: number): void => {
      if (i % 10 === 5) encoder.limitTable([0, 100, 200][i % 3]!)
      encoder.begin()
      encoder.add(':method', 'GET', 'incremental')
      encoder.add(':scheme', 'http', 'incremental')
      encoder.add(':path', `/${i}`, 'without')
      encoder.add(':authority', `127.0.0.1:${port}`, 'incremental')
      for (const [name, value] of messageFields(i))
        encoder.add(name, value, i % 4 === 0 ? 'never' : 'incremental')
      const end = writeFieldBlock(output, 0, encoder, 2 * i + 1, END_STREAM, 16_384)
      socket.write(Buffer.from(output.subarray(0, end)))
    }
    socket.write(PREFACE)
    const settings = initialSettings()
    socket.write(Buffer.from(output.subarray(0, writeSettings(output, 0, 0, [[HEADER_TABLE_SIZE, 300]]))))
    let answered = 0
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject).on('close', () => reject(new Error(`closed after ${answered} answers`)))
      readFrames(socket, 0, (reader, octets) => {
        if (reader.type === SETTINGS && (reader.flags & ACK) === 0) {
          assert.equal(applySettings(octets, reader.start, reader.end, settings), undefined)
          encoder.limitTable(settings.headerTableSize)
          socket.write(Buffer.from(output.subarray(0, writeSettings(output, 0, ACK, []))))
          ask(0)
        }
        if (reader.type !== HEADERS) return
        const list = decoder.decode(octets, reader.start, reader.end, limits)
        assert.ok(Array.isArray(list), isH2Error(list) ? list.reason : 'too large')
        const got = new Map(list.map(({ name, value }) => [name, value]))
        for (const [name, value] of messageFields(answered)) assert.equal(got.get(name), value)
        if (++answered === MESSAGES) resolve()
        else ask(answered)
      })
    })
    assert.equal(settings.headerTableSize, 200)
    socket.destroy()
    server.close()
    await once(server, 'close')
  })
})
