import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Request } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { type Asked, ask } from '../../test/exchange.ts'
import { identify } from './identify.ts'
import type { IdentityPlan } from './plan.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`
const ALL: IdentityPlan = { trace: true, field: true, respond: true }

type Seen = { request: Request; attempts: string[][]; requestId: string; responseId: string[] }

/** What an origin would get in two attempts, and the client. */
async function see(plan: IdentityPlan, fields: Asked['fields'], trusted = true): Promise<Seen> {
  const seen: Partial<Seen> = {}
  const answer = await ask(
    (exchange) => {
      const inner = identify(exchange, plan, { tracer: null, isTrusted: () => trusted })
      const attempt = (): string[] => {
        const own = inner.note.trail?.asked('10.0.0.5:80')
        return ['traceparent', 'tracestate'].map((name) => own?.get(name) ?? '')
      }
      Object.assign(seen, { request: inner.request, attempts: [attempt(), attempt()] })
      const own = fieldsOf([['X-Request-Id', "the origin's"]])
      inner.respond({ status: 204, fields: own, lengthOctets: 0 }, null)
    },
    { fields: fields ?? [] },
  )
  const responseId = answer.head.fields.all('x-request-id')
  return { ...(seen as Seen), requestId: answer.note.requestId, responseId }
}

test('each attempt has a parent id of its own in the trace of the client', async () => {
  const { request, attempts } = await see(ALL, [
    ['traceparent', PARENT],
    ['tracestate', 'a=1'],
    ['Accept', '*/*'],
  ])
  const parents = attempts.map(([parent]) => parent!)
  assert.ok(parents.every((parent) => new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`).test(parent)))
  assert.equal(new Set([...parents, PARENT]).size, 3)
  assert.deepEqual(
    attempts.map(([, state]) => state),
    ['a=1', 'a=1'],
  )
  // They come with the attempt alone, so that they never stand twice.
  assert.deepEqual([request.fields.size, request.fields.get('accept')], [1, '*/*'])
})

test('whom nobody trusts, and what cannot be read, begins a new trace without state', async () => {
  const state: [string, string] = ['tracestate', 'a=1']
  for (const [fields, trusted] of [
    [[['traceparent', PARENT], state], false],
    [[['traceparent', PARENT.toUpperCase()], state], true],
    [[state], true],
    [[['traceparent', PARENT], ['traceparent', PARENT], state], true],
  ] as [[string, string][], boolean][]) {
    const [parent, after] = (await see(ALL, fields, trusted)).attempts[0]!
    assert.match(parent!, /^00-[0-9a-f]{32}-[0-9a-f]{16}-02$/)
    assert.ok(!parent!.includes(TRACE))
    assert.equal(after, '')
  }
})

test('a request id that is plain is kept from who is trusted; origin, client and log have the same', async () => {
  const ids: [string, boolean, boolean][] = [
    ['abc-123', true, true],
    ['abc-123', false, false],
    ['a b', true, false],
    ['"><script>', true, false],
    ['x'.repeat(129), true, false],
  ]
  for (const [id, trusted, isKept] of ids) {
    const { request, requestId, responseId } = await see(ALL, [['x-request-id', id]], trusted)
    assert.equal(requestId === id, isKept, id)
    assert.match(requestId, isKept ? /./ : /^[0-9a-f]{32}$/)
    assert.deepEqual(responseId, [requestId])
    assert.equal(request.fields.get('x-request-id'), undefined)
    assert.deepEqual(request.fieldsForOrigin?.all('x-request-id'), [requestId])
  }
})

test('an id that is made is that of the trace, so that one search finds both', async () => {
  const { attempts, requestId } = await see(ALL, [])
  assert.equal(attempts[0]![0]!.split('-')[1], requestId)
})

test('what the file does not ask for passes as it came', async () => {
  const fields: [string, string][] = [
    ['traceparent', 'whatever'],
    ['x-request-id', 'its own'],
  ]
  const { request, attempts, responseId } = await see({ trace: false, field: false, respond: true }, fields)
  assert.deepEqual([request.fields.size, request.fieldsForOrigin, attempts[0]], [2, undefined, ['', '']])
  assert.notDeepEqual(responseId, ["the origin's"])
})
