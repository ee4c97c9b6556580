import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { get, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { signUrl } from '#bucket/wire/signed-url.ts'
import { askBucket, type Reply } from './bucket.ts'
import { type Running, startRunning, until } from './running.ts'

let running: Running
before(async () => {
  running = await startRunning({ hosts: { media: { bucket: './media', http: 'serve' } } }, { workers: 2 })
})
after(() => running.stop())

type Described = { readonly key: string; readonly size: number }
type Listed = { readonly objects: readonly Described[]; readonly prefixes: readonly string[] }

const ask = (
  method: string,
  path: string,
  body?: Uint8Array | string,
  headers: Record<string, string> = {},
): Promise<Reply> => askBucket(running.ports.http, method, path, body, headers)

test('an object is put, got in whole and in part, listed, copied and deleted (RFC 9110 §9.3.4, RFC 9110 §9.3.5, RFC 9110 §13.1, RFC 4918 §9.8)', async () => {
  const put = await ask('PUT', '/photos/a%20b.txt', 'hello', { 'content-type': 'text/plain' })
  assert.equal(put.status, 201, put.text)
  assert.equal((put.json() as Described).key, 'photos/a b.txt')
  const got = await ask('GET', '/photos/a%20b.txt')
  assert.equal(got.text, 'hello')
  assert.equal(got.headers['content-type'], 'text/plain')
  assert.equal(got.headers['etag'], put.headers['etag'])
  // A name without a dot has no extension, though there is one of these letters.
  await ask('PUT', '/css', Buffer.from([1, 2]))
  assert.equal((await ask('GET', '/css')).headers['content-type'], 'application/octet-stream')
  await ask('DELETE', '/css')
  const part = await ask('GET', '/photos/a%20b.txt', undefined, { range: 'bytes=1-2' })
  assert.deepEqual([part.status, part.text], [206, 'el'])
  assert.equal((await ask('COPY', '/photos/a%20b.txt', undefined, { destination: '/b.txt' })).status, 201)
  const listed = await ask('GET', '/?delimiter=/')
  const { objects, prefixes } = listed.json() as Listed
  assert.deepEqual([objects.map(({ key }) => key), prefixes], [['b.txt'], ['photos/']])
  assert.equal((await ask('PUT', '/b.txt', 'x', { 'if-none-match': '*' })).status, 412)
  assert.equal((await ask('PUT', '/b.txt', 'x', { 'if-match': put.headers['etag'] as string })).status, 200)
  assert.equal((await ask('DELETE', '/b.txt')).status, 204)
  assert.equal((await ask('GET', '/b.txt')).status, 404)
})

test('what arrives with another SHA-256 than its client says is not stored (RFC 9530 §2, §3)', async () => {
  const right = `sha-256=:${createHash('sha256').update('abc').digest('base64')}:`
  const wrong = `sha-256=:${createHash('sha256').update('abd').digest('base64')}:`
  for (const [method, name, value, status] of [
    ['PUT', 'content-digest', wrong, 400],
    ['PUT', 'repr-digest', `sha-512=:AAAA:, ${wrong}`, 400],
    ['POST', 'content-digest', wrong, 400],
    ['PUT', 'content-digest', 'sha-256=:abc', 400],
    ['PUT', 'content-digest', `md5=:AAAA:, ${right}`, 201],
    ['PUT', 'repr-digest', 'sha-512=:AAAA:', 200],
  ] as const) {
    const reply = await ask(method, '/digest', 'abc', { [name]: value })
    assert.equal(reply.status, status, `${name}: ${value}`)
    if (status === 400) assert.equal((await ask('GET', '/digest')).status, 404)
  }
})

test('files of a form become objects, and its fields stand beside them', async () => {
  const form = new FormData()
  form.append('title', 'Ünïcode')
  form.append('file', new Blob([Buffer.alloc(3_000_000, 7)], { type: 'image/png' }), 'C:\\x\\ä"b.png')
  form.append('file', new Blob(['<svg xmlns="http://www.w3.org/2000/svg"/>']), 'i.svg')
  const encoded = new Response(form)
  const posted = await ask('POST', '/up/', Buffer.from(await encoded.arrayBuffer()), {
    'content-type': encoded.headers.get('content-type')!,
  })
  assert.equal(posted.status, 201, posted.text)
  const { objects, fields } = posted.json() as Listed & { fields: unknown }
  assert.deepEqual(fields, { title: 'Ünïcode' })
  assert.deepEqual(
    objects.map(({ key, size }) => [key, size]),
    [
      ['up/ä"b.png', 3_000_000],
      ['up/i.svg', 41],
    ],
  )
  const svg = await ask('GET', '/up/i.svg')
  assert.match(svg.headers['content-disposition'] as string, /^attachment/)
  assert.match(svg.headers['content-security-policy'] as string, /sandbox/)
})

test('how far an upload is, is told while it goes on and when it has ended', async () => {
  const events: string[] = []
  const following = get({
    port: running.ports.http,
    path: '/?progress=label-0001',
    headers: { host: 'media.example.com' },
  })
  const ended = new Promise<void>((resolve, reject) => {
    following.on('error', reject).on('response', (response) => {
      assert.equal(response.headers['content-type'], 'text/event-stream')
      response.setEncoding('utf8').on('data', (text) => events.push(text))
      response.on('end', resolve)
    })
  })
  const sending = request({
    port: running.ports.http,
    method: 'PUT',
    path: '/followed?progress=label-0001',
    headers: { host: 'media.example.com', 'content-length': 3_000_000 },
  })
  const answered = new Promise<number>((resolve, reject) => {
    sending.on('response', (response) => resolve(response.resume().statusCode!)).on('error', reject)
  })
  sending.write(Buffer.alloc(2_000_000))
  // What is in the file is told, in whole blocks.
  await until(() => events.some((event) => /"offset":[1-9]\d{6}/.test(event)))
  sending.end(Buffer.alloc(1_000_000))
  assert.equal(await answered, 201)
  await ended
  assert.match(events.at(-1)!, /^event: done\ndata: \{"offset":\d+,"length":null\}\n\n$/)
})

test('an upload that breaks off leaves nothing', async () => {
  const broken = request({
    port: running.ports.http,
    host: '127.0.0.1',
    method: 'PUT',
    path: '/half',
    headers: { host: 'media.example.com', 'content-length': '9000000' },
  })
  broken.on('error', () => {})
  broken.write(Buffer.alloc(2_000_000))
  const drafts = join(running.folder, 'media', 'drafts')
  while ((await readdir(drafts)).length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  broken.destroy()
  while ((await readdir(drafts)).length > 0) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.equal((await ask('GET', '/half')).status, 404)
})

test('keys open a bucket, and URLs that they sign open one object of it (RFC 6750 §2.1, RFC 9110 §11.6.1)', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portico-keys-'))
  const secret = join(folder, 'secret')
  await writeFile(secret, 'a secret of some length\n')
  const keyed = await startRunning({
    hosts: {
      media: {
        bucket: { root: './media', keys: { site: { secret } }, versions: true, quota: '100KB' },
        http: 'serve',
      },
    },
  })
  const port = keyed.ports.http
  try {
    const bearer = { authorization: 'Bearer site.a secret of some length' }
    assert.equal((await askBucket(port, 'PUT', '/a', 'x')).status, 401)
    assert.equal((await askBucket(port, 'PUT', '/a', 'x', { authorization: 'Bearer site.x' })).status, 401)
    assert.equal((await askBucket(port, 'PUT', '/a', 'one', bearer)).status, 201)
    assert.equal((await askBucket(port, 'PUT', '/a', 'two', bearer)).status, 200)
    const { versions } = (await askBucket(port, 'GET', '/a?versions', undefined, bearer)).json() as {
      versions: { version: string }[]
    }
    assert.equal((await askBucket(port, 'GET', `/a?version=${versions[1]!.version}`)).text, 'one')
    const expires = Math.floor(Date.now() / 1000) + 60
    const sign = (path: string, until: number, allow: 'read' | 'write' = 'write'): string =>
      `${path}?${signUrl({ keyId: 'site', allow, expires: until, prefix: null }, 'media.example.com', path, 'a secret of some length')}`
    assert.equal((await askBucket(port, 'PUT', sign('/b', expires), 'signed')).status, 201)
    assert.equal((await askBucket(port, 'PUT', sign('/b', expires).replace('/b', '/c'), 'x')).status, 403)
    assert.equal((await askBucket(port, 'PUT', sign('/b', expires - 100), 'x')).status, 403)
    assert.equal((await askBucket(port, 'PUT', sign('/b', expires, 'read'), 'x')).status, 403)
    assert.equal((await askBucket(port, 'PUT', '/large', Buffer.alloc(101_000), bearer)).status, 507)
    const signed = async (...words: string[]): Promise<string> => {
      const { code, stdout, stderr } = await keyed.command('sign', ...words)
      assert.equal(code, 0, stderr)
      const { pathname, search } = new URL(stdout.trim())
      return `${pathname}${search}`
    }
    const inbox = await signed('https://media.example.com/in/', '--upload', '--prefix', '--for', '5m')
    assert.equal((await askBucket(port, 'PUT', inbox.replace('/in/', '/in/one'), '1')).status, 201)
    assert.equal((await askBucket(port, 'PUT', inbox.replace('/in/', '/out/one'), '1')).status, 403)
    const elsewhere = await keyed.command('sign', 'https://www.example.com/')
    assert.match(elsewhere.stderr, /leads to no bucket/)
    const unknown = await keyed.command('sign', 'https://media.example.com/a', '--key', 'other')
    assert.match(unknown.stderr, /No key "other" .* those that are: site/)
  } finally {
    await keyed.stop()
    await rm(folder, { recursive: true })
  }
})

test('what is too large or of another type is refused before it is sent (RFC 9110 §15.5.14, RFC 9110 §15.5.16)', async () => {
  const strict = await startRunning({
    hosts: {
      media: {
        bucket: { root: './media', maxSize: '1KB', types: ['image/*'], mismatch: 'refuse', page: true },
        http: 'serve',
      },
    },
  })
  const port = strict.ports.http
  try {
    const refusedAt = (headers: Record<string, string | number>): Promise<number> =>
      new Promise((resolve, reject) => {
        const asked = request({
          port,
          host: '127.0.0.1',
          method: 'PUT',
          path: '/x',
          headers: { host: 'media.example.com', expect: '100-continue', ...headers },
        })
        asked.on('continue', () => reject(new Error('The content was asked for')))
        asked.on('response', (reply) => resolve(reply.resume().statusCode!))
        asked.on('error', reject)
        asked.flushHeaders()
        asked.on('response', () => asked.destroy())
      })
    assert.equal(await refusedAt({ 'content-length': 2000, 'content-type': 'image/png' }), 413)
    assert.equal(await refusedAt({ 'content-length': 20, 'content-type': 'text/html' }), 415)
    const gif = 'GIF89a\x01\x00\x01\x00\x00\x00\x00;'
    assert.equal((await askBucket(port, 'PUT', '/x', gif, { 'content-type': 'image/gif' })).status, 201)
    assert.equal((await askBucket(port, 'PUT', '/x', gif, { 'content-type': 'image/png' })).status, 415)
    assert.equal(
      (await askBucket(port, 'PUT', '/x', '<html><script>', { 'content-type': 'image/png' })).status,
      415,
    )
    assert.match((await askBucket(port, 'GET', '/', undefined, { accept: 'text/html' })).text, /Choose files/)
  } finally {
    await strict.stop()
  }
})
