import assert from 'node:assert/strict'
import http from 'node:http'
import net from 'node:net'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { silent } from '#core/log.ts'
import { httpLimits } from './config.ts'
import { createHttpServer, type HttpServer } from './server.ts'
import { type Fields, noFields } from './wire/fields.ts'

/** What a server made of one request; or that it refused it or waits for more of it. */
type Reading = { method: string; target: string; fields: string; content: string } | 'refused'

let ours: HttpServer
let ourPort = 0
let theirs: http.Server
let theirPort = 0

before(async () => {
  ours = createHttpServer({
    limits: httpLimits(),
    log: silent,
    handler: (exchange) => {
      const { method, target, fields, body } = exchange.request
      const parts: Buffer[] = []
      const readAll = async (): Promise<void> => {
        for (let part = await body?.read(65_536); part; part = await body?.read(65_536))
          parts.push(Buffer.from(part))
        const reading = {
          method,
          target,
          fields: linesOf(fields),
          content: Buffer.concat(parts).toString('latin1'),
        }
        exchange.respond(
          { status: 200, fields: noFields, lengthOctets: null },
          Buffer.from(JSON.stringify(reading)),
        )
      }
      readAll().catch(() => exchange.abort('client broke the protocol'))
    },
  })
  const listener = await ours.prepare({ address: '127.0.0.1', port: 0 })
  listener.commit()
  ourPort = listener.port
  theirs = http.createServer({ insecureHTTPParser: false, keepAlive: false }, (request, response) => {
    const parts: Buffer[] = []
    request.on('error', () => {})
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      let fields = ''
      for (let i = 0; i < request.rawHeaders.length; i += 2) {
        fields += `${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}\n`
      }
      const { method = '', url: target = '' } = request
      response.end(
        JSON.stringify({ method, target, fields, content: Buffer.concat(parts).toString('latin1') }),
      )
    })
  })
  await new Promise<void>((resolve) => theirs.listen(0, '127.0.0.1', resolve))
  theirPort = (theirs.address() as net.AddressInfo).port
})

after(async () => {
  theirs.closeAllConnections()
  theirs.close()
  await ours.close(0)
})

function linesOf(fields: Fields): string {
  let lines = ''
  fields.each((name, value) => (lines += `${name}: ${value}\n`))
  return lines
}

/** Send octets and FIN, and read the first response. */
function ask(port: number, octets: string): Promise<Reading> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    let received = ''
    // Who waits for more learns that there is none.
    const timer = setTimeout(() => socket.end(), 30)
    socket.on('error', () => finish('refused'))
    socket.on('close', () => finish('refused'))
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      received += text.replace(/^HTTP\/1.1 100 Continue\r\n\r\n/, '')
      const end = received.indexOf('\r\n\r\n')
      if (end < 0) return
      if (!received.startsWith('HTTP/1.1 200')) finish('refused')
      // JSON tells its own end.
      else if (received.endsWith('}') || /\}\r\n0\r\n/.test(received))
        finish(JSON.parse(/\{.*\}/.exec(received)![0]))
    })
    socket.on('end', () => finish('refused'))
    socket.write(octets, 'latin1')

    function finish(reading: Reading): void {
      clearTimeout(timer)
      socket.destroy()
      resolve(reading)
    }
  })
}

