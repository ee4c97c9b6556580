import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ask } from '../../test/exchange.ts'
import { createRedirect } from './redirect.ts'

async function locate(to: string, target: string, keepPath: boolean): Promise<string> {
  const answer = await ask(createRedirect({ kind: 'redirect', to, status: 308, keepPath }), { target })
  assert.equal(answer.status, 308)
  return answer.head.fields.get('location')!
}

test('createRedirect() says where to go, with or without the path of the request (RFC 9110 §15.4)', async () => {
  const cases: [string, string, boolean, string][] = [
    ['https://example.com', '/a?b', true, 'https://example.com/a?b'],
    ['https://example.com/', '/a?b', true, 'https://example.com/a?b'],
    ['https://example.com/new', '/a?b', true, 'https://example.com/new/a?b'],
    ['https://example.com/new', '/a?b', false, 'https://example.com/new'],
    ['https://example.com?x', '/a?b', true, 'https://example.com?x'],
    ['/new', '/a', false, '/new'],
    ['/new/', '/a', true, '/new/a'],
  ]
  for (const [to, target, keepPath, expected] of cases)
    assert.equal(await locate(to, target, keepPath), expected, to)
})

test('createRedirect() leads to no other host, whatever the target (RFC 3986 §4.2)', async () => {
  assert.equal(await locate('/', '//evil.example', true), '/evil.example')
  assert.equal(await locate('/', '/\\evil.example', true), '/evil.example')
  const target = fc.string({ unit: 'grapheme' }).map((text) => `/${text}`)
  await fc.assert(
    fc.asyncProperty(target, fc.constantFrom('/', '/new', 'https://h', 'https://h/x'), async (text, to) => {
      assert.equal(new URL(await locate(to, text, true), 'https://h').host, 'h')
    }),
  )
})

test('createRedirect() writes Location in ASCII without line ends (RFC 3986 §2)', async () => {
  assert.equal(await locate('https://example.com/é', '/', false), 'https://example.com/%C3%A9')
  assert.equal(
    await locate('https://example.com', '/a\r\nSet-Cookie: x', true),
    'https://example.com/a%0D%0ASet-Cookie:%20x',
  )
})
