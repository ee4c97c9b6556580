import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { temporaryFolder } from '../../../test/folder.ts'
import { keepAwake } from '../../../test/keep-awake.ts'
import { openStore } from './open-store.ts'
import { createStoreMemory } from './shared.ts'
import type { CacheStore } from './store.ts'
import { isPacked, PACKED_HEAD_OCTETS, packedAt, placeOf, seal, unseal } from './wire/pack.ts'

const MIB = 1024 * 1024

function folderFor(t: TestContext): string {
  keepAwake(t)
  return temporaryFolder(t)
}

function openOn(folder: string, diskMib: number): CacheStore {
  const disk = { folder, budgetOctets: diskMib * MIB }
  const memory = createStoreMemory({ budgetOctets: 8 * MIB, memoryObjectOctets: 300_000, disk })
  return openStore(memory, { worker: 0, keepsDisk: true })
}

/** A body that says whose it is. */
function bodyOf(key: string, length: number): Buffer {
  return Buffer.alloc(length, `${key} `)
}

function put(store: CacheStore, key: string, length: number): void {
  const fill = store.create(key, { meta: '', tags: ['t'], lengthOctets: length, epoch: store.epoch() })
  void fill?.write(bodyOf(key, length))
  fill?.end()
}

/** Resolves when the journal knows all that happened. */
async function settled(store: CacheStore): Promise<void> {
  for (let rounds = 0; rounds < 3; rounds++) await store.purge({ keys: ['nothing'] }, 'hard')
}

async function bodyIn(store: CacheStore, key: string): Promise<Buffer | null> {
  const source = store.find(key)[0]?.read(0, null)
  if (!source) return null
  const parts: Buffer[] = []
  for (;;) {
    const octets = await source.read(65_536)
    if (octets === null) return Buffer.concat(parts)
    parts.push(Buffer.from(octets))
  }
}

function packsIn(folder: string): string[] {
  return readdirSync(join(folder, 'packs')).map((name) => join(folder, 'packs', name))
}

function octetsIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile() && one.name !== 'journal')
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
}

test('a place in a pack is one number, and each place another one', () => {
  const place = fc.record({ pack: fc.integer({ min: 1, max: 2 ** 24 }), offset: fc.nat(2 ** 28 - 1) })
  const property = fc.property(place, (one) => {
    assert.ok(isPacked(placeOf(one)))
    assert.deepEqual(packedAt(placeOf(one)), { ...one })
    assert.deepEqual(packedAt(placeOf(one) - 1).offset, (one.offset + 1) % 2 ** 28)
  })
  fc.assert(property)
})

test('a sealed body is read for its own key alone, and not when an octet of it differs or is missing', () => {
  const property = fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), fc.nat(255), (body, at, x) => {
    const octets = Buffer.concat([Buffer.alloc(PACKED_HEAD_OCTETS), body])
    seal(octets, crc32('key'))
    assert.deepEqual(unseal(octets, crc32('key')), Buffer.from(body))
    assert.equal(unseal(octets, crc32('another')), null)
    assert.equal(unseal(octets.subarray(0, at % octets.length), crc32('key')), null)
    octets[at % octets.length]! ^= x
    assert.equal(unseal(octets, crc32('key')) === null, x !== 0)
  })
  fc.assert(property, { numRuns: 500 })
})

test('small objects share files, and each is there after a restart', async (t) => {
  const folder = folderFor(t)
  const before = openOn(folder, 64)
  for (let n = 0; n < 300; n++) put(before, `k${n}`, n * 17)
  await before.close()
  assert.equal(packsIn(folder).length, 1)
  const after = openOn(folder, 64)
  assert.equal(after.stats().objects, 300)
  for (let n = 0; n < 300; n++) assert.ok((await bodyIn(after, `k${n}`))?.equals(bodyOf(`k${n}`, n * 17)))
  assert.equal(after.stats().disk?.octets, octetsIn(folder))
  await after.purge({ everything: true }, 'hard')
  assert.deepEqual(packsIn(folder), [], 'a pack with nothing in it goes')
  assert.equal(after.stats().disk?.octets, 0)
  await after.close()
})

