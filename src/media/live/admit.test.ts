import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Request } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { isRefusal } from '#http/wire/refusal.ts'
import { readPublished, readViewed } from '#media/live/view/asked.ts'
import { admitPublisher, readPublishKeys } from './admit.ts'
import { planLive } from './plan.ts'

const KEY = 'a-key-of-the-studio'
const OTHER = 'a-key-of-the-garden'
const keys = readPublishKeys(`${KEY}\n# a comment that is long enough\ngarden ${OTHER}\nshort\n`)

function ask(fields: [string, string][], target = '/studio', address = '192.0.2.1'): Request {
  return {
    ...{ method: 'PUT', authority: 'a', host: 'a', target, version: '1.1', fields: fieldsOf(fields) },
    client: { address, port: 1, secure: true, localPort: 443 },
    ...{ body: null, lengthOctets: null, upgrade: undefined },
  }
}

test('an encoder says its key as Bearer, as password or in the query (RFC 6750 §2.1)', () => {
  const basic = `Basic ${Buffer.from(`source:${KEY}`).toString('base64')}`
  const cases: [fields: [string, string][], target: string, stream: string, expected: string][] = [
    [[], '/studio', 'studio', '401'],
    [[['Authorization', `Bearer ${KEY}`]], '/studio', 'studio', 'the key'],
    [[['Authorization', basic]], '/studio', 'studio', 'the key'],
    [[], `/studio?key=${KEY}`, 'studio', 'the key'],
    [[['Authorization', 'Bearer another-key-than-that']], '/studio', 'studio', '401'],
    [[['Authorization', `Bearer ${OTHER}`]], '/studio', 'studio', '403'],
    [[['Authorization', `Bearer ${OTHER}`]], '/garden', 'garden', 'the key'],
    [[['Authorization', 'Bearer short']], '/studio', 'studio', '401'],
  ]
  const plan = planLive({ root: 'live', key: 'key' }, false)
  for (const [fields, target, stream, expected] of cases) {
    const admitted = admitPublisher(plan, keys, ask(fields, target), stream)
    assert.equal(isRefusal(admitted) ? `${admitted.status}` : admitted, expected, JSON.stringify(fields))
  }
  assert.ok(isRefusal(admitPublisher(plan, [], ask([['Authorization', `Bearer ${KEY}`]]), 'studio')))
})

test('without a key programs of this machine publish, or whom "access" lets in', () => {
  const local = planLive('live', false)
  const cases: [fields: [string, string][], address: string, expected: string][] = [
    [[], '127.0.0.1', 'a program of this machine'],
    [[], '192.0.2.1', '403'],
    [[['X-Forwarded-For', '192.0.2.1']], '127.0.0.1', '403'],
    [[['Sec-Fetch-Site', 'cross-site']], '127.0.0.1', '403'],
  ]
  for (const [fields, address, expected] of cases) {
    const admitted = admitPublisher(local, [], ask(fields, '/studio', address), 'studio')
    assert.equal(isRefusal(admitted) ? `${admitted.status}` : admitted, expected, JSON.stringify(fields))
  }
  assert.equal(admitPublisher(planLive('live', true), [], ask([]), 'studio'), 'let in by "access"')
})

test('paths of viewers and encoders are read, and lead nowhere else', () => {
  const viewed: [path: string, expected: string | null][] = [
    ['/studio/index.m3u8', 'studio null multivariant'],
    ['/a/b/_x1/manifest.mpd', 'a/b _x1 mpd'],
    ['/studio/_x1/v0.m3u8', 'studio _x1 playlist v0'],
    ['/studio/_x1/a12-init-3.mp4', 'studio _x1 init a12 3'],
    ['/studio/_x1/v0-17.m4s', 'studio _x1 segment v0 17'],
    ['/studio/_x1/v0-17.4.m4s', 'studio _x1 part v0 17 4'],
    ['/studio/v0.m3u8', null],
    ['/studio/_x1/v0-17.mp4', null],
    ['/studio/_x1/journal.jsonl', null],
    ['/../index.m3u8', null],
    ['/a/../b/index.m3u8', null],
    ['/%2e%2e/index.m3u8', null],
    ['/index.m3u8', null],
    ['/a/b/c/d/e/index.m3u8', null],
  ]
  for (const [path, expected] of viewed) {
    const read = readViewed(path)
    const said =
      read === null ? null : [read.stream, read.id, ...Object.values(read.what)].map(String).join(' ')
    assert.equal(said, expected, path)
  }
  const published: [path: string, expected: string | null][] = [
    ['/studio', 'studio null'],
    ['/live/studio/', 'live/studio null'],
    ['/studio/init-0.m4s', 'studio init-0.m4s'],
    ['/studio.mp4', null],
    ['/_x1', null],
    ['/.hidden', null],
    ['/a/../b', null],
    ['/', null],
  ]
  for (const [path, expected] of published) {
    const read = readPublished(path)
    assert.equal(read === null ? null : `${read.stream} ${read.file}`, expected, path)
  }
})
