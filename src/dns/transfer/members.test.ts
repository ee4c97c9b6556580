import assert from 'node:assert/strict'
import test from 'node:test'
import { zonePlan } from '../../../test/zone-fixture.ts'
import { type MemberPlan, planMembers, readCatalog } from './members.ts'
import type { MovePlan } from './plan.ts'

const VERSION = 'version TXT "2"'
const catalog = (...lines: string[]) => zonePlan('catalog.', [VERSION, ...lines])

test('members are what PTRs below "zones" name, with their labels (RFC 9432 §4.1)', () => {
  const lines = [
    'one.zones PTR Member.example.',
    'two.zones PTR other.example.',
    'group.one.zones TXT "g"',
    'coo.two.zones PTR elsewhere.',
    'three.other PTR no.example.',
    'x A 192.0.2.1',
  ]
  assert.deepEqual(
    readCatalog(catalog(...lines)),
    new Map([
      ['member.example.', { label: 'one', leavesTo: null }],
      ['other.example.', { label: 'two', leavesTo: 'elsewhere.' }],
    ]),
  )
})

const BROKEN: [string, string[], RegExp][] = [
  ['no version', ['a.zones PTR a.example.'], /version/],
  ['version 1', ['version TXT "1"'], /version/],
  ['two versions', [VERSION, 'version TXT "1"'], /version/],
  ['a member node with two names', [VERSION, 'a.zones PTR a.example.', 'a.zones PTR b.example.'], /a\.zones/],
  ['a member twice', [VERSION, 'a.zones PTR a.example.', 'b.zones PTR A.example.'], /twice/],
]
for (const [name, lines, fault] of BROKEN) {
  test(`a catalog that is broken is not read: ${name} (RFC 9432 §4.1, §4.2.1, §5.1)`, () => {
    assert.match(String(readCatalog(zonePlan('catalog.', lines))), fault)
  })
}

const move = (apex: string): MovePlan => ({
  ...{ id: `move:${apex}`, key: apex, from: { file: 'f', line: 1, column: 1 }, apex },
  ...{ out: null, update: null, isCatalog: true },
  secondary: { from: [{ address: '192.0.2.1', port: 53 }], key: null },
})

function members(before: ReadonlyMap<string, MemberPlan>, ...lines: string[][]) {
  const faults: string[] = []
  const zones = lines.map((some, i) => {
    const apex = `catalog${i}.`
    return { move: move(apex), version: { plan: zonePlan(apex, some), serial: 1 } }
  })
  const isTaken = (apex: string): boolean => apex === 'file.example.'
  return { all: planMembers({ zones, isTaken, before, onFault: (_, why) => faults.push(why) }), faults }
}

test('the file wins over catalogs, and the first catalog over the next (RFC 9432 §5.2)', () => {
  const { all, faults } = members(
    new Map(),
    [VERSION, 'a.zones PTR a.example.', 'f.zones PTR file.example.'],
    [VERSION, 'b.zones PTR a.example.', 'c.zones PTR c.example.'],
  )
  assert.deepEqual(
    Array.from(all.values(), ({ apex, catalog: of }) => `${apex} ${of}`),
    ['a.example. catalog0.', 'c.example. catalog1.'],
  )
  assert.deepEqual(all.get('a.example.')!.secondary, move('x').secondary)
  assert.deepEqual(faults, ['file.example. is of the file', 'a.example. is of catalog0.'])
})

test('a member stays with its catalog, whoever else lists it, until that one lets it go (RFC 9432 §4.3.1, §5.2, §5.5)', () => {
  const other = 'b.zones PTR a.example.'
  const own = 'a.zones PTR a.example.'
  const { all: first } = members(new Map(), [VERSION], [VERSION, other])
  const catalogOf = (...lines: string[][]): string | undefined =>
    members(first, ...lines).all.get('a.example.')?.catalog
  const cases: [string[], string[], string | undefined][] = [
    [[own], [other], 'catalog1.'],
    [[own], [other, 'coo.b.zones PTR catalog0.'], 'catalog0.'],
    [[], [other, 'coo.b.zones PTR catalog0.'], 'catalog1.'],
    [[own], [other, 'coo.b.zones PTR unknown.'], 'catalog1.'],
    [[own], [other, 'coo.b.zones PTR catalog0.', 'coo.b.zones PTR x.'], 'catalog1.'],
    [[own], [], 'catalog0.'],
    [[], [], undefined],
  ]
  for (const [one, two, wanted] of cases)
    assert.equal(catalogOf([VERSION, ...one], [VERSION, ...two]), wanted, `${one} | ${two}`)
})

test('members of a catalog that is broken stay (RFC 9432 §5.1)', () => {
  const { all } = members(new Map(), [VERSION, 'a.zones PTR a.example.'])
  const broken = members(all, ['version TXT "3"'])
  assert.deepEqual(broken.all, all)
  assert.equal(broken.faults.length, 1)
})

test('another label is another zone of the same name (RFC 9432 §5.4)', () => {
  const [one, two] = ['a', 'b'].map((label) => {
    return members(new Map(), [VERSION, `${label}.zones PTR a.example.`]).all.get('a.example.')!.key
  })
  assert.notEqual(one, two)
})
