/** Sends one upload from memory and prints how many seconds it took. PORT ENCODING OCTETS [HOST] */
import { connect } from 'node:net'

const [port = '', encoding = '', octets = '', host = 'localhost'] = process.argv.slice(2)
const BLOCK = 786_432
const block = Buffer.alloc(BLOCK)
for (let i = 0, x = 1; i < BLOCK; i++) {
  x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0
  block[i] = x >>> 16
}

const HEAD = '--B\r\nContent-Disposition: form-data; name="f"; filename="large.bin"\r\n\r\n'
const escaped = (content: Buffer): Buffer =>
  Buffer.from(
    [...content]
      .map((c) =>
        c < 128 && /\w/.test(String.fromCharCode(c))
          ? String.fromCharCode(c)
          : `%${c.toString(16).padStart(2, '0')}`,
      )
      .join(''),
  )
const forms: Readonly<
  Record<string, readonly [type: string, begin: string, block: () => Buffer, end: string]>
> = {
  multipart: ['multipart/form-data; boundary=B', HEAD, () => block, '\r\n--B--\r\n'],
  json: [
    'application/json',
    '{"f":{"name":"large.bin","base64":"',
    () => Buffer.from(block.toString('base64')),
    '"}}',
  ],
  octets: ['application/octet-stream', '', () => block, ''],
  urlencoded: ['application/x-www-form-urlencoded', 'f=', () => escaped(block), ''],
}
const [type, begin, encode, end] = forms[encoding]!
const encoded = encode()
const blocks = Math.floor(Number(octets) / BLOCK)
const length = begin.length + encoded.length * blocks + end.length
const socket = connect(Number(port), '127.0.0.1')
const started = performance.now()
socket.write(
  `POST /large HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n${begin}`,
)
let reply = ''
socket.on('data', (data) => (reply += data))
socket.on('close', () => {
  if (!reply.startsWith('HTTP/1.1 201'))
    throw new Error(`The upload was answered with ${reply.slice(0, 300)}`)
  console.log((performance.now() - started) / 1000)
})
let sent = 0
send()

function send(): void {
  while (sent < blocks) {
    sent++
    if (!socket.write(encoded)) return void socket.once('drain', send)
  }
  socket.write(end)
}
