import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fieldsOf } from '#http/wire/fields.ts'
import { readCredentials } from './credentials.ts'

function read(...values: string[]): unknown {
  return readCredentials(fieldsOf(values.map((value) => ['Authorization', value] as const)))
}

const base64 = (text: string, encoding: BufferEncoding = 'utf8'): string =>
  Buffer.from(text, encoding).toString('base64')

test('credentials are read by their scheme, whatever its case (RFC 9110 §11.4, §11.6.2, RFC 7617 §2)', () => {
  // The example of RFC 7617 §2.
  const aladdin = { scheme: 'basic', user: 'Aladdin', password: 'open sesame' }
  assert.deepEqual(read('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='), aladdin)
  assert.deepEqual(read('bASIC  QWxhZGRpbjpvcGVuIHNlc2FtZQ'), aladdin)
  assert.deepEqual(read(`Basic ${base64('a:b:c')}`), { scheme: 'basic', user: 'a', password: 'b:c' })
  assert.deepEqual(read(`Basic ${base64('a:')}`), { scheme: 'basic', user: 'a', password: '' })
  assert.deepEqual(read('Bearer mF_9.B5f-4.1JqM'), { scheme: 'bearer', token: 'mF_9.B5f-4.1JqM' })
  assert.deepEqual(read(), { scheme: 'none' })
})

test('passwords are UTF-8 (RFC 7617 §2.1)', () => {
  // The example of RFC 7617 §2.1: test, and 123 with a pound sign.
  assert.deepEqual(read('Basic dGVzdDoxMjPCow=='), { scheme: 'basic', user: 'test', password: '123£' })
  assert.deepEqual(read(`Basic ${base64('test:123£', 'latin1')}`), { scheme: 'unknown' })
})

const unreadable = [
  ['Basic'],
  ['Basic '],
  ['Basic *'],
  ['Basic QQ==QQ=='],
  [`Basic ${base64('no colon')}`],
  [`Basic ${base64('a:b\nc')}`],
  [`Basic ${base64('a\u0000:b')}`],
  ['Digest username="Mufasa"'],
  ['Bearer a b'],
  ['QWxhZGRpbjpvcGVuIHNlc2FtZQ=='],
  ['Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==', 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='],
]

for (const values of unreadable) {
  test(`credentials that cannot be read: ${JSON.stringify(values.join(' and '))}`, () => {
    assert.deepEqual(read(...values), { scheme: 'unknown' })
  })
}

test('no field makes readCredentials() throw, and what was sent is what is read', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'BasicBearer QWxh=+/-_~,:"'), maxLength: 50 }),
      (value) => {
        read(value)
      },
    ),
  )
  const visible = fc.string({ unit: 'grapheme' }).filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text))
  fc.assert(
    fc.property(visible, visible, (user, password) => {
      if (user.includes(':')) return
      assert.deepEqual(read(`Basic ${base64(`${user}:${password}`)}`), { scheme: 'basic', user, password })
    }),
  )
})
