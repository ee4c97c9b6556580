import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldsOf } from '#http/wire/fields.ts'
import { cookieOf } from './cookie.ts'

test('cookieOf() finds the first pair with the name (RFC 6265 §5.4)', () => {
  const fields = fieldsOf([
    ['Cookie', 'ab=0; a=1=2;b; a=3'],
    ['Cookie', 'c = 4'],
  ])
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((name) => cookieOf(fields, name)),
    ['1=2', undefined, '4', undefined],
  )
})
