import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import tls from 'node:tls'
import fc from 'fast-check'
import { originAt } from '../../../test/origin.ts'
import { peer } from '../../../test/peers.ts'
import { startOrigin, startProxy, startScript, talk } from '../../../test/proxy.ts'
import { NameSet } from '../wire/fields.ts'

const getAndClose = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

describe('an origin over TLS', { skip: peer('openssl') === undefined && 'needs openssl' }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'portico-origin-'))
  const content = Buffer.alloc(5_000_000, 'tls ')
  const names: (string | false)[] = []
  const server = tls.createServer((socket) => {
    names.push((socket as tls.TLSSocket & { servername: string | false }).servername)
    socket.on('error', () => {})
    socket.on('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${content.length}\r\n\r\n`)
      socket.write(content)
    })
  })
  let port = 0

  before(async () => {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const self = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
    ]
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
    execFileSync('openssl', [...self, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' })
    server.setSecureContext({ key: readFileSync(key), cert: readFileSync(cert) })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as net.AddressInfo).port
  })
  after(() => {
    server.close()
    rmSync(folder, { recursive: true })
  })

  const ask = async (host: string, verify: boolean): Promise<string> => {
    const proxy = await startProxy([originAt(port, { scheme: 'https', host, verify })])
    const answers = await Promise.all([talk(proxy.port, [getAndClose]), talk(proxy.port, [getAndClose])])
    return answers[1]!
  }

  test('whose certificate nobody has signed gives 502', async () => {
    assert.match(
      await ask('localhost', true),
      /502 .*The origin's certificate is not from a trusted authority\./s,
    )
  })

  test('is not verified when the file says so', async () => {
    const answer = await ask('localhost', false)
    assert.equal(digest(answer.slice(answer.indexOf('\r\n\r\n') + 4)), digest(content))
  })

  test('is told the name that is asked for, but never an address (RFC 6066 §3)', async () => {
    names.length = 0
    await ask('localhost', false)
    await ask('127.0.0.1', false)
    assert.deepEqual([...new Set(names)], ['localhost', false])
  })

  test('is verified against the trusted authorities and by its name', async () => {
    const trusted = tls.getCACertificates('default')
    tls.setDefaultCACertificates([readFileSync(join(folder, 'cert.pem'), 'utf8')])
    try {
      assert.match(await ask('localhost', true), /^HTTP\/1\.1 200/)
      assert.match(await ask('127.0.0.1', true), /502 .*The origin's certificate is for another name\./s)
    } finally {
      tls.setDefaultCACertificates(trusted)
    }
  })
})

