import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Node, type ParseError, parseTree } from 'jsonc-parser'
import { outline } from './outline.ts'
import { Places } from './places.ts'

/** What stands where, as the parser of another project sees it: paths with offsets of key and value. */
function placesByParser(root: Node): Map<string, readonly [key: number, value: number]> {
  const places = new Map<string, readonly [number, number]>()
  const walk = (node: Node, path: readonly (string | number)[], key: number): void => {
    places.set(JSON.stringify(path), [key, node.offset])
    for (const [index, child] of (node.children ?? []).entries()) {
      const [name, value] = child.children ?? []
      if (node.type === 'array') walk(child, [...path, index], child.offset)
      else walk(value!, [...path, name!.value], name!.offset)
    }
  }
  walk(root, [], root.offset)
  return places
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Pieces of files with comments, good and bad. */
const piece = fc.constantFrom(
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"b"',
    '"\\"\\\\"',
    '"\\u0061"',
    '"a\\',
    '"',
    '1',
    '-2.5e3',
    'true',
  ],
  ...[
    'null',
    'nul',
    ' ',
    '\n',
    '\r\n',
    '// c\n',
    '//',
    '/* , */',
    '/*',
    '/*/',
    '*/',
    '/',
    '#',
    '"__proto__"',
  ],
)

const pieces = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(''))
const json = fc
  .tuple(fc.jsonValue({ maxDepth: 4 }), fc.integer({ min: 0, max: 2 }))
  .map(([value, indent]) => JSON.stringify(value, null, indent))
/** Every bracket that closes has a comma and a comment before it, where something stands in the brackets. */
const commented = json.map((text) => {
  return text.replace(/"(?:\\.|[^"\\])*"|([^[{\s])(\s*)([\]}])/g, (all, last, space, close) => {
    return last === undefined ? all : `${last},// ]\n${space}/* { */${close}`
  })
})

test('outline() takes what another parser takes, and finds all in the same places (RFC 8259)', () => {
  fc.assert(
    fc.property(fc.oneof(pieces, json, commented), (text) => {
      const errors: ParseError[] = []
      const root = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false })
      const outlined = outline(text, 100)
      assert.equal(isJson(outlined.plain), errors.length === 0, `${text} → ${outlined.plain}`)
      if (errors.length > 0) return
      assert.equal(outlined.plain.length, text.length)
      const places = new Places(outlined)
      if (places.duplicates().length > 0) return
      for (const [path, [key, value]] of placesByParser(root!))
        assert.deepEqual(places.find(JSON.parse(path)), { key, value }, path)
    }),
    { numRuns: 3000 },
  )
})

test('Places finds parts in any order, with escapes in their keys and without', () => {
  const keys = Array.from({ length: 50 }, (_, i) => (i % 7 === 0 ? `\\u0061${i}` : `a${i}`))
  const text = `{ ${keys.map((key, i) => `"${key}": ${i}`).join(', ')} }`
  const places = new Places(outline(text, 100))
  for (let i = 0; i < 50; i++) {
    const n = (i * 31) % 50
    const { value } = places.find([`a${n}`])!
    assert.ok(text.startsWith(String(n), value))
  }
  assert.equal(places.find(['a50']), undefined)
  assert.equal(places.find(['a1', 'b']), undefined)
})
