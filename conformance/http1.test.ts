import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { silent } from '#core/log.ts'
import { httpLimits } from '#http/config.ts'
import { createHttpServer, type HttpServer } from '#http/server.ts'
import { LARGE, large, sayAsked, sha256 } from './say-asked.ts'

const run = promisify(execFile)

let server: HttpServer
let url = ''
let folder = ''

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'portico-http1-'))
  writeFileSync(join(folder, 'large'), large)
  server = createHttpServer({ limits: httpLimits(), handler: sayAsked, log: silent })
  const listener = await server.prepare({ address: '127.0.0.1', port: 0 })
  listener.commit()
  url = `http://127.0.0.1:${listener.port}`
})

after(async () => {
  await server.close(0)
  rmSync(folder, { recursive: true })
})

async function curl(...options: string[]): Promise<string> {
  const { stdout } = await run('curl', ['-sS', '--max-time', '20', ...options], { maxBuffer: 1e6 })
  return stdout
}

describe('curl', () => {
  test('keeps one connection for several requests (RFC 9112 §9.3)', async () => {
    const out = await curl('-w', ' %{num_connects}\n', `${url}/a`, `${url}/b`, `${url}/c`)
    const connects = out
      .trim()
      .split('\n')
      .map((line) => line.split(' ').at(-1))
    assert.deepEqual(connects, ['1', '0', '0'])
  })

  test('speaks HTTP/1.0', async () => {
    assert.match(await curl('--http1.0', `${url}/a`), /^1.0 GET \/a 0 /)
    assert.equal(
      sha256(Buffer.from(await curl('--http1.0', '-I', `${url}/large`).then(statusLineOf))),
      sha256(Buffer.from('HTTP/1.1 200 OK')),
    )
  })

  test('uploads in chunks', async () => {
    const out = await curl('-T', join(folder, 'large'), '-H', 'Transfer-Encoding: chunked', `${url}/a`)
    assert.equal(out, `1.1 PUT /a ${LARGE} ${sha256(large)}`)
  })

  test('uploads 100 MB after 100 Continue (RFC 9110 §10.1.1)', async () => {
    const out = await curl(
      '-v',
      '--stderr',
      '-',
      '-T',
      join(folder, 'large'),
      '-H',
      'Expect: 100-continue',
      `${url}/a`,
    )
    assert.match(out, /< HTTP\/1.1 100 Continue/)
    assert.match(out, new RegExp(`1.1 PUT /a ${LARGE} ${sha256(large)}`))
  })

  for (const target of ['/large', '/stream']) {
    test(`downloads 100 MB from ${target}, in HTTP/1.1 and HTTP/1.0`, async () => {
      for (const version of ['--http1.1', '--http1.0']) {
        const path = join(folder, 'got')
        await curl(version, '-o', path, `${url}${target}`)
        assert.equal(sha256(readFileSync(path)), sha256(large))
      }
    })
  }

  test('sees HEAD as GET without content (RFC 9110 §9.3.2)', async () => {
    const head = await curl('-I', `${url}/large`)
    assert.match(head, /Content-Length: 100000000\r\n/)
  })

  const odd: [what: string, options: string[], status: number][] = [
    ['a space in the target', ['--request-target', '/a b'], 400],
    ['a target that is too long', ['--request-target', `/${'a'.repeat(20_000)}`], 414],
    ['many fields', Array.from({ length: 200 }, (_, i) => ['-H', `X-${i}: y`]).flat(), 431],
    ['a large field', ['-H', `X: ${'y'.repeat(60_000)}`], 431],
    ['no Host', ['-H', 'Host:'], 400],
    ['an empty Host', ['-H', 'Host;'], 400],
    ['a Host with userinfo', ['-H', 'Host: me@a'], 400],
    ['both lengths', ['-d', 'hello', '-H', 'Transfer-Encoding: chunked', '-H', 'Content-Length: 5'], 400],
    ['TRACE', ['-X', 'TRACE'], 501],
    ['an unknown method', ['-X', 'BREW'], 200],
    ['OPTIONS *', ['-X', 'OPTIONS', '--request-target', '*'], 200],
    ['absolute-form', ['--request-target', 'http://other.example/a'], 200],
    ['an expectation that is not known', ['-H', 'Expect: tea', '-d', 'x'], 417],
  ]
  for (const [what, options, status] of odd) {
    test(`with ${what} gets ${status}`, async () => {
      const out = await curl('-o', join(folder, 'page'), '-w', '%{http_code}', ...options, `${url}/`)
      assert.equal(out, String(status))
    })
  }
})

function statusLineOf(head: string): string {
  return head.slice(0, head.indexOf('\r\n'))
}
