import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTurns, type Urgency } from './turns.ts'

test('who has run empty comes first, what is made ahead comes last, and a failure frees its turn', async () => {
  const turns = createTurns(1)
  const done: string[] = []
  let begin = (): void => {}
  const first = turns.run('usual', () => new Promise<void>((resolve) => (begin = resolve)))
  const asked: [Urgency, string][] = [
    ['ahead', 'c'],
    ['usual', 'b'],
    ['starving', 'a'],
  ]
  const all = asked.map(([urgency, name]) =>
    turns.run(urgency, async () => {
      done.push(name)
      if (name === 'a') throw new Error('broke off')
    }),
  )
  assert.deepEqual(done, [])
  begin()
  await first
  await Promise.allSettled(all)
  assert.deepEqual(done, ['a', 'b', 'c'])
  assert.equal(await turns.run('usual', async () => 'next'), 'next')
})
