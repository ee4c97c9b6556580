import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { silent } from '#core/log.ts'
import { type Answer, type Asked, ask, octetsOf } from '../../test/exchange.ts'
import type { FilesOptions } from './config.ts'
import { planFiles } from './plan.ts'
import { createFiles } from './serve.ts'

const STYLE = `body { color: red }\n${' '.repeat(2000)}`
let root = ''

before(() => {
  root = mkdtempSync(join(tmpdir(), 'portico-options-'))
  write('index.html', 'home')
  write('about.html', 'about us')
  write('docs/index.html', 'docs')
  write('docs/guide.html', 'guide')
  write('list/b & c.txt', 'b')
  write('list/a"b<i>.txt', 'a')
  write('list/.hidden', 'no')
  write('list/sub/deep.txt', 'deep')
  write('style.css', STYLE)
  write('style.css.br', brotliCompressSync(STYLE))
  write('style.css.gz', gzipSync(STYLE))
  write('old.css', STYLE)
  write('old.css.gz', gzipSync('an older version'))
  utimesSync(join(root, 'old.css.gz'), 1, 1)
  write('film/index.m3u8', '#EXTM3U')
  write('film/segment.ts', 'octets')
  write('code/module.ts', 'export {}')
  write('assets/app.3f9a2b1c.js', '1')
  write('assets/app.js', '2')
})

after(() => rmSync(root, { recursive: true }))

function write(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), content)
}

function get(
  options: Partial<FilesOptions>,
  target: string,
  fields: Asked['fields'] = [],
  method = 'GET',
): Promise<Answer> {
  return ask(createFiles(planFiles({ root, ...options }), { log: silent }), { target, method, fields })
}

async function textOf(options: Partial<FilesOptions>, target: string): Promise<string> {
  const answer = await get(options, target)
  return answer.status === 200
    ? `${await octetsOf(answer)}`
    : `${answer.status} ${answer.head.fields.get('location')}`
}

test('cleanUrls gives each page one URL without extension', async () => {
  const cases: [string, string][] = [
    ['/about', 'about us'],
    ['/about?a=1', 'about us'],
    ['/about.html?a=1', '308 ./about?a=1'],
    ['/index.html', '308 ./'],
    ['/docs/index.html', '308 ./'],
    ['/docs', '308 ./docs/'],
    ['/docs/', 'docs'],
    ['/docs/guide', 'guide'],
    ['/style.css', STYLE],
    ['/none', '404 undefined'],
  ]
  for (const [target, wanted] of cases)
    assert.equal(await textOf({ cleanUrls: true }, target), wanted, target)
  assert.equal(await textOf({}, '/about'), '404 undefined')
})

test('fallback answers paths without extension that no file has', async () => {
  const options = { fallback: '/index.html' }
  assert.equal(await textOf(options, '/users/7?tab=1'), 'home')
  assert.equal(await textOf(options, '/docs/guide.html'), 'guide')
  assert.equal(await textOf(options, '/assets/gone.js'), '404 undefined')
})

test('listing shows what a folder holds, escaped and without dotfiles', async () => {
  const answer = await get({ listing: true }, '/list/')
  const html = `${await octetsOf(answer)}`
  assert.equal(answer.head.fields.get('content-type'), 'text/html; charset=utf-8')
  assert.match(answer.head.fields.get('content-security-policy')!, /default-src 'none'/)
  assert.deepEqual(
    [...html.matchAll(/<a href="([^"]*)">([^<]*)</g)].map(([, link, name]) => [link, name]),
    [
      ['../', '../'],
      ['./sub/', 'sub/'],
      ['./a%22b%3Ci%3E.txt', 'a&#34;b&#60;i&#62;.txt'],
      ['./b%20%26%20c.txt', 'b &#38; c.txt'],
    ],
  )
  assert.equal((await get({}, '/list/')).status, 404)
  const handler = createFiles(planFiles({ root, listing: true }), {
    log: silent,
    pageOf: (name) => (name.endsWith('c.txt') ? 'play' : null),
  })
  const paged = `${await octetsOf(await ask(handler, { target: '/list/' }))}`
  assert.deepEqual(
    [...paged.matchAll(/href="([^"]*\/play)"/g)].map(([, link]) => link),
    ['./b%20%26%20c.txt/play'],
  )
  assert.equal(await textOf({ listing: true }, '/docs/'), 'docs', 'an index goes first')
})

