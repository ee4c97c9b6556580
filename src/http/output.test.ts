import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { silent } from '#core/log.ts'
import { httpLimits } from './config.ts'
import { createHttpServer } from './server.ts'
import { RUN_OCTETS, turnMemory } from './turn-memory.ts'
import { fieldsOf } from './wire/fields.ts'

const BODY_OCTETS = 4000
const REQUESTS = 20_000

test('memory of a turn is used again once it was written, and never while the kernel has yet to take some of it', () => {
  const first = turnMemory(RUN_OCTETS)
  first.begin()
  first.end = RUN_OCTETS
  const second = turnMemory(1)
  assert.notEqual(second, first, 'no room is left')
  second.begin()
  second.finish(false)
  first.finish(true)
  assert.equal(turnMemory(1), first)
  first.begin()
  first.begin()
  first.finish(false)
  assert.equal(turnMemory(1), first, 'a run is under way')
  first.finish(true)
  assert.notEqual(turnMemory(1), first)
})

test('a client that reads late gets its own responses, whatever others were sent meanwhile', async (t) => {
  const server = createHttpServer({
    limits: httpLimits(),
    log: silent,
    handler: (exchange) => {
      const body = Buffer.alloc(BODY_OCTETS, exchange.request.target)
      exchange.respond({ status: 200, fields: fieldsOf([]), lengthOctets: BODY_OCTETS }, body)
    },
  })
  const listener = await server.prepare({ address: '127.0.0.1', port: 0 })
  listener.commit()
  const late = connect(listener.port, '127.0.0.1')
  const quick = connect(listener.port, '127.0.0.1')
  t.after(async () => {
    late.destroy()
    quick.destroy()
    await listener.retire()
    await server.close(0)
  })
  await Promise.all([once(late, 'connect'), once(quick, 'connect')])
  late.pause()
  late.write('GET /late HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(REQUESTS))
  quick.write('GET /quick HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(REQUESTS))
  assert.equal(await countBodies(quick, '/quick'), REQUESTS)
  assert.equal(await countBodies(late, '/late'), REQUESTS)
})

/** Read responses until all have come. @throws {Error} when one holds something else than `word` again and again */
async function countBodies(socket: Socket, word: string): Promise<number> {
  const body = Buffer.alloc(BODY_OCTETS, word)
  let rest = Buffer.alloc(0)
  let count = 0
  for await (const chunk of socket) {
    rest = Buffer.concat([rest, chunk as Buffer])
    for (;;) {
      const at = rest.indexOf('\r\n\r\n') + 4
      if (at < 4 || rest.length < at + BODY_OCTETS) break
      assert.ok(rest.subarray(at, at + BODY_OCTETS).equals(body), `response ${count} is another's`)
      rest = rest.subarray(at + BODY_OCTETS)
      count++
    }
    if (count === REQUESTS) break
  }
  return count
}
