import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { askBucket, type Reply } from './bucket.ts'
import { type Running, startRunning } from './running.ts'

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

test('an object is put, got in whole and in part, listed, copied and deleted', async () => {
  const put = await ask('PUT', '/photos/a%20b.txt', 'hello', { 'content-type': 'text/plain' })
  assert.equal(put.status, 201, put.text)
  assert.equal((put.json() as Described).key, 'photos/a b.txt')
  const got = await ask('GET', '/photos/a%20b.txt')
  assert.equal(got.text, 'hello')
  assert.equal(got.headers['content-type'], 'text/plain')
  assert.equal(got.headers['etag'], put.headers['etag'])
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
