import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type Running, startRunning, until } from './running.ts'

const TOKEN = 'a-token-of-ours'
let running: Running
let port = 0
/** what the origin was asked */
const asked: string[] = []
/** answers by path, while they are set */
const answers = new Map<string, (response: http.ServerResponse, request: http.IncomingMessage) => void>()

const origin = http.createServer((request, response) => {
  asked.push(`${request.method} ${request.url} ${request.headers.range ?? ''}`.trim())
  const answer = answers.get(request.url!.replace(/\?.*/, ''))
  if (answer !== undefined) return answer(response, request)
  response
    .setHeader('Cache-Control', 'max-age=600')
    .setHeader('Cache-Tag', 'all, some')
    .end(`${request.url} ${asked.length}`)
})

before(async () => {
  await once(origin.listen(0, '127.0.0.1'), 'listening')
  port = (origin.address() as AddressInfo).port
  const purge = createHash('sha256').update(TOKEN).digest('hex')
  running = await startRunning(
    {
      hosts: {
        app: { service: port, cache: { purge, slice: '64KiB' }, compress: true, http: 'serve' },
        plain: { service: port, http: 'serve' },
        whole: { service: port, cache: true, http: 'serve' },
        keyed: {
          service: port,
          cache: { purge, status: 'key', key: { query: { drop: ['utm_*'] }, cookies: ['l'] } },
          http: 'serve',
        },
        mine: {
          service: port,
          cache: true,
          http: 'serve',
          access: { forward: { url: `http://127.0.0.1:${port}/who` } },
        },
      },
    },
    { cache: { memory: '32MiB' } },
  )
})

after(async () => {
  origin.closeAllConnections()
  origin.close()
  assert.equal(await running.stop(), 0)
})

type Answer = { status: number; body: string; headers: http.IncomingHttpHeaders }

function open(path: string, options: http.RequestOptions = {}): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { headers, ...others } = options
    const all = { Host: 'whole.example.com', ...headers }
    http
      .get(
        { host: '127.0.0.1', port: running.ports.http, path, agent: false, headers: all, ...others },
        resolve,
      )
      .on('error', reject)
  })
}

async function get(path: string, options: http.RequestOptions = {}): Promise<Answer> {
  const incoming = await open(path, options)
  let body = ''
  for await (const octets of incoming.setEncoding('latin1')) body += octets
  return { status: incoming.statusCode!, body, headers: incoming.headers }
}

const askedFor = (path: string): number => asked.filter((line) => line.split(' ')[1] === path).length

test('a host with a cache asks its service once', async () => {
  const first = await get('/a')
  const second = await get('/a')
  assert.equal(second.body, first.body)
  assert.match(second.headers['cache-status'] as string, /^portico; hit; ttl=\d+$/)
  assert.equal(askedFor('/a'), 1)
})

test('who asks at the same time waits for one fetch, and streams with it', async () => {
  let finish = (): void => {}
  answers.set('/slow', (response) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=600' })
    response.write('begun ')
    finish = () => response.end('ended')
  })
  const clients = await Promise.all(Array.from({ length: 20 }, () => open('/slow')))
  const firsts = await Promise.all(clients.map(async (client) => String((await once(client, 'data'))[0])))
  assert.deepEqual([...new Set(firsts)], ['begun '])
  finish()
  const rests = await Promise.all(clients.map(async (client) => String((await once(client, 'data'))[0])))
  assert.deepEqual([...new Set(rests)], ['ended'])
  assert.equal(askedFor('/slow'), 1)
})

test('a fetch outlives the client that began it', async () => {
  const content = Buffer.alloc(300_000, 'x')
  let finish = (): void => {}
  answers.set('/left', (response) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=600', 'Content-Length': content.length })
    response.write(content.subarray(0, 100_000))
    finish = () => response.end(content.subarray(100_000))
  })
  const first = await open('/left')
  await once(first, 'data')
  first.destroy()
  const second = get('/left')
  await new Promise((resolve) => setTimeout(resolve, 50))
  finish()
  assert.equal((await second).body.length, content.length)
  assert.equal(askedFor('/left'), 1)
})

