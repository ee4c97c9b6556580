import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3'
import * as tus from 'tus-js-client'
import { RemoteBlobs } from '#bucket/store/remote-blobs.ts'
import { S3Store } from '#bucket/store/s3-store.ts'
import { askBucket, type Reply } from '../test/bucket.ts'
import { type Running, startRunning, until } from '../test/running.ts'
import { createSwift, hasSwift, type Swift } from '../test/swift.ts'

// The S3 service in which a bucket keeps what it stores is other people's: OpenStack Swift.

const options = { skip: !hasSwift && 'needs OpenStack Swift' }
let folder: string
let swift: Swift
let client: S3Client
let running: Running

before(async () => {
  if (!hasSwift) return
  folder = await mkdtemp(join(tmpdir(), 'portico-s3-store-'))
  swift = await createSwift()
  await swift.start()
  const { url, key, secret } = swift
  const credentials = { accessKeyId: key, secretAccessKey: secret }
  client = new S3Client({ endpoint: url, region: 'us-east-1', forcePathStyle: true, credentials })
  await client.send(new CreateBucketCommand({ Bucket: 'blobs' }))
  const [right, wrong] = [join(folder, 'right'), join(folder, 'wrong')]
  await writeFile(right, secret)
  await writeFile(wrong, 'another secret of some length')
  const store = { s3: `${url}/blobs/of/media`, key, secret: right }
  running = await startRunning(
    {
      hosts: {
        media: { bucket: { root: './media', store }, http: 'serve' },
        locked: { bucket: { root: './locked', store: { ...store, secret: wrong } }, http: 'serve' },
        nowhere: { bucket: { root: './nowhere', store: { ...store, s3: `${url}/absent` } }, http: 'serve' },
      },
    },
    { workers: 2 },
  )
})
after(async () => {
  if (!hasSwift) return
  client?.destroy()
  await running?.stop()
  await swift?.remove()
  await rm(folder, { recursive: true })
})

const ask = (
  method: string,
  path: string,
  body?: Uint8Array | string,
  headers: Record<string, string> = {},
): Promise<Reply> => askBucket(running.ports.http, method, path, body, headers)

const nameOf = (octets: Uint8Array): string => `of/media/${createHash('sha256').update(octets).digest('hex')}`

/** Keys in the service, and how long what they name is. */
async function kept(): Promise<Map<string, number>> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: 'blobs' }))
  return new Map(Contents.map(({ Key = '', Size = 0 }) => [Key, Size]))
}

test('what is put is there under its hash, and comes back whole and in part', options, async () => {
  const content = randomBytes(5_000_000)
  const put = await ask('PUT', '/deep/gr%C3%B6%C3%9Fe.bin', content)
  assert.equal(put.status, 201, put.text)
  assert.equal((await kept()).get(nameOf(content)), 5_000_000)
  assert.deepEqual(await readdir(join(running.folder, 'media', 'blobs')), [])
  assert.ok((await ask('GET', '/deep/gr%C3%B6%C3%9Fe.bin')).body.equals(content))
  for (const [range, wanted] of [
    ['bytes=0-0', content.subarray(0, 1)],
    ['bytes=1000000-3999999', content.subarray(1_000_000, 4_000_000)],
    ['bytes=4999999-', content.subarray(4_999_999)],
    ['bytes=-7', content.subarray(-7)],
  ] as const) {
    const part = await ask('GET', '/deep/gr%C3%B6%C3%9Fe.bin', undefined, { range })
    assert.equal(part.status, 206, range)
    assert.ok(part.body.equals(wanted), range)
  }
  const parts = await ask('GET', '/deep/gr%C3%B6%C3%9Fe.bin', undefined, {
    range: 'bytes=0-9,4000000-4000009',
  })
  assert.match(String(parts.headers['content-type']), /^multipart\/byteranges/)
  assert.ok(parts.body.includes(content.subarray(4_000_000, 4_000_010)))
  assert.equal(
    (await ask('GET', '/deep/gr%C3%B6%C3%9Fe.bin', undefined, { range: 'bytes=5000000-' })).status,
    416,
  )
  const etag = String(put.headers['etag'])
  assert.equal(
    (await ask('GET', '/deep/gr%C3%B6%C3%9Fe.bin', undefined, { 'if-none-match': etag })).status,
    304,
  )
})

