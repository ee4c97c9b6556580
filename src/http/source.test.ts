import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Source } from './exchange.ts'
import { Pump, type PumpTarget } from './source.ts'

/** What a target got in each turn, of a source that has all its octets at hand. */
async function turnsOf(octets: number, lengthOctets: number): Promise<number[]> {
  let left = octets
  const source: Source = {
    read(limitOctets) {
      const part = Math.min(limitOctets, left)
      left -= part
      return part === 0 ? null : Buffer.alloc(part)
    },
    cancel() {},
  }
  const turns: number[] = [0]
  let isDone = false
  const target: PumpTarget = {
    isBlocked: () => false,
    takeOctets: ({ length }) => void (turns[turns.length - 1]! += length),
    takePause() {},
    takeEnd: () => void (isDone = true),
    takeFailure: () => assert.fail('nothing fails'),
  }
  new Pump(source, target, lengthOctets).run()
  for (let n = 0; !isDone && n < 20; n++) {
    turns.push(0)
    await turn()
  }
  return turns.filter((sum) => sum > 0)
}

test('others have their turn soon after the first octets of what is long, and later each time', async () => {
  const turns = await turnsOf(1_000_000, 1_000_000)
  assert.deepEqual(turns.slice(0, 3), [16_384, 32_768, 65_536])
  assert.equal(
    turns.reduce((sum, part) => sum + part, 0),
    1_000_000,
  )
  assert.equal((await turnsOf(40_000, 0))[0], 16_384, 'what has no length may be long')
})

test('what is short goes in one turn', async () => {
  assert.deepEqual(await turnsOf(40_000, 40_000), [40_000])
})
