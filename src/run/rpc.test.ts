import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { MessageChannel, Worker } from 'node:worker_threads'
import { connect, Unanswered } from './rpc.ts'

const { port1, port2 } = new MessageChannel()
after(() => port1.close())

const told: number[] = []
const procedures = {
  double: async (value: number) => 2 * value,
  fail: () => {
    throw new Error('This cannot be done.')
  },
  hang: () => new Promise(() => {}),
  note: (value: number) => told.push(value),
}
connect(port2, procedures)
const remote = connect<typeof procedures>(port1, {})

test('a call is answered, and a throw comes back as it was said', async () => {
  assert.deepEqual(await Promise.all([remote.call('double', 2), remote.call('double', 4)]), [4, 8])
  await assert.rejects(remote.call('fail', undefined as never), /^Error: This cannot be done\.$/)
})

test('what is told arrives in order, before the answer of a later call', async () => {
  for (const value of [1, 2, 3]) remote.tell('note', value)
  await remote.call('double', 1)
  assert.deepEqual(told, [1, 2, 3])
})

test('a call that takes too long, or whose thread is gone, is unanswered', async () => {
  const late = { name: 'Error', message: 'hang: no answer in 20 ms' }
  await assert.rejects(remote.call('hang', undefined as never, 20), late)
  const waiting = remote.call('hang', undefined as never)
  remote.end('gone')
  await assert.rejects(waiting, (error) => error instanceof Unanswered && error.message === 'gone')
  await assert.rejects(remote.call('double', 1), Unanswered)
})

test('who was too busy to look for an answer finds it all the same', async () => {
  const code = `
    const { parentPort } = require('node:worker_threads')
    parentPort.on('message', ({ id }) => parentPort.postMessage({ kind: 'answer', id, value: 'there' }))`
  const worker = new Worker(code, { eval: true })
  after(() => worker.terminate())
  const thread = connect<{ ask: (nothing: null) => string }>(worker, {})
  await thread.call('ask', null)
  await new Promise((resolve) => setImmediate(resolve))
  const answer = thread.call('ask', null, 20)
  const busyUntil = performance.now() + 500
  while (performance.now() < busyUntil);
  assert.equal(await answer, 'there')
})
