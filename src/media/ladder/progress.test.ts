import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProgressReader } from './progress.ts'

test('reports of an encoder are read in whatever pieces they come', () => {
  const text =
    'frame=1\nout_time_us=N/A\nspeed=N/A\nprogress=continue\nout_time_us=1500000\nspeed=2.5x\nprogress=end\n'
  for (const octets of [1, 7, text.length]) {
    const reader = new ProgressReader()
    const pieces = text.match(new RegExp(`[^]{1,${octets}}`, 'g')) ?? []
    const reports = pieces.map((piece) => reader.read(piece)).filter((report) => report !== null)
    assert.deepEqual(reports.at(-1), { seconds: 1.5, frames: 1, speed: 2.5 })
    if (octets === 1) assert.deepEqual(reports[0], { seconds: 0, frames: 1, speed: 0 })
  }
})

test('what has no end of line is not kept for ever', () => {
  const reader = new ProgressReader()
  for (let i = 0; i < 1000; i++) assert.equal(reader.read('x'.repeat(1000)), null)
  assert.deepEqual(reader.read('\nout_time_us=1000000\nprogress=end\n'), { seconds: 1, frames: 0, speed: 0 })
})
