import assert from 'node:assert/strict'
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { drain } from '../../../test/exchange.ts'
import { temporaryFolder } from '../../../test/folder.ts'
import { keepAwake } from '../../../test/keep-awake.ts'
import { openStore } from './open-store.ts'
import { createStoreMemory } from './shared.ts'
import type { CacheStore } from './store.ts'

const MIB = 1024 * 1024

function folderFor(t: TestContext): string {
  keepAwake(t)
  return temporaryFolder(t)
}

function openOn(
  folder: string,
  options: { disk?: number; memory?: number; object?: number } = {},
): CacheStore {
  const handle = createStoreMemory({
    budgetOctets: options.memory ?? 8 * MIB,
    memoryObjectOctets: options.object ?? 300_000,
    disk: { folder, budgetOctets: options.disk ?? 64 * MIB },
  })
  return openStore(handle, { worker: 0, keepsDisk: true })
}

function bodyOf(seed: number, length: number): Buffer {
  const body = Buffer.alloc(length)
  for (let at = 0; at < length; at++) body[at] = (seed * 31 + at * 7 + (at >> 8) + (at >> 16)) & 0xff
  return body
}

async function put(store: CacheStore, key: string, body: Uint8Array, isLengthKnown = true): Promise<void> {
  const lengthOctets = isLengthKnown ? body.length : null
  const fill = store.create(key, { meta: `meta of ${key}`, tags: ['t'], lengthOctets, epoch: store.epoch() })
  assert.ok(fill, key)
  for (let at = 0; at < body.length; at += 65_536) await fill.write(body.subarray(at, at + 65_536))
  fill.end()
}