const CHUNKED = 'Transfer-Encoding: chunked'
const framed = fc.constantFrom<[lines: string[], content: string]>(
  [[], ''],
  [['Content-Length: 5'], 'hello'],
  [['Content-Length:\t5 '], 'hello'],
  [[CHUNKED], '5\r\nhello\r\n0\r\n\r\n'],
  [['transfer-encoding:CHUNKED'], '2;x=y\r\nhe\r\n003\r\nllo\r\n0\r\nX-T: u\r\n\r\n'],
)
const oddLine = fc.constantFrom(
  ...['X: y', 'X:', 'X: a\tb "c"', 'X: \xe9', 'X: a\x00b', 'X: a\x7fb', 'X: a\rY: b', ' folded', 'no colon'],
  ...[
    'X\xe9: y',
    ': empty',
    'host: b',
    'Host : a',
    'Content-Length: 5',
    'Content-Length: 5, 5',
    'Content-Length: +5',
  ],
  ...[
    'Content-Length: 0',
    'Content-Length: 5 5',
    'Content-Length: 0x5',
    CHUNKED,
    `${CHUNKED}, identity`,
    'X y: z',
  ],
  ...[
    'Transfer-Encoding: gzip, chunked',
    'Transfer-Encoding : chunked',
    'Transfer-Encoding: \x0bchunked',
    'X:\x0by',
  ],
  ...['Transfer-Encoding: "chunked"', 'Connection: close', 'Connection: x, y', 'Expect: 100-continue'],
)
/** Often something is as it should be. */
const mostly = (usual: string, ...odd: string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...odd) })
const request = fc.record({
  method: mostly('POST', 'GET', 'PUT', 'get', 'P T', ''),
  gap: mostly(' ', '  ', '\t', ''),
  target: mostly('/', '/a?b=c', '/%00', '//a', 'http://a/b', '*', 'x', '/a b', '/a#b', '/\xe9', ''),
  version: mostly('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'http/1.1', 'HTTP/1.1 ', 'HTTP/1.', ''),
  host: mostly('Host: a', 'X-Host: a', 'Host:', 'Host: a b', 'HOST:\ta\t'),
  framed,
  odd: fc.option(oddLine, { nil: undefined, freq: 2 }),
  crlf: mostly('\r\n', '\n', '\r', '\r\r\n'),
  // One octet of the content is replaced by another, or none.
  spoilt: fc.tuple(fc.nat(40), mostly('', '\n', '\r', ' ', ';', '0', 'f', '-', '\0')),
})

test('whatever node:http and Portico both accept they read alike, and what node:http refuses Portico refuses', async () => {
  const agreed = { read: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(request, async ({ method, gap, target, version, host, framed, odd, crlf, spoilt }) => {
      const at = spoilt[0] % (framed[1].length || 1)
      const content = (framed[1].slice(0, at) + spoilt[1] + framed[1].slice(at + spoilt[1].length)).slice(
        0,
        framed[1].length,
      )
      const lines = [
        `${method}${gap}${target} ${version}`,
        host,
        ...framed[0],
        ...(odd === undefined ? [] : [odd]),
      ]
      const octets = `${lines.join(crlf)}${crlf}${crlf}${content}`
      const [our, their] = await Promise.all([ask(ourPort, octets), ask(theirPort, octets)])
      const shown = `${JSON.stringify(octets)}\nours ${JSON.stringify(our)}\ntheirs ${JSON.stringify(their)}`
      if (typeof our === 'string') {
        agreed.refused++
        return
      }
      if (typeof their === 'string') {
        assert.ok(isOursAlone(octets, our.content, content), `accepted by Portico alone: ${shown}`)
        return
      }
      agreed.read++
      // Portico turns absolute-form into origin-form (RFC 9112 §3.2.2).
      assert.deepEqual({ ...our, target: '' }, { ...their, target: '' }, shown)
      assert.equal(our.target, their.target.replace(/^http:\/\/a/, ''), shown)
    }),
    { numRuns: 1000 },
  )
  assert.ok(agreed.read > 100 && agreed.refused > 100, JSON.stringify(agreed))
})

/** Deliberate differences: what Portico accepts and node:http does not. */
function isOursAlone(octets: string, read: string, sent: string): boolean {
  // RFC 9110 §9.1: a method is any token, also one that nobody registered.
  if (octets.startsWith('get ')) return true
  // What follows the request is no request: Portico has answered before it reads on.
  return !/chunked/i.test(octets) && sent.length > read.length
}
