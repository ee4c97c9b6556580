import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { askBucket, type Reply } from './bucket.ts'
import { type Running, startRunning, until } from './running.ts'

// A bucket of one Portico is the S3 service in which another keeps what it stores.

let folder: string
let service: Running
let front: Running

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portico-store-'))
  const secret = join(folder, 'secret')
  await writeFile(secret, 'a secret of some length\n')
  const bucket = { root: './kept', keys: { KEY: { secret, prefix: 'blobs/' } }, read: 'keys' }
  service = await startRunning({}, { domains: { localhost: { hosts: { '@': { bucket, http: 'serve' } } } } })
  const store = { s3: `http://localhost:${service.ports.http}/localhost/blobs`, key: 'KEY', secret }
  front = await startRunning(
    { hosts: { media: { bucket: { root: './media', store, versions: false }, http: 'serve' } } },
    { workers: 2 },
  )
})
after(async () => {
  await front.stop()
  await service.stop()
  await rm(folder, { recursive: true })
})

const ask = (
  method: string,
  path: string,
  body?: Uint8Array | string,
  headers: Record<string, string> = {},
): Promise<Reply> => askBucket(front.ports.http, method, path, body, headers)

const hashOf = (octets: Uint8Array): string => createHash('sha256').update(octets).digest('hex')

/** Keys in the service. */
async function kept(): Promise<string[]> {
  const bearer = { host: 'localhost', authorization: 'Bearer KEY.a secret of some length' }
  const reply = await askBucket(service.ports.http, 'GET', '/blobs/?limit=1000', undefined, bearer)
  assert.equal(reply.status, 200, reply.text)
  return (reply.json() as { objects: { key: string }[] }).objects.map(({ key }) => key)
}

test('objects are kept in an S3 service and come back, whole and in part', async () => {
  const content = randomBytes(3_000_000)
  assert.equal((await ask('PUT', '/a', content)).status, 201)
  assert.deepEqual(await kept(), [`blobs/${hashOf(content)}`])
  assert.deepEqual(await readdir(join(front.folder, 'media', 'blobs')), [])
  assert.ok((await ask('GET', '/a')).body.equals(content))
  const part = await ask('GET', '/a', undefined, { range: 'bytes=1000000-1999999' })
  assert.equal(part.status, 206)
  assert.ok(part.body.equals(content.subarray(1_000_000, 2_000_000)))
  const parts = await ask('GET', '/a', undefined, { range: 'bytes=0-9,2000000-2000009' })
  assert.ok(parts.body.includes(content.subarray(2_000_000, 2_000_010)))
  assert.equal((await ask('COPY', '/a', undefined, { destination: '/b' })).status, 201)
  assert.equal((await ask('PUT', '/empty', '')).status, 201)
  assert.equal((await ask('GET', '/empty')).text, '')
  const form = '--B\r\nContent-Disposition: form-data; name=f; filename=c.txt\r\n\r\nform\r\n--B--'
  const posted = await ask('POST', '/', form, { 'content-type': 'multipart/form-data; boundary=B' })
  assert.equal(posted.status, 201, posted.text)
  assert.equal((await ask('GET', '/c.txt')).text, 'form')
})

test('a content goes when the last object that has it does, and the service with it knows no other', async () => {
  const before = await kept()
  const content = randomBytes(100_000)
  const key = `blobs/${hashOf(content)}`
  await Promise.all(['/x', '/y', '/z'].map((path) => ask('PUT', path, content)))
  assert.deepEqual(new Set(await kept()), new Set([...before, key]))
  await Promise.all([ask('DELETE', '/x'), ask('PUT', '/y', 'other')])
  assert.ok((await kept()).includes(key))
  // While it is removed, somebody brings it again.
  for (let i = 0; i < 10; i++) {
    const [, put] = await Promise.all([ask('DELETE', '/z'), ask('PUT', '/z', content)])
    assert.ok(put.status === 200 || put.status === 201)
    const got = await ask('GET', '/z')
    assert.ok(got.status === 404 || got.body.equals(content), `${got.status}`)
  }
  for (const path of ['/y', '/z']) await ask('DELETE', path)
  await until(async () => (await kept()).length === before.length)
  assert.deepEqual(await kept(), before)
})

test('kill -9 in mid-upload leaves nothing in the service', async () => {
  const before = await kept()
  const put = request({
    port: front.ports.http,
    method: 'PUT',
    path: '/killed',
    headers: { host: 'media.example.com', 'content-length': 60_000_000 },
  })
  put.on('error', () => {})
  put.end(Buffer.alloc(60_000_000, 'x'))
  const drafts = join(front.folder, 'media', 'drafts')
  await until(async () => (await readdir(drafts)).length > 0)
  await pause(100)
  const ended = once(front.child, 'exit')
  front.child.kill('SIGKILL')
  await ended
  await front.restart()
  const { status } = await ask('GET', '/killed')
  if (status === 200) await ask('DELETE', '/killed')
  await until(async () => (await kept()).length === before.length)
  // What a crash left in doubt is asked about after the start, not before it.
  await until(async () => (await readdir(join(front.folder, 'media', 'doubts'))).length === 0)
})

test('a service that cannot be reached is 502, and nothing is left of the upload', async () => {
  await service.stop()
  const put = await ask('PUT', '/late', 'x')
  assert.equal(put.status, 502, put.text)
  await until(() => /the store at localhost:\d+ answered PUT with nothing/.test(front.output()))
  assert.equal((await ask('GET', '/a')).status, 502)
  assert.equal((await ask('HEAD', '/a')).status, 200)
  assert.equal((await ask('GET', '/late')).status, 404)
  assert.deepEqual(await readdir(join(front.folder, 'media', 'drafts')), [])
})
