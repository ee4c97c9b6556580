import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldsOf } from '#http/wire/fields.ts'
import { namedTags, tagsOf } from './tags.ts'

test('tagsOf() reads Cache-Tag, Surrogate-Key and the groups of the origin (RFC 9875 §2)', () => {
  const fields = fieldsOf([
    ['Cache-Tag', 'a, b c,,a'],
    ['Surrogate-Key', 'd  e'],
    ['Cache-Groups', '"g h"'],
  ])
  const groups = ['g h', 'group\thttps://example.com\tg h']
  const words = ['b', 'c']
  assert.deepEqual(tagsOf(fields, 'https://example.com', ['own']), [
    ...['own', 'a', 'b c', 'd', 'e'],
    ...words,
    ...groups,
  ])
})

test('a tag with a space is purged by itself, and by each of its words; a purge by it names it alone', () => {
  const fields = fieldsOf([['Cache-Tag', 'spring  sale']])
  assert.deepEqual(tagsOf(fields, '', []), ['spring sale', 'spring', 'sale'])
  assert.deepEqual(namedTags(fields), ['spring sale'])
})

test('tagsOf() has limits: 128 tags of 1024 octets', () => {
  const many = Array.from({ length: 200 }, (_, i) => `t${i}`).join(',')
  assert.equal(tagsOf(fieldsOf([['Cache-Tag', many]]), '', []).length, 128)
  assert.deepEqual(tagsOf(fieldsOf([['Cache-Tag', `${'x'.repeat(2000)},a`]]), '', []), ['a'])
})
