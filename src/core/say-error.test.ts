import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { sayError } from './say-error.ts'

test('what went wrong with a file is said with its path and a reason for people', () => {
  assert.equal(sayError(failureOf(() => readFileSync('/'))), 'Cannot read: it is a folder (EISDIR).')
  assert.equal(
    sayError(failureOf(() => readFileSync('/nobody/has/this'))),
    'Cannot open /nobody/has/this: it is not there (ENOENT).',
  )
})

test('other errors speak for themselves', () => {
  assert.equal(sayError(new Error('The port is taken.')), 'The port is taken.')
  assert.equal(sayError('nothing'), 'nothing')
})

function failureOf(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return assert.fail('it went well')
}
