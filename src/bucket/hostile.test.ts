import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { createCatalogs } from '#bucket/store/catalogs.ts'
import { pathsOf } from '#bucket/store/folder.ts'
import { silent } from '#core/log.ts'
import type { Handler } from '#http/exchange.ts'
import { type Answer, ask, octetsOf } from '../../test/exchange.ts'
import { piecemeal } from '../../test/piecemeal.ts'
import { planBucket } from './plan.ts'
import { createBucket } from './serve.ts'

// Thousands of requests that nobody should send: each is answered, and nothing of those that are refused stays.

let folder: string
let handler: Handler
const catalogs = createCatalogs(Date.now)

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portico-hostile-'))
  const plan = { ...planBucket({ root: './media', write: 'anyone', listing: true, sync: false }, false) }
  const limits = { maxOctets: 5000, fieldsOctets: 2000, partsLimit: 10 }
  const options = { folder, apply: catalogs.apply, worker: 0, log: silent, now: Date.now }
  handler = createBucket({ ...plan, ...limits }, options)
})
after(async () => {
  catalogs.close()
  await rm(folder, { recursive: true })
})

/** Send content, and delete what was stored of it; 201 or a refusal of the client's is right. */
async function post(type: string, body: Uint8Array, sizes: number[]): Promise<Answer> {
  const fields = [['content-type', type]] as const
  const answer = await ask(handler, { method: 'POST', target: '/in/', fields, body: piecemeal(body, sizes) })
  const { status } = answer
  assert.ok(status === 201 || (status >= 400 && status < 500), `${status}`)
  if (status !== 201) return answer
  const { objects } = JSON.parse(String(await octetsOf(answer))) as {
    objects: { key: string; url: string }[]
  }
  for (const { key, url } of objects) {
    assert.ok(key.startsWith('in/') && !key.includes('..'), key)
    const gone = await ask(handler, { method: 'DELETE', target: url })
    // Two files of a form may be the same.
    assert.ok([204, 404].includes(gone.status), `${gone.status}`)
  }
  return answer
}

const files = async (path: string): Promise<string[]> =>
  (await readdir(path, { recursive: true, withFileTypes: true }))
    .filter((one) => one.isFile())
    .map(({ name }) => name)

async function assertNothingLeft(): Promise<void> {
  const { drafts, doubts, blobs, uploads } = pathsOf(join(folder, 'media'))
  assert.deepEqual(await Promise.all([drafts, doubts, blobs, uploads].map(files)), [[], [], [], []])
}

const PART = '--B\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\nContent-Type: a/b\r\n\r\n'
const SEEDS = {
  'multipart/form-data; boundary=B': `${PART}one\r\n${PART}two\r\n--B\r\nContent-Disposition: form-data; name=t\r\n\r\nx\r\n--B--\r\n`,
  'application/json':
    '{"a":[1,"x",{"name":"b.bin","base64":"AAECAwQF"}],"u":"data:text/plain;base64,aGFsbG8="}',
  'application/x-www-form-urlencoded': `a=1&b=%41%C3%BC+c&f=${'%00x'.repeat(1000)}&=&&x`,
  'application/octet-stream': 'octets as they are',
}
const TOKENS = [
  '--B',
  '--B--',
  '\r\n',
  '"',
  '\\',
  '\\u0000',
  '{',
  '[',
  ']',
  '}',
  ',',
  '=',
  '&',
  '%',
  '../',
  '\0',
  '"base64":"',
  'A'.repeat(3000),
  ';',
  "filename*=UTF-8''%2e%2e%2fx",
  '[['.repeat(100),
]

/** One change of a text: octets cut out, doubled, turned, or others put in between. */
const change = fc.record({
  at: fc.nat(10_000),
  length: fc.nat(40),
  by: fc.oneof(fc.constantFrom(...TOKENS), fc.string({ maxLength: 4 }), fc.constant(undefined)),
})
const sizes = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 4 })

