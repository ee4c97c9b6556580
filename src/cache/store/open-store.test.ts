import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { drain } from '../../../test/exchange.ts'
import { keepAwake } from '../../../test/keep-awake.ts'
import { openStore } from './open-store.ts'
import { createStoreMemory } from './shared.ts'
import type { CacheStore, Fill } from './store.ts'

const MIB = 1024 * 1024

function storeOf(budgetOctets = 8 * MIB, memoryObjectOctets = budgetOctets / 4): CacheStore {
  return openStore(createStoreMemory({ budgetOctets, memoryObjectOctets }), { worker: 0 })
}

function begin(
  store: CacheStore,
  key: string,
  options: Partial<Parameters<CacheStore['create']>[1]> = {},
): Fill {
  const fill = store.create(key, {
    meta: `meta of ${key}`,
    tags: [],
    lengthOctets: null,
    epoch: store.epoch(),
    ...options,
  })
  assert.ok(fill, `there is room for ${key}`)
  return fill
}

function put(store: CacheStore, key: string, body: Uint8Array, tags: readonly string[] = []): void {
  const fill = begin(store, key, { tags, lengthOctets: body.length })
  void fill.write(body)
  fill.end()
}

/** Octets that tell where they are from. */
function bodyOf(seed: number, length: number): Buffer {
  const body = Buffer.alloc(length)
  for (let at = 0; at < length; at++) body[at] = seed * 31 + at * 7 + (at >> 8)
  return body
}

test('an object that grows is found, followed and read again when it is whole', async (t) => {
  const store = storeOf()
  const fill = begin(store, 'https://a/', { tags: ['t'] })
  const [object] = store.find('https://a/')
  assert.equal(object?.state, 'growing')
  assert.equal(object.lengthOctets, null)
  const followed = drain(object.read(0, null))
  const behind = object.read(1000, null)
  keepAwake(t)
  for (let part = 0; part < 50; part++) {
    void fill.write(bodyOf(part, 5000))
    if (part % 10 === 0) await new Promise(setImmediate)
  }
  assert.equal(behind?.aheadOctets?.(), 249_000)
  fill.end()
  assert.equal(behind.aheadOctets(), 0, 'what is whole waits for nobody')
  behind.cancel('client left')
  const whole = Buffer.concat(Array.from({ length: 50 }, (_, part) => bodyOf(part, 5000)))
  assert.ok((await followed).equals(whole))
  assert.equal(object.state, 'whole')
  assert.equal(object.lengthOctets, 250_000)
  assert.deepEqual(object.tags, ['t'])
  assert.equal(store.find('https://a/')[0], object)
  assert.ok((await drain(object.read(70_000, 70_100))).equals(whole.subarray(70_000, 70_100)))
})

test('who follows a fill that breaks off gets an error, and nobody finds it', async (t) => {
  const store = storeOf()
  keepAwake(t)
  for (const breakOff of [
    (fill: Fill) => fill.fail(),
    (fill: Fill) => fill.end(),
    (fill: Fill) => void fill.write(Buffer.alloc(20)),
  ]) {
    const fill = begin(store, 'k', { lengthOctets: 10 })
    void fill.write(Buffer.alloc(5))
    const followed = drain(store.find('k')[0]!.read(0, null))
    breakOff(fill)
    await assert.rejects(followed, /broke off/)
    assert.equal(fill.object.state, 'failed')
    assert.deepEqual(store.find('k'), [])
  }
  assert.equal(store.stats().objects, 0)
})

test('update() gives another meta and a fresh decoded slot; readers keep the octets', async () => {
  const store = storeOf()
  put(store, 'k', bodyOf(1, 3000))
  const before = store.find('k')[0]!
  before.decoded = 'head'
  await store.purge({ keys: ['k'] }, 'soft')
  assert.equal(before.isStale, true)
  const source = before.read(0, null)
  store.update(before, 'new meta')
  const after = store.find('k')[0]!
  assert.deepEqual([after.meta, after.decoded, after.isStale], ['new meta', undefined, false])
  assert.ok((await drain(source)).equals(bodyOf(1, 3000)))
  assert.deepEqual(Buffer.from(after.octets()!), bodyOf(1, 3000))
})