test('an origin that breaks off is asked for the rest, with If-Range (RFC 9111 §3.4)', async () => {
  const content = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 251))
  answers.set('/broken', (response, request) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const headers = { 'Cache-Control': 'max-age=600', ETag: '"v"', 'Content-Length': content.length - from }
    if (from === 0) {
      response.writeHead(200, headers)
      response.write(content.subarray(0, 70_000), () => setTimeout(() => response.destroy(), 20))
      return
    }
    assert.equal(request.headers['if-range'], '"v"')
    response.writeHead(206, {
      ...headers,
      'Content-Range': `bytes ${from}-${content.length - 1}/${content.length}`,
    })
    response.end(content.subarray(from))
  })
  const { body } = await get('/broken')
  assert.ok(Buffer.from(body, 'latin1').equals(content))
  assert.equal((await get('/broken')).headers['cache-status']?.includes('hit'), true)
})

test('an origin that breaks off for good gives every reader a connection error, and nothing is kept', async () => {
  answers.set('/cut', (response) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=600', 'Content-Length': 1000 })
    response.write('x'.repeat(500), () => setTimeout(() => response.destroy(), 50))
  })
  const results = await Promise.allSettled([get('/cut'), get('/cut'), get('/cut')])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  )
  answers.delete('/cut')
  assert.match((await get('/cut')).headers['cache-status'] as string, /fwd=uri-miss/)
})

test('a response of unknown length that broke off is resumed too (RFC 9111 §3.4)', async () => {
  answers.set('/chunked', (response, request) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    response.setHeader('Cache-Control', 'max-age=600').setHeader('ETag', '"c"')
    if (from > 0) response.writeHead(206, { 'Content-Range': `bytes ${from}-9/10` }).end('56789')
    else response.write('01234', () => setTimeout(() => response.destroy(), 20))
  })
  assert.equal((await get('/chunked')).body, '0123456789')
  assert.match((await get('/chunked')).headers['cache-status'] as string, /hit/)
})

test('an origin that dies in the middle of a new response leaves the old one (RFC 9111 §4.2.4)', async () => {
  answers.set('/phoenix', (response) => response.setHeader('Cache-Control', 'max-age=1').end('old'))
  await get('/phoenix')
  const isStale = async (): Promise<boolean> => {
    const { stdout } = await running.command('cache', 'show', 'http://whole.example.com/phoenix', '--json')
    return JSON.parse(stdout)[0].freshForSeconds < 0
  }
  await until(isStale, 30_000)
  answers.set('/phoenix', (response) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=600', 'Content-Length': 100 })
    response.write('new', () => setTimeout(() => response.destroy(), 20))
  })
  await assert.rejects(get('/phoenix'))
  answers.set('/phoenix', (response) => void response.destroy())
  const { body, headers } = await get('/phoenix')
  assert.equal(body, 'old')
  assert.match(headers['cache-status'] as string, /detail="stale: the origin is down"/)
})

test('a large response comes in slices: a seek fetches only what it needs', async () => {
  const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 253))
  answers.set('/film', (response, request) => {
    const match = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '')
    assert.ok(match, 'slices are asked for')
    const [first, last] = [Number(match[1]), Math.min(Number(match[2]), content.length - 1)]
    const headers = {
      'Cache-Control': 'max-age=600',
      ETag: '"f"',
      'Content-Range': `bytes ${first}-${last}/${content.length}`,
    }
    response.writeHead(206, headers).end(content.subarray(first, last + 1))
  })
  const headers = { Host: 'app.example.com' }
  const part = await get('/film', { headers: { ...headers, Range: 'bytes=200000-200009' } })
  assert.equal(part.status, 206)
  assert.equal(part.headers['content-range'], 'bytes 200000-200009/300000')
  assert.ok(Buffer.from(part.body, 'latin1').equals(content.subarray(200_000, 200_010)))
  assert.equal(askedFor('/film'), 1)
  const whole = await get('/film', { headers })
  assert.equal(whole.status, 200)
  assert.ok(Buffer.from(whole.body, 'latin1').equals(content))
  assert.equal(askedFor('/film'), 5)
  await get('/film', { headers })
  assert.equal(askedFor('/film'), 5)
})

