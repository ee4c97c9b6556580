import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { silent } from '#core/log.ts'
import { httpLimits } from '#http/config.ts'
import { createHttpServer, type HttpServer } from '#http/server.ts'
import { until } from '../../test/running.ts'
import { planFiles } from './plan.ts'
import { createFiles } from './serve.ts'

const FILM = randomBytes(24_000_000)
const FIRST = 1_234_567
const LAST = 22_222_222

let folder = ''
let port = 0
let server: HttpServer

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'portico-send-'))
  writeFileSync(join(folder, 'film.bin'), FILM)
  writeFileSync(join(folder, 'page.html'), 'Hello, world')
  const handler = createFiles(planFiles({ root: folder }), { log: silent })
  server = createHttpServer({ limits: httpLimits(), handler, log: silent })
  const listener = await server.prepare({ address: '127.0.0.1', port: 0 })
  listener.commit()
  port = listener.port
})

after(async () => {
  await server.close(0)
  rmSync(folder, { recursive: true })
})

test('a large file arrives octet for octet, whether it lies in memory or not, at whatever speed it is taken', async () => {
  for (const isCold of [false, true, false]) {
    if (isCold) forget('film.bin')
    assert.equal(await taken('/film.bin', '', 0), digest(FILM), `${isCold} quick`)
    if (isCold) forget('film.bin')
    const part = digest(FILM.subarray(FIRST, LAST + 1))
    assert.equal(await taken('/film.bin', `Range: bytes=${FIRST}-${LAST}\r\n`, 2), part, `${isCold} slow`)
  }
})

test('the end of a file is not held back in the hope of more', async () => {
  const client = connect(port, '127.0.0.1')
  const request = `GET /film.bin HTTP/1.1\r\nHost: a.test\r\nRange: bytes=0-299999\r\n\r\n`
  const started = performance.now()
  let leftOctets = 0
  let answers = 0
  client.on('data', (octets: Buffer) => {
    const head = leftOctets === 0 ? octets.indexOf('\r\n\r\n') + 4 : 0
    leftOctets = (leftOctets || 300_000) - (octets.length - head)
    if (leftOctets === 0 && ++answers < 30) client.write(request)
  })
  client.write(request)
  await until(() => answers === 30)
  client.destroy()
  // The kernel holds back what is corked for 200 ms.
  assert.ok(performance.now() - started < 30 * 190)
})

test('requests that were sent ahead are answered in their order, with files between pages', async () => {
  const client = connect(port, '127.0.0.1')
  const paths = ['/page.html', '/film.bin', '/page.html', '/nowhere', '/film.bin', '/page.html']
  client.end(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`).join(''))
  const received = Buffer.concat(await client.toArray())
  const statuses = [...received.toString('latin1').matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(
    ([, status]) => status,
  )
  assert.deepEqual(statuses, ['200', '200', '200', '404', '200', '200'])
  const first = received.indexOf(FILM)
  assert.ok(first > 0 && received.indexOf(FILM, first + FILM.length) > first)
})

test('what is asked for again has a head of its own time, range and connection', async () => {
  const heads: string[] = []
  for (const [path, fields] of [
    ['/page.html', ''],
    ['/page.html', 'Connection: close\r\n'],
    ['/film.bin', 'Range: bytes=0-9\r\n'],
    ['/film.bin', 'Range: bytes=0-9\r\n'],
    ['/film.bin', 'Range: bytes=1-10\r\n'],
  ] as const) {
    const client = connect(port, '127.0.0.1')
    client.end(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n${fields}\r\n`)
    heads.push(Buffer.concat(await client.toArray()).toString('latin1'))
    if (heads.length === 3) await pause(2100)
  }
  const of = (name: string): (string | undefined)[] =>
    heads.map((head) => new RegExp(`^${name}: (.*)\r$`, 'm').exec(head)?.[1])
  const dates = of('Date').map((date) => Date.parse(date!))
  assert.ok(dates[3]! >= dates[2]! + 1000, dates.join())
  assert.equal(of('Connection')[1], 'close')
  const places = ['bytes 0-9/24000000', 'bytes 0-9/24000000', 'bytes 1-10/24000000']
  assert.deepEqual(of('Content-Range').slice(2), places)
})

test('a client that stops in the middle of a file and leaves frees it; one that goes on gets the rest', async () => {
  const [left, stays] = [await begin('/film.bin', ''), await begin('/film.bin', '')]
  for (const client of [left, stays]) client.pause()
  await until(() => server.transfers().length === 2)
  left.resetAndDestroy()
  await until(() => server.transfers().length === 1)
  const [{ sentOctets, lengthOctets } = { sentOctets: 0, lengthOctets: 0 }] = server.transfers()
  assert.ok(sentOctets < FILM.length && lengthOctets === FILM.length)
  assert.equal(await contentOf(stays, 0), digest(FILM))
})

/** Out of the memory of the kernel. */
function forget(name: string): void {
  execFileSync('sync', ['-d', join(folder, name)])
  execFileSync('dd', [`if=${join(folder, name)}`, 'iflag=nocache', 'count=0', 'status=none'])
}

async function taken(target: string, fields: string, pauseMs: number): Promise<string> {
  return contentOf(await begin(target, fields), pauseMs)
}

function begin(target: string, fields: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const client = connect(port, '127.0.0.1', () => resolve(client)).once('error', reject)
    client.write(`GET ${target} HTTP/1.1\r\nHost: a.test\r\n${fields}Connection: close\r\n\r\n`)
  })
}

/** The digest of the content, of which each piece is waited with. */
async function contentOf(client: Socket, pauseMs: number): Promise<string> {
  const hash = createHash('sha256')
  let head = ''
  let pieces = 0
  for await (const octets of client as AsyncIterable<Buffer>) {
    const end = head.includes('\r\n\r\n') ? 0 : octets.indexOf('\r\n\r\n') + 4
    head += octets.subarray(0, end).toString('latin1')
    hash.update(octets.subarray(end))
    pieces++
    if (pauseMs > 0 && pieces % 32 === 0) await pause(pauseMs)
  }
  assert.match(head, /^HTTP\/1\.1 20[06] /)
  return hash.digest('hex')
}

function digest(octets: Buffer): string {
  return createHash('sha256').update(octets).digest('hex')
}
