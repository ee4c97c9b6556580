import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, octetsOf } from '../../test/exchange.ts'
import { createRespond } from './respond.ts'

test('createRespond() gives the answer that is written', async () => {
  const handler = createRespond({
    kind: 'respond',
    status: 410,
    fields: [['X-Why', 'gone']],
    body: 'Weg für immer',
  })
  const answer = await ask(handler, { method: 'POST' })
  assert.deepEqual(
    [answer.status, answer.head.fields.get('x-why'), answer.note.answeredBy],
    [410, 'gone', 'respond'],
  )
  assert.equal(`${await octetsOf(answer)}`, 'Weg für immer')
})

test('createRespond() leaves framing to the connection (RFC 9110 §7.6.1, §8.6)', async () => {
  const fields: [string, string][] = [
    ['Content-Length', '3'],
    ['connection', 'close'],
    ['X-Kept', 'yes'],
  ]
  const answer = await ask(createRespond({ kind: 'respond', status: 200, fields, body: 'abcdef' }), {})
  assert.deepEqual([answer.head.fields.size, answer.head.lengthOctets], [1, 6])
})

test('createRespond() has no content where the status allows none', async () => {
  const answer = await ask(createRespond({ kind: 'respond', status: 204, fields: [], body: 'abc' }), {})
  assert.equal((await octetsOf(answer)).length, 0)
})