test('what is compressed is kept compressed', async () => {
  answers.set('/text', (response) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=600', 'Content-Type': 'text/plain' })
    response.end('words '.repeat(2000))
  })
  const headers = { Host: 'app.example.com', 'Accept-Encoding': 'gzip' }
  const first = await get('/text', { headers })
  const second = await get('/text', { headers })
  assert.equal(second.headers['content-encoding'], 'gzip')
  assert.equal(second.body, first.body)
  assert.match(second.headers['cache-status'] as string, /hit/)
  assert.match((await get('/text', { headers: { Host: 'app.example.com' } })).body, /^words /)
})

test('each client gets its own answer to a method that invalidates', async () => {
  answers.set('/echo', (response, request) => void response.end(`echo of ${request.url}`))
  const paths = Array.from({ length: 200 }, (_, i) => `/echo?${i}`)
  const bodies = await Promise.all(paths.map(async (path) => (await get(path, { method: 'POST' })).body))
  assert.deepEqual(
    bodies,
    paths.map((path) => `echo of ${path}`),
  )
})

test('PURGE wants the token, and answers with a receipt', async () => {
  const headers = { Host: 'app.example.com' }
  await get('/p', { headers })
  assert.equal((await get('/p', { headers, method: 'PURGE' })).status, 401)
  const authorization = `Bearer ${TOKEN}`
  const { status, body } = await get('/p', { headers: { ...headers, authorization }, method: 'PURGE' })
  assert.equal(status, 200)
  assert.equal(JSON.parse(body).objects, 1)
  await get('/p', { headers })
  assert.equal(askedFor('/p'), 3 - 1)
})

test('PURGE by tag, prefix or host names more, also softly, and nothing of another host', async () => {
  const headers = { Host: 'keyed.example.com', authorization: `Bearer ${TOKEN}` }
  const other = { Host: 'whole.example.com' }
  const cases: readonly (readonly [path: string, fields: http.OutgoingHttpHeaders, said: RegExp])[] = [
    ['/', { 'Surrogate-Key': 'none some' }, /"tags":\["none","some"\]/],
    ['/', { 'Cache-Tag': 'none, some', 'Purge-Mode': 'soft' }, /"mode":"soft"/],
    ['/', { 'Surrogate-Key': 'some', 'Fastly-Soft-Purge': '1' }, /"mode":"soft"/],
    ['/pur', { 'Purge-Scope': 'prefix' }, /"prefix":"http:\/\/keyed.example.com\/pur"/],
    ['/', { 'Purge-Scope': 'host' }, /"host":"http:\/\/keyed.example.com\/"/],
  ]
  for (const [path, fields, said] of cases) {
    await get('/purged', { headers: { Host: headers.Host } })
    await get('/purged', { headers: other })
    const before = askedFor('/purged')
    const { body } = await get(path, { headers: { ...headers, ...fields }, method: 'PURGE' })
    assert.match(body, said)
    assert.ok(JSON.parse(body).objects >= 1, body)
    assert.match((await get('/purged', { headers: other })).headers['cache-status'] as string, /hit/)
    assert.match(
      (await get('/purged', { headers: { Host: headers.Host } })).headers['cache-status'] as string,
      /fwd/,
    )
    assert.equal(askedFor('/purged'), before + 1, JSON.stringify(fields))
  }
  const file = join(running.folder, 'purged.txt')
  await writeFile(file, 'https://keyed.example.com/purged\n')
  await running.command('cache', 'warm', file)
  const { body } = await get('/purged', { headers, method: 'PURGE' })
  assert.equal(JSON.parse(body).objects, 2, `over both schemes: ${body}`)
  const wrong = await get('/', { headers: { ...headers, 'Purge-Scope': 'all' }, method: 'PURGE' })
  assert.equal(wrong.status, 400)
})

