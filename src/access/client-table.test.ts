import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClientTags, openClientTable } from './client-table.ts'

const never = (): boolean => false

test('clients keep their entries, on all threads that share the memory', () => {
  const memory = createClientTags(1024)
  const [a, b] = [openClientTable(memory), openClientTable(memory)]
  const entries = new Set<number>()
  let resets = 0
  const isFree = (entry: number, other: number): boolean => !entries.has(entry) && entries.has(other)
  for (let i = 0; i < 300; i++) {
    const entry = a.entryOf(`10.0.0.${i}`, isFree, () => resets++)
    entries.add(entry)
    assert.equal(
      b.entryOf(`10.0.0.${i}`, never, () => assert.fail()),
      entry,
    )
  }
  // Sets of eight fill unevenly: a few of 300 share a full one.
  assert.ok(entries.size > 280, `${entries.size} entries`)
  assert.equal(resets, 300)
})

test('where entries lie differs from table to table', () => {
  const [a, b] = [0, 1].map(() => openClientTable(createClientTags(65_536)))
  const keys = Array.from({ length: 20 }, (_, i) => `192.0.2.${i}`)
  const entries = (table: typeof a): number[] => keys.map((key) => table!.entryOf(key, never, () => {}))
  assert.notDeepEqual(entries(a), entries(b))
})
