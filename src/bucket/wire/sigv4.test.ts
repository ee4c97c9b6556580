import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldsOf } from '#http/wire/fields.ts'
import { piecemeal } from '../../../test/piecemeal.ts'
import { AwsChunked } from './aws-chunked.ts'
import { Fault } from './body.ts'
import { ChunkSigner, isSigned, readSignature, type Signature, signedAtMs } from './sigv4.ts'

// The examples of "Authenticating Requests (AWS Signature Version 4)" in the API reference of S3.
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
const SCOPE = 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request'
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

function asked(method: string, target: string, lines: readonly (readonly [string, string])[]) {
  const [path = '', query = ''] = target.split('?', 2)
  return {
    method,
    path,
    query: new URLSearchParams(query),
    authority: 'examplebucket.s3.amazonaws.com',
    fields: fieldsOf(lines),
  }
}

const authorization = (signedHeaders: string, signature: string): readonly [string, string] => [
  'authorization',
  `AWS4-HMAC-SHA256 Credential=${SCOPE},SignedHeaders=${signedHeaders},Signature=${signature}`,
]

const examples = {
  GET: asked('GET', '/test.txt', [
    authorization(
      'host;range;x-amz-content-sha256;x-amz-date',
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ),
    ['range', 'bytes=0-9'],
    ['x-amz-content-sha256', EMPTY],
    ['x-amz-date', '20130524T000000Z'],
  ]),
  PUT: asked('PUT', '/test%24file.text', [
    authorization(
      'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    ),
    ['date', 'Fri, 24 May 2013 00:00:00 GMT'],
    ['x-amz-date', '20130524T000000Z'],
    ['x-amz-storage-class', 'REDUCED_REDUNDANCY'],
    ['x-amz-content-sha256', '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072'],
  ]),
  list: asked('GET', '/?max-keys=2&prefix=J', [
    authorization(
      'host;x-amz-content-sha256;x-amz-date',
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ),
    ['x-amz-content-sha256', EMPTY],
    ['x-amz-date', '20130524T000000Z'],
  ]),
  'presigned URL': asked(
    'GET',
    `/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${encodeURIComponent(SCOPE)}&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404`,
    [],
  ),
}

for (const [name, request] of Object.entries(examples)) {
  test(`the signature of the ${name} example is right, and of no other request`, () => {
    const signature = readSignature(request) as Signature
    assert.equal(signature.keyId, 'AKIAIOSFODNN7EXAMPLE')
    assert.equal(signedAtMs(signature), Date.UTC(2013, 4, 24))
    assert.ok(isSigned(signature, request, SECRET))
    assert.ok(!isSigned(signature, request, `${SECRET}x`))
    assert.ok(!isSigned(signature, { ...request, method: 'DELETE' }, SECRET))
    assert.ok(!isSigned(signature, { ...request, path: '/other.txt' }, SECRET))
    assert.ok(!isSigned(signature, { ...request, authority: 'other.example' }, SECRET))
    assert.ok(!isSigned(signature, { ...request, query: new URLSearchParams('a=b') }, SECRET))
  })
}

const SEED: Omit<Signature, 'signature' | 'contentHash'> = {
  keyId: 'AKIAIOSFODNN7EXAMPLE',
  scope: '20130524/us-east-1/s3/aws4_request',
  date: '20130524T000000Z',
  signedHeaders: ['host'],
  expiresSeconds: null,
}

function chunked(signatures: readonly string[], trailer = ''): Buffer {
  const sizes = [65_536, 1024, 0]
  const chunks = sizes.map(
    (size, i) =>
      `${size.toString(16)};chunk-signature=${signatures[i]}\r\n${'a'.repeat(size)}${size > 0 ? '\r\n' : ''}`,
  )
  return Buffer.from(`${chunks.join('')}${trailer}\r\n`)
}

const PLAIN = [
  'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
  '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
  'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
]
const WITH_TRAILER = [
  'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
  '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
  '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
]
const TRAILER =
  'x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n'

async function decode(body: Buffer, signature: string, sizes: readonly number[]): Promise<number> {
  const signer = new ChunkSigner({ ...SEED, signature, contentHash: '' }, SECRET)
  const reader = new AwsChunked(piecemeal(body, sizes), signer)
  let octets = 0
  for (let part = await reader.read(); part !== null; part = await reader.read()) octets += part.length
  if (body.includes('crc32c')) assert.equal(reader.trailers.get('x-amz-checksum-crc32c'), 'sOO8/Q==')
  return octets
}

test('content that is signed chunk by chunk is read, and not when one octet of it is another', async () => {
  const cases: [Buffer, string][] = [
    [chunked(PLAIN), '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9'],
    [chunked(WITH_TRAILER, TRAILER), '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e'],
  ]
  for (const [body, seed] of cases) {
    for (const size of [7, 4096, 100_000]) assert.equal(await decode(body, seed, [size]), 66_560)
    for (const at of [200, 65_700, 66_800, body.length - 90]) {
      const damaged = Buffer.from(body)
      damaged[at]! ^= 1
      await assert.rejects(decode(damaged, seed, [4096]), Fault, `octet ${at}`)
    }
    for (const length of [0, 50, 60_000, 66_000, 66_700]) {
      await assert.rejects(decode(body.subarray(0, length), seed, [4096]), Fault, `cut after ${length}`)
    }
  }
})