describe('memory that is read into', () => {
  test('is never used again while a slow client still waits for it', async () => {
    // Many responses at a time, large and small, each with content of its own, cut at odd places.
    const port = await startOrigin((socket) => {
      socket.on('data', async (chunk) => {
        const [, letter = 'a', size = '1'] = /GET \/(.)(\d+)/.exec(chunk.toString()) ?? []
        const octets = Buffer.alloc(Number(size), letter)
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${octets.length}\r\n\r\n`)
        for (let at = 0; at < octets.length; at += 30_011) {
          if (!socket.write(octets.subarray(at, at + 30_011))) await once(socket, 'drain')
        }
      })
    })
    const proxy = await startProxy([originAt(port)])
    const sizes = [1, 700, 20_000, 66_000, 400_000, 3_000_000]
    await Promise.all(
      Array.from({ length: 26 }, async (_, i) => {
        const letter = String.fromCharCode(97 + i)
        const size = sizes[i % sizes.length]!
        const request = `GET /${letter}${size} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`
        const answer = await talk(proxy.port, [request])
        const received = answer.slice(answer.indexOf('\r\n\r\n') + 4)
        assert.equal(received.length, size)
        assert.equal(received.replaceAll(letter, ''), '', `only "${letter}" stands in the answer`)
      }),
    )
  })

  test('does not mix heads that arrive octet by octet', async () => {
    const port = await startOrigin((socket) => {
      socket.on('data', async (chunk) => {
        const letter = chunk.toString()[5]!
        const answer = `HTTP/1.1 200 OK\r\nX-Letter: ${letter}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n${letter}\r\n0\r\n\r\n`
        for (const octet of answer) {
          socket.write(octet)
          await new Promise(setImmediate)
        }
      })
    })
    const proxy = await startProxy([originAt(port)])
    const letters = [...'abcdefgh']
    const requests = letters.map((letter) => getAndClose.replace('/', `/${letter}`))
    const answers = await Promise.all(requests.map((request) => talk(proxy.port, [request])))
    answers.forEach((answer, i) => {
      assert.match(
        answer,
        new RegExp(`X-Letter: ${letters[i]}\r\n(?:.*\r\n)*\r\n1\r\n${letters[i]}\r\n0\r\n\r\n$`),
      )
    })
  })
})

test('a connection that was idle for seconds is closed before the origin closes it (RFC 9112 §9.3.1)', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] })
  const now = context.mock.method(performance, 'now')
  const origin = await startScript('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  const proxy = await startProxy([originAt(origin.port)])
  await talk(proxy.port, [getAndClose])
  assert.equal(proxy.origins.states()[0]?.idle, 1)
  const later = performance.now() + 4500
  now.mock.mockImplementation(() => later)
  context.mock.timers.tick(1000)
  assert.equal(proxy.origins.states()[0]?.open, 0)
})

/** What a request was taken for. */
type Reading = { method: string; target: string; fields: string[]; content: string }

test('the origin reads every request as we did (RFC 9112 §11.2)', { timeout: 20_000 }, async () => {
  let ours: Reading | undefined
  let theirs: Reading | undefined
  let isRefusedByOrigin = false
  const origin = http.createServer({ maxHeaderSize: 65_536 }, async (request, response) => {
    const { method = '', url: target = '', rawHeaders } = request
    const fields = Array.from(
      { length: rawHeaders.length / 2 },
      (_, i) => `${rawHeaders[2 * i]}: ${rawHeaders[2 * i + 1]}`,
    )
    const parts = await request.toArray().catch(() => undefined)
    // Broken off, which is what a client's broken request must be for the origin.
    if (parts === undefined) return
    const content = Buffer.concat(parts).toString('latin1')
    theirs = { method, target, fields: fields.filter(isEndToEnd), content }
    response.end()
  })
  origin.on('clientError', (error: Error & { code?: string }, socket) => {
    // A request that the client broke off ends early here as well.
    isRefusedByOrigin = error.code?.startsWith('HPE_') === true && error.code !== 'HPE_INVALID_EOF_STATE'
    socket.destroy()
  })
  const port = await startOrigin((socket) => origin.emit('connection', socket))
  const proxy = await startProxy([originAt(port)], {
    watch({ request: { method, target, fields, body } }) {
      const lines: string[] = []
      fields.each((name, value) => lines.push(`${name}: ${value}`))
      const reading: Reading = { method, target, fields: lines.filter(isEndToEnd), content: '' }
      ours = reading
      const read = body?.read.bind(body)
      if (body === null || read === undefined) return
      body.read = (limit) => keepContent(read(limit), reading)
    },
  })
  let forwarded = 0
  await fc.assert(
    fc.asyncProperty(requests(), async (octets) => {
      ours = theirs = undefined
      isRefusedByOrigin = false
      const status = await statusOf(proxy.port, octets)
      if (isRefusedByOrigin) assert.fail(`the origin refused what we passed on (${status})`)
      if (theirs === undefined) return
      forwarded++
      assert.deepEqual(theirs, ours)
    }),
    { numRuns: 400 },
  )
  assert.ok(forwarded > 100, `only ${forwarded} requests were passed on`)
})

const REWRITTEN = new NameSet(
  `host connection content-length transfer-encoding via forwarded x-forwarded-for x-forwarded-host x-forwarded-proto
  keep-alive te expect upgrade`.split(/\s+/),
)

function isEndToEnd(line: string): boolean {
  return !REWRITTEN.has(line, 0, line.indexOf(':'))
}

function keepContent<Octets extends Uint8Array | null | Promise<Uint8Array | null>>(
  octets: Octets,
  into: Reading,
): Octets {
  if (octets instanceof Promise) return octets.then((arrived) => keepContent(arrived, into)) as Octets
  if (octets !== null) into.content += Buffer.from(octets as Uint8Array).toString('latin1')
  return octets
}

/** Requests from lawful parts, some of them with something unlawful in a random place. */
function requests(): fc.Arbitrary<string> {
  const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/)
  const value = fc.stringMatching(/^[\t\x20-\x7e\x80-\xff]{0,30}$/)
  const line = fc.tuple(token, value).map(([name, text]) => `X${name}: ${text}\r\n`)
  const content = fc.stringMatching(/^[\x00-\xff]{0,40}$/)
  const chunks = fc.array(
    content.filter((text) => text !== ''),
    { maxLength: 4 },
  )
  const body = fc.oneof(
    fc.constant('\r\n'),
    content.map((text) => `Content-Length: ${text.length}\r\n\r\n${text}`),
    chunks.map((parts) => {
      const coded = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')
      return `Transfer-Encoding: chunked\r\n\r\n${coded}0\r\n\r\n`
    }),
  )
  const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND', 'M-SEARCH')
  const target = fc.stringMatching(/^\/[!-"$-~]{0,30}$/)
  const whole = fc
    .tuple(method, target, fc.array(line, { maxLength: 6 }), body)
    .map(([verb, path, lines, rest]) => `${verb} ${path} HTTP/1.1\r\nHost: a\r\n${lines.join('')}${rest}`)
  const odd = fc.constantFrom(
    '\r\n', '\n', '\r', '\0', ' ', '\t', ':', '\x7f', '\x80', ',', 'Content-Length: 3\r\n', 'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: identity\r\n', 'Host: b\r\n', ' folded\r\n', 'Connection: Content-Length\r\n', 'X : y\r\n', '0\r\n\r\n',
  ) // biome-ignore format: a table
  const mutated = fc.tuple(whole, odd, fc.nat(1000)).map(([text, piece, at]) => {
    const where = at % (text.length + 1)
    return text.slice(0, where) + piece + text.slice(where)
  })
  return fc.oneof(whole, mutated)
}

async function statusOf(port: number, octets: string): Promise<string> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => {})
  let received = ''
  socket.on('data', (chunk) => (received += chunk.toString('latin1')))
  socket.end(octets, 'latin1')
  await new Promise<void>((resolve) => socket.once('end', resolve).once('close', () => resolve()))
  socket.destroy()
  return received.slice(9, 12)
}

function digest(octets: string | Buffer): string {
  return createHash('sha256')
    .update(typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets)
    .digest('hex')
}
