import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { Upload } from 'tus-js-client'
import { askBucket, type Reply } from '../test/bucket.ts'
import { type Running, startRunning, until } from '../test/running.ts'

let running: Running
before(async () => {
  running = await startRunning({ hosts: { media: { bucket: './media', http: 'serve' } } }, { workers: 2 })
})
after(() => running.stop())
const OFFSET = { 'content-type': 'application/offset+octet-stream' }
const ask = (
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: Uint8Array | string,
): Promise<Reply> =>
  askBucket(running.ports.http, method, path, body, { 'tus-resumable': '1.0.0', ...headers })
const name = (text: string): string => `filename ${Buffer.from(text).toString('base64')}`

/** The path of a new upload. */
async function create(headers: Record<string, string>): Promise<string> {
  const reply = await ask('POST', '/', headers)
  assert.equal(reply.status, 201, reply.text)
  return new URL(reply.headers['location'] as string, 'http://media.example.com/').pathname
}

test('tus-js-client uploads, stops, and goes on where it was', async () => {
  const content = randomBytes(5_000_000)
  let upload: Upload
  const options = {
    endpoint: `http://127.0.0.1:${running.ports.http}/`,
    headers: { host: 'media.example.com' },
    chunkSize: 1_000_000,
    metadata: { filename: 'a ü.bin' },
    retryDelays: null,
  }
  await new Promise<void>((resolve, reject) => {
    upload = new Upload(content, {
      ...options,
      onChunkComplete: (_size, sent) => {
        if (sent >= 2_000_000) void upload.abort().then(resolve)
      },
      onSuccess: () => reject(new Error('It was to stop')),
      onError: reject,
    })
    upload.start()
  })
  await new Promise<void>((resolve, reject) => {
    const again = new Upload(content, {
      ...options,
      uploadUrl: upload.url,
      onSuccess: () => resolve(),
      onError: reject,
    })
    again.start()
  })
  const got = await askBucket(running.ports.http, 'GET', '/a%20%C3%BC.bin')
  assert.ok(got.body.equals(content))
})

test('every MUST of the core protocol (RFC 5789 §2)', async () => {
  for (const path of ['/.uploads/', '/', '/a/file']) {
    const { status, headers } = await askBucket(running.ports.http, 'OPTIONS', path)
    assert.deepEqual([status, headers['tus-version'], headers['tus-resumable']], [204, '1.0.0', '1.0.0'])
    assert.match(headers['tus-extension'] as string, /creation,/)
  }
  const path = await create({ 'upload-length': '10', 'upload-metadata': name('core') })
  const other = await askBucket(running.ports.http, 'HEAD', path, undefined, { 'tus-resumable': '0.2.2' })
  assert.deepEqual([other.status, other.headers['tus-version']], [412, '1.0.0'])
  const head = await ask('HEAD', path)
  assert.deepEqual(
    ['upload-offset', 'upload-length', 'cache-control', 'upload-metadata'].map(
      (field) => head.headers[field],
    ),
    ['0', '10', 'no-store', name('core')],
  )
  assert.equal(
    (await ask('PATCH', path, { 'upload-offset': '0', 'content-type': 'text/plain' }, 'x')).status,
    415,
  )
  assert.equal((await ask('PATCH', path, { ...OFFSET, 'upload-offset': '3' }, 'x')).status, 409)
  const first = await ask('PATCH', path, { ...OFFSET, 'upload-offset': '0' }, '01234')
  assert.deepEqual([first.status, first.headers['upload-offset']], [204, '5'])
  assert.equal((await ask('PATCH', path, { ...OFFSET, 'upload-offset': '5' }, '5678901')).status, 413)
  const last = await ask(
    'POST',
    path,
    { ...OFFSET, 'upload-offset': '5', 'x-http-method-override': 'PATCH' },
    '56789',
  )
  assert.deepEqual(
    [last.status, last.headers['upload-offset'], last.headers['content-location']],
    [204, '10', '/core'],
  )
  assert.equal((await ask('HEAD', path)).headers['upload-offset'], '10')
  assert.equal((await askBucket(running.ports.http, 'GET', '/core')).text, '0123456789')
  for (const unknown of [`${path.slice(0, -3)}xxx`, '/.uploads/none'])
    assert.equal((await ask('HEAD', unknown)).status, 404)
})

