import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FilmMemory } from './film-memory.ts'

test('films that were not asked for longest make room; the newest stays, however large', () => {
  const gone: string[] = []
  const films = new Map(['a', 'b', 'c', 'd', 'large'].map((name) => [name, { name }]))
  const memory = new FilmMemory(30)
  const hold = (name: string, octets: number): void => {
    memory.hold(films.get(name)!, octets, () => gone.push(name))
  }
  for (const name of ['a', 'b', 'c']) hold(name, 10)
  assert.deepEqual([gone, memory.octets], [[], 30])
  memory.use(films.get('a')!)
  hold('d', 10)
  assert.deepEqual([gone, memory.octets], [['b'], 30])
  memory.release(films.get('c')!)
  memory.release(films.get('c')!)
  assert.equal(memory.octets, 20)
  hold('large', 1000)
  assert.deepEqual([gone, memory.octets], [['b', 'a', 'd'], 1000])
  hold('a', 10)
  assert.deepEqual([gone.at(-1), memory.octets], ['large', 10])
})
