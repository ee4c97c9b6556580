import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hostOf } from '../../test/routes.ts'
import { ties } from './pattern.ts'
import { compileRoutes, route } from './route.ts'

function hostFor(names: readonly string[], host: string): string | null {
  return route(compileRoutes(names.map((name) => hostOf(name))), host, '/').host?.name ?? null
}

function patternFor(patterns: readonly string[], target: string): string {
  const routing = route(compileRoutes([hostOf('example.com', patterns)]), 'example.com', target)
  return routing.route?.pattern ?? routing.reason
}

test('route() finds hosts where DNS answers with them: closest encloser and wildcard (RFC 4592 §3.3.1)', () => {
  const names = ['example.com', '*.example.com', 'a.example.com', 'x.b.example.com', '*.c.example.com']
  const cases: [string, string | null][] = [
    ['example.com', 'example.com'],
    ['a.example.com', 'a.example.com'],
    ['www.example.com', '*.example.com'],
    ['deep.er.www.example.com', '*.example.com'],
    ['y.c.example.com', '*.c.example.com'],
    ['z.y.c.example.com', '*.c.example.com'],
    ['x.a.example.com', null],
    ['y.b.example.com', null],
    ['example.org', null],
    ['badexample.com', null],
    ['com', null],
    ['', null],
    ['127.0.0.1', null],
    ['[::1]', null],
    [`${'a.'.repeat(30_000)}example.com`, null],
  ]
  for (const [host, expected] of cases) assert.equal(hostFor(names, host), expected, host.slice(0, 80))
})

test('route() leaves an empty non-terminal to nobody, as DNS does (RFC 4592 §2.2.2)', () => {
  assert.equal(hostFor(['*.example.com', 'x.b.example.com'], 'b.example.com'), null)
  assert.equal(hostFor(['*.example.com', '*.c.example.com'], 'c.example.com'), null)
})

test('route() says whether the host was exact or a wildcard', () => {
  const table = compileRoutes([hostOf('example.com'), hostOf('*.example.com', ['/a'])])
  assert.equal(route(table, 'example.com', '/').reason, 'exact host')
  assert.equal(route(table, 'x.example.com', '/a').reason, 'wildcard host')
  assert.equal(route(table, 'x.example.com', '/b').reason, 'no route')
  assert.deepEqual(route(table, 'example.org', '/'), { host: null, route: null, reason: 'no host' })
})

test('route() takes the most specific pattern', () => {
  const patterns = [
    '/**',
    '/api/**',
    '/api/v1/**',
    '/api/*',
    '/api/users',
    '/one/*',
    '/one/*/x',
    '/one/two/**',
    '/',
  ]
  const cases: [string, string][] = [
    ['/', '/'],
    ['/?q', '/'],
    ['/other', '/**'],
    ['/apix', '/**'],
    ['/api', '/api/**'],
    ['/api?/x', '/api/**'],
    ['/api/', '/api/**'],
    ['/api/users', '/api/users'],
    ['/api/users/', '/api/**'],
    ['/api/groups', '/api/*'],
    ['/api/v1', '/api/v1/**'],
    ['/api/v1/x/y', '/api/v1/**'],
    ['/api/v2/x', '/api/**'],
    ['/API/v1/x', '/**'],
    ['/one/', '/**'],
    ['/one/a', '/one/*'],
    ['/one/a/x', '/one/*/x'],
    ['/one/two/x', '/one/two/**'],
    ['/one/a/y', '/**'],
    ['/a.b/..c/...', '/**'],
  ]
  for (const [target, expected] of cases) {
    assert.equal(patternFor(patterns, target), expected, target)
    assert.equal(patternFor(patterns.toReversed(), target), expected, `${target}, patterns reversed`)
  }
  assert.equal(patternFor(['/a', '/b/**'], '/c'), 'no route')
})

test('route() compares paths in decoded form (RFC 3986 §6.2.2.2)', () => {
  const patterns = ['/**', '/api/**', '/@me', '/café/**', '/a b', '/100%25']
  const cases: [string, string][] = [
    ['/%61pi/x', '/api/**'],
    ['/%40me', '/@me'],
    ['/caf%C3%A9/x', '/café/**'],
    ['/caf%c3%a9', '/café/**'],
    ['/a%20b', '/a b'],
    ['/100%25', '/100%25'],
    ['/%252e%252e/x', '/**'],
    ['/.well-known/x', '/**'],
  ]
  for (const [target, expected] of cases) assert.equal(patternFor(patterns, target), expected, target)
})

test('route() refuses a path that could be read as one of another route (RFC 3986 §3.3, §5.2.4)', () => {
  const patterns = ['/**', '/api/**', '/api/secret', '/x']
  const cases: [string, string][] = [
    ['/api/../x', 'path reads two ways'],
    ['/api/./secret', 'path reads two ways'],
    ['/api/x/..', '/api/**'],
    ['/y/../z', '/**'],
    ['//api/y', 'path reads two ways'],
    ['/api//secret', 'path reads two ways'],
    ['/api//y', '/api/**'],
    ['/y//z', '/**'],
    ['/api%2fy', 'path reads two ways'],
    ['/api\\y', 'path reads two ways'],
    ['/api%5Cy', 'path reads two ways'],
    ['/y%2fz', '/**'],
    ['/api/..%2fx', 'path hides dot segments'],
    ['/api/%2e%2e/x', 'path hides dot segments'],
    ['/api/.%2E/x', 'path hides dot segments'],
    ['/api/..;/x', 'path hides dot segments'],
    ['/api/..;a=b', 'path hides dot segments'],
    ['/api/..\\x', 'path hides dot segments'],
    ['/y;a=b/..c', '/**'],
    ['/..', 'path climbs above the root'],
    ['/a/../../b', 'path climbs above the root'],
    ['/%2e%2e/x', 'path climbs above the root'],
    ['/a%00b', 'path is malformed'],
    ['/a%', 'path is malformed'],
    ['/a%2', 'path is malformed'],
    ['/a%zz', 'path is malformed'],
    ['*', 'path is malformed'],
    ['api', 'path is malformed'],
  ]
  for (const [target, expected] of cases) assert.equal(patternFor(patterns, target), expected, target)
})

