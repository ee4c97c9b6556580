import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MediaFault } from '#media/wire/fault.ts'
import { guardReads } from './matroska-guard.ts'

test('a reader that looks at the same octets for ever is told that there are none, and then ended', () => {
  const source = { _read: (start: number, end: number, _least = 0, _most = 0): unknown => ({ start, end }) }
  guardReads(source)
  for (let at = 0; at < 5000; at++) assert.ok(source._read(at, at + 8))
  let looks = 0
  while (source._read(5000, 5008) !== null) looks++
  assert.ok(looks >= 1000 && looks < 2000, `${looks}`)
  assert.throws(() => {
    for (;;) source._read(5000, 5008)
  }, MediaFault)
})

test('a reader that has its octets in memory pauses for others', async () => {
  const source = { _read: (start: number, _end = 0, _least = 0, _most = 0): unknown => start }
  guardReads(source)
  const begun = performance.now()
  let [at, pauses] = [0, 0]
  while (pauses < 2 && performance.now() - begun < 10_000) {
    const read = source._read(at)
    assert.equal(await read, at++)
    if (read instanceof Promise) pauses++
  }
  assert.equal(pauses, 2)
})