test('Cache-Status says the key where the file wants it (RFC 9211 §2.7)', async () => {
  const headers = { Host: 'keyed.example.com', Cookie: 'l="' }
  for (const state of ['fwd=uri-miss', 'hit']) {
    const status = (await get('/k?a="&utm_x=1', { headers })).headers['cache-status'] as string
    assert.ok(status.startsWith(`portico; ${state}`), status)
    assert.ok(status.endsWith('; key="http://keyed.example.com/k?a=\\" c:l=%22"'), status)
  }
})

test('what a soft purge made stale while it was validated stays stale', async () => {
  const running304 = { release: () => {} }
  answers.set('/soft', (response, request) => {
    response.setHeader('Cache-Control', 'max-age=1').setHeader('ETag', '"v1"')
    if (request.headers['if-none-match'] === undefined) return void response.end('soft')
    running304.release = () => void response.writeHead(304).end()
  })
  await get('/soft')
  await until(async () => {
    const { stdout } = await running.command('cache', 'show', 'http://whole.example.com/soft', '--json')
    return JSON.parse(stdout)[0].freshForSeconds < 0
  })
  const validating = get('/soft')
  await until(() => askedFor('/soft') === 2)
  await running.command('purge', '--soft', 'http://whole.example.com/soft')
  running304.release()
  assert.equal((await validating).body, 'soft')
  const { stdout } = await running.command('cache', 'show', 'http://whole.example.com/soft', '--json')
  assert.equal(JSON.parse(stdout)[0].isStale, true, 'the answer may be older than the purge')
})

test('"portico purge" takes out what a URL, a tag, a prefix or a host names', async () => {
  const host = `http://whole.example.com`
  const purges = [
    [`${host}/q`],
    ['--tag', 'some'],
    ['--prefix', `${host}/q`],
    ['--host', 'whole.example.com'],
    ['--all'],
  ]
  for (const words of purges) {
    await get('/q')
    const before = askedFor('/q')
    const { code, stdout } = await running.command('purge', ...words, '--json')
    assert.equal(code, 0)
    const objects = JSON.parse(stdout).reduce(
      (sum: number, receipt: { objects: number }) => sum + receipt.objects,
      0,
    )
    assert.ok(objects >= 1, `${words.join(' ')}: ${stdout}`)
    await get('/q')
    assert.equal(askedFor('/q'), before + 1, words.join(' '))
  }
})

test('"portico cache" lists, shows and warms', async () => {
  const file = join(running.folder, 'urls.txt')
  await writeFile(file, '# two\nhttp://whole.example.com/w1\nhttp://whole.example.com/w2\n')
  const warm = await running.command('cache', 'warm', file, '--rate', '1000')
  assert.match(warm.stdout, /2 of 2 URLs, 2 in the cache, 0 failed/)
  answers.set('/sitemap.xml', (response) => {
    response.end('<urlset><url><loc>http://whole.example.com/w3?a=1&amp;b=2</loc></url></urlset>')
  })
  const site = await running.command('cache', 'warm', 'http://whole.example.com/sitemap.xml')
  assert.match(site.stdout, /1 of 1 URL, 1 in the cache/)
  const locations = Array.from(
    { length: 40 },
    (_, i) => `<loc><![CDATA[http://whole.example.com/z${i}]]></loc>`,
  )
  answers.set('/sitemap.xml.gz', (response) => {
    response.setHeader('Content-Type', 'application/gzip').end(gzipSync(locations.join('\n')))
  })
  answers.set('/sitemap.txt', (response) => {
    response.setHeader('Content-Type', 'text/xml').end(locations.join('\n'))
  })
  for (const url of ['http://whole.example.com/sitemap.xml.gz', 'http://app.example.com/sitemap.txt']) {
    const warmed = await running.command('cache', 'warm', url, '--rate', '1000')
    assert.match(warmed.stdout, /40 of 40 URLs, 40 in the cache/, url)
  }
  const secure = join(running.folder, 'secure.txt')
  await writeFile(secure, 'https://whole.example.com/w1\n')
  const secured = await running.command('cache', 'warm', secure)
  assert.match(secured.stdout, /1 of 1 URL, 1 in the cache, 0 failed/)
  const https = await running.command('cache', 'ls', 'https://whole.example.com/', '--json')
  assert.deepEqual(
    JSON.parse(https.stdout).map(({ key }: { key: string }) => key),
    ['https://whole.example.com/w1'],
  )
  const list = await running.command('cache', 'ls', 'http://whole.example.com/w', '--json')
  const keys = JSON.parse(list.stdout).map(({ key }: { key: string }) =>
    key.replace('http://whole.example.com', ''),
  )
  assert.deepEqual(keys, ['/w1', '/w2', '/w3?a=1&b=2'])
  const show = await running.command('cache', 'show', 'http://whole.example.com/w1')
  assert.match(show.stdout, /tags: all, some\n[\s\S]*Cache-Control: max-age=600/)
})

