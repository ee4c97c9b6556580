import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { silent } from '#core/log.ts'
import { type Answer, type Asked, ask, octetsOf } from '../../test/exchange.ts'
import { LIMIT_OPEN_FILES } from './folder.ts'
import { planFiles } from './plan.ts'
import { createFiles } from './serve.ts'

const SECRET = 'this lies beside the root'
const LARGE = randomBytes(1_000_003)
const HELLO = 'Hello, world'
const CHANGED = new Date('1994-11-06T08:49:37.500Z')

let folder = ''
let root = ''

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'portico-files-'))
  root = join(folder, 'root')
  mkdirSync(join(root, 'sub dir'), { recursive: true })
  mkdirSync(join(root, 'empty'))
  mkdirSync(join(root, 'a:b'))
  writeFileSync(join(folder, 'secret.txt'), SECRET)
  mkdirSync(join(folder, 'rootless'))
  writeFileSync(join(folder, 'rootless', 'secret.txt'), SECRET)
  writeFileSync(join(root, 'index.html'), '<h1>Index</h1>')
  writeFileSync(join(root, 'sub dir', 'index.html'), '<h1>Sub</h1>')
  writeFileSync(join(root, 'hello.txt'), HELLO)
  writeFileSync(join(root, 'none.txt'), '')
  writeFileSync(join(root, 'large.bin'), LARGE)
  writeFileSync(join(root, '.env'), SECRET)
  utimesSync(join(root, 'hello.txt'), CHANGED, CHANGED)
  symlinkSync('hello.txt', join(root, 'inside.txt'))
  symlinkSync('../secret.txt', join(root, 'outside.txt'))
  symlinkSync('../rootless', join(root, 'out'))
  symlinkSync('/', join(root, 'slash'))
  symlinkSync('loop', join(root, 'loop'))
  execFileSync('mkfifo', [join(root, 'fifo')])
})

after(() => rmSync(folder, { recursive: true }))

function get(target: string, fields: Asked['fields'] = [], method = 'GET'): Promise<Answer> {
  const handler = createFiles(planFiles({ root }), { log: silent })
  return ask(handler, { target, method, fields })
}

test('createFiles() answers with files, their type and their validators', async () => {
  const answer = await get('/hello.txt')
  const { fields } = answer.head
  assert.equal(`${await octetsOf(answer)}`, HELLO)
  assert.deepEqual(
    [answer.status, answer.head.lengthOctets, answer.note.answeredBy],
    [200, HELLO.length, 'files'],
  )
  assert.equal(fields.get('content-type'), 'text/plain; charset=utf-8')
  assert.equal(fields.get('x-content-type-options'), 'nosniff')
  assert.equal(fields.get('last-modified'), 'Sun, 06 Nov 1994 08:49:37 GMT')
  assert.equal(fields.get('accept-ranges'), 'bytes')
  assert.match(fields.get('etag') ?? '', /^"[\w-]+"$/)
  assert.equal(`${await octetsOf(await get('/inside.txt'))}`, HELLO)
  assert.equal((await octetsOf(await get('/none.txt'))).length, 0)
})

test('createFiles() answers HEAD like GET, without opening the content (RFC 9110 §9.3.2)', async () => {
  const answer = await get('/large.bin', [['Range', 'bytes=0-1']], 'HEAD')
  assert.deepEqual([answer.status, answer.head.lengthOctets, answer.body], [200, LARGE.length, null])
})

test('createFiles() sends large files whole, through memory that it uses again', async () => {
  const hash = (octets: Buffer) => createHash('sha256').update(octets).digest('hex')
  const answers = await Promise.all(Array.from({ length: 8 }, () => get('/large.bin').then(octetsOf)))
  for (const octets of answers) assert.equal(hash(octets), hash(LARGE))
})