function filesIn(folder: string): string[] {
  return readdirSync(join(folder, 'objects'), { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
}

test('what finds no room beside what is being read is refused before it begins, not in the middle', async (t) => {
  const store = openOn(folderFor(t), { disk: 3 * MIB })
  t.after(() => store.close())
  const body = bodyOf(1, 2 * MIB)
  await put(store, 'old', body)
  const reader = store.find('old')[0]?.read(0, null)
  assert.ok(reader)
  await reader.read(1)
  const begin = () =>
    store.create('new', { meta: '', tags: [], lengthOctets: body.length, epoch: store.epoch() })
  assert.equal(begin(), null)
  assert.deepEqual(store.find('new'), [])
  reader.cancel('finished')
  let fill = begin()
  // What was written last is completed in the background.
  for (let waits = 0; fill === null && waits < 100; waits++) {
    await sleep(50)
    fill = begin()
  }
  assert.ok(fill, 'room is made when nobody reads the other one')
  fill.fail()
})

test('a large body goes to disk while readers follow it, with and without a known length', async (t) => {
  const store = openOn(folderFor(t))
  const body = bodyOf(3, 3 * MIB + 12_345)
  for (const isLengthKnown of [true, false]) {
    const writing = put(store, `k${isLengthKnown}`, body, isLengthKnown)
    const followed = drain(store.find(`k${isLengthKnown}`)[0]?.read(0, null), 10_000)
    const part = drain(store.find(`k${isLengthKnown}`)[0]?.read(200_000, 500_000))
    await writing
    assert.ok((await followed).equals(body))
    assert.ok((await part).equals(body.subarray(200_000, 500_000)))
    assert.ok((await drain(store.find(`k${isLengthKnown}`)[0]?.read(1, null))).equals(body.subarray(1)))
  }
  await store.close()
})

test('a reader says where in the file its next octets lie, but for what has to be checked first', async (t) => {
  const folder = folderFor(t)
  const body = bodyOf(9, MIB + 77)
  const before = openOn(folder)
  await put(before, 'k', body)
  const source = before.find('k')[0]?.read(100, MIB)
  assert.ok(source)
  const first = source.span?.(200_000)
  if (first === undefined) {
    await drain(source)
    await before.close()
    return t.skip('this Node has no node:ffi')
  }
  assert.deepEqual([first.position, first.lengthOctets], [100, 200_000])
  const octets = Buffer.alloc(200_000)
  readSync(first.descriptor, octets, 0, octets.length, first.position)
  assert.ok(octets.equals(body.subarray(100, 200_100)))
  source.skip?.(150_000)
  assert.equal(source.span?.(10)?.position, 150_100)
  assert.equal(source.span?.(2 * MIB)?.lengthOctets, MIB - 150_100)
  assert.ok((await drain(source)).equals(body.subarray(150_100, MIB)), 'and what is left can be read')
  await before.close()
  const after = openOn(folder)
  const unproven = after.find('k')[0]?.read(0, null)
  assert.equal(unproven?.span?.(10), undefined)
  assert.ok((await drain(unproven)).equals(body))
  await after.close()
})

test('after a restart everything complete is there, octet for octet, with its meta and tags', async (t) => {
  const folder = folderFor(t)
  const bodies = [0, 1, 100, 4096, 131_072, 131_073, 299_999, 1_500_000].map((length) =>
    bodyOf(length, length),
  )
  const before = openOn(folder)
  for (const [n, body] of bodies.entries()) await put(before, `k${n}`, body)
  before.update(before.find('k1')[0]!, 'newer')
  await before.close()
  const after = openOn(folder)
  assert.equal(after.stats().objects, bodies.length)
  for (const [n, body] of bodies.entries()) {
    const [object] = after.find(`k${n}`)
    assert.deepEqual(object?.tags, ['t'])
    assert.equal(object.meta, n === 1 ? 'newer' : `meta of k${n}`)
    assert.equal(object.lengthOctets, body.length)
    assert.ok((await drain(object.read(0, null), 5000)).equals(body), `${body.length} octets`)
    assert.ok((await drain(object.read(body.length >> 1, null))).equals(body.subarray(body.length >> 1)))
  }
  // Small ones are back in memory after the first read.
  assert.ok(after.find('k2')[0]?.octets() !== null)
  await after.close()
})

test('what was removed or purged does not come back with a restart, and its files are gone', async (t) => {
  const folder = folderFor(t)
  const before = openOn(folder)
  for (let n = 0; n < 20; n++) await put(before, `https://${n % 2 ? 'a' : 'b'}/${n}`, bodyOf(n, 200_000))
  await before.close()
  const second = openOn(folder)
  assert.equal(second.stats().objects, 20)
  const receipt = await second.purge({ prefixes: ['https://a/'] }, 'hard')
  assert.deepEqual([receipt.objects, receipt.octets], [10, 2_000_000])
  await second.purge({ keys: ['https://b/0'] }, 'soft')
  assert.equal(filesIn(folder).length, 10)
  // As after kill -9: nothing is closed.
  const third = openOn(folder)
  assert.equal(third.stats().objects, 10)
  assert.equal(third.find('https://b/0')[0]?.isStale, true)
  assert.equal(third.find('https://b/2')[0]?.isStale, false)
  await third.close()
  await second.close()
})

test('a journal that was cut, files without an end and files of nobody are put right', async (t) => {
  const folder = folderFor(t)
  const before = openOn(folder)
  for (let n = 0; n < 10; n++) await put(before, `k${n}`, bodyOf(n, 200_000))
  await before.close()
  appendFileSync(join(folder, 'journal'), Buffer.from([90, 0, 0, 0, 1, 2, 3]))
  const [cut, changed, missing] = filesIn(folder) as [string, string, string]
  writeFileSync(cut, readFileSync(cut).subarray(0, 150_000))
  writeFileSync(changed, readFileSync(changed).fill(0, 140_000, 140_010))
  rmSync(missing)
  mkdirSync(join(folder, 'objects', '07'), { recursive: true })
  writeFileSync(join(folder, 'objects', '07', '775'), 'nobody knows me')
  const after = openOn(folder)
  assert.equal(after.stats().objects, 10)
  let whole = 0
  for (let n = 0; n < 10; n++) {
    const source = after.find(`k${n}`)[0]?.read(0, null)
    const body = source ? await drain(source).catch(() => null) : null
    if (body !== null) assert.ok(body.equals(bodyOf(n, 200_000)))
    if (body !== null) whole++
    else assert.deepEqual(after.find(`k${n}`), [], 'and it is not found again')
  }
  assert.equal(whole, 7)
  await put(after, 'k10', bodyOf(10, 200_000))
  await after.close()
  assert.equal(filesIn(folder).length, 8)
  const last = openOn(folder)
  assert.equal(last.stats().objects, 8)
  await last.close()
})

test('the budget of the disk is kept, by the sizes of the files', async (t) => {
  const folder = folderFor(t)
  const store = openOn(folder, { disk: 4 * MIB, object: 50_000 })
  for (let n = 0; n < 100; n++) {
    await put(store, `k${n}`, bodyOf(n, n % 3 ? 100_000 : 8000), n % 2 === 0)
    if (n % 20 === 0) await sleep(20)
    const { disk } = store.stats()
    assert.ok(disk!.octets <= disk!.budgetOctets)
  }
  await sleep(100)
  const used = filesIn(folder).reduce((sum, path) => sum + statSync(path).size, 0)
  assert.ok(used <= 4 * MIB && used > 2 * MIB, `${used} octets in files`)
  await store.close()
})

/** PORTICO_INDEXED=100000 for the long form. */
const INDEXED = Number(process.env['PORTICO_INDEXED'] ?? 8000)

test(`what memory has no room for is read from disk, and the index of ${INDEXED} objects is ready at once`, async (t) => {
  const folder = folderFor(t)
  const store = openOn(folder, { memory: INDEXED * 1536, disk: 512 * MIB })
  for (let n = 0; n < INDEXED; n++) {
    await put(store, `https://example.com/${n}`, Buffer.alloc(1500, n))
    if (n % 50 === 0) await sleep(1)
  }
  await store.close()
  const stored = store.stats().objects
  assert.ok(stored > 0.6 * INDEXED, `${stored} objects stay`)
  const started = performance.now()
  const after = openOn(folder, { memory: INDEXED * 1536, disk: 512 * MIB })
  const readyMs = performance.now() - started
  t.diagnostic(`${after.stats().objects} of ${stored} objects ready after ${Math.round(readyMs)} ms`)
  assert.ok(readyMs < 2000 + INDEXED / 10)
  for (let n = 0; n < INDEXED; n += 97) {
    const source = after.find(`https://example.com/${n}`)[0]?.read(0, null)
    if (source) assert.ok((await drain(source)).equals(Buffer.alloc(1500, n)))
  }
  await after.close()
})

test('the journal is written anew when most of it is about what is gone, and nothing is lost by that', async (t) => {
  const folder = folderFor(t)
  const store = openOn(folder)
  for (let n = 0; n < 50; n++) await put(store, `k${n}`, bodyOf(n, 1000))
  await store.purge({ keys: ['none'] }, 'hard')
  for (let round = 0; round < 400; round++) {
    for (let n = 0; n < 50; n++)
      for (const object of store.find(`k${n}`)) store.update(object, `round ${round}`)
    // Waits until the journal knows it.
    await store.purge({ keys: ['none'] }, 'hard')
  }
  await store.close()
  assert.ok(
    statSync(join(folder, 'journal')).size < 600_000,
    `${statSync(join(folder, 'journal')).size} octets`,
  )
  const after = openOn(folder)
  assert.equal(after.stats().objects, 50)
  assert.ok(after.list({ limit: 50 }).every(({ meta }) => meta === 'round 399'))
  await after.close()
})
