import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Handler, Request } from '#http/exchange.ts'
import { fieldsOf, noFields } from '#http/wire/fields.ts'
import { sourceOf } from '#http/wire/octets-source.ts'
import { knownSource, openSource } from './source-file.ts'
import { MediaFault } from './wire/fault.ts'

const content = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 251))
const request: Request = {
  ...{
    method: 'GET',
    authority: 'a.example',
    host: 'a.example',
    target: '/film.mp4/index.m3u8',
    version: '1.1',
  },
  ...{ fields: noFields, body: null, lengthOctets: 0, upgrade: undefined },
  client: { address: '192.0.2.1', port: 1, secure: false, localPort: 80 },
}

type How = { etag?: string; ignoresRanges?: boolean; status?: number; cutAt?: number; hasNoLength?: boolean }

/** A handler that has one file, and notes what it is asked. */
function origin(how: How, asked: string[] = []): Handler {
  return (exchange) => {
    const range = exchange.request.fields.get('range')!
    asked.push([range, exchange.request.fields.get('if-range') ?? ''].join(' ').trim())
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range)!.map(Number) as [number, number, number]
    if (how.status !== undefined)
      return exchange.respond({ status: how.status, fields: noFields, lengthOctets: 0 }, null)
    const isWhole = how.ignoresRanges === true
    const part = isWhole ? content : content.subarray(first, last + 1)
    const place = `bytes ${first}-${first + part.length - 1}/${content.length}`
    const lines: [string, string][] = [
      ['ETag', how.etag ?? '"1"'],
      ...(isWhole ? [] : [['Content-Range', place] as [string, string]]),
    ]
    const head = {
      status: isWhole ? 200 : 206,
      fields: fieldsOf(lines),
      lengthOctets: how.hasNoLength ? null : part.length,
    }
    exchange.respond(head, sourceOf(part.subarray(0, how.cutAt)))
  }
}

const below = (handler: Handler) => ({ handler, request })

test('a file is read by ranges, its begin once, and later ones with If-Range (RFC 9110 §13.1.5)', async () => {
  const asked: string[] = []
  const file = await openSource(below(origin({}, asked)), '/film.mp4')
  assert.equal(file.octets, content.length)
  assert.deepEqual(Buffer.from(await file.read({ from: 10, octets: 20 })), content.subarray(10, 30))
  assert.deepEqual(
    Buffer.from(await file.read({ from: 150_000, octets: 9 })),
    content.subarray(150_000, 150_009),
  )
  assert.deepEqual(asked, ['bytes=0-65535', 'bytes=150000-150008 "1"'])
})

test('a weak tag cannot tell versions apart, and is not sent', async () => {
  const asked: string[] = []
  const file = await openSource(below(origin({ etag: 'W/"1"' }, asked)), '/film.mp4')
  await file.read({ from: 150_000, octets: 9 })
  assert.equal(asked[1], 'bytes=150000-150008')
})

test('a service that answers no ranges is read all the same, while the film is small', async () => {
  const file = await openSource(below(origin({ ignoresRanges: true })), '/film.mp4')
  assert.deepEqual(
    Buffer.from(await file.read({ from: 150_000, octets: 9 })),
    content.subarray(150_000, 150_009),
  )
  const far = knownSource(below(origin({ ignoresRanges: true })), '/film.mp4', { ...file, octets: 2 ** 30 })
  await assert.rejects(far.read({ from: 2 ** 29, octets: 9 }), isFault(502))
})

test('another version is never mixed with the one before', async () => {
  const file = await openSource(below(origin({})), '/film.mp4')
  const changed = knownSource(below(origin({ etag: '"2"' })), '/film.mp4', file)
  await assert.rejects(changed.read({ from: 150_000, octets: 9 }), isFault(409))
})

const faults: [name: string, how: How, status: number][] = [
  ['that is not there', { status: 404 }, 404],
  ['that is gone', { status: 410 }, 404],
  ['that is empty', { status: 416 }, 422],
  ['that nobody may read', { status: 403 }, 403],
  ['whose service has failed', { status: 500 }, 502],
  ['whose service is late', { status: 504 }, 504],
  ['that leads elsewhere', { status: 302 }, 502],
  ['of unknown length', { ignoresRanges: true, hasNoLength: true }, 502],
  ['that breaks off', { cutAt: 100 }, 502],
]
for (const [name, how, status] of faults) {
  test(`a film ${name} is ${status}`, async () => {
    await assert.rejects(openSource(below(origin(how)), '/film.mp4'), isFault(status))
  })
}

test('a service that says nothing at all is 502', async () => {
  await assert.rejects(
    openSource(
      below((exchange) => exchange.abort('origin broke off')),
      '/film.mp4',
    ),
    isFault(502),
  )
})

test('what the index says beyond the end of the file is 422', async () => {
  const file = await openSource(below(origin({})), '/film.mp4')
  await assert.rejects(file.read({ from: 199_999, octets: 2 }), isFault(422))
})

function isFault(status: number): (error: unknown) => boolean {
  return (error) => error instanceof MediaFault && error.status === status
}
