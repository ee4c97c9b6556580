import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkText, fileText } from '../../../test/planted/planted.ts'
import { transformedBy } from '../../../test/transform.ts'
import type { TransformPlan } from './plan.ts'

/** The Plans of the routes of a host, by pattern. */
function transformsOf(host: string): Record<string, TransformPlan | undefined> {
  const { plan, problems } = checkText(fileText({ hosts: `"a": ${host}` }))
  assert.deepEqual(problems, [])
  return Object.fromEntries(plan!.http.hosts[0]!.routes.map(({ pattern, transform }) => [pattern, transform]))
}

test('a route that says nothing has nothing on its path', () => {
  assert.deepEqual(transformsOf('{ "service": 8081 }'), { '/**': undefined })
  assert.deepEqual(transformsOf('{ "service": 8081, "compress": false, "maintenance": false }'), {
    '/**': undefined,
  })
  const handler = (): void => {}
  assert.equal(transformedBy(undefined, handler), handler)
})

test('what a route does not say is as its host says', () => {
  const plans = transformsOf(`{
    "compress": true, "strip": "/x", "errors": { "404": "a", "5xx": "b" },
    "headers": { "response": { "set": { "X-A": "1" } } },
    "routes": {
      "/**": { "service": 8081 },
      "/x/**": {
        "service": 8081, "compress": false, "rewrite": "/y/**", "errors": { "404": { "page": "c", "origin": true } },
        "headers": { "response": { "add": { "X-B": "2" }, "remove": "X-A" } }
      }
    }
  }`)
  const [host, route] = [plans['/**']!, plans['/x/**']!]
  assert.deepEqual([host.compress, route.compress], [true, false])
  assert.deepEqual(host.rewrite, { kind: 'strip', prefix: '/x' })
  assert.deepEqual(route.rewrite, { kind: 'to', pattern: '/x/**', to: '/y/**' })
  assert.deepEqual(route.errors, [
    { status: '404', page: 'c', origin: true },
    { status: '5xx', page: 'b', origin: false },
  ])
  assert.deepEqual(route.response, [
    { action: 'set', name: 'X-A', value: '1' },
    { action: 'remove', name: 'X-A' },
    { action: 'add', name: 'X-B', value: '2' },
  ])
})

test('options are written once: a host without routes is its own route', () => {
  const { '/**': plan } = transformsOf(
    '{ "service": 1, "headers": { "request": { "add": { "X-A": "1" } } } }',
  )
  assert.equal(plan?.request.length, 1)
})

test('each fault of an option stands at its place (RFC 9110 §5.1, §5.5; RFC 3986 §3.3)', () => {
  const table: readonly (readonly [host: string, code: string, where: string])[] = [
    ['"headers": { "request": { "set": { "X A": "1" } } }', 'http/field', '"X A"'],
    ['"headers": { "request": { "add": { "X-A": "1\\n2" } } }', 'http/field', '"X-A"'],
    [
      '"headers": { "response": { "set": { "content-length": "1" } } }',
      'http/field-rule',
      '"content-length"',
    ],
    ['"headers": { "request": { "remove": ["Via"] } }', 'http/field-rule', '"remove"'],
    ['"headers": { "response": { "set": { "X-A": "{request.pth}" } } }', 'http/unknown-variable', '"X-A"'],
    ['"earlyHints": ["\\u0000"]', 'http/field', '"earlyHints"'],
    ['"errors": { "200": "a" }', 'http/error-status', '"200"'],
    ['"rewrite": "/*"', 'http/rewrite', '"rewrite"'],
    ['"rewrite": "/**/a"', 'http/rewrite', '"rewrite"'],
    ['"rewrite": "/%a"', 'http/rewrite', '"rewrite"'],
    ['"rewrite": "/a", "strip": "/b"', 'http/rewrite', '"strip"'],
    ['"strip": "api"', 'config/wrong-form', '"api"'],
    ['"maintenance": { "allow": ["10.0.0.0/99"] }', 'plan/not-a-network', '"allow"'],
  ]
  for (const [option, code, where] of table) {
    const text = fileText({ hosts: `"a": { "service": 8081, ${option} }` })
    const { problems } = checkText(text)
    const line = text.slice(0, text.indexOf(where)).split('\n')
    assert.deepEqual(
      problems.map(({ code, at }) => [code, at.line, at.column]),
      [[code, line.length, line.at(-1)!.length + 1]],
      option,
    )
    assert.ok(problems[0]!.fix)
  }
})

test('the fix of a mistyped variable is the nearest one', () => {
  const hosts = '"a": { "service": 1, "headers": { "request": { "set": { "X-A": "{request.hots}" } } } }'
  assert.equal(checkText(fileText({ hosts })).problems[0]?.fix, '{request.host}')
})

test('a prefix that no path of the route begins with is an error', () => {
  const codes = (pattern: string, strip: string): string[] => {
    const hosts = `"a": { "routes": { "${pattern}": { "service": 1, "strip": "${strip}" } } }`
    return checkText(fileText({ hosts })).problems.map(({ code }) => code)
  }
  assert.deepEqual(codes('/app/**', '/api'), ['http/rewrite'])
  assert.deepEqual(codes('/api', '/api/v1'), ['http/rewrite'])
  for (const pattern of ['/**', '/api/**', '/api/v1/**', '/*/v1', '/a%70i/**']) {
    assert.deepEqual(codes(pattern, '/api'), [], pattern)
  }
})

test('what a host says of paths is checked with the routes that do as it says', () => {
  const codes = (options: string, routes: string): string[] => {
    const hosts = `"a": { ${options}, "routes": { ${routes} } }`
    return checkText(fileText({ hosts })).problems.map(({ code }) => code)
  }
  const routes = '"/api/**": { "service": 1 }, "/static/**": { "service": 2 }'
  assert.deepEqual(codes('"strip": "/api"', routes), [])
  assert.deepEqual(codes('"strip": "/app"', routes), ['http/rewrite'])
  assert.deepEqual(codes('"rewrite": "/x/*"', routes), ['http/rewrite'])
  assert.deepEqual(
    codes('"rewrite": "/x/*"', '"/api/*": { "service": 1 }, "/**": { "service": 2, "strip": "/a" }'),
    [],
  )
})
