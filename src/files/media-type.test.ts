import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mediaTypeOf } from './media-type.ts'

test('mediaTypeOf() goes by the extension, and text is UTF-8 (RFC 9110 §8.3)', () => {
  const cases: [string, string][] = [
    ['index.html', 'text/html; charset=utf-8'],
    ['a/SITE.CSS', 'text/css; charset=utf-8'],
    ['app.mjs', 'text/javascript; charset=utf-8'],
    ['main.ts', 'text/plain; charset=utf-8'],
    ['main.mts', 'text/plain; charset=utf-8'],
    ['view.tsx', 'text/plain; charset=utf-8'],
    ['data.json', 'application/json'],
    ['logo.svg', 'image/svg+xml'],
    ['film.mp4', 'video/mp4'],
    ['code.wasm', 'application/wasm'],
    ['a.tar.gz', 'application/gzip'],
    ['LICENSE', 'application/octet-stream'],
    ['html', 'application/octet-stream'],
    ['a.b/c', 'application/octet-stream'],
    ['x.unheard-of', 'application/octet-stream'],
    ['x.constructor', 'application/octet-stream'],
    ['x.__proto__', 'application/octet-stream'],
  ]
  for (const [name, type] of cases) assert.equal(mediaTypeOf(name), type, name)
})