test(
  'forms, JSON, uploads that are resumed and contents of no length go there as well',
  options,
  async () => {
    const form = '--B\r\nContent-Disposition: form-data; name=f; filename=c.txt\r\n\r\nof a form\r\n--B--'
    const posted = await ask('POST', '/', form, { 'content-type': 'multipart/form-data; boundary=B' })
    assert.equal(posted.status, 201, posted.text)
    assert.equal((await ask('GET', '/c.txt')).text, 'of a form')
    const json = JSON.stringify({ f: { name: 'd.txt', base64: Buffer.from('of JSON').toString('base64') } })
    assert.equal((await ask('POST', '/', json, { 'content-type': 'application/json' })).status, 201)
    assert.equal((await ask('GET', '/d.txt')).text, 'of JSON')
    assert.equal((await ask('PUT', '/empty', '')).status, 201)
    assert.equal((await ask('GET', '/empty')).text, '')
    const content = randomBytes(3_000_000)
    await new Promise<void>((resolve, reject) => {
      const upload = new tus.Upload(content, {
        endpoint: `http://127.0.0.1:${running.ports.http}/`,
        headers: { host: 'media.example.com' },
        metadata: { filename: 'resumed.bin' },
        chunkSize: 1_000_000,
        retryDelays: null,
        onError: reject,
        onSuccess: () => resolve(),
      })
      upload.start()
    })
    assert.equal((await kept()).get(nameOf(content)), 3_000_000)
    assert.ok((await ask('GET', '/resumed.bin')).body.equals(content))
  },
)

test('what is long goes in parts, and what is left of them when that fails goes', options, async () => {
  const content = randomBytes(13_000_000)
  const sha256 = createHash('sha256').update(content).digest('hex')
  const path = join(folder, 'long')
  await writeFile(path, content)
  const { url, key: keyId, secret } = swift
  const plan = { url: `${url}/blobs/long`, keyId, secretFile: '', region: 'us-east-1' }
  const store = new S3Store(plan, secret, Date.now, 6_000_000)
  const told: string[] = []
  await store.keep(sha256, path, content.length, async (id) => void told.push(id))
  assert.equal(told.length, 2)
  assert.equal(told[1], '')
  assert.equal((await kept()).get(`long/${sha256}`), 13_000_000)
  const source = await store.open(sha256, { first: 5_999_990, last: 6_000_009 })
  assert.deepEqual(await source?.read(100), content.subarray(5_999_990, 6_000_010))
  source?.cancel('finished')
  const isOver = async (): Promise<boolean> =>
    (await client.send(new ListMultipartUploadsCommand({ Bucket: 'blobs' }))).Uploads === undefined
  // The file is there no more.
  await assert.rejects(
    store.keep('absent', join(folder, 'absent'), content.length, async () => {}),
    /ENOENT/,
  )
  assert.ok(await isOver())
  // A worker that was killed has left its upload in the doubt.
  const upload = { Bucket: 'blobs', Key: `long/${sha256}` }
  const { UploadId = '' } = await client.send(new CreateMultipartUploadCommand(upload))
  assert.ok(!(await isOver()))
  await writeFile(join(folder, sha256), UploadId)
  new RemoteBlobs({ store, doubts: folder, isUsed: () => false }).settle(sha256)
  await until(async () => !(await readdir(folder)).includes(sha256))
  assert.ok(await isOver())
  assert.ok(!(await kept()).has(`long/${sha256}`))
  store.close()
})

test('what several objects have goes with the last of them', options, async () => {
  const content = randomBytes(10_000)
  await ask('PUT', '/x', content)
  await ask('COPY', '/x', undefined, { destination: '/y' })
  await ask('DELETE', '/x')
  assert.ok((await kept()).has(nameOf(content)))
  assert.ok((await ask('GET', '/y')).body.equals(content))
  await ask('DELETE', '/y')
  await until(async () => !(await kept()).has(nameOf(content)))
})

test(
  'a wrong key and a bucket that is not there are 502 for who asks, and told in the log',
  options,
  async () => {
    for (const [host, why] of [
      ['locked', /answered PUT with 403: .*SignatureDoesNotMatch/],
      ['nowhere', /answered PUT with 404: .*NoSuchBucket/],
    ] as const) {
      const put = await ask('PUT', '/a', 'x', { host: `${host}.example.com` })
      assert.equal(put.status, 502, put.text)
      assert.doesNotMatch(put.text, /Signature|NoSuchBucket/)
      await until(() => why.test(running.output()))
      assert.equal((await ask('GET', '/a', undefined, { host: `${host}.example.com` })).status, 404)
      assert.deepEqual(await readdir(join(running.folder, host, 'drafts')), [])
    }
  },
)

test(
  'while the service is away, nothing is stored and what is asked for is 502; then it goes on',
  options,
  async () => {
    const content = randomBytes(100_000)
    assert.equal((await ask('PUT', '/stays', content)).status, 201)
    await swift.stop()
    assert.equal((await ask('PUT', '/late', 'x')).status, 502)
    assert.equal((await ask('GET', '/stays')).status, 502)
    assert.equal((await ask('HEAD', '/stays')).status, 200)
    assert.deepEqual(await readdir(join(running.folder, 'media', 'drafts')), [])
    await swift.start()
    assert.ok((await ask('GET', '/stays')).body.equals(content))
    assert.equal((await ask('PUT', '/late', 'x')).status, 201)
    assert.equal((await ask('GET', '/late')).text, 'x')
  },
)
