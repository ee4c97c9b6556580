import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, octetsOf } from '../../test/exchange.ts'
import { hostOf, planOf, respondWith, routeOf } from '../../test/routes.ts'
import type { Handler } from './exchange.ts'
import type { RoutePlan } from './plan.ts'
import { createRespond } from './respond.ts'
import { createRouter } from './router.ts'

function createHandler({ action }: RoutePlan): Handler {
  assert.ok(action.kind === 'respond')
  return createRespond(action)
}

test('createRouter() hands each exchange to the handler of its route and notes why', async () => {
  const { handle } = createRouter(planOf([hostOf('example.com', ['/**', '/a'])]), createHandler)
  const answer = await ask(handle, { target: '/a?b' })
  assert.equal(`${await octetsOf(answer)}`, '/a')
  const { routeId, answeredBy, reason } = answer.note
  assert.deepEqual([routeId, answeredBy, reason], ['route:example.com/a', 'respond', 'exact host'])
})

test('createRouter() keeps the handler of a route whose id and key stay, and no other', () => {
  const [a, b, c] = [hostOf('a'), hostOf('b'), hostOf('c')]
  const first = createRouter(planOf([a, b]), createHandler)
  const changed = { ...b, routes: [routeOf('b', '/**', respondWith('new'))] }
  const next = createRouter(planOf([c, changed, a]), createHandler, first)
  assert.equal(next.routes.get('route:a/**')?.handler, first.routes.get('route:a/**')?.handler)
  assert.notEqual(next.routes.get('route:b/**')?.handler, first.routes.get('route:b/**')?.handler)
})

test('an unknown host is misdirected over TLS and not found without (RFC 9110 §7.4, §15.5.20)', async () => {
  const { handle } = createRouter(planOf([hostOf('example.com')]), createHandler)
  assert.equal((await ask(handle, { host: 'example.org' })).status, 421)
  const answer = await ask(handle, { host: 'example.org', secure: false })
  assert.deepEqual([answer.status, answer.note.reason, answer.note.routeId], [404, 'no host', ''])
})

test('HTTP is redirected to HTTPS with 308 when the host wants it (RFC 9110 §15.4.9)', async () => {
  const hosts = [hostOf('a', ['/**', '/x'], true), hostOf('b', ['/**'], false)]
  const locate = async (host: string, target: string, port: number | null, secure = false) => {
    const answer = await ask(createRouter(planOf(hosts, port), createHandler).handle, {
      host,
      target,
      secure,
    })
    return answer.head.fields.get('location') ?? answer.status
  }
  assert.equal(await locate('a', '/x?y=%20&z', 443), 'https://a/x?y=%20&z')
  assert.equal(await locate('a', '//evil.example', 8443), 'https://a:8443//evil.example')
  assert.equal(await locate('a', '/x', 443, true), 200)
  assert.equal(await locate('a', '/x', null), 200)
  assert.equal(await locate('b', '/x', 443), 200)
  assert.equal(await locate('a', '/../x', 443), 400)
})

test('a path without route is not found, one that reads two ways is refused', async () => {
  const { handle } = createRouter(planOf([hostOf('example.com', ['/a/**', '/b'])]), createHandler)
  assert.equal((await ask(handle, { target: '/c' })).status, 404)
  const answer = await ask(handle, { target: '/a/../b' })
  assert.deepEqual([answer.status, answer.note.reason], [400, 'path reads two ways'])
})

test('OPTIONS * asks about the server (RFC 9110 §9.3.7)', async () => {
  const { handle } = createRouter(planOf([hostOf('example.com', [], true)]), createHandler)
  assert.equal((await ask(handle, { method: 'OPTIONS', target: '*', secure: false })).status, 204)
})