test('every MUST of the extensions', async () => {
  assert.equal((await ask('POST', '/')).status, 400)
  assert.equal((await ask('POST', '/', { 'upload-length': '99999999999999' })).status, 413)
  const atOnce = await ask(
    'POST',
    '/',
    { ...OFFSET, 'upload-length': '2', 'upload-metadata': name('at-once') },
    'ab',
  )
  assert.deepEqual(
    [atOnce.status, atOnce.headers['upload-offset'], atOnce.headers['content-location']],
    [201, '2', '/at-once'],
  )
  const deferred = await create({ 'upload-defer-length': '1', 'upload-metadata': name('deferred') })
  assert.equal((await ask('HEAD', deferred)).headers['upload-defer-length'], '1')
  await ask('PATCH', deferred, { ...OFFSET, 'upload-offset': '0' }, 'abc')
  const known = await ask('PATCH', deferred, { ...OFFSET, 'upload-offset': '3', 'upload-length': '4' }, 'd')
  assert.equal(known.headers['content-location'], '/deferred')
  const checked = await create({ 'upload-length': '3', 'upload-metadata': name('checked') })
  const sum = (value: string): Record<string, string> => ({
    ...OFFSET,
    'upload-offset': '0',
    'upload-checksum': value,
  })
  assert.equal((await ask('PATCH', checked, sum('crc9 AA=='), 'abc')).status, 400)
  assert.equal((await ask('PATCH', checked, sum('sha1 AAAA'), 'abc')).status, 460)
  assert.equal((await ask('HEAD', checked)).headers['upload-offset'], '0')
  const right = await ask('PATCH', checked, sum('sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0='), 'abc')
  assert.equal(right.status, 204)
  assert.ok(Date.parse(right.headers['upload-expires'] as string) > Date.now())
  const gone = await create({ 'upload-length': '3' })
  assert.equal((await ask('DELETE', gone)).status, 204)
  assert.equal((await ask('HEAD', gone)).status, 404)
  const parts = await Promise.all(
    [1, 2].map(() => create({ 'upload-length': '3', 'upload-concat': 'partial' })),
  )
  const final = { 'upload-concat': `final;${parts.join(' ')}`, 'upload-metadata': name('joined') }
  assert.equal((await ask('POST', '/', final)).status, 409)
  for (const [i, part] of parts.entries())
    await ask('PATCH', part, { ...OFFSET, 'upload-offset': '0' }, `${i}--`)
  const joined = await ask('POST', '/', final)
  assert.deepEqual([joined.status, joined.headers['content-location']], [201, '/joined'], joined.text)
  assert.equal((await askBucket(running.ports.http, 'GET', '/joined')).text, '0--1--')
  const path = new URL(joined.headers['location'] as string, 'http://media.example.com/').pathname
  assert.equal((await ask('PATCH', path, { ...OFFSET, 'upload-offset': '6' }, 'x')).status, 403)
  assert.equal((await ask('HEAD', path)).headers['upload-concat'], final['upload-concat'])
})

test('a connection that drops in the middle of a PATCH frees the lock, and what has arrived stays', async () => {
  const path = await create({ 'upload-length': '3000000', 'upload-metadata': name('dropped') })
  const broken = request({
    port: running.ports.http,
    method: 'PATCH',
    path,
    headers: {
      host: 'media.example.com',
      'tus-resumable': '1.0.0',
      'upload-offset': '0',
      'content-length': 3_000_000,
      ...OFFSET,
    },
  })
  broken.on('error', () => {})
  broken.write(Buffer.alloc(2_000_000))
  let offset = 0
  const hasGrown = async (): Promise<boolean> => {
    const before = offset
    offset = Number((await ask('HEAD', path)).headers['upload-offset'])
    return offset > before
  }
  await until(hasGrown)
  const other = { ...OFFSET, 'upload-offset': `${offset}` }
  assert.equal((await ask('PATCH', path, other, 'x')).status, 423, 'while it writes, nobody else does')
  broken.destroy()
  await until(async () => {
    await hasGrown()
    return (await ask('PATCH', path, { ...OFFSET, 'upload-offset': `${offset}` }, '')).status === 204
  })
  await hasGrown()
  const rest = Buffer.alloc(3_000_000 - offset)
  await until(
    async () => (await ask('PATCH', path, { ...OFFSET, 'upload-offset': `${offset}` }, rest)).status === 204,
  )
  assert.equal((await askBucket(running.ports.http, 'GET', '/dropped')).body.length, 3_000_000)
})
