import assert from 'node:assert/strict'
import test from 'node:test'
import { checkText, fileText } from '../../test/planted/planted.ts'
import { atNextStart } from './changes.ts'
import type { Plan } from './plan.ts'

function planOf(top: string): Plan {
  return checkText(fileText({ hosts: '"@": { "respond": "x" }', top })).plan!
}

test('atNextStart() names what a running Portico cannot take up', () => {
  const before = planOf('"workers": 2,')
  assert.deepEqual(atNextStart(before, planOf('"workers": 2, "listen": { "http": ":8080" },')), [])
  assert.deepEqual(atNextStart(before, planOf('"workers": 3, "listen": { "admin": "127.0.0.1:9999" },')), [
    'The number of workers changes at the next start.',
    'The listener "admin" changes at the next start.',
  ])
})
