import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const text = readFileSync('ARCHITECTURE.md', 'utf8')

/** The lists of files from socket to socket, with the limit in the heading of each. */
const paths = text
  .split(/^### /m)
  .slice(1)
  .map((section) => {
    const [, title = '', limit = ''] = /^(.*): at most (\d+) files$/m.exec(section) ?? []
    const files = [...section.matchAll(/^\d+\. `([^`]+)`: /gm)].map(([, file]) => file!)
    return { title, limit: Number(limit), files }
  })

test('ARCHITECTURE.md lists every path from socket to socket, and each is short', () => {
  assert.deepEqual(
    paths.map(({ title, limit }) => `${title}: ${limit}`),
    [
      'A DNS answer: 6',
      'A proxied request: 8',
      'A cache hit: 6',
      'An answer from files: 6',
      'A segment of a film: 6',
      'A TLS handshake: 6',
      'A reload: 6',
    ],
  )
  for (const { title, limit, files } of paths) {
    assert.ok(files.length >= 5 && files.length <= limit, `${title} has ${files.length} files`)
  }
})

test('ARCHITECTURE.md names only files and folders that exist', () => {
  const named = [...text.matchAll(/`((?:src|test|docs|scripts)\/[\w./-]+)`/g)].map(([, file]) => file!)
  assert.ok(named.length > 40, `${named.length} names were seen`)
  assert.deepEqual(
    named.filter((file) => !existsSync(file)),
    [],
  )
  const folders = [...text.matchAll(/^\| `(\w+)\/` \|/gm)].map(([, folder]) => `src/${folder}`)
  assert.ok(folders.length > 9, `${folders.length} folders were seen`)
  assert.deepEqual(
    folders.filter((folder) => !existsSync(folder)),
    [],
  )
})

test('ARCHITECTURE.md can be read in one sitting', () => {
  assert.ok(text.split('\n').length <= 180)
})
