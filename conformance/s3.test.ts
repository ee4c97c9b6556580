import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { askBucket } from '../test/bucket.ts'
import { peer, run } from '../test/peers.ts'
import { type Running, startRunning } from '../test/running.ts'

const SECRET = 'a secret of some length'
const Bucket = 'media'
let running: Running
let folder: string
let client: S3Client

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portico-s3-'))
  const secret = join(folder, 'secret')
  await writeFile(secret, `${SECRET}\n`)
  const keys = { AKID: { secret } }
  running = await startRunning(
    { hosts: { media: { bucket: { root: './media', keys }, http: 'serve' } } },
    { workers: 2 },
  )
  client = clientOf(SECRET)
})
after(async () => {
  client.destroy()
  await running.stop()
  await rm(folder, { recursive: true })
})

function clientOf(secretAccessKey: string, accessKeyId = 'AKID'): S3Client {
  const httpAgent = new Agent({
    keepAlive: true,
    lookup: (_host, options, found) =>
      options.all ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4),
  })
  return new S3Client({
    endpoint: `http://media.example.com:${running.ports.http}`,
    region: 'eu-central-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    requestHandler: { httpAgent },
    maxAttempts: 1,
  })
}

async function octetsOf(key: string, range: { Range?: string } = {}): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: key, ...range }))
  return Buffer.from(await Body!.transformToByteArray())
}

test('the SDK puts octets and streams, and gets them back, also in part, with type and metadata', async () => {
  await client.send(new HeadBucketCommand({ Bucket }))
  const body = randomBytes(300_000)
  const about = { ContentType: 'video/x-thing', Metadata: { colour: 'blue' }, CacheControl: 'max-age=9' }
  await client.send(new PutObjectCommand({ Bucket, Key: 'a/ü b+c(1).bin', Body: body, ...about }))
  const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'a/ü b+c(1).bin' }))
  assert.deepEqual(
    [head.ContentLength, head.ContentType, head.Metadata, head.CacheControl],
    [300_000, 'video/x-thing', { colour: 'blue' }, 'max-age=9'],
  )
  assert.ok((await octetsOf('a/ü b+c(1).bin')).equals(body))
  assert.ok((await octetsOf('a/ü b+c(1).bin', { Range: 'bytes=5-99' })).equals(body.subarray(5, 100)))
  // A stream is sent in chunks, with its checksum in a trailer.
  const streamed = Readable.from([body.subarray(0, 100_000), body.subarray(100_000)])
  await client.send(
    new PutObjectCommand({ Bucket, Key: 'streamed', Body: streamed, ContentLength: body.length }),
  )
  assert.ok((await octetsOf('streamed')).equals(body))
})

test('objects are listed by prefix and delimiter, a page at a time', async () => {
  for (const Key of ['l/1', 'l/2', 'l/x/1', 'l/x/2', 'l/y', 'm']) {
    await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
  }
  const list = { Bucket, Prefix: 'l/', Delimiter: '/', MaxKeys: 2 }
  const keys: (string | undefined)[] = []
  let token: string | undefined
  do {
    const more = token === undefined ? {} : { ContinuationToken: token }
    const page = await client.send(new ListObjectsV2Command({ ...list, ...more }))
    keys.push(
      ...(page.Contents ?? []).map(({ Key }) => Key),
      ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
    )
    token = page.NextContinuationToken
  } while (token !== undefined)
  assert.deepEqual(keys.sort(), ['l/1', 'l/2', 'l/x/', 'l/y'])
})

test('objects are copied and deleted, one and many', async () => {
  const body = 'copied'
  await client.send(new PutObjectCommand({ Bucket, Key: 'c/1', Body: body, ContentType: 'text/x-a' }))
  await client.send(new CopyObjectCommand({ Bucket, Key: 'c/2', CopySource: `${Bucket}/c/1` }))
  const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'c/2' }))
  assert.equal(head.ContentType, 'text/x-a')
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'c/1' }))
  const Objects = [{ Key: 'c/2' }, { Key: 'c/none' }]
  const deleted = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
  assert.equal(deleted.Deleted?.length, 2)
  await assert.rejects(client.send(new GetObjectCommand({ Bucket, Key: 'c/2' })), { name: 'NoSuchKey' })
})

