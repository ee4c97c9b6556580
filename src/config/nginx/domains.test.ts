import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupByDomain, hostKey } from './domains.ts'

const cases: readonly (readonly [string, string, boolean])[] = [
  ['example.com www.example.com', 'example.com', false],
  ['a.example.com b.example.com', 'example.com', false],
  ['app.example.com', 'example.com', true],
  ['*.example.com', 'example.com', true],
  ['www.example.co.uk', 'example.co.uk', true],
  ['co.uk', 'co.uk', false],
  ['team.github.io docs.team.github.io', 'team.github.io', true],
  ['example.com team.example.com docs.team.example.com', 'example.com', false],
]

for (const [names, domain, isGuess] of cases) {
  test(`groupByDomain() puts ${names} under ${domain}${isGuess ? ', and says that it guessed' : ''}`, () => {
    const grouped = groupByDomain(names.split(' '))
    assert.deepEqual([...new Set([...grouped.values()].map(({ name }) => name))], [domain])
    assert.equal([...grouped.values()][0]?.guess !== null, isGuess)
  })
}

test('hostKey() is "@" for the domain, and what stands before it for others', () => {
  assert.equal(hostKey('example.com', 'example.com'), '@')
  assert.equal(hostKey('a.b.example.com', 'example.com'), 'a.b')
  assert.equal(hostKey('*.example.com', 'example.com'), '*')
})
