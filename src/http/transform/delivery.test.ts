import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { ask } from '../../../test/exchange.ts'
import { handlerOf } from '../../../test/transform.ts'
import type { Handler, ResponseHead, Source } from '../exchange.ts'
import { fieldsOf } from '../wire/fields.ts'
import { type Delivery, deliver } from './deliver.ts'

const head = (type: string, lengthOctets: number | null): ResponseHead => {
  return { status: 200, fields: fieldsOf([['Content-Type', type]]), lengthOctets }
}

/** Gives the pieces one after another, each after `everyMs`; one that is an error breaks it off. */
function live(pieces: readonly (string | Error)[], everyMs: number): Source & { cancelled: string[] } {
  let at = 0
  let left = Buffer.alloc(0)
  const cancelled: string[] = []
  return {
    cancelled,
    async read(limitOctets) {
      if (left.length === 0) {
        if (everyMs > 0) await pause(everyMs)
        const piece = pieces[at++]
        if (piece instanceof Error) throw piece
        if (piece === undefined) return null
        left = Buffer.from(piece)
      }
      const given = left.subarray(0, limitOctets)
      left = left.subarray(given.length)
      return given
    },
    cancel: (reason) => void cancelled.push(reason),
  }
}

async function textOf(body: Source | Uint8Array | null): Promise<string> {
  if (body === null || body instanceof Uint8Array) return Buffer.from(body ?? []).toString()
  let text = ''
  for (let part = await body.read(1000); part !== null; part = await body.read(1000)) {
    assert.ok(part.length <= 1000)
    text += Buffer.from(part).toString()
  }
  return text
}

test('whether a response is held back follows from what its head says', () => {
  const cases: [isAsked: boolean, ResponseHead, isWhole: boolean, Delivery][] = [
    [false, head('text/html', 10), false, { mode: 'streamed', reason: 'as it comes' }],
    [true, head('text/html', 10), false, { mode: 'buffered', reason: 'asked for' }],
    [true, head('text/html', null), false, { mode: 'buffered', reason: 'asked for' }],
    [true, head('text/html', 1_048_577), false, { mode: 'streamed', reason: 'longer than 1 MiB' }],
    [
      true,
      head('Text/Event-Stream; charset=utf-8', null),
      false,
      { mode: 'streamed', reason: 'server-sent events' },
    ],
    [false, head('text/html', 10), true, { mode: 'buffered', reason: 'complete at once' }],
  ]
  for (const [isAsked, of, isWhole, wanted] of cases) assert.deepEqual(deliver(isAsked, of, isWhole), wanted)
})

test('a buffered response has a length, and says so in Server-Timing', async () => {
  const handler: Handler = (exchange) => {
    exchange.note.answeredBy = '127.0.0.1:8081'
    exchange.respond(head('text/html', null), live(['in two ', 'parts'], 5))
  }
  const answer = await ask(handlerOf({ delivery: 'buffered', serverTiming: true }, handler), {})
  assert.equal(answer.head.lengthOctets, 12)
  assert.equal(await textOf(answer.body), 'in two parts')
  assert.match(
    answer.head.fields.get('server-timing')!,
    /^answer(;dur=[\d.]+)?;desc="127\.0\.0\.1:8081", delivery;desc="buffered: asked for"$/,
  )
})

test('a buffered response that breaks off is an error, and the origin is let go of', async () => {
  const broken = live(['half', new Error('gone')], 5)
  const answer = await ask(
    handlerOf({ delivery: 'buffered' }, (exchange) => exchange.respond(head('text/html', 20), broken)),
    {},
  )
  assert.equal(answer.status, 502)
  assert.deepEqual(broken.cancelled, ['origin broke off'])
})

test('what has not ended within a second is live: it goes out, whole and in order', async () => {
  const pieces = Array.from({ length: 12 }, (_, i) => `piece ${i}, `)
  const handler: Handler = (exchange) => exchange.respond(head('text/plain', null), live(pieces, 120))
  const asked = performance.now()
  const answer = await ask(handlerOf({ delivery: 'buffered', serverTiming: true }, handler), {})
  const waitedMs = performance.now() - asked
  assert.ok(waitedMs > 900 && waitedMs < 1300, `${waitedMs} ms`)
  assert.match(answer.head.fields.get('server-timing')!, /streamed: not complete within a second/)
  assert.equal(answer.head.lengthOctets, null)
  assert.equal(await textOf(answer.body), pieces.join(''))
})

test('what is longer than 1 MiB goes on after it, whole', async () => {
  const pieces = Array.from({ length: 70 }, (_, i) => String.fromCharCode(65 + (i % 26)).repeat(16_384))
  const handler: Handler = (exchange) => exchange.respond(head('text/plain', null), live(pieces, 0))
  const answer = await ask(handlerOf({ delivery: 'buffered' }, handler), {})
  assert.equal(answer.head.lengthOctets, null)
  assert.ok(!(answer.body instanceof Uint8Array) && answer.body!.aheadOctets!() > 1_048_576)
  assert.equal(await textOf(answer.body), pieces.join(''))
})

test('HEAD waits for nothing', async () => {
  const handler: Handler = (exchange) => exchange.respond(head('text/plain', 9), live(['x'], 60_000))
  const answer = await ask(handlerOf({ delivery: 'buffered' }, handler), { method: 'HEAD' })
  assert.equal(answer.head.lengthOctets, 9)
})
