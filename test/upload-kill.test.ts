import assert from 'node:assert/strict'
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Upload } from 'tus-js-client'
import { askBucket } from './bucket.ts'
import { type Running, startRunning } from './running.ts'

/** PORTICO_KILLS=50 is what is promised. */
const KILLS = Number(process.env['PORTICO_KILLS'] ?? 3)

let running: Running
before(async () => {
  running = await startRunning({ hosts: { media: { bucket: './media', http: 'serve' } } }, { workers: 2 })
})
after(() => running.stop())

async function kill(): Promise<void> {
  const ended = once(running.child, 'exit')
  running.child.kill('SIGKILL')
  await ended
}

test('after kill -9 in mid-upload a tus client goes on where the server was', async () => {
  const content = randomBytes(8_000_000)
  const options = {
    endpoint: `http://127.0.0.1:${running.ports.http}/`,
    headers: { host: 'media.example.com' },
    metadata: { filename: 'killed.bin' },
    chunkSize: 500_000,
    retryDelays: null,
  }
  let begun: Upload
  await new Promise<void>((resolve, reject) => {
    begun = new Upload(content, {
      ...options,
      onChunkComplete: (_size, sent) => void (sent === 3_000_000 && kill().catch(reject)),
      onSuccess: () => reject(new Error('It was to be killed')),
      onError: () => resolve(),
    })
    begun.start()
  })
  await running.restart()
  let resumedAt = Number.NaN
  await new Promise<void>((resolve, reject) => {
    const again = new Upload(content, {
      ...options,
      uploadUrl: begun.url,
      onProgress: (sent) => {
        if (Number.isNaN(resumedAt)) resumedAt = sent
      },
      onSuccess: () => resolve(),
      onError: reject,
    })
    again.start()
  })
  assert.ok(resumedAt >= 3_000_000, `it went on at ${resumedAt}`)
  const got = await askBucket(running.ports.http, 'GET', '/killed.bin')
  assert.ok(got.body.equals(content))
})

/** Contents by the key that they were sent to. */
const sent = new Map<string, Set<string>>()

/** An upload whose answer may never come. */
function send(method: string, path: string, content: Buffer, headers: Record<string, string>): Promise<void> {
  return new Promise((resolve) => {
    const asked = request({
      port: running.ports.http,
      host: '127.0.0.1',
      method,
      path,
      headers: { host: 'media.example.com', 'content-length': content.length, ...headers },
    })
    asked.on('response', (response) =>
      response
        .resume()
        .on('close', resolve)
        .on('error', () => resolve()),
    )
    asked.on('error', () => resolve())
    asked.end(content)
  })
}

function remember(key: string, content: Buffer): Buffer {
  const hashes = sent.get(key) ?? new Set()
  sent.set(key, hashes.add(createHash('sha256').update(content).digest('hex')))
  return content
}

/** One upload of each kind, and a deletion, to few names, so that they replace one another. */
function uploads(): Promise<unknown> {
  const put = remember('a', randomBytes(randomInt(2_000_000)))
  const form = remember('b', randomBytes(randomInt(1_000_000)))
  const head = '--B\r\nContent-Disposition: form-data; name=f; filename=b\r\n\r\n'
  const multipart = Buffer.concat([Buffer.from(head), form, Buffer.from('\r\n--B--\r\n')])
  const json = remember('c', randomBytes(randomInt(500_000)))
  const text = Buffer.from(JSON.stringify({ f: { name: 'c', base64: json.toString('base64') } }))
  return Promise.all([
    send('PUT', '/a', put, {}),
    send('POST', '/', multipart, { 'content-type': 'multipart/form-data; boundary=B' }),
    send('POST', '/', text, { 'content-type': 'application/json' }),
    send('DELETE', `/${'abc'[randomInt(3)]}`, Buffer.alloc(0), {}),
  ])
}

test('random kills leave no half object and no stray blob', { timeout: 600_000 }, async () => {
  for (let i = 0; i < KILLS; i++) {
    let isKilled = false
    const sending = (async () => {
      while (!isKilled) await uploads()
    })()
    await pause(randomInt(400))
    await kill()
    isKilled = true
    await sending
    await running.restart()
  }
  await uploads()
  const { ports, folder } = running
  type Listed = { objects: { key: string; sha256: string; size: number }[] }
  const { objects } = (await askBucket(ports.http, 'GET', '/?limit=1000')).json() as Listed
  const stored = objects.filter(({ key }) => key !== 'killed.bin')
  assert.ok(stored.length > 0)
  for (const { key, sha256 } of stored) {
    const { body } = await askBucket(ports.http, 'GET', `/${encodeURIComponent(key)}`)
    assert.equal(createHash('sha256').update(body).digest('hex'), sha256, key)
    // A form whose name is taken gets one of its own, with the begin of its hash.
    assert.ok(sent.get(key.replace(/-[0-9a-f]{8}$/, ''))?.has(sha256), `${key} is what somebody has sent`)
  }
  const blobs = (await readdir(join(folder, 'media/blobs'), { recursive: true })).filter((name) =>
    name.includes('/'),
  )
  assert.deepEqual(new Set(blobs.map((name) => name.slice(3))), new Set(objects.map(({ sha256 }) => sha256)))
  const left = await Promise.all(['drafts', 'doubts'].map((name) => readdir(join(folder, 'media', name))))
  assert.deepEqual(left, [[], []])
})
