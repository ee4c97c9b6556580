// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is nginx's way to write a variable
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Directive, parseNginx } from './parse.ts'

/** A directive as nested lists: its words, then its block. */
type Shape = readonly (string | readonly Shape[])[]

function shape({ name, args, block }: Directive): Shape {
  return block === null ? [name, ...args] : [name, ...args, block.map(shape)]
}

const accepted: readonly (readonly [string, string, Shape[]])[] = [
  ['words', 'listen 80 default_server;', [['listen', '80', 'default_server']]],
  ['blocks', 'a { b { c; } }', [['a', [['b', [['c']]]]]]],
  ['blanks of all kinds', '\ta\r\n\tb\n;', [['a', 'b']]],
  ['comments between words', 'server_name a # b;\n c;', [['server_name', 'a', 'c']]],
  ['"#" within a word', 'return 200 a#b;', [['return', '200', 'a#b']]],
  ['quotes', `a "x y" 'z;{}#';`, [['a', 'x y', 'z;{}#']]],
  ['quotes within a word', `a b"c;`, [['a', 'b"c']]],
  ['escaped quotes', `a "x\\"y" 'x\\'y';`, [['a', 'x"y', "x'y"]]],
  ['escaped blanks in a bare word', 'a b\\ c;', [['a', 'b\\ c']]],
  ['escapes of regular expressions', 'location ~ \\.php$ { }', [['location', '~', '\\.php$', []]]],
  ['line breaks written as \\n', 'return 200 "a\\n";', [['return', '200', 'a\n']]],
  ['variables in braces', 'set $a x${b}y;', [['set', '$a', 'x${b}y']]],
  ['"}" within a word', 'set $a x};', [['set', '$a', 'x}']]],
  ['a block right after a word', 'location /{ a; }', [['location', '/', [['a']]]]],
  ['")" after a quote', 'if ($a = "b") { c; }', [['if', '($a', '=', 'b', ')', [['c']]]]],
  ['empty words', "map $a $b { '' c; }", [['map', '$a', '$b', [['', 'c']]]]],
  [
    'Lua with braces in strings and comments',
    `a_by_lua_block { x("}") -- }\n y([[ } ]]) --[==[ } ]==] { } '\\'}' } b;`,
    [['a_by_lua_block', []], ['b']],
  ],
]

for (const [what, text, wanted] of accepted) {
  test(`parseNginx() reads ${what}`, () => {
    const { directives, problems } = parseNginx(text, 'a.conf')
    assert.deepEqual(problems, [])
    assert.deepEqual(directives.map(shape), wanted)
  })
}

const refused: readonly (readonly [string, string, number, RegExp])[] = [
  ['a block without end', 'a;\nb {\nc;', 2, /opened on line 2/],
  ['"}" without a block', 'a;\n}', 2, /no block is open/],
  ['a directive without end', 'a\nb', 1, /"a" has no end/],
  ['a directive that "}" ends', 'a {\n b }', 2, /"b" has no end/],
  ['";" alone', 'a { b; };', 1, /";" stands/],
  ['a block without name', '\n{ }', 2, /"\{" stands/],
  ['a quote without end', 'a\n"b;', 2, /no end/],
  ['a backslash at the end of a quote', 'a "b\\', 1, /no end/],
  ['text after a quote', 'a "b"c;', 1, /"c" follows/],
  ['Lua without end', 'a_by_lua_block { [[ }', 1, /Lua block/],
  ['blocks nested without end', 'a {'.repeat(1000), 1, /nested/],
]

for (const [what, text, line, message] of refused) {
  test(`parseNginx() refuses ${what}, with its line`, () => {
    const { problems } = parseNginx(text, 'a.conf')
    assert.equal(problems.length, 1)
    assert.equal(problems[0]?.at.line, line)
    assert.match(problems[0]?.message ?? '', message)
  })
}

test('parseNginx() says where each directive begins', () => {
  const { directives } = parseNginx('\n  a "x\ny" {\n\tb;\n}', 'a.conf')
  assert.deepEqual(directives[0]?.at, { file: 'a.conf', line: 2, column: 3 })
  assert.deepEqual(directives[0]?.block?.[0]?.at, { file: 'a.conf', line: 4, column: 2 })
})

test('parseNginx() reads a long file in a time that grows with its length', () => {
  const text = 'server { listen 80; server_name a.example.com; }\n'.repeat(20_000)
  const { directives, problems } = parseNginx(text, 'a.conf')
  assert.deepEqual(problems, [])
  assert.equal(directives.length, 20_000)
})

test('parseNginx() takes any text, and gives at most one problem, with a line', () => {
  const text = fc.array(
    fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...' \n;{}"\'\\#$', 'a', '_by_lua_block{')),
    {
      maxLength: 60,
    },
  )
  fc.assert(
    fc.property(text, (pieces) => {
      const { problems } = parseNginx(pieces.join(''), 'a.conf')
      assert.ok(problems.length <= 1)
      assert.ok(problems.every(({ at }) => at.line >= 1 && at.column >= 1))
    }),
    { numRuns: 2000 },
  )
})
