/** What the upload bench compares with: node:http and busboy, which hash files and write them. PORT FOLDER. */
import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rename } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { type Readable, Transform } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { Busboy } from '@fastify/busboy'

const [port = '', folder = ''] = process.argv.slice(2)

const server = createServer((request, response) => {
  receive(request).then(
    () => response.writeHead(201).end('{}'),
    (error) => response.writeHead(500).end(String(error)),
  )
})
server.listen(Number(port), '127.0.0.1')

async function receive(request: IncomingMessage): Promise<void> {
  const type = request.headers['content-type']
  if (type === 'application/octet-stream') return store(request)
  if (type === 'application/json') return storeJson(request)
  const files: Promise<void>[] = []
  const limits = { fieldSize: 2 ** 31, fileSize: Number.POSITIVE_INFINITY }
  const busboy = Busboy({
    headers: { ...request.headers, 'content-type': type ?? '' },
    limits,
  })
  busboy.on('file', (_field, file) => files.push(store(file)))
  busboy.on('field', (_name, value) => files.push(store([Buffer.from(value, 'latin1')])))
  await pipeline(request, busboy)
  await Promise.all(files)
}

/** What is done where nothing reads JSON as it comes. */
async function storeJson(request: IncomingMessage): Promise<void> {
  const { f } = JSON.parse((await buffer(request)).toString()) as { f: { base64: string } }
  await store([Buffer.from(f.base64, 'base64')])
}

async function store(content: Readable | Buffer[]): Promise<void> {
  const hash = createHash('sha256')
  const hashing = new Transform({
    highWaterMark: 524_288,
    transform(octets, _encoding, done) {
      hash.update(octets)
      done(null, octets)
    },
  })
  const draft = join(folder, randomUUID())
  await pipeline(content, hashing, createWriteStream(draft, { highWaterMark: 524_288 }))
  await rename(draft, join(folder, hash.digest('hex')))
}
