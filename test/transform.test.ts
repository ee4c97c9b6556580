import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import http from 'node:http'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { type Running, startRunning, until } from './running.ts'

const TEXT = 'words '.repeat(1000)
let running: Running
let root = ''
const origin = http.createServer((incoming, response) => {
  response.setHeader('Content-Type', 'application/json').setHeader('Server', 'x')
  response.end(JSON.stringify({ url: incoming.url, headers: incoming.headers, text: TEXT }))
})

before(async () => {
  await once(origin.listen(0, '127.0.0.1'), 'listening')
  running = await startRunning({ hosts: { '@': { respond: 'up' } } })
  root = await running.root()
  await mkdir(join(running.folder, 'public'))
  await writeFile(join(running.folder, 'public', 'a.css'), TEXT)
  await writeFile(join(running.folder, '404.html'), 'own page')
  const { port } = origin.address() as AddressInfo
  const headers = {
    request: { set: { 'X-Real-IP': '{client.address}' } },
    response: { remove: ['Server'], set: { 'X-Path': '{request.path}' } },
  }
  await running.write({
    hosts: {
      site: { files: './public', compress: true, security: true, errors: { '404': './404.html' } },
      app: {
        headers,
        compress: true,
        errors: { '4xx': './404.html' },
        routes: {
          '/api/**': { service: port, strip: '/api' },
          '/old/**': { service: port, rewrite: '/new/**', compress: false },
        },
      },
      closed: { service: port, maintenance: { retryAfter: '10m', allow: ['192.0.2.0/24'] } },
    },
  })
  await until(async () => (await get('closed.example.com').catch(() => null))?.status === 503)
})

after(async () => {
  origin.close()
  assert.equal(await running.stop(), 0)
})

type Answer = { status: number; octets: Buffer; headers: http.IncomingHttpHeaders }

function get(host: string, path = '/', headers: Record<string, string> = {}): Promise<Answer> {
  const { https: port } = running.ports
  const options = { host: '127.0.0.1', port, servername: host, ca: root, path, agent: false }
  return new Promise((resolve, reject) => {
    request({ ...options, headers: { Host: host, ...headers } }, async (response) => {
      const octets = Buffer.concat(await response.toArray())
      resolve({ status: response.statusCode ?? 0, octets, headers: response.headers })
    })
      .on('error', reject)
      .end()
  })
}

test('files are compressed, careful, and missing ones show the page of the owner', async () => {
  const accept = { 'Accept-Encoding': 'gzip, deflate, br, zstd' }
  const { octets, headers } = await get('site.example.com', '/a.css', accept)
  assert.equal(zstdDecompressSync(octets).toString(), TEXT)
  assert.match(headers.etag ?? '', /^W\//)
  assert.equal(headers['strict-transport-security'], 'max-age=31536000')
  const held = await get('site.example.com', '/a.css', { ...accept, 'If-None-Match': headers.etag ?? '' })
  assert.deepEqual([held.status, held.headers.etag], [304, headers.etag])
  const missing = await get('site.example.com', '/none', accept)
  assert.deepEqual([missing.status, missing.octets.toString()], [404, 'own page'])
})

test('a service gets other paths and fields, and a route may differ from its host', async () => {
  const stripped = await get('app.example.com', '/api/users?x=1', { 'Accept-Encoding': 'zstd' })
  assert.equal(stripped.headers['content-encoding'], 'zstd')
  assert.deepEqual([stripped.headers.server, stripped.headers['x-path']], [undefined, '/api/users'])
  const said = JSON.parse(zstdDecompressSync(stripped.octets).toString())
  assert.deepEqual([said.url, said.headers['x-real-ip']], ['/users?x=1', '127.0.0.1'])
  const rewritten = await get('app.example.com', '/old/a%20b', { 'Accept-Encoding': 'zstd' })
  assert.equal(JSON.parse(rewritten.octets.toString()).url, '/new/a%20b')
  // No route has this one, and this one no program reads like another.
  for (const [path, status] of [
    ['/none', 404],
    ['/a%2F..%2Fb', 400],
  ] as const) {
    const refused = await get('app.example.com', path)
    assert.deepEqual(
      [refused.status, refused.octets.toString(), refused.headers['x-path']],
      [status, 'own page', path],
    )
  }
})

test('maintenance answers 503 and says when to come back (RFC 9110 §15.6.4, §10.2.3)', async () => {
  const { status, headers } = await get('closed.example.com')
  assert.deepEqual([status, headers['retry-after']], [503, '600'])
})

test('explain says what happens on the way, and why', async () => {
  const explain = async (host: string, path: string, ...more: string[]): Promise<string> => {
    const url = `https://${host}.example.com:${running.ports.https}${path}`
    return (await running.command('explain', url, ...more)).stdout.replace(/\s+/g, ' ')
  }
  const site = await explain('site', '/a.css')
  assert.match(site, /compressed with zstd for Accept-Encoding: gzip, deflate, br, zstd .*text\/css/)
  assert.match(await explain('site', '/a.png'), /not compressed .*its media type does not get shorter/)
  const app = await explain('app', '/api/users')
  assert.match(app, /goes on as \/users .*strip/)
  assert.match(app, /set X-Real-IP: \{client\.address\}/)
  assert.match(
    await explain('app', '/old/x'),
    /goes on as \/new\/x .*not compressed .*nothing says "compress"/,
  )
  assert.match(await explain('closed', '/'), /503 for everyone, but for 192\.0\.2\.0\/24/)
  assert.match(await explain('closed', '/', '--from', '192.0.2.7'), /192\.0\.2\.7 is served as usual/)
})
