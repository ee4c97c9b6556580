import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkText, fileText } from '../../test/planted.ts'

const problemOf = (parts: Parameters<typeof fileText>[0]): string => {
  const { problems } = checkText(fileText(parts))
  assert.equal(problems.length, 1)
  return `${problems[0]!.message} Fix: ${problems[0]!.fix}`
}

test('readSettings() mends a port written as text', () => {
  assert.match(problemOf({ hosts: '"a": { "service": "8080" }' }), /Fix: "http:\/\/127\.0\.0\.1:8080"$/)
  assert.match(problemOf({ hosts: '', top: '"listen": { "http": "8080" },' }), /Fix: ":8080"$/)
})

test('readSettings() names each form once', () => {
  const says = 'records.a.MX is 10; text in quotes, or a list, or an object with data, ttl is wanted.'
  assert.ok(problemOf({ records: '"a": { "MX": 10 }' }).includes(says))
})
