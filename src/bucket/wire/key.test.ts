import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isRefusal } from '#http/wire/refusal.ts'
import { formatAttachment, parseParameters } from './disposition.ts'
import { fileName, keyOfPath, pathOfKey } from './key.ts'

test('a path becomes a key, and what could leave a folder becomes none', () => {
  const cases: [string, string | number][] = [
    ['/', ''],
    ['/a/b%20c', 'a/b c'],
    ['/%C3%A4', 'ä'],
    ['/a/../b', 400],
    ['/%2e%2e/b', 400],
    ['/a/.', 400],
    ['/%ff', 400],
    ['/%', 400],
    ['/a%00', 400],
    ['/a%0d', 400],
    ['/.uploads/x', 400],
    [`/${'a'.repeat(1025)}`, 414],
  ]
  for (const [path, wanted] of cases) {
    const key = keyOfPath(path)
    assert.equal(isRefusal(key) ? key.status : key, wanted, path)
  }
})

test('of the name of a file its last segment is left, on whatever system', () => {
  const cases: [string, string | undefined][] = [
    ['a.png', 'a.png'],
    ['C:\\fakepath\\a.png', 'a.png'],
    ['../../etc/passwd', 'passwd'],
    ['..', undefined],
    ['a/', undefined],
    ['a\u0000b\n', 'ab'],
    ['e\u0301', '\u00e9'],
    [`${'ü'.repeat(200)}.png`, `${'ü'.repeat(125)}.png`],
  ]
  for (const [name, wanted] of cases) assert.equal(fileName(name), wanted)
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      const clean = fileName(name)
      if (clean === undefined) return
      assert.ok(!/[/\\]/.test(clean) && Buffer.byteLength(clean) <= 255)
      const path = pathOfKey(`f/${clean}`)
      assert.equal(keyOfPath(path), `f/${clean}`)
    }),
  )
})

test('a Content-Disposition is read, and written for every client (RFC 6266 §4, RFC 6266 §4.3)', () => {
  const read = (text: string): string | undefined => parseParameters(text)?.parameters.get('filename')
  assert.equal(read('attachment; filename="x"; filename*=UTF-8\'\'%C3%A4.png'), 'ä.png')
  assert.equal(read('attachment; filename="a;b\\"c"'), 'a;b"c')
  assert.equal(read('attachment; filename="a'), undefined)
  for (const name of ['a.png', 'ä "x".png', '%41']) assert.equal(read(formatAttachment(name)), name)
})
