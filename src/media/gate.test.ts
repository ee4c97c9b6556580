import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { signUrl, type UrlGrant } from '#bucket/wire/signed-url.ts'
import type { Request } from '#http/exchange.ts'
import { createGate, type Gate } from './gate.ts'
import { MediaFault } from './wire/fault.ts'

const secret = 'sixteen letters and more'
const host = 'media.example.com'
const NOW_MS = 1_000_000_000_000
const later = NOW_MS / 1000 + 60
let folder = ''
let gate: Gate
const logged: string[] = []

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portico-gate-'))
  await writeFile(join(folder, 'site.secret'), `${secret}\n`)
  await writeFile(join(folder, 'short.secret'), 'short\n')
  const keys = [
    { id: 'site', secretFile: 'site.secret', prefix: '' },
    { id: 'part', secretFile: 'site.secret', prefix: 'a/' },
    { id: 'short', secretFile: 'short.secret', prefix: '' },
  ]
  gate = createGate(keys, folder, (_level, event, about) => logged.push(`${event} ${about?.['key']}`))!
})

after(() => rm(folder, { recursive: true }))

const path = '/a/film.mp4/index.m3u8'
const admit = (target: string, nowMs = NOW_MS): string =>
  gate.admit({ target, host } as Request, '/a/film.mp4', nowMs)
const signed = (grant: Partial<UrlGrant>, at = path): string => {
  const all = { keyId: 'site', allow: 'read', expires: later, prefix: null, ...grant } as const
  return `${at}?${signUrl(all, host, at, secret)}`
}

test('what is signed for a playlist is good for all that belongs to the film, and no longer', () => {
  const signature = admit(signed({}))
  for (const name of [
    'film.mp4/seg-1-0-0123456789ab.m4s',
    'film.720.mp4/list-1-0123456789ab.m3u8',
    'film.en.vtt/text.m3u8',
  ])
    assert.equal(admit(`/a/${name}${signature}`), signature)
  assert.throws(() => admit(`/a/filmstar.mp4/index.m3u8${signature}`), refused)
  assert.throws(() => admit(`${path}${signature}`, (later + 1) * 1000), refused)
})

const wrong: [name: string, target: () => string][] = [
  ['nothing', () => path],
  ['another path', () => signed({}).replace('index', 'ts')],
  ['the right to write', () => signed({ allow: 'write' })],
  ['an unknown key', () => signed({ keyId: 'other' })],
  ['a key without a secret', () => signed({ keyId: 'short' })],
  ['a key for other films', () => signed({ keyId: 'part', prefix: 'b/' }, '/b/film.mp4/index.m3u8')],
  ['an end that was moved', () => signed({}).replace(/expires=\d+/, `expires=${later + 1}`)],
  ['a prefix that was shortened', () => signed({ prefix: 'a/film.' }).replace('a%2Ffilm.', 'a%2F')],
]
for (const [name, target] of wrong)
  test(`who shows ${name} is refused`, () => assert.throws(() => admit(target()), refused))

test('what is read beside a film needs the same right', () => {
  const request = { target: signed({ prefix: 'a/film.' }), host } as Request
  const admitWith = (beside: string): string => gate.admit(request, '/a/film.720.mp4', NOW_MS, beside)
  assert.ok(admitWith('/a/film.mp4'))
  assert.throws(() => admitWith('/a/other.mp4'), refused)
})

test('a key whose secret is short opens nothing, and the log says so', () => {
  assert.deepEqual(logged, ['stream/key short'])
  assert.equal(
    createGate([], folder, () => {}),
    null,
  )
})

function refused(error: unknown): boolean {
  return error instanceof MediaFault && error.status === 403
}
