import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { ResponseHead } from '../exchange.ts'
import { chooseCoding } from '../wire/accept-encoding.ts'
import { fieldsOf } from '../wire/fields.ts'
import { isCompressible } from './compressible.ts'
import { encode } from './encode.ts'

describe('chooseCoding() takes the coding that the client likes best (RFC 9110 §12.5.3)', () => {
  const table: readonly (readonly [accept: string, coding: string | null])[] = [
    ['gzip, deflate, br, zstd', 'zstd'],
    ['gzip, deflate, br', 'br'],
    ['gzip', 'gzip'],
    ['GZIP;Q=0.5', 'gzip'],
    ['x-gzip', 'gzip'],
    ['gzip;q=1.0, br;q=0.9', 'gzip'],
    ['zstd;q=0, br;q=0.001', 'br'],
    ['gzip ; q=0.8 , br\t;\tq=0.8', 'br'],
    ['*', 'zstd'],
    ['*;q=0', null],
    ['zstd;q=0, *', 'br'],
    ['*;q=0, gzip', 'gzip'],
    ['gzip;q=0', null],
    ['identity', null],
    ['identity, gzip;q=0.5', null],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    ['identity;q=0, gzip', 'gzip'],
    ['deflate, compress', null],
    ['', null],
    // A weight of another form says nothing that could be relied on (RFC 9110 §12.4.2).
    ['gzip;q=2', null],
    ['gzip;q=0.1234', null],
    ['gzip;level=9', null],
    ['gzip;q=-1, br;q=.5', null],
  ]
  for (const [accept, coding] of table) {
    test(`${JSON.stringify(accept)} → ${coding}`, () => assert.equal(chooseCoding([accept]).coding, coding))
  }

  test('of several lines as of one', () => {
    assert.equal(chooseCoding(['gzip;q=0.5', 'br;q=0.7']).coding, 'br')
    assert.deepEqual(chooseCoding([]), { coding: null, reason: 'no coding accepted' })
  })

  test('and plain content when nothing else is acceptable, not 406 (RFC 9110 §12.4.1)', () => {
    assert.equal(chooseCoding(['identity;q=0']).coding, null)
    assert.equal(chooseCoding(['*;q=0']).coding, null)
  })

  test('and never one that was excluded, whatever else stands there (RFC 9110 §12.4.2, §8.4.1.3)', () => {
    const weight = fc.constantFrom('', ';q=0', ';q=1', ';q=0.5', '; q=0.000', ';q=', ';q=1.5', ';;', ';q="1"')
    const name = fc.constantFrom('gzip', 'br', 'zstd', '*', 'identity', 'deflate', '"', ',', 'é', '')
    const member = fc.tuple(name, weight).map(([a, b]) => a + b)
    fc.assert(
      fc.property(fc.array(fc.oneof(member, fc.string({ maxLength: 12 })), { maxLength: 8 }), (members) => {
        const { coding } = chooseCoding([members.join(',')])
        const only = chooseCoding([`${members.join(',')}, gzip;q=0, br;q=0, zstd;q=0`]).coding
        return (
          (coding === null || ['gzip', 'br', 'zstd'].includes(coding)) &&
          (only === null || members.some((m) => m.includes('"')))
        )
      }),
    )
  })
})

describe('encode() decides', () => {
  type Case = readonly [
    name: string,
    head: { status?: number; length?: number | null; fields?: Record<string, string> },
    says: string,
    asked?: { method?: string; fields?: Record<string, string> },
  ]
  const html = { 'Content-Type': 'text/html' }
  const table: readonly Case[] = [
    ['text of 1 KiB is compressed', { fields: html, length: 1024 }, 'zstd accepted'],
    ['text of unknown length is compressed', { fields: html, length: null }, 'zstd accepted'],
    ['errors are compressed too', { status: 404, fields: html }, 'zstd accepted'],
    ['less than 1 KiB is not', { fields: html, length: 1023 }, 'too short'],
    ['a picture is not', { fields: { 'Content-Type': 'image/png' } }, 'media type'],
    ['content of no type is not (RFC 9110 §8.3.1)', {}, 'media type'],
    [
      'what has a coding is not coded twice (RFC 9110 §8.4.1, RFC 8878 §7)',
      { fields: { ...html, 'Content-Encoding': 'br' } },
      'has a coding already',
    ],
    [
      'no-transform is kept to (RFC 9110 §7.7)',
      { fields: { ...html, 'Cache-Control': 'a, No-Transform' } },
      'no-transform',
    ],
    [
      'no-transform of the request too (RFC 9110 §7.7)',
      { fields: html },
      'no-transform',
      { fields: { 'cache-control': 'no-transform' } },
    ],
    ['HEAD has no content', { fields: html }, 'varies: no content', { method: 'HEAD' }],
    ['204 has no content', { status: 204, fields: html }, 'no content'],
    ['304 varies as 200 does (RFC 9110 §15.4.5)', { status: 304 }, 'varies: no content'],
    ['a part is not', { status: 206, fields: html }, 'varies: part of the content'],
    ['who accepts nothing gets it plain', { fields: html }, 'varies: no coding accepted', { fields: {} }],
  ]
  for (const [name, { status = 200, length = 5000, fields = {} }, says, asked] of table) {
    test(name, () => {
      const accept = asked?.fields ?? { 'accept-encoding': 'gzip, br, zstd' }
      const request = { method: asked?.method ?? 'GET', fields: fieldsOf(Object.entries(accept)) }
      const head: ResponseHead = { status, fields: fieldsOf(Object.entries(fields)), lengthOctets: length }
      const { coding, varies, reason } = encode(request, head)
      const word = coding ?? (varies ? 'varies:' : '')
      assert.equal(`${word} ${reason}`.trim(), says)
    })
  }
})

test('isCompressible() knows text by its media type, whatever the parameters (RFC 9110 §8.3.1)', () => {
  const yes = [
    'text/html; charset=utf-8',
    'TEXT/css',
    'application/json',
    'image/svg+xml',
    'application/ld+json;a=b',
    'text/event-stream',
  ]
  const no = [
    undefined,
    '',
    'image/png',
    'video/mp4',
    'application/zip',
    'application/octet-stream',
    'font/woff2',
    'multipart/byteranges',
  ]
  assert.deepEqual(
    yes.filter((type) => !isCompressible(type)),
    [],
  )
  assert.deepEqual(no.filter(isCompressible), [])
})
