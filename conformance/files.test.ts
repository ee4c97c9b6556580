import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { silent } from '#core/log.ts'
import { planFiles } from '#files/plan.ts'
import { createFiles } from '#files/serve.ts'
import { httpLimits } from '#http/config.ts'
import { createRouter } from '#http/router.ts'
import { createHttpServer, type HttpServer } from '#http/server.ts'
import { peer, run } from '../test/peers.ts'
import { planOf, routeOf } from '../test/routes.ts'

const curl = peer('curl')
const skip = curl === undefined && 'needs curl'

const LARGE = randomBytes(5_000_003)
let folder = ''
let origin = ''
let server: HttpServer

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'portico-curl-'))
  const root = join(folder, 'root')
  mkdirSync(join(root, 'docs'), { recursive: true })
  writeFileSync(join(root, 'hello.txt'), 'Hello, world')
  writeFileSync(join(root, 'docs', 'index.html'), '<h1>Docs</h1>')
  writeFileSync(join(root, 'large.bin'), LARGE)
  writeFileSync(join(folder, 'secret.txt'), 'secret')
  utimesSync(join(root, 'hello.txt'), 1_000_000_000, 1_000_000_000)
  const route = routeOf('localhost', '/**', planFiles({ root }))
  const host = { id: 'host:localhost', key: '', from: route.from, name: 'localhost', redirectToHttps: false }
  const { handle } = createRouter(planOf([{ ...host, routes: [route] }]), () =>
    createFiles(planFiles({ root }), { log: silent }),
  )
  server = createHttpServer({ limits: httpLimits(), handler: handle, log: silent })
  const listener = await server.prepare({ address: '127.0.0.1', port: 0 })
  listener.commit()
  origin = `http://localhost:${listener.port}`
})

after(async () => {
  await server.close(0)
  rmSync(folder, { recursive: true })
})

async function fetched(path: string, ...options: string[]): Promise<{ status: number; body: string }> {
  const format = ['-sS', '--max-time', '20', '--ipv4', '-w', '\n%{http_code}']
  const { stdout } = await run(curl!, [...format, ...options, `${origin}${path}`], { cwd: folder })
  const end = stdout.lastIndexOf('\n')
  return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) }
}

test('curl fetches a file, its head, and nothing the second time', { skip }, async () => {
  assert.deepEqual(await fetched('/hello.txt'), { status: 200, body: 'Hello, world' })
  assert.deepEqual(await fetched('/hello.txt', '--compressed'), { status: 200, body: 'Hello, world' })
  const head = await fetched('/hello.txt', '-I')
  assert.match(head.body, /^Content-Length: 12\r$/m)
  assert.match(head.body, /^Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT\r$/m)
  assert.equal((await fetched('/hello.txt', '-z', 'Sun, 09 Sep 2001 01:46:40 GMT')).status, 304)
  assert.equal((await fetched('/hello.txt', '-z', 'Sun, 09 Sep 2001 01:46:39 GMT')).status, 200)
  assert.equal((await fetched('/hello.txt', '--etag-save', 'etag')).status, 200)
  assert.equal((await fetched('/hello.txt', '--etag-compare', 'etag')).status, 304)
})

test('curl fetches ranges and goes on where it stopped', { skip }, async () => {
  assert.deepEqual(await fetched('/hello.txt', '-r', '7-'), { status: 206, body: 'world' })
  assert.deepEqual(await fetched('/hello.txt', '-r', '-5'), { status: 206, body: 'world' })
  assert.equal((await fetched('/hello.txt', '-r', '12-')).status, 416)
  writeFileSync(join(folder, 'copy.bin'), LARGE.subarray(0, 1_234_567))
  assert.equal((await fetched('/large.bin', '-C', '-', '-o', 'copy.bin')).status, 206)
  assert.ok(readFileSync(join(folder, 'copy.bin')).equals(LARGE))
})

test('curl fetches a large file whole, also slowly and several at a time', { skip }, async () => {
  const names = ['one', 'two', 'three', 'four']
  await Promise.all(names.map((name) => fetched('/large.bin', '-o', name, '--limit-rate', '10M')))
  for (const name of names) assert.ok(readFileSync(join(folder, name)).equals(LARGE), name)
})

test('a client that leaves in the middle frees the file', { skip }, async () => {
  const { code } = await run(curl!, ['-sS', '--ipv4', '-o', '/dev/full', `${origin}/large.bin`])
  assert.equal(code, 23, 'curl cannot write what it gets')
  for (let tries = 0; tries < 100 && isOpen('large.bin'); tries++) await pause(20)
  assert.ok(!isOpen('large.bin'))
})

function isOpen(name: string): boolean {
  const descriptors = readdirSync('/proc/self/fd')
  return descriptors.some((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).endsWith(name)
    } catch {
      return false
    }
  })
}

test('curl is sent from a folder to its slash', { skip }, async () => {
  assert.deepEqual(await fetched('/docs', '-L'), { status: 200, body: '<h1>Docs</h1>' })
})

test('curl gets nothing from beside the root, however it writes the path', { skip }, async () => {
  const paths = [
    '/../secret.txt',
    '/docs/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/..\\secret.txt',
  ]
  for (const path of paths) {
    const { status, body } = await fetched(path, '--path-as-is')
    assert.equal(status, 400, path)
    assert.doesNotMatch(body, /^secret/)
  }
})