test('the index stands for its folder; without slash one is sent there (RFC 9110 §15.4.9)', async () => {
  assert.equal(`${await octetsOf(await get('/'))}`, '<h1>Index</h1>')
  assert.equal(`${await octetsOf(await get('/sub%20dir/?q'))}`, '<h1>Sub</h1>')
  const locate = async (target: string) => (await get(target)).head.fields.get('location')
  assert.equal(await locate('/sub%20dir?q=/a'), './sub%20dir/?q=/a')
  assert.equal(await locate('/a:b'), './a:b/')
  const statuses = [
    '/empty/',
    '/empty/none',
    '/hello.txt/',
    '//sub%20dir',
    `/${'n'.repeat(300)}`,
    '/loop',
    '/none',
  ]
  for (const target of statuses) assert.equal((await get(target)).status, 404, target)
})

test('only GET, HEAD and OPTIONS are allowed (RFC 9110 §15.5.6)', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'get', 'X']) {
    const answer = await get('/hello.txt', [], method)
    assert.deepEqual([answer.status, answer.head.fields.get('allow')], [405, 'GET, HEAD, OPTIONS'], method)
  }
  const options = await get('/hello.txt', [], 'OPTIONS')
  assert.deepEqual([options.status, options.head.fields.get('allow')], [204, 'GET, HEAD, OPTIONS'])
})

test('preconditions are answered with 304 and 412 (RFC 9110 §13.2.2, §15.4.5, §15.5.13)', async () => {
  const etag = (await get('/hello.txt')).head.fields.get('etag')!
  const unchanged = await get('/hello.txt', [['If-None-Match', etag]])
  assert.deepEqual([unchanged.status, unchanged.body, unchanged.head.fields.get('etag')], [304, null, etag])
  assert.equal(unchanged.head.fields.size, 1)
  const since: [string, string] = ['If-Modified-Since', 'Sun, 06 Nov 1994 08:49:37 GMT']
  assert.equal((await get('/hello.txt', [since])).status, 304)
  assert.equal((await get('/hello.txt', [since, ['If-None-Match', '"other"']])).status, 200)
  assert.equal((await get('/hello.txt', [['If-Match', '"other"']])).status, 412)
  assert.equal((await get('/none', [['If-None-Match', '*']])).status, 404)
})

test('a changed file has another strong validator (RFC 9110 §8.8.1)', async () => {
  const path = join(root, 'changing.txt')
  const etagAfter = async (content: string) => {
    writeFileSync(path, content)
    utimesSync(path, CHANGED, CHANGED)
    return (await get('/changing.txt')).head.fields.get('etag')
  }
  const etag = await etagAfter('one')
  assert.notEqual(await etagAfter('three'), etag)
  assert.equal(await etagAfter('one'), etag)
  // Another file with the same name, time and length; the first lives on, so that its inode is not used again.
  execFileSync('mv', [path, join(root, 'kept.txt')])
  assert.notEqual(await etagAfter('two'), etag)
})

test('Last-Modified is never later than the response (RFC 9110 §8.8.2.1)', async () => {
  const path = join(root, 'future.txt')
  writeFileSync(path, 'x')
  utimesSync(path, new Date('2100-01-01'), new Date('2100-01-01'))
  const date = (await get('/future.txt')).head.fields.get('last-modified')!
  assert.ok(Date.parse(date) <= Date.now(), date)
})

test('a single range is answered with its part (RFC 9110 §14.2, §15.3.7)', async () => {
  const cases: [string, string, number, number][] = [
    ['/hello.txt', 'bytes=0-4', 0, 5],
    ['/hello.txt', 'bytes=-5', 7, 12],
    ['/large.bin', 'bytes=1000000-', 1_000_000, LARGE.length],
    ['/large.bin', 'bytes=1-999999', 1, 1_000_000],
  ]
  for (const [target, range, start, end] of cases) {
    const answer = await get(target, [['Range', range]])
    const content = target === '/hello.txt' ? Buffer.from(HELLO) : LARGE
    assert.equal(answer.status, 206)
    assert.equal(answer.head.fields.get('content-range'), `bytes ${start}-${end - 1}/${content.length}`)
    assert.ok((await octetsOf(answer)).equals(content.subarray(start, end)), range)
  }
})