test('what a reader holds stays in place until it has left, whatever is stored meanwhile', async () => {
  const store = storeOf(4 * MIB)
  put(store, 'held', bodyOf(1, 300_000))
  const source = store.find('held')[0]!.read(0, null)!
  const first = (await source.read(200_000))!
  for (let n = 0; n < 200; n++) put(store, `k${n}`, bodyOf(n, 100_000))
  store.find('held').forEach((object) => {
    store.remove(object)
  })
  for (let n = 0; n < 200; n++) put(store, `l${n}`, bodyOf(n, 100_000))
  assert.ok(Buffer.from(first).equals(bodyOf(1, 300_000).subarray(0, first.length)))
  const rest = await drain(source)
  assert.ok(rest.equals(bodyOf(1, 300_000).subarray(first.length)))
  assert.deepEqual(store.find('held'), [])
})

test('the budget is kept with objects of all sizes, and the store stays full', () => {
  const store = storeOf(16 * MIB)
  let random = 7
  for (let n = 0; n < 20_000; n++) {
    random = (random * 1_103_515_245 + 12_345) & 0x7fffffff
    const size = n % 50 === 0 ? random % 1_000_000 : random % 8000
    put(store, `https://example.com/${n}`, Buffer.alloc(size, n))
  }
  const { memory, evictions } = store.stats()
  assert.ok(memory.octets <= memory.budgetOctets)
  assert.ok(memory.octets > 0.8 * memory.budgetOctets, `${memory.octets} of ${memory.budgetOctets} in use`)
  assert.ok(evictions > 10_000)
})

test('everything that was freed can be used again: nothing is lost on the way', async () => {
  const store = storeOf()
  const empty = store.stats().memory.octets
  for (let n = 0; n < 3000; n++) put(store, `k${n % 700}`, bodyOf(n, (n * 977) % 40_000))
  await store.purge({ everything: true }, 'hard')
  assert.equal(store.stats().objects, 0)
  // Unit 0, and what the table rounds.
  assert.ok(
    store.stats().memory.octets - empty <= 128,
    `${store.stats().memory.octets - empty} octets are lost`,
  )
})

test('a purge names keys, prefixes, tags or everything, and tells how many', async () => {
  const cases = [
    [{ keys: ['https://a/1', 'https://b/1'] }, 2],
    [{ prefixes: ['https://a/'] }, 3],
    [{ tags: ['even'] }, 3],
    [{ tags: ['even', 'odd'] }, 6],
    [{ tags: ['none'] }, 0],
    [{ everything: true }, 6],
  ] as const
  for (const [selector, objects] of cases) {
    for (const mode of ['soft', 'hard'] as const) {
      const store = storeOf()
      for (const host of ['a', 'b']) {
        for (let n = 0; n < 3; n++) {
          put(store, `https://${host}/${n}`, Buffer.alloc(1000), [
            (n + host.charCodeAt(0)) % 2 ? 'odd' : 'even',
          ])
        }
      }
      const receipt = await store.purge(selector, mode)
      assert.deepEqual([receipt.objects, receipt.octets], [objects, objects * 1000], JSON.stringify(selector))
      const left = store.list({ limit: 100 })
      assert.equal(left.filter(({ isStale }) => !isStale).length, 6 - objects)
      assert.equal(left.length, mode === 'soft' ? 6 : 6 - objects)
    }
  }
})

test('what stands under one URI goes by a prefix with a space, and nothing else does', async () => {
  const store = storeOf()
  const epoch = store.epoch()
  for (const key of ['u', 'u bytes=0', 'u bytes=10', 'u c:a=b', 'ux bytes=0'])
    put(store, key, Buffer.alloc(10))
  assert.equal((await store.purge({ prefixes: ['u bytes='] }, 'hard')).objects, 2)
  assert.equal((await store.purge({ prefixes: ['u ', 'none '] }, 'hard')).objects, 1)
  const left = store.list({ limit: 9 }).map(({ key }) => key)
  assert.deepEqual(left, ['u', 'ux bytes=0'])
  assert.equal(store.create('u bytes=5', { meta: '', tags: [], lengthOctets: 0, epoch }), null)
  assert.ok(store.create('ux bytes=5', { meta: '', tags: [], lengthOctets: 0, epoch }))
})