test('an upload in parts becomes one object, whatever the order they come in', async () => {
  const Key = 'big'
  const parts = [randomBytes(6_000_000), randomBytes(6_000_000), randomBytes(1000)]
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }))
  const sent = await Promise.all(
    [3, 1, 2].map(async (PartNumber) => {
      const Body = parts[PartNumber - 1]!
      const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }))
      return { PartNumber, ETag }
    }),
  )
  const listed = await client.send(new ListPartsCommand({ Bucket, Key, UploadId }))
  assert.equal(listed.Parts?.length, 3)
  const Parts = sent.sort((a, b) => a.PartNumber - b.PartNumber)
  const wrong = { Bucket, Key, UploadId, MultipartUpload: { Parts: Parts.toReversed() } }
  await assert.rejects(client.send(new CompleteMultipartUploadCommand(wrong)), { name: 'InvalidPartOrder' })
  await client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }))
  assert.ok((await octetsOf(Key)).equals(Buffer.concat(parts)))
  const other = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }))
  await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: other.UploadId }))
  assert.deepEqual(await readdir(join(running.folder, 'media', 'uploads')), [])
})

test('what is not signed by a key is refused, and preconditions hold', async () => {
  const stranger = clientOf('another secret, just as long')
  await assert.rejects(stranger.send(new GetObjectCommand({ Bucket, Key: 'm' })), {
    name: 'SignatureDoesNotMatch',
  })
  stranger.destroy()
  const put = new PutObjectCommand({ Bucket, Key: 'once', Body: 'x', IfNoneMatch: '*' })
  await client.send(put)
  await assert.rejects(client.send(put), { name: 'PreconditionFailed' })
  const damaged = new PutObjectCommand({ Bucket, Key: 'damaged', Body: 'x', ChecksumCRC32: 'AAAAAA==' })
  await assert.rejects(client.send(damaged), { name: 'BadDigest' })
  await assert.rejects(client.send(new HeadObjectCommand({ Bucket, Key: 'damaged' })), { name: 'NotFound' })
})

test('presigned URLs upload and download, until their time is over and for what was signed', async () => {
  const ask = (url: string, method: string, body?: string) => {
    const { pathname, search, host } = new URL(url)
    return askBucket(running.ports.http, method, `${pathname}${search}`, body, { host })
  }
  const put = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: 'pre/ü' }), { expiresIn: 60 })
  assert.equal((await ask(put, 'PUT', 'presigned')).status, 200)
  const get = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'pre/ü' }), { expiresIn: 60 })
  assert.equal((await ask(get, 'GET')).text, 'presigned')
  assert.equal((await ask(get, 'DELETE')).status, 403)
  assert.equal((await ask(get.replace('pre/', 'per/'), 'GET')).status, 403)
  const signingDate = new Date(Date.now() - 120_000)
  const late = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'pre/ü' }), {
    expiresIn: 60,
    signingDate,
  })
  assert.match((await ask(late, 'GET')).text, /RequestTimeTooSkewed|AccessDenied/)
})

test('every checksum that the SDK knows is compared, in a field and in a trailer', async () => {
  const body = randomBytes(100_000)
  for (const ChecksumAlgorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const) {
    const put = { Bucket, Key: `sum/${ChecksumAlgorithm}`, ContentLength: body.length, ChecksumAlgorithm }
    await client.send(new PutObjectCommand({ ...put, Body: body }))
    await client.send(new PutObjectCommand({ ...put, Body: Readable.from([body]) }))
    assert.ok((await octetsOf(put.Key)).equals(body), ChecksumAlgorithm)
  }
  const wrong = {
    ChecksumCRC32C: 'AAAAAA==',
    ChecksumCRC64NVME: 'AAAAAAAAAAA=',
    ChecksumSHA1: `${'A'.repeat(27)}=`,
    ChecksumSHA256: `${'A'.repeat(43)}=`,
  }
  for (const [name, value] of Object.entries(wrong)) {
    const put = new PutObjectCommand({ Bucket, Key: 'wrong', Body: body, [name]: value })
    await assert.rejects(client.send(put), { name: 'BadDigest' }, name)
  }
})