test('bodies that are damaged in every way are stored or refused, and leave nothing', async () => {
  const kinds = fc.constantFrom(...(Object.keys(SEEDS) as (keyof typeof SEEDS)[]))
  const seen = new Map<number, number>()
  await fc.assert(
    fc.asyncProperty(kinds, fc.array(change, { maxLength: 5 }), sizes, async (type, changes, pieces) => {
      let body = Buffer.from(SEEDS[type], 'latin1')
      for (const { at, length, by } of changes) {
        const place = at % (body.length + 1)
        const middle = Buffer.from(by ?? body.subarray(place, place + length))
        body = Buffer.concat([
          body.subarray(0, place),
          middle,
          body.subarray(place + (by === undefined ? 0 : length)),
        ])
      }
      const { status } = await post(type, body, pieces)
      seen.set(status, (seen.get(status) ?? 0) + 1)
    }),
    { numRuns: 2500 },
  )
  assert.ok(seen.get(201)! > 200 && seen.get(400)! > 200 && seen.get(413)! > 20, JSON.stringify([...seen]))
  await assertNothingLeft()
})

test('fields of requests that mean nothing are refused, and leave nothing', async () => {
  const names = [
    'content-type',
    'content-disposition',
    'content-range',
    'if-match',
    'if-none-match',
    'upload-length',
    'upload-offset',
    'upload-metadata',
    'upload-concat',
    'upload-defer-length',
    'upload-checksum',
    'destination',
    'overwrite',
    'authorization',
    'x-http-method-override',
    'x-amz-date',
    'range',
  ]
  const values = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.constantFrom(
      '*',
      '0',
      '-1',
      '1e3',
      'final;/a',
      'partial',
      'sha1 x',
      'AWS4-HMAC-SHA256 Credential=a/b',
      'multipart/form-data',
      'bytes 0-1/2',
      'bytes=0-',
      '"a"',
      'W/"a"',
    ),
  )
  const line = fc.tuple(
    fc.constantFrom(...names),
    values.filter((value) => /^[\x20-\x7e]*$/.test(value)),
  )
  const method = fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'COPY', 'PATCH', 'OPTIONS')
  const target = fc.constantFrom(
    '/',
    '/a',
    '/in/',
    '/.uploads/',
    '/.uploads/aaaaaaaaaaaaaaaaaaaaaaaa',
    '/a?version=zz',
    '/%ff',
    '/%2e%2e/a',
    '/?prefix=%00',
    '/?limit=-1',
    '/a?uploads',
    '/a?X-Amz-Algorithm=AWS4-HMAC-SHA256',
    `/${'x'.repeat(1100)}`,
  )
  await fc.assert(
    fc.asyncProperty(
      method,
      target,
      fc.array(line, { maxLength: 4 }),
      fc.boolean(),
      async (how, where, lines, isTus) => {
        const fields = isTus ? ([...lines, ['tus-resumable', '1.0.0']] as const) : lines
        const body =
          how === 'GET' || how === 'HEAD' ? {} : { body: piecemeal(Buffer.from('some octets'), [4]) }
        const answer = await ask(handler, { method: how, target: where, fields, ...body })
        assert.ok(answer.status < 500 || answer.status === 501, `${how} ${where}: ${answer.status}`)
        if (answer.body !== null && !(answer.body instanceof Uint8Array)) answer.body.cancel('finished')
      },
    ),
    { numRuns: 1500 },
  )
})

test('ranges of every kind are answered with their octets, with the whole, or with 416', async () => {
  const content = Buffer.from(Array.from({ length: 997 }, (_, i) => i % 251))
  await ask(handler, { method: 'PUT', target: '/ranged', body: piecemeal(content, [100]) })
  const number = fc.oneof(
    fc.nat(2000).map(String),
    fc.constantFrom('', '00', '-', ' 1', '99999999999999999999'),
  )
  const range = fc.tuple(number, number).map((ends) => ends.join('-'))
  const written = fc
    .tuple(fc.constantFrom('bytes=', 'bytes =', 'BYTES=', 'lines=', ''), fc.array(range, { maxLength: 8 }))
    .map(([unit, list]) => unit + list.join(','))
  await fc.assert(
    fc.asyncProperty(written, async (value) => {
      const answer = await ask(handler, { target: '/ranged', fields: [['range', value]] })
      const octets = await octetsOf(answer)
      if (answer.status === 200) assert.ok(octets.equals(content))
      else if (answer.status === 206) {
        assert.equal(octets.length, answer.head.lengthOctets)
        const [, first, last] =
          /^bytes (\d+)-(\d+)\/997$/.exec(answer.head.fields.get('content-range') ?? '') ?? []
        if (first !== undefined) assert.ok(octets.equals(content.subarray(Number(first), Number(last) + 1)))
        else assert.match(answer.head.fields.get('content-type')!, /^multipart\/byteranges/)
      } else assert.equal(answer.status, 416, value)
    }),
    { numRuns: 1500 },
  )
})