test('ties() tells patterns that match the same paths', () => {
  const cases: [string, string, boolean][] = [
    ['/a', '/a', true],
    ['/a', '/%61', true],
    ['/café', '/caf%c3%a9', true],
    ['/a/*', '/a/**', false],
    ['/a', '/a/', false],
    ['/a', '/a/**', false],
    ['/a', '/A', false],
    ['/*/b', '/a/*', false],
    ['/**', '/**', true],
  ]
  for (const [a, b, expected] of cases) assert.equal(ties(a, b), expected, `${a} ${b}`)
})

const segment = fc.constantFrom('a', 'b', 'c')
const path = fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join('/')}`)
const pattern = fc
  .tuple(fc.array(fc.oneof(segment, fc.constant('*')), { maxLength: 4 }), fc.boolean())
  .map(([segments, isOpen]) => `/${[...segments, ...(isOpen ? ['**'] : [])].join('/')}`)

test('route() agrees with trying all patterns in order of specificity', () => {
  const patterns = fc.uniqueArray(pattern, { maxLength: 12 })
  fc.assert(
    fc.property(patterns, path, (list, target) =>
      assert.equal(patternFor(list, target), tryAll(list, target)),
    ),
  )
})

/** Expressions in the order of their patterns: `*` and `**` sort behind every letter, and `**` behind `*`. */
function tryAll(patterns: readonly string[], target: string): string {
  const order = (text: string) => text.replace('**', '~~').replaceAll('*', '~')
  const sorted = patterns.toSorted((a, b) => (order(a) < order(b) ? -1 : 1))
  const isMatch = (text: string) => {
    const expression = text.replace(/\/\*\*$/, '(/.*)?').replaceAll(/\/\*(?=\/|$|\()/g, '/[^/]+')
    return new RegExp(`^${expression === '' ? '/' : expression}$`).test(target)
  }
  return sorted.find(isMatch) ?? 'no route'
}

const label = fc.constantFrom('a', 'b', 'c')
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))

test('route() agrees with the lookup of RFC 4592 §3.3.1 written down word by word', () => {
  const names = fc.uniqueArray(
    fc.tuple(fc.boolean(), name).map(([isWild, base]) => (isWild ? `*.${base}` : base)),
    {
      maxLength: 8,
    },
  )
  fc.assert(fc.property(names, name, (list, host) => assert.equal(hostFor(list, host), lookUp(list, host))))
})

function lookUp(names: readonly string[], qname: string): string | null {
  const suffixes = (text: string) => text.split('.').map((_, i, labels) => labels.slice(i).join('.'))
  const existing = new Set(names.flatMap(suffixes))
  if (existing.has(qname)) return names.includes(qname) ? qname : null
  const closestEncloser = suffixes(qname).find((suffix) => existing.has(suffix))
  return names.find((candidate) => candidate === `*.${closestEncloser}`) ?? null
}

test('route() answers every target without throwing, and hides nothing from the strict reading', () => {
  const table = compileRoutes([hostOf('h', ['/public/**', '/secret/**'])])
  const piece = fc.constantFrom(
    'public',
    'secret',
    '..',
    '.',
    '%2e',
    '%2E%2e',
    '%2f',
    '%5c',
    '\\',
    ';',
    '/',
    '//',
    '%',
    'x',
  )
  const target = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 10 }).map((pieces) => `/public/${pieces.join('/')}`),
  )
  fc.assert(
    fc.property(target, (text) => {
      const { route: found } = route(table, 'h', text)
      if (found === null || !URL.canParse(text, 'http://h')) return
      // What a browser's reading of the same target leads to.
      const { pathname } = new URL(`http://h${text}`)
      assert.ok(
        pathname.replace(/\/+/g, '/').startsWith(found.pattern.slice(0, -3)),
        `${text} → ${found.pattern}`,
      )
    }),
  )
})

test('route() takes as long with 10 000 hosts as with 10', () => {
  const few = compileRoutes(Array.from({ length: 10 }, (_, i) => hostOf(`h${i}.example.com`)))
  const many = compileRoutes(Array.from({ length: 10_000 }, (_, i) => hostOf(`h${i}.example.com`)))
  // Processor time, which does not pass while others have the core.
  const costMs = (table: typeof few) => {
    const before = process.cpuUsage()
    for (let i = 0; i < 200_000; i++) route(table, 'h7.example.com', '/index.html')
    return process.cpuUsage(before).user / 1000
  }
  costMs(few)
  costMs(many)
  const best = (table: typeof few) => Math.min(costMs(table), costMs(table), costMs(table))
  assert.ok(best(many) < 3 * best(few) + 5)
})