describe('a compressed file beside answers who accepts it (RFC 9110 §12.5.3)', () => {
  const cases: [string, string | undefined, string | undefined][] = [
    ['/style.css', 'gzip, br', 'br'],
    ['/style.css', 'gzip', 'gzip'],
    ['/style.css', 'zstd', undefined],
    ['/style.css', undefined, undefined],
    ['/old.css', 'gzip', undefined],
  ]
  for (const [target, accepted, coding] of cases) {
    test(`${target} for ${accepted}`, async () => {
      const fields: Asked['fields'] = accepted === undefined ? [] : [['Accept-Encoding', accepted]]
      const { head } = await get({}, target, fields)
      assert.equal(head.fields.get('content-encoding'), coding)
      assert.equal(head.fields.get('content-type'), 'text/css; charset=utf-8')
      assert.equal(head.fields.get('vary'), target === '/style.css' ? 'Accept-Encoding' : undefined)
    })
  }

  test('each has its own entity tag, and 304 says Vary (RFC 9110 §8.8.3.3, §15.4.5)', async () => {
    const tags = await Promise.all(
      ['identity', 'br', 'gzip'].map(async (coding) => {
        return (await get({}, '/style.css', [['Accept-Encoding', coding]])).head.fields.get('etag')!
      }),
    )
    assert.equal(new Set(tags).size, 3)
    const again = await get({}, '/style.css', [
      ['Accept-Encoding', 'br'],
      ['If-None-Match', tags[1]!],
    ])
    assert.deepEqual([again.status, again.head.fields.get('vary')], [304, 'Accept-Encoding'])
  })
})

test('a .ts beside playlists is video (RFC 8216 §3.2)', async () => {
  assert.equal((await get({}, '/film/segment.ts')).head.fields.get('content-type'), 'video/mp2t')
  assert.equal(
    (await get({}, '/code/module.ts')).head.fields.get('content-type'),
    'text/plain; charset=utf-8',
  )
})

test('cacheControl is decided by the first pattern that matches (RFC 9111 §5.2, RFC 8246 §2)', async () => {
  const cacheControl = {
    hashed: 'immutable',
    '*.html': 'no-cache',
    '/assets/**': 'max-age=60',
    '/docs/*': 'x',
  }
  const cases: [string, string | undefined][] = [
    ['/assets/app.3f9a2b1c.js', 'public, max-age=31536000, immutable'],
    ['/assets/app.js', 'max-age=60'],
    ['/docs/guide.html', 'no-cache'],
    ['/style.css', undefined],
  ]
  for (const [target, wanted] of cases) {
    assert.equal((await get({ cacheControl }, target)).head.fields.get('cache-control'), wanted, target)
  }
  const etag = (await get({}, '/style.css')).head.fields.get('etag')!
  const { head } = await get({ cacheControl: 'max-age=5' }, '/style.css', [['If-None-Match', etag]])
  assert.deepEqual([head.status, head.fields.get('cache-control')], [304, 'max-age=5'])
})

test('digest says the SHA-256 of the file, and of the content where that is the same (RFC 9530 §2, §3, §5)', async () => {
  const large = Buffer.alloc(200_000, 'x')
  write('large.bin', large)
  for (const [target, content] of [
    ['/index.html', Buffer.from('home')],
    ['/large.bin', large],
  ] as const) {
    const digest = `sha-256=:${createHash('sha256').update(content).digest('base64')}:`
    const whole = await get({ digest: true }, target)
    const part = await get({ digest: true }, target, [['Range', 'bytes=0-1']])
    const digests = [whole, part].map(({ head: { fields } }) => [
      fields.get('repr-digest'),
      fields.get('content-digest'),
    ])
    assert.deepEqual(digests, [
      [digest, digest],
      [digest, undefined],
    ])
    await octetsOf(whole)
    await octetsOf(part)
  }
})

test('redirects come from a file of the folder, behind its files or with "!" before them', async () => {
  write(
    '_redirects',
    '# moved\n/old/* /new/:splat 301\n/u/:id /users?id=:id\n/app/* /index.html 200\n/about.html /us 302!\n/docs/guide.html /no\nbad\n/* /:splat 307\n',
  )
  const options = { redirects: '_redirects' }
  const cases: [string, string][] = [
    ['/old/a/b?q=1', '301 /new/a/b?q=1'],
    ['/old', '301 /new/'],
    ['/u/7', '301 /users?id=7'],
    ['/app/x/y', 'home'],
    ['/about.html', '302 /us'],
    ['/docs/guide.html', 'guide'],
    ['/_redirects', '307 /_redirects'],
    ['/\\host', '400 undefined'],
    ['//host', '400 undefined'],
  ]
  for (const [target, wanted] of cases) {
    const text = await textOf(options, target)
    if (wanted !== '400 undefined') assert.equal(text, wanted, target)
    else assert.doesNotMatch(text, / [/\\]{2}/, 'no redirect leads to another host')
  }
})

test('a file that changes is served anew within 20 ms, and a new compressed one within a second', async () => {
  const handler = createFiles(planFiles({ root }), { log: silent })
  const ask1 = async (coding: string): Promise<string> => {
    return `${await octetsOf(await ask(handler, { target: '/new.css', fields: [['Accept-Encoding', coding]] }))}`
  }
  for (const content of ['one', 'two', 'other']) {
    write('new.css', content)
    await sleep(25)
    assert.equal(await ask1('gzip'), content)
    assert.equal(await ask1('gzip'), content)
  }
  write('new.css.gz', 'compressed')
  await sleep(1050)
  assert.equal(await ask1('gzip'), 'compressed')
  assert.equal(await ask1('identity'), 'other')
})