test('a presigned URL may say how its object is to be taken, and nothing runs in the name of the host all the same', async () => {
  await client.send(new PutObjectCommand({ Bucket, Key: 'said', Body: 'x', CacheControl: 'max-age=9' }))
  const get = new GetObjectCommand({
    Bucket,
    Key: 'said',
    ResponseContentType: 'text/csv',
    ResponseContentDisposition: 'attachment; filename="ü.csv"',
    ResponseCacheControl: 'no-cache',
  })
  const got = await client.send(get)
  assert.deepEqual([got.ContentType, got.CacheControl], ['text/csv', 'no-cache'])
  assert.equal(Buffer.from(got.ContentDisposition!, 'latin1').toString(), 'attachment; filename="ü.csv"')
  const inline = { ResponseContentType: 'text/html', ResponseContentDisposition: 'inline' }
  const page = await client.send(new GetObjectCommand({ Bucket, Key: 'said', ...inline }))
  assert.match(page.ContentDisposition!, /^attachment/)
  await client.send(
    new PutObjectCommand({ Bucket, Key: 'p.html', Body: '<html>', ContentDisposition: 'inline; filename=x' }),
  )
  const stored = await client.send(new GetObjectCommand({ Bucket, Key: 'p.html' }))
  assert.match(stored.ContentDisposition!, /^attachment/)
  for (const value of ['a\r\nSet-Cookie: x', 'a\0'])
    await assert.rejects(
      client.send(new GetObjectCommand({ Bucket, Key: 'said', ResponseContentLanguage: value })),
      { name: 'InvalidArgument' },
    )
})

test('what S3 refuses is refused by its name', async () => {
  const Key = 'n'.repeat(1024)
  await client.send(new PutObjectCommand({ Bucket, Key, Body: '' }))
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }))
  const part = { Bucket, Key, UploadId, Body: 'short' }
  const Parts: { PartNumber: number; ETag: string | undefined }[] = []
  for (const PartNumber of [1, 2]) {
    const { ETag } = await client.send(new UploadPartCommand({ ...part, PartNumber }))
    Parts.push({ PartNumber, ETag })
  }
  const all = { Bucket, Key, UploadId, MultipartUpload: { Parts } }
  const nobody = clientOf(SECRET, 'NOBODY')
  const cases = [
    [new PutObjectCommand({ Bucket, Key: `${Key}n`, Body: '' }), 'KeyTooLongError'],
    [new CompleteMultipartUploadCommand(all), 'EntityTooSmall'],
    [new UploadPartCommand({ ...part, PartNumber: 10_001 }), 'InvalidArgument'],
    [new GetObjectCommand({ Bucket, Key, Range: 'bytes=0-' }), 'InvalidRange'],
    [new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/${Key}` }), 'InvalidRequest'],
    [new ListObjectsV2Command({ Bucket, MaxKeys: -1 }), 'InvalidArgument'],
    [new ListObjectsV2Command({ Bucket, ContinuationToken: '!' }), 'InvalidArgument'],
  ] as const
  for (const [command, name] of cases) await assert.rejects(client.send(command as never), { name })
  await assert.rejects(nobody.send(new ListObjectsV2Command({ Bucket })), { name: 'InvalidAccessKeyId' })
  nobody.destroy()
  await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))
  await client.send(new CreateBucketCommand({ Bucket }))
})

const curl = peer('curl')
test('curl signs for itself, and is understood', { skip: curl === undefined && 'needs curl' }, async () => {
  const name = join(folder, 'sent')
  const body = randomBytes(50_000)
  await writeFile(name, body)
  const { http } = running.ports
  const resolve = ['--resolve', `media.example.com:${http}:127.0.0.1`, '-sS', '--max-time', '10']
  const sign = ['--aws-sigv4', 'aws:amz:us-east-1:s3', '--user', `AKID:${SECRET}`, '-w', '%{http_code}']
  const url = `http://media.example.com:${http}/media/by%20curl`
  const hash = (value: string): string[] => ['-H', `x-amz-content-sha256: ${value}`]
  const sum = createHash('sha256').update(body).digest('hex')
  assert.equal((await run(curl!, [...resolve, ...sign, ...hash(sum), '-T', name, url])).stdout, '200')
  const words = [...resolve, ...sign, ...hash('UNSIGNED-PAYLOAD'), '-o', `${name}.got`, url]
  assert.equal((await run(curl!, words)).stdout, '200')
  assert.ok((await readFile(`${name}.got`)).equals(body))
  const wrong = await run(curl!, [...resolve, ...sign, ...hash('0'.repeat(64)), '-T', name, url])
  assert.match(wrong.stdout, /BadDigest.*400$/s)
})
