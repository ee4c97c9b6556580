import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { RewritePlan } from './plan.ts'
import { rewrite } from './rewrite.ts'

const strip = (prefix: string): RewritePlan => ({ kind: 'strip', prefix })
const to = (pattern: string, path: string): RewritePlan => ({ kind: 'to', pattern, to: path })

describe('rewrite() gives the target that a request goes on with (RFC 3986 §3.3)', () => {
  const table: readonly (readonly [plan: RewritePlan, target: string, result: string])[] = [
    [strip('/api'), '/api/users?id=1', '/users?id=1'],
    [strip('/api'), '/api', '/'],
    [strip('/api'), '/api?a/b', '/?a/b'],
    [strip('/api/'), '/api/', '/'],
    [strip('/api/v1'), '/api/v1/x/', '/x/'],
    // Whole segments only, and only at the start.
    [strip('/api'), '/apis/x', '/apis/x'],
    [strip('/api'), '/x/api', '/x/api'],
    [strip('/api'), '/', '/'],
    // Compared as routes compare, passed on as sent.
    [strip('/api'), '/%61pi/a%20b%2Fc', '/a%20b%2Fc'],
    [strip('/é'), '/%C3%A9/x', '/x'],
    // Nothing climbs out, and no host is made of a path.
    [strip('/api'), '/api/x/../y', '/y'],
    [strip('/api'), '/api/../api/x', '/x'],
    [strip('/api'), '/api/../secret', '/api/../secret'],
    [strip('/api'), '/api//evil.example/', '/evil.example/'],
    [strip('/api'), '/../api', '/../api'],
    [to('/**', '/index.html'), '/any/thing?q', '/index.html?q'],
    [to('/old/**', '/new/**'), '/old/a/b%2F?q', '/new/a/b%2F?q'],
    [to('/old/**', '/new/**'), '/old', '/new'],
    [to('/old/**', '/new/**'), '/old/', '/new/'],
    [to('/old/**', '/**'), '/old//evil.example', '/evil.example'],
    [to('/users/*/posts/*', '/u/*/p/*'), '/users/7/posts/a%20b', '/u/7/p/a%20b'],
    [to('/a/*/**', '/*/x/**'), '/a/b/c/d', '/b/x/c/d'],
    [to('/**', '/café/%41/a b'), '/', '/caf%C3%A9/%41/a%20b'],
  ]
  for (const [plan, target, result] of table) {
    const words = plan.kind === 'strip' ? `strip ${plan.prefix}` : `${plan.pattern} → ${plan.to}`
    test(`${words}: ${target} → ${result}`, () => assert.equal(rewrite(plan, target), result))
  }

  test('never begins with two slashes, never climbs, and keeps the query (RFC 3986 §5.2.4)', () => {
    const segment = fc.constantFrom('', 'api', '.', '..', 'x', '%2F', '%2e', '%61pi', ';', '\\', '*', 'é')
    const plans = [
      strip('/api'),
      strip('/api/x'),
      to('/api/**', '/**'),
      to('/*/**', '/a/*/**'),
      to('/**', '/b/**'),
    ]
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 8 }), fc.constantFrom(...plans), (segments, plan) => {
        const sent = `/${segments.join('/')}?a=/../b`
        const target = rewrite(plan, sent)
        assert.ok(target.endsWith('?a=/../b'))
        if (target !== sent) assert.doesNotMatch(target, /^\/\/|\/\.\.?(?:\/|\?)(?=.*\?)/)
      }),
    )
  })
})
