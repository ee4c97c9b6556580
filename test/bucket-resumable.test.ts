import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { type IncomingHttpHeaders, request } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { askBucket, type Reply } from './bucket.ts'
import { type Running, startRunning, until } from './running.ts'

let running: Running
before(async () => {
  running = await startRunning(
    { hosts: { media: { bucket: { root: './media', resumable: true, maxSize: '3MB' }, http: 'serve' } } },
    { workers: 2 },
  )
})
after(() => running.stop())

const ask = (
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: Uint8Array | string,
): Promise<Reply> => askBucket(running.ports.http, method, path, body, headers)

const APPEND = { 'content-type': 'application/partial-upload' }
const CONTENT = randomBytes(2_000_000)
const pathOf = ({ headers }: { headers: IncomingHttpHeaders }): string =>
  new URL(headers.location!, 'http://media.example.com/').pathname

/** Begin an upload and leave in the middle of it. */
async function beginAndLeave(octets: number): Promise<{ path: string; version: unknown }> {
  const asked = request({
    port: running.ports.http,
    method: 'PUT',
    path: '/broken',
    headers: {
      host: 'media.example.com',
      'content-length': CONTENT.length,
      'content-type': 'video/x-thing',
      'upload-complete': '?1',
      'upload-draft-interop-version': '8',
    },
  })
  asked.on('error', () => {})
  const informed = new Promise<{ path: string; version: unknown }>((resolve) => {
    asked.on('information', ({ statusCode, headers }) => {
      if (statusCode !== 104) return
      resolve({ path: pathOf({ headers }), version: headers['upload-draft-interop-version'] })
    })
  })
  asked.write(CONTENT.subarray(0, octets))
  const begun = await informed
  // What has arrived stays in whole blocks, at the latest when the client has gone.
  await until(async () => (await readdir(join(running.folder, 'media/uploads'))).length > 0)
  asked.destroy()
  return begun
}

test('an upload that broke off goes on where the server was', async () => {
  const { path, version } = await beginAndLeave(900_000)
  assert.equal(version, '8')
  let offset = 0
  await until(async () => {
    const head = await ask('HEAD', path)
    offset = Number(head.headers['upload-offset'])
    assert.deepEqual(
      [head.status, head.headers['upload-complete'], head.headers['cache-control']],
      [204, '?0', 'no-store'],
    )
    assert.equal(head.headers['upload-length'], '2000000')
    // The server may still be at what came last.
    const nothing = { ...APPEND, 'upload-offset': `${offset}`, 'upload-complete': '?0' }
    return offset > 0 && (await ask('PATCH', path, nothing, '')).status === 204
  })
  const half = { ...APPEND, 'upload-offset': `${offset}`, 'upload-complete': '?0' }
  const more = await ask('PATCH', path, half, CONTENT.subarray(offset, 1_500_000))
  assert.deepEqual(
    [more.status, more.headers['upload-offset'], more.headers['upload-complete']],
    [204, '1500000', '?0'],
  )
  const again = await ask('PATCH', path, half, CONTENT.subarray(offset, 1_500_000))
  assert.deepEqual([again.status, again.headers['upload-offset']], [409, '1500000'])
  assert.match(again.text, /#mismatching-upload-offset/)
  const last = { ...APPEND, 'upload-offset': '1500000', 'upload-complete': '?1' }
  const done = await ask('PATCH', path, last, CONTENT.subarray(1_500_000))
  assert.deepEqual(
    [done.status, done.headers['upload-complete'], done.headers.location],
    [201, '?1', '/broken'],
  )
  assert.equal((await ask('HEAD', path)).headers['upload-complete'], '?1')
  assert.match((await ask('PATCH', path, last, 'x')).text, /#completed-upload/)
  const got = await ask('GET', '/broken')
  assert.ok(got.body.equals(CONTENT))
  assert.equal(got.headers['content-type'], 'video/x-thing')
})

test('an upload is begun without content, sent in parts, and taken back', async () => {
  const begin = {
    'upload-complete': '?0',
    'upload-length': '10',
    'content-disposition': 'attachment; filename="n.txt"',
  }
  const begun = await ask('POST', '/in/', begin)
  assert.equal(begun.status, 201, begun.text)
  assert.match(String(begun.headers['upload-limit']), /^max-size=3000000, max-age=86400$/)
  const path = new URL(begun.headers['location'] as string, 'http://media.example.com/in/').pathname
  const cases: [Record<string, string>, string, number][] = [
    [{ 'upload-offset': '0', 'upload-complete': '?0' }, 'x', 415],
    [{ ...APPEND, 'upload-complete': '?0' }, 'x', 400],
    [{ ...APPEND, 'upload-offset': '0' }, 'x', 400],
    [{ ...APPEND, 'upload-offset': '0', 'upload-complete': 'true' }, 'x', 400],
    [{ ...APPEND, 'upload-offset': '0', 'upload-complete': '?1' }, 'short', 400],
    [{ ...APPEND, 'upload-offset': '0', 'upload-complete': '?0', 'upload-length': '11' }, 'x', 400],
  ]
  for (const [headers, body, status] of cases) {
    assert.equal((await ask('PATCH', path, headers, body)).status, status, JSON.stringify(headers))
  }
  const first = { ...APPEND, 'upload-offset': '0', 'upload-complete': '?0' }
  assert.equal((await ask('PATCH', path, first, '12345')).status, 204)
  const last = await ask('PATCH', path, { ...APPEND, 'upload-offset': '5', 'upload-complete': '?1' }, '67890')
  assert.equal(last.headers['location'], '/in/n.txt')
  assert.equal((await ask('GET', '/in/n.txt')).text, '1234567890')
  const other = pathOf(await ask('PUT', '/gone', { 'upload-complete': '?0' }, 'some'))
  assert.equal((await ask('DELETE', other)).status, 204)
  assert.equal((await ask('HEAD', other)).status, 404)
})

test('limits are told before, and kept; flags are booleans (RFC 9651 §3.3.6, RFC 9457 §3); without a version that is known there is no interim response', async () => {
  const options = await ask('OPTIONS', '/any')
  assert.match(String(options.headers['upload-limit']), /max-size=3000000/)
  const large = { 'upload-complete': '?0', 'upload-length': '3000001' }
  assert.equal((await ask('PUT', '/large', large)).status, 413)
  const whole = await ask('PUT', '/whole', { 'upload-complete': '?1' }, 'all of it')
  assert.deepEqual(
    [whole.status, whole.headers['upload-complete'], whole.headers['location']],
    [201, '?1', '/whole'],
  )
  const differs = { 'upload-complete': '?1', 'upload-length': '3' }
  assert.equal((await ask('PUT', '/differs', differs, 'four')).status, 400)
  assert.equal((await ask('GET', '/differs')).status, 404)
})
