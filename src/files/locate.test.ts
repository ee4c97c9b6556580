import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { locate } from './locate.ts'

test('locate() finds the file that a target names', () => {
  const cases: [string, string, boolean][] = [
    ['/', 'index.html', true],
    ['/a', 'a', false],
    ['/a/?b=/../c', 'a/index.html', true],
    ['/a/b.html', 'a/b.html', false],
    ['/a%20b/%C3%A9', 'a b/é', false],
    ['/%61%2Eb', 'a.b', false],
    ['/a/./b', 'a/b', false],
    ['/.well-known/security.txt', '.well-known/security.txt', false],
  ]
  for (const [target, path, isFolder] of cases)
    assert.deepEqual(locate(target, 'index.html'), { path, isFolder }, target)
})

test('locate() resolves dot segments and never above the root (RFC 3986 §5.2.4)', () => {
  assert.deepEqual(locate('/a/../b', 'i'), { path: 'b', isFolder: false })
  assert.deepEqual(locate('/a/%2e%2e/', 'i'), { path: 'i', isFolder: true })
  assert.deepEqual(locate('/a/..', 'i'), { path: 'i', isFolder: true })
  for (const target of ['/..', '/../a', '/a/../../b', '/%2e%2e/a', '/.%2E/a', '/a/%2e./%2e./b']) {
    assert.equal(locate(target, 'i'), 'the path climbs above the root', target)
  }
})

test('locate() refuses names that no file has or that are not shown (RFC 8615)', () => {
  const targets = ['//a', '/a//b', '/a%2fb', '/a\\b', '/..%5ca', '/a%00.html', '/.git/config', '/a/.env']
  for (const target of [...targets, '/...', '/a/.well-known/x', '/.well-known/.secret']) {
    assert.equal(locate(target, 'i'), 'no file has such a name', target)
  }
})

test('locate() refuses what is no path', () => {
  for (const target of ['', '*', 'a', '/%', '/%zz', '/%ff', '/%c3']) {
    assert.equal(locate(target, 'i'), 'the path is malformed', target)
  }
})

test('locate() gives only paths below the root, whatever the target', () => {
  const piece = fc.constantFrom(
    '..',
    '.',
    '%2e',
    '%2E',
    '%2f',
    '%5c',
    '\\',
    '/',
    '%00',
    '%25',
    'a',
    ';',
    '?',
    '..;',
  )
  const crafted = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`)
  fc.assert(
    fc.property(fc.oneof(crafted, fc.string({ unit: 'grapheme' })), (target) => {
      const place = locate(target, 'index.html')
      if (typeof place === 'string') return
      assert.doesNotMatch(place.path, /(^|\/)(\.|$)|\\|\0/)
    }),
  )
})
