import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fieldsOf } from '#http/wire/fields.ts'
import type { CacheConfig } from './config.ts'
import { keyOf } from './key.ts'
import { planCache } from './plan.ts'

type KeyConfig = NonNullable<Exclude<CacheConfig, boolean>['key']>

const fields = fieldsOf([
  ['Cookie', 'a=1; lang=de f'],
  ['Cookie', 'b=2'],
  ['X-Device', 'phone'],
])

function key(config: KeyConfig, target: string, authority = 'example.com', secure = true): string {
  return keyOf(planCache({ key: config })!.key, { authority, target, fields, client: { secure } })
}

describe('keyOf()', () => {
  const cases: [KeyConfig, string, string][] = [
    [{}, '/a?b=1&a=2', '/a?b=1&a=2'],
    [{ query: 'none' }, '/a?b=1', '/a'],
    [{ query: { keep: ['b'] } }, '/a?b=1&c=2&b=3', '/a?b=1&b=3'],
    [{ query: { drop: ['utm_*'] } }, '/a?utm_x=1&b&utm_=2', '/a?b'],
    [{ query: { drop: ['b'] } }, '/a?b=1', '/a'],
    [{ query: { sort: true } }, '/a?b=2&a=1&b=1', '/a?a=1&b=2&b=1'],
    [{ cookies: ['lang', 'none'] }, '/', '/ c:lang=de%20f c:none='],
    [{ headers: ['X-Device'] }, '/', '/ f:x-device=phone'],
  ]
  for (const [config, target, wanted] of cases) {
    test(`${JSON.stringify(config)} makes ${wanted} of ${target} (RFC 9111 §2)`, () => {
      assert.equal(key(config, target), `https://example.com${wanted}`)
    })
  }

  test('leaves out the port that the scheme has by itself (RFC 9110 §4.2.3)', () => {
    assert.equal(key({}, '/', 'example.com:443'), 'https://example.com/')
    assert.equal(key({}, '/', 'example.com:80'), 'https://example.com:80/')
    assert.equal(key({}, '/', 'example.com:80', false), 'http://example.com/')
  })

  test('lets no value of a client end its part of the key', () => {
    const hostile = fieldsOf([['X-Device', 'a c:lang=en']])
    const plan = planCache({ key: { headers: ['X-Device'] } })!.key
    const request = { authority: 'a', target: '/', fields: hostile, client: { secure: false } }
    assert.equal(keyOf(plan, request), 'http://a/ f:x-device=a%20c%3Alang%3Den')
  })
})