test('several ranges are answered in one multipart content (RFC 9110 §14.6, §15.3.7.2)', async () => {
  for (const [target, content] of [
    ['/hello.txt', Buffer.from(HELLO)],
    ['/large.bin', LARGE],
  ] as const) {
    const answer = await get(target, [['Range', 'bytes=0-1, -3,100-']])
    const boundary = /^multipart\/byteranges; boundary=(\w+)$/.exec(
      answer.head.fields.get('content-type')!,
    )![1]
    const octets = await octetsOf(answer)
    const parts = octets.toString('latin1').split(`--${boundary}`)
    const contents = parts.slice(1, -1).map((part) => part.slice(part.indexOf('\r\n\r\n') + 4, -2))
    const wanted = [content.subarray(0, 2), content.subarray(-3), content.subarray(100)]
    assert.equal(answer.status, 206)
    assert.equal(octets.length, answer.head.lengthOctets)
    assert.deepEqual(
      contents,
      wanted.filter(({ length }) => length > 0).map((part) => part.toString('latin1')),
    )
    assert.equal(parts.at(-1), '--\r\n')
  }
})

test('a range behind the end is answered with the length (RFC 9110 §15.5.17)', async () => {
  const answer = await get('/hello.txt', [['Range', 'bytes=12-']])
  assert.deepEqual([answer.status, answer.head.fields.get('content-range')], [416, 'bytes */12'])
})

test('a range of another version is answered with the whole (RFC 9110 §13.1.5)', async () => {
  const range: [string, string] = ['Range', 'bytes=0-4']
  const etag = (await get('/hello.txt')).head.fields.get('etag')!
  assert.equal((await get('/hello.txt', [range, ['If-Range', etag]])).status, 206)
  assert.equal((await get('/hello.txt', [range, ['If-Range', '"old"']])).status, 200)
})

test('links that leave the folder, dotfiles and special files are refused', async () => {
  const targets = [
    '/outside.txt',
    '/out/secret.txt',
    '/out',
    '/out/',
    '/slash/etc/passwd',
    '/slash',
    '/.env',
    '/fifo',
  ]
  for (const target of targets) assert.equal((await get(target)).status, 404, target)
})

test('a file that may not be read is forbidden', {
  skip: process.getuid?.() === 0 && 'root reads all',
}, async () => {
  writeFileSync(join(root, 'closed.txt'), 'x')
  chmodSync(join(root, 'closed.txt'), 0)
  assert.equal((await get('/closed.txt')).status, 403)
})

