import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drain } from '../../../test/exchange.ts'
import type { Source } from '../exchange.ts'
import { sourceOf } from '../wire/octets-source.ts'
import { Replay } from './replay.ts'

async function readAll(source: Source, limitOctets = 7): Promise<string> {
  return (await drain(source, limitOctets)).toString('latin1')
}

const some = 'content of a small request'

test('content can be read from its beginning until an origin has taken the request (RFC 9113 §8.7)', async () => {
  const replay = new Replay(sourceOf(Buffer.from(some)))
  const first = replay.reader()
  assert.equal(Buffer.from((await first.read(9))!).toString(), 'content o')
  assert.equal(await readAll(replay.reader()), some)
  const last = replay.reader()
  await last.read(9)
  replay.forget()
  assert.equal(replay.isWhole, false)
  assert.equal(await readAll(last), some.slice(9))
})

test('a reader that was given up while it waited takes nothing away from the next one', async () => {
  const waiting = Promise.withResolvers<Uint8Array | null>()
  let reads = 0
  const replay = new Replay({ read: () => (++reads === 1 ? waiting.promise : null), cancel: () => {} })
  const first = replay.reader().read(100)
  const second = replay.reader()
  const rest = readAll(second)
  waiting.resolve(Buffer.from(some))
  assert.equal(await first, null)
  assert.equal(await rest, some)
})

test('content that is larger than what is kept is read once', async () => {
  const large = Buffer.alloc(40_000, 'x')
  const replay = new Replay(sourceOf(large))
  const reader = replay.reader()
  assert.equal((await readAll(reader, 10_000)).length, 40_000)
  assert.equal(replay.isWhole, false)
})

test('content that breaks off breaks off for every reader', async () => {
  const replay = new Replay({ read: () => Promise.reject(new Error('gone')), cancel: () => {} })
  await assert.rejects(async () => replay.reader().read(10), /gone/)
})