test('what was fetched before a purge that names it is not stored, and what grows is not found after it', async () => {
  const store = storeOf()
  const epoch = store.epoch()
  const growing = begin(store, 'a1', { tags: ['x'] })
  await store.purge({ tags: ['x'] }, 'hard')
  growing.end()
  assert.deepEqual(store.find('a1'), [])
  assert.equal(store.create('a2', { meta: '', tags: ['x'], lengthOctets: 0, epoch }), null)
  assert.ok(store.create('a3', { meta: '', tags: ['y'], lengthOctets: 0, epoch }))
  assert.ok(store.create('a2', { meta: '', tags: ['x'], lengthOctets: 0, epoch: store.epoch() }))
  for (let n = 0; n < 9; n++) {
    await store.purge({ keys: Array.from({ length: 1000 }, (_, k) => `other ${n} ${k}`) }, 'hard')
  }
  assert.equal(
    store.create('a4', { meta: '', tags: ['y'], lengthOctets: 0, epoch }),
    null,
    'too many to know',
  )
})

test('one leads for a key; followers wait until it is done, at most as long as they said', async (t) => {
  const store = storeOf()
  const lead = store.lead('k')
  assert.ok(lead)
  assert.equal(store.lead('k'), null)
  keepAwake(t)
  const started = performance.now()
  await store.follow('k', 20)
  assert.ok(performance.now() - started >= 15)
  const followed = store.follow('k', 4000)
  lead.done()
  await followed
  lead.done()
  assert.ok(store.lead('k'))
  await store.follow('nobody leads', 4000)
})

test('against a plain Map: find, create, update, remove and purge', async () => {
  const key = fc.constantFrom('https://a/1', 'https://a/2', 'https://b/1', 'https://b/ü')
  const step = fc.oneof(
    fc.record({ do: fc.constant('put' as const), key, size: fc.nat(9000), tag: fc.constantFrom('x', 'y') }),
    fc.record({ do: fc.constant('remove' as const), key }),
    fc.record({ do: fc.constant('update' as const), key, meta: fc.string() }),
    fc.record({ do: fc.constant('purge' as const), tag: fc.constantFrom('x', 'y') }),
  )
  const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
    const store = storeOf()
    const model = new Map<string, { meta: string; body: Buffer; tag: string }[]>()
    for (const [n, one] of steps.entries()) {
      if (one.do === 'put') {
        const body = bodyOf(n, one.size)
        put(store, one.key, body, [one.tag])
        model.set(one.key, [
          { meta: `meta of ${one.key}`, body, tag: one.tag },
          ...(model.get(one.key) ?? []),
        ])
      } else if (one.do === 'purge') {
        await store.purge({ tags: [one.tag] }, 'hard')
        for (const [at, list] of model)
          model.set(
            at,
            list.filter(({ tag }) => tag !== one.tag),
          )
      } else {
        const [object] = store.find(one.key)
        const [held] = model.get(one.key) ?? []
        assert.equal(object === undefined, held === undefined)
        if (object === undefined || held === undefined) continue
        if (one.do === 'remove') store.remove(object)
        else store.update(object, one.meta.toWellFormed())
        if (one.do === 'remove') model.get(one.key)!.shift()
        else held.meta = one.meta.toWellFormed()
      }
      for (const [at, list] of model) await assertSame(store, at, list)
    }
  })
  await fc.assert(property, { numRuns: 60 })
})

async function assertSame(
  store: CacheStore,
  key: string,
  list: readonly { readonly meta: string; readonly body: Buffer }[],
): Promise<void> {
  const objects = store.find(key)
  assert.deepEqual(
    objects.map(({ meta }) => meta),
    list.map(({ meta }) => meta),
  )
  for (const [at, { body }] of list.entries()) {
    const small = objects[at]!.octets()
    assert.equal(small !== null, body.length <= 4096)
    if (small !== null) assert.ok(body.equals(small))
    assert.ok((await drain(objects[at]!.read(0, null), 1000)).equals(body))
  }
}