test('whatever was cut off or changed on the disk, a restart gives whole objects or none', async (t) => {
  const folder = folderFor(t)
  const store = openOn(folder, 64)
  for (let n = 0; n < 60; n++) put(store, `k${n}`, 500 + n * 37)
  await settled(store)
  await store.close()
  const saved = new Map(['journal', 'packs/1'].map((name) => [name, readFileSync(join(folder, name))]))
  const damage = fc.record({
    name: fc.constantFrom(...saved.keys()),
    at: fc.double({ min: 0, max: 0.999, noNaN: true }),
    isCut: fc.boolean(),
    octets: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  })
  let whole = 0
  const property = fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (all) => {
    const after = openOn(withDamage(folder, saved, all), 64)
    for (const { key } of after.list({ limit: 100 })) {
      const body = await bodyIn(after, key).catch(() => null)
      if (body === null) continue
      const n = Number(key.slice(1))
      assert.ok(body.equals(bodyOf(key, 500 + n * 37)), key)
      whole++
    }
    put(after, 'k0', 500)
    assert.ok((await bodyIn(after, 'k0'))?.equals(bodyOf('k0', 500)))
    await after.close()
  })
  await fc.assert(property, { numRuns: 60 })
  assert.ok(whole > 0)
})

test('a full disk gives up packs: the budget is kept, and what was asked for again stays', async (t) => {
  const folder = folderFor(t)
  const store = openOn(folder, 4)
  for (let n = 0; n < 20; n++) put(store, `wanted ${n}`, 10_000)
  let most = 0
  for (let n = 0; n < 1500; n++) {
    put(store, `once ${n}`, 10_000)
    if (n % 10 === 0) for (let again = 0; again < 20; again++) store.find(`wanted ${again}`)
    if (n % 20 !== 0) continue
    await settled(store)
    const { octets, budgetOctets } = store.stats().disk!
    assert.ok(octets <= budgetOctets)
    assert.equal(octets, octetsIn(folder))
    most = Math.max(most, octets)
  }
  assert.ok(most > 3 * MIB, `${most} octets in packs`)
  await store.close()
  const after = openOn(folder, 4)
  const { objects } = after.stats()
  assert.ok(objects > 200, `${objects} objects are there after a restart`)
  for (let n = 0; n < 20; n++)
    assert.ok((await bodyIn(after, `wanted ${n}`))?.equals(bodyOf(`wanted ${n}`, 10_000)), `wanted ${n}`)
  for (const { key } of after.list({ limit: 10_000 }))
    assert.ok((await bodyIn(after, key))?.equals(bodyOf(key, 10_000)), key)
  await after.close()
})

test('what has left before it was written makes nobody wait, whatever stands in its place', async (t) => {
  const store = openOn(folderFor(t), 64)
  for (let n = 0; n < 50; n++) put(store, `k${n}`, 1000)
  await sleep(5)
  // A larger object takes the entry of each that was waiting.
  for (let n = 0; n < 50; n++) {
    for (const object of store.find(`k${n}`)) store.remove(object)
    put(store, `larger ${n}`, 290_000)
  }
  await store.close()
  assert.ok(store.stats().objects > 0)
})

test('a large object gets room from packs, the second time that it comes', async (t) => {
  const store = openOn(folderFor(t), 4)
  t.after(() => store.close())
  for (let n = 0; n < 500; n++) {
    put(store, `k${n}`, 10_000)
    if (n % 20 === 0) await settled(store)
  }
  const begin = () =>
    store.create('large', { meta: '', tags: [], lengthOctets: 800_000, epoch: store.epoch() })
  let fill = begin()
  assert.equal(fill, null)
  for (let waits = 0; fill === null && waits < 300; waits++) {
    await sleep(20)
    fill = begin()
  }
  assert.ok(fill)
  fill.fail()
})

type Damage = { name: string; at: number; isCut: boolean; octets: Uint8Array }

/** Another folder, with the same files, cut or written over somewhere. */
function withDamage(folder: string, saved: ReadonlyMap<string, Buffer>, damages: readonly Damage[]): string {
  const other = mkdtempSync(join(folder, 'damaged-'))
  mkdirSync(join(other, 'packs'))
  for (const [name, octets] of saved) {
    let changed = Buffer.from(octets)
    for (const one of damages) {
      if (one.name !== name) continue
      const at = Math.floor(one.at * changed.length)
      if (one.isCut) changed = changed.subarray(0, at)
      else changed.set(one.octets.subarray(0, changed.length - at), at)
    }
    writeFileSync(join(other, name), changed)
  }
  return other
}
