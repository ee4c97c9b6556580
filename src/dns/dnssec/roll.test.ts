import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Advance, advance, type SavedZone, waitsForParent, wishOf } from './roll.ts'
import { parseSavedZones } from './saved.ts'

const wanted = { propagationMs: 60_000, lifetimeMs: null, resolver: null }
let made = 0

function input(more: Partial<Advance> = {}): Advance {
  return {
    wanted,
    nowSeconds: 0,
    ttl: 300,
    parent: null,
    command: null,
    newKey: () => ({ privateKey: '', publicKey: `${++made}` }),
    tagOf: ({ publicKey }) => Number(publicKey),
    ...more,
  }
}

function signed(more: Partial<SavedZone> = {}): SavedZone {
  const begun = advance(undefined, input())!
  return { ...begun, phase: 'signed', until: null, ...more }
}

const tags = ({ keys }: SavedZone): number[] => keys.map(({ publicKey }) => Number(publicKey))
const wishes = (zone: SavedZone): number[] | undefined =>
  wishOf(zone)?.map(({ publicKey }) => Number(publicKey))

test('a zone that wants no signatures gets no keys', () => {
  assert.equal(advance(undefined, input({ wanted: null })), undefined)
})

test('the parent is told of the first key when no cache has anything unsigned (RFC 7344 §4)', () => {
  const begun = advance(undefined, input())!
  assert.deepEqual([begun.phase, begun.until, wishOf(begun)], ['beginning', 360, null])
  assert.equal(advance(begun, input({ nowSeconds: 359 })), begun)
  const done = advance(begun, input({ nowSeconds: 360 }))!
  assert.deepEqual([done.phase, done.until, wishes(done)], ['signed', null, tags(done)])
})

test('a key is replaced step by step, each when caches are ready (RFC 6781 §4.1.2, RFC 7583 §3.3)', () => {
  const before = signed()
  const [old] = tags(before)
  const publishing = advance(before, input({ command: 'roll', nowSeconds: 1000 }))!
  const [, next] = tags(publishing)
  assert.deepEqual([publishing.phase, publishing.until, wishes(publishing)], ['publishing', 1360, [old]])
  assert.equal(advance(publishing, input({ nowSeconds: 1359, command: 'submitted' })), publishing)

  const submitting = advance(publishing, input({ nowSeconds: 1360 }))!
  assert.deepEqual([submitting.phase, submitting.until, wishes(submitting)], ['submitting', null, [next]])
  assert.ok(waitsForParent(submitting))
  const still = advance(submitting, input({ nowSeconds: 9999, parent: { tags: [old!], ttl: 3600 } }))!
  assert.deepEqual([still.phase, still.dsTtl], ['submitting', 3600])

  const retiring = advance(still, input({ nowSeconds: 10_000, parent: { tags: [next!], ttl: 1000 } }))!
  assert.deepEqual([retiring.phase, retiring.until], ['retiring', 10_000 + 3600 + 300 + 60])
  assert.deepEqual(tags(retiring), [old, next])
  const done = advance(retiring, input({ nowSeconds: retiring.until! }))!
  assert.deepEqual([done.phase, tags(done), wishes(done)], ['signed', [next], [next]])
})

test('where no DS ever was, nobody is waited for; where the parent cannot be asked, a person says it', () => {
  const submitting = signed({ phase: 'submitting', keys: [...signed().keys, ...signed().keys] })
  assert.equal(advance(submitting, input({ parent: { tags: [], ttl: 0 } }))!.phase, 'retiring')
  assert.equal(advance(submitting, input())!, submitting)
  assert.equal(advance(submitting, input({ command: 'submitted' }))!.phase, 'retiring')
  const known = { ...submitting, dsTtl: 60 }
  assert.equal(advance(known, input({ parent: { tags: [], ttl: 0 } }))!, known)
})

test('a key that is old enough is replaced by itself, when the file says how old', () => {
  const wants = { ...wanted, lifetimeMs: 1_000_000 }
  const known = advance(signed(), input({ wanted: wants, nowSeconds: 999 }))!
  assert.equal(known.phase, 'signed')
  assert.equal(advance(known, input({ wanted: wants, nowSeconds: 1000 }))!.phase, 'publishing')
})

test('signatures end when no cache has the DS any longer (RFC 8078 §4)', () => {
  const known = signed({ dsTtl: 3600 })
  const leaving = advance(known, input({ wanted: null, nowSeconds: 100 }))!
  assert.deepEqual([leaving.phase, leaving.until, wishes(leaving)], ['leaving', null, []])
  const parent = { tags: tags(known), ttl: 3600 }
  assert.equal(advance(leaving, input({ wanted: null, nowSeconds: 9999, parent })), leaving)
  const left = advance(leaving, input({ wanted: null, nowSeconds: 200, parent: { tags: [], ttl: 0 } }))!
  assert.deepEqual([left.phase, left.until, wishes(left)], ['left', 200 + 3600 + 60, []])
  assert.equal(advance(left, input({ wanted: null, nowSeconds: left.until! })), undefined)
  const back = advance(left, input({ nowSeconds: 300 }))!
  assert.deepEqual([back.phase, tags(back)], ['signed', tags(known)])
})

test('what was saved is read again, and anything else is refused: new keys would make zones bogus', () => {
  const key = {
    privateKey: 'x',
    publicKey: Buffer.alloc(64).toString('base64'),
    createdAt: 1,
    signsData: true,
  }
  const zones = { 'zone:a': { ...signed(), keys: [key] } }
  assert.deepEqual(parseSavedZones(JSON.stringify(zones)), zones)
  assert.deepEqual(parseSavedZones(null), {})
  for (const text of [
    '',
    '{',
    '[1]',
    '{"zone:a":{}}',
    JSON.stringify({ a: { ...zones['zone:a'], keys: [] } }),
  ])
    assert.throws(() => parseSavedZones(text), text)
})