test('commands know the rules of keys: what is dropped of a query need not be said', async () => {
  const headers = { Host: 'keyed.example.com' }
  await get('/rule?a=1&utm_x=2', { headers })
  const url = 'http://keyed.example.com/rule?utm_y=3&a=1'
  const shown = await running.command('cache', 'show', url)
  assert.match(shown.stdout, /keyed\.example\.com\/rule\?a=1 c:l=/)
  const { stdout } = await running.command('purge', url, '--json')
  assert.equal(
    JSON.parse(stdout).reduce((sum: number, { objects }: { objects: number }) => sum + objects, 0),
    1,
  )
})

test('purges by tag name cache groups too (RFC 9875 §2)', async () => {
  answers.set('/grouped', (response) => {
    response
      .setHeader('Cache-Control', 'max-age=600')
      .setHeader('Cache-Groups', '"spring sale", "b"')
      .end('x')
  })
  await get('/grouped')
  const { stdout } = await running.command('purge', '--tag', 'spring sale', '--json')
  assert.equal(JSON.parse(stdout)[0].objects, 1)
})

test('explain says what is stored and what comes next', async () => {
  await get('/e')
  const url = `http://whole.example.com:${running.ports.http}/e`
  const none = await running.command('explain', url)
  assert.match(none.stdout, /cache +nothing is stored/)
  const host = `whole.example.com:${running.ports.http}`
  await get('/e', { headers: { Host: host } })
  const some = await running.command('explain', url)
  assert.match(some.stdout, /cache +200, \d+B, \d+ s old, fresh for \d+ s more/)
  assert.match(some.stdout, /the next GET is answered from the cache/)
  answers.set('/vary', (response) => {
    response.setHeader('Cache-Control', 'max-age=600').setHeader('Vary', 'Accept-Language').end('x')
  })
  await get('/vary', { headers: { Host: host, 'Accept-Language': 'de' } })
  answers.set('/mine', (response) => {
    response.setHeader('Cache-Control', 'private, max-age=600').end('x')
  })
  await get('/mine', { headers: { Host: host } })
  const mine = await running.command('explain', url.replace('/e', '/mine'))
  assert.match(mine.stdout, /the last response, 200, was not kept, \d+ s ago\n +it said private/)
  const other = await running.command('explain', url.replace('/e', '/vary'))
  assert.match(
    other.stdout,
    /1 response stored[\s\S]*for requests with accept-language: de[\s\S]*vary mismatch/,
  )
})

test('a reload that does not touch the route keeps what is stored; status counts', async () => {
  await get('/r')
  const written = await running.command('plan', '--json')
  assert.equal(written.code, 0)
  const { stdout } = await running.command('status', '--json')
  const { cache } = JSON.parse(stdout)
  assert.ok(cache.hits > 5 && cache.objects > 5 && cache.collapsed >= 1, stdout)
  await until(async () => (await get('/r')).headers['cache-status']?.includes('hit') === true)
})

test('what comes for one who was identified is kept for nobody else, unless it says so (RFC 9111 §3.5)', async () => {
  answers.set('/who', (response) => response.end())
  answers.set('/own', (response) => response.setHeader('Cache-Control', 'max-age=600').end('own'))
  answers.set('/all', (response) => response.setHeader('Cache-Control', 'public, max-age=600').end('all'))
  const headers = { Host: 'mine.example.com' }
  for (const path of ['/own', '/own', '/all', '/all']) await get(path, { headers })
  assert.deepEqual([askedFor('/own'), askedFor('/all')], [2, 1])
})