test('no crafted target reads beside the root', async () => {
  const piece = fc.constantFrom(
    '..',
    '%2e%2e',
    '.%2e',
    '/',
    '%2f',
    '%5c',
    '\\',
    '//',
    'secret.txt',
    'root',
    'out',
    'slash',
    '%00',
    'sub%20dir',
  )
  const crafted = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`)
  const up = fc.nat(4).map((n) => `/${'../'.repeat(n)}secret.txt`)
  await fc.assert(
    fc.asyncProperty(fc.oneof(crafted, up, fc.string()), async (target) => {
      const octets = await octetsOf(await get(target))
      assert.ok(!`${octets}`.includes(SECRET), target)
    }),
    { numRuns: 500 },
  )
})

test('a root that is a link to another folder is followed when it changes', async () => {
  const link = join(folder, 'current')
  for (const version of ['v1', 'v2']) {
    mkdirSync(join(folder, version))
    writeFileSync(join(folder, version, 'index.html'), version)
  }
  const handler = createFiles(planFiles({ root: link }), { log: silent })
  assert.equal((await ask(handler, {})).status, 404)
  symlinkSync('v1', link)
  assert.equal(`${await octetsOf(await ask(handler, {}))}`, 'v1')
  unlinkSync(link)
  symlinkSync('v2', link)
  assert.equal(`${await octetsOf(await ask(handler, {}))}`, 'v2')
})

test('a file that becomes shorter breaks the answer off', async () => {
  const path = join(root, 'shrinking.bin')
  writeFileSync(path, LARGE)
  const answer = await get('/shrinking.bin')
  truncateSync(path, 1000)
  await assert.rejects(octetsOf(answer), /shorter/)
  await assert.rejects(octetsOf(answer), /shorter/, 'also when it is asked again')
})

test('octets that were given stay as they are when the rest fails or is not wanted', async () => {
  const path = join(root, 'held.bin')
  for (const end of ['fails', 'is cancelled']) {
    writeFileSync(path, LARGE)
    const { body } = await get('/held.bin')
    assert.ok(body !== null && 'cancel' in body)
    if (end === 'fails') truncateSync(path, 200_000)
    const octets = await body.read(65_536)
    const copy = Buffer.from(octets!)
    if (end === 'is cancelled') body.cancel('client left')
    await Promise.all(Array.from({ length: 4 }, () => get('/large.bin').then(octetsOf)))
    writeFileSync(path, 'something else')
    assert.ok(copy.equals(octets!), end)
    body.cancel('client left')
  }
})

test('descriptors are closed after every end, and bounded', {
  skip: !isLinux() && 'counts in /proc',
}, async () => {
  const many = join(folder, 'many')
  mkdirSync(many)
  for (let i = 0; i <= LIMIT_OPEN_FILES; i++) truncateSync(touched(join(many, `${i}.bin`)), 300_000)
  const handler = createFiles(planFiles({ root: many }), { log: silent })
  await sleep(1100) // what earlier tests left open is closed
  const openBefore = countDescriptors()
  const answers: Answer[] = []
  for (let i = 0; i < LIMIT_OPEN_FILES; i++) answers.push(await ask(handler, { target: `/${i}.bin` }))
  assert.equal((await ask(handler, { target: `/${LIMIT_OPEN_FILES}.bin` })).status, 503)
  for (const [i, { body }] of answers.entries()) {
    assert.ok(body !== null && 'cancel' in body)
    // Some before the first read, some while the disk works, some in the middle.
    if (i % 3 === 1) void body.read(65_536)
    if (i % 3 === 2) await body.read(65_536)
    body.cancel('client left')
    body.cancel('client left')
  }
  assert.equal((await octetsOf(await ask(handler, { target: `/${LIMIT_OPEN_FILES}.bin` }))).length, 300_000)
  for (let i = 0; i < 300 && countDescriptors() > openBefore; i++) await sleep(10)
  assert.ok(countDescriptors() <= openBefore, 'also those that were kept for the next request')
})

test('what many ask for at once is opened once', { skip: !isLinux() && 'counts in /proc' }, async () => {
  const handler = createFiles(planFiles({ root }), { log: silent })
  const openBefore = countDescriptors()
  const asked = Array.from({ length: LIMIT_OPEN_FILES + 100 }, () => ask(handler, { target: '/large.bin' }))
  const answers = await Promise.all(asked)
  assert.ok(answers.every(({ status }) => status === 200))
  assert.ok(countDescriptors() <= openBefore + 1)
  for (const { body } of answers) if (body !== null && 'cancel' in body) body.cancel('client left')
  const missing = await Promise.all(Array.from({ length: 3 }, () => ask(handler, { target: '/nowhere' })))
  assert.deepEqual(
    missing.map(({ status }) => status),
    [404, 404, 404],
  )
})

test('many downloads of one file share its descriptor', {
  skip: !isLinux() && 'counts in /proc',
}, async () => {
  const handler = createFiles(planFiles({ root }), { log: silent })
  const first = await ask(handler, { target: '/large.bin' })
  const openBefore = countDescriptors()
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(handler, { target: '/large.bin' })))
  assert.ok(countDescriptors() <= openBefore)
  for (const answer of [first, ...answers]) assert.ok((await octetsOf(answer)).equals(LARGE))
})

function touched(path: string): string {
  writeFileSync(path, '')
  return path
}

function isLinux(): boolean {
  return statSync('/proc/self/fd', { throwIfNoEntry: false }) !== undefined
}

function countDescriptors(): number {
  return readdirSync('/proc/self/fd').length
}
