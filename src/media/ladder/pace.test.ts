import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPace } from './pace.ts'

const of = (height: number, durationSeconds: number) => ({
  rendition: { kind: 'video', height, bitsPerSecond: 1 } as const,
  film: { durationSeconds },
})

test('how long renditions will take is known by those of their height, else by all that were made', () => {
  const pace = createPace()
  assert.equal(pace.secondsFor([of(360, 1000)]), 0, 'nobody knows yet')
  pace.did(of(360, 100), 10)
  pace.did(of(720, 100), 30)
  assert.equal(pace.secondsFor([of(360, 1000)]), 100)
  assert.equal(pace.secondsFor([of(720, 1000), of(360, 100)]), 310)
  assert.equal(pace.secondsFor([of(1080, 1000)]), 200)
})
