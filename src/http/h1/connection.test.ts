import assert from 'node:assert/strict'
import net from 'node:net'
import { after, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import { silent } from '#core/log.ts'
import { type HttpLimitsConfig, httpLimits } from '#http/config.ts'
import type { Exchange, ExchangeEnd, Handler, Source } from '#http/exchange.ts'
import { createHttpServer, type HttpServer } from '#http/server.ts'
import { fieldsOf, noFields } from '#http/wire/fields.ts'
import { sourceOf } from '#http/wire/octets-source.ts'
import { drain } from '../../../test/exchange.ts'

const servers: HttpServer[] = []
after(() => Promise.all(servers.map((server) => server.close(0))))

const ends: ExchangeEnd[] = []

async function serve(handler: Handler, limits: HttpLimitsConfig = {}): Promise<number> {
  const server = createHttpServer({
    limits: httpLimits(limits),
    handler: (exchange) => {
      exchange.onEnd = (end) => ends.push(end)
      handler(exchange)
    },
    log: silent,
  })
  servers.push(server)
  const listener = await server.prepare({ address: '127.0.0.1', port: 0 })
  listener.commit()
  return listener.port
}

const FIN = null

/** What the server sends, from the first octet until it closes. `steps` are sent one after the other. */
async function talk(port: number, ...steps: (string | Buffer | number | typeof FIN)[]): Promise<string> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let received = ''
  socket.setEncoding('latin1').on('data', (text: string) => (received += text))
  const closed = new Promise<void>((resolve) => {
    socket.once('end', resolve).once('close', () => resolve())
    socket.on('error', () => {
      received += '<reset>'
      resolve()
    })
  })
  for (const step of steps) {
    if (typeof step === 'number') await pause(step)
    else if (step === FIN) socket.end()
    else socket.write(step, 'latin1')
  }
  await closed
  socket.destroy()
  return received.replace(/Date: [^\r]+ GMT\r\n/g, '')
}

const CLOSE = 'Connection: close\r\n'
const get = (target: string, lines = ''): string => `GET ${target} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`
const ok = (text: string, lines = ''): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n${lines}\r\n${text}`

function respond(exchange: Exchange, text: string): void {
  exchange.respond({ status: 200, fields: noFields, lengthOctets: text.length }, Buffer.from(text))
}

async function collect(source: Source | null): Promise<string> {
  return (await drain(source)).toString('latin1')
}

/** Answers with what was asked: target, version and content. */
const echo: Handler = (exchange) => {
  const { method, target, body } = exchange.request
  collect(body).then(
    (content) => respond(exchange, `${method} ${target} ${content}`),
    () => exchange.abort('client broke the protocol'),
  )
}

const answer: Handler = (exchange) => respond(exchange, `hello ${exchange.request.target}`)

describe('a connection', () => {
  test('stays open for the next request, until close is asked for (RFC 9112 §9.3)', async () => {
    const port = await serve(answer)
    const got = await talk(port, get('/1'), 20, get('/2', CLOSE))
    assert.equal(got, ok('hello /1') + ok('hello /2', CLOSE))
  })

  test('answers pipelined requests in order (RFC 9112 §9.3.2)', async () => {
    const port = await serve(echo)
    const got = await talk(port, get('/1') + post('/2', 'abc') + get('/3', CLOSE))
    assert.equal(got, ok('GET /1 ') + ok('POST /2 abc') + ok('GET /3 ', CLOSE))
  })

  test('answers pipelined requests at once without losing one', async () => {
    const port = await serve(answer)
    const got = await talk(port, get('/1').repeat(500) + get('/2', CLOSE))
    assert.equal(got, ok('hello /1').repeat(500) + ok('hello /2', CLOSE))
  })

  test('closes after HTTP/1.0, unless keep-alive was asked for (RFC 9112 §9.3)', async () => {
    const port = await serve(answer)
    assert.equal(await talk(port, 'GET /1 HTTP/1.0\r\n\r\n'), ok('hello /1', CLOSE))
    const keepAlive = 'Connection: keep-alive\r\n'
    const got = await talk(port, `GET /1 HTTP/1.0\r\n${keepAlive}\r\n`, 20, 'GET /2 HTTP/1.0\r\n\r\n')
    assert.equal(got, ok('hello /1', keepAlive) + ok('hello /2', CLOSE))
  })

  test('passes over one empty line before a request (RFC 9112 §2.2)', async () => {
    const port = await serve(answer)
    assert.equal(await talk(port, `\r\n${get('/1', CLOSE)}`), ok('hello /1', CLOSE))
    assert.equal(
      await talk(port, '\r', 20, `\n${get('/1')}\r\n${get('/2', CLOSE)}`),
      ok('hello /1') + ok('hello /2', CLOSE),
    )
    assert.match(await talk(port, `\r\n\r\n${get('/1')}`), /^HTTP\/1.1 400 /)
  })

  test('answers a client that sends FIN after its request (RFC 9112 §9.6)', async () => {
    const port = await serve(echo)
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    socket.end(get('/1'))
    assert.match(await text(socket), /GET \/1 $/)
  })

  test('answers all that was sent before FIN, also what its handler reads late (RFC 9112 §9.6)', async () => {
    const port = await serve((exchange) => void pause(30).then(() => echo(exchange)))
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    socket.end(get('/1') + post('/2', 'abc') + chunked('/3', 'def') + get('/4'))
    const expected = ok('GET /1 ') + ok('POST /2 abc') + ok('POST /3 def') + ok('GET /4 ', CLOSE)
    assert.equal(await text(socket), expected)
  })

  test('writes the same whatever the split of what it reads', async () => {
    const port = await serve(echo)
    const message = get('/1') + post('/2', 'hello') + chunked('/3', 'hello', ' world') + get('/4', CLOSE)
    const expected = ok('GET /1 ') + ok('POST /2 hello') + ok('POST /3 hello world') + ok('GET /4 ', CLOSE)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: message.length }), { maxLength: 4 }),
        async (cuts) => {
          const at = [0, ...cuts.sort((a, b) => a - b), message.length]
          const steps = at.slice(1).flatMap((end, i) => [message.slice(at[i], end), 2])
          assert.equal(await talk(port, ...steps), expected)
        },
      ),
      { numRuns: 30 },
    )
    assert.equal(await talk(port, ...[...message].flatMap((octet) => [octet, 0])), expected)
  })

  const refused: [what: string, octets: string | Buffer, status: number][] = [
    ['a head that is no HTTP', Buffer.from('16030100a50100', 'hex'), 400],
    ['bare LF line ends (RFC 9112 §2.2)', 'GET / HTTP/1.1\nHost: a\n\n', 400],
    ['a request without Host (RFC 9112 §3.2)', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['another version (RFC 9110 §15.6.6)', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505],
    ['a target that is too long', `GET /${'a'.repeat(10_000)}`, 414],
    ['a head that is too large (RFC 6585 §5)', `GET / HTTP/1.1\r\nA: ${'a'.repeat(40_000)}`, 431],
    [
      'both lengths (RFC 9112 §6.1)',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['content that is too large', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n', 413],
    [
      'chunked content that is too large',
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${'4000\r\n'}${'a'.repeat(0x4000)}\r\n`.concat(
        `4000\r\n${'a'.repeat(0x4000)}\r\n`.repeat(70),
      ),
      413,
    ],
    [
      'chunks that are none (RFC 9112 §7.1)',
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nhello',
      400,
    ],
    [
      'an expectation that is not known (RFC 9110 §10.1.1)',
      'GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n',
      417,
    ],
    ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 501],
  ]
  test('refuses what is wrong, says so and closes', async (t) => {
    const port = await serve(echo, { body: 1_000_000 })
    for (const [what, octets, status] of refused) {
      await t.test(`${what}: ${status}`, async () => {
        // The second request must not be read: nobody knows where it begins.
        const got = await talk(port, octets, 5, get('/smuggled'))
        assert.match(got, new RegExp(`^HTTP/1.1 ${status} [A-Z]`))
        assert.match(got, /Connection: close\r\n/)
        assert.equal(got.match(/^HTTP\/1.1 \d/gm)?.length, 1, 'more than one response')
      })
    }
  })

  test('delivers its refusal to a client that goes on sending (RFC 9112 §9.6)', async () => {
    const port = await serve(echo, { body: 1000 })
    const got = await talk(
      port,
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n`,
      Buffer.alloc(4_000_000),
      50,
      Buffer.alloc(4_000_000),
    )
    assert.match(got, /^HTTP\/1.1 413 Content Too Large/)
    assert.doesNotMatch(got, /<reset>/)
  })
})

describe('content', () => {
  test('with Expect is asked for when it is read (RFC 9110 §10.1.1)', async () => {
    const port = await serve(echo)
    const head = `PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n${CLOSE}\r\n`
    assert.equal(
      await talk(port, head, 30, 'hello'),
      `HTTP/1.1 100 Continue\r\n\r\n${ok('PUT / hello', CLOSE)}`,
    )
    assert.equal(await talk(port, `${head}hello`), ok('PUT / hello', CLOSE))
  })

  test('with Expect that is not read is not asked for, and the connection closes (RFC 9110 §10.1.1)', async () => {
    const port = await serve(answer)
    const head = `PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`
    assert.equal(await talk(port, head), ok('hello /', CLOSE))
  })

  test('that nobody reads is read over when it is small', async () => {
    const port = await serve(answer)
    assert.equal(
      await talk(port, post('/1', 'x'.repeat(100_000)), get('/2', CLOSE)),
      ok('hello /1') + ok('hello /2', CLOSE),
    )
    assert.equal(
      await talk(port, chunked('/1', 'GET /3'), get('/2', CLOSE)),
      ok('hello /1') + ok('hello /2', CLOSE),
    )
  })

  test('that nobody reads closes the connection when it is large', async () => {
    const port = await serve(answer)
    const head = 'POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n'
    assert.equal(await talk(port, head, 20, Buffer.alloc(3_000_000)), ok('hello /1', CLOSE))
    const endless = 'POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n800000\r\n'
    assert.equal(await talk(port, endless, 20, Buffer.alloc(3_000_000)), ok('hello /1'))
  })

  test('in chunks of one octet is given in few pieces', async () => {
    const port = await serve((exchange) => {
      let pieces = 0
      const body = exchange.request.body!
      const read: Source['read'] = (limit) => {
        pieces++
        return body.read(limit)
      }
      collect({ read, cancel() {} }).then((content) => respond(exchange, `${content.length} ${pieces < 50}`))
    })
    const got = await talk(port, chunked('/', ...Array(10_000).fill('x')).replace('Host', `${CLOSE}Host`))
    assert.equal(got, ok('10000 true', CLOSE))
  })

  test('is not read ahead of who pulls it', async () => {
    const read = Promise.withResolvers<Source>()
    const port = await serve((exchange) => read.resolve(exchange.request.body!))
    const socket = net.connect(port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n')
    socket.write(Buffer.alloc(50_000_000))
    const body = await read.promise
    await pause(100)
    // 50 MB fit into no socket buffer: what is not written yet has to wait on the client's side.
    assert.ok(socket.writableLength > 0)
    let octets = 0
    for (let part = await body.read(100_000); part !== null; part = await body.read(100_000))
      octets += part.length
    assert.equal(octets, 50_000_000)
    socket.destroy()
  })

  test('that breaks off rejects, and the exchange ends with "client left"', async () => {
    const failed = Promise.withResolvers<string>()
    const port = await serve((exchange) => {
      collect(exchange.request.body).catch((error: Error) => failed.resolve(error.message))
    })
    ends.length = 0
    const socket = net.connect(port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhello')
    await pause(20)
    socket.destroy()
    assert.match(await failed.promise, /broke off: client left/)
    assert.deepEqual(ends, [
      { reason: 'client left', status: 0, sentOctets: 0, receivedOctets: 5, isAtOnce: false },
    ])
  })

  test('may have trailers, which are known at the end (RFC 9110 §6.5)', async () => {
    const port = await serve((exchange) => {
      const body = exchange.request.body!
      collect(body).then(() => respond(exchange, body.trailers?.()?.get('x-sum') ?? 'none'))
    })
    const request = `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n${CLOSE}\r\n1\r\na\r\n0\r\nX-Sum: 7\r\n\r\n`
    assert.equal(await talk(port, request), ok('7', CLOSE))
  })
})

describe('a response', () => {
  const parts = (...texts: string[]): Source => {
    const left = texts.map((part) => Buffer.from(part))
    return { read: () => left.shift() ?? null, cancel() {} }
  }
  const stream = (exchange: Exchange, source: Source, lengthOctets: number | null = null): void =>
    exchange.respond({ status: 200, fields: noFields, lengthOctets }, source)

  test('of unknown length is chunked in HTTP/1.1 and ends with the connection in HTTP/1.0 (RFC 9112 §6.1)', async () => {
    const port = await serve((exchange) => stream(exchange, parts('hello', '', ' world')))
    assert.equal(
      await talk(port, get('/', CLOSE)),
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${CLOSE}\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`,
    )
    assert.equal(
      await talk(port, 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'),
      `HTTP/1.1 200 OK\r\n${CLOSE}\r\nhello world`,
    )
  })

  test('has trailers for who said that it takes them (RFC 9110 §6.5.1)', async () => {
    const port = await serve((exchange) =>
      stream(exchange, {
        ...parts('a'),
        trailers: () =>
          fieldsOf([
            ['X-Sum', '7'],
            ['Content-Length', '9'],
          ]),
      }),
    )
    assert.match(await talk(port, get('/', `TE: trailers\r\n${CLOSE}`)), /0\r\nX-Sum: 7\r\n\r\n$/)
    assert.match(await talk(port, get('/', CLOSE)), /a\r\n0\r\n\r\n$/)
  })

  const bare: [what: string, request: string, status: number, head: string][] = [
    ['HEAD (RFC 9110 §9.3.2)', 'HEAD', 200, `HTTP/1.1 200 OK\r\nContent-Length: 5\r\n${CLOSE}\r\n`],
    ['204 (RFC 9110 §8.6)', 'GET', 204, `HTTP/1.1 204 No Content\r\n${CLOSE}\r\n`],
    ['205 (RFC 9110 §15.3.6)', 'GET', 205, `HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n${CLOSE}\r\n`],
    ['304 (RFC 9110 §15.4.5)', 'GET', 304, `HTTP/1.1 304 Not Modified\r\n${CLOSE}\r\n`],
    ['HEAD with 204', 'HEAD', 204, `HTTP/1.1 204 No Content\r\n${CLOSE}\r\n`],
  ]
  for (const [what, method, status, head] of bare) {
    test(`to ${what} has no content`, async () => {
      let cancelled = ''
      const port = await serve((exchange) => {
        const source = { ...parts('hello'), cancel: (reason: string) => (cancelled = reason) }
        exchange.respond({ status, fields: noFields, lengthOctets: 5 }, source as Source)
      })
      assert.equal(await talk(port, `${method} / HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`), head)
      assert.equal(cancelled, 'finished')
    })
  }

  test('keeps the fields of the connection to itself, and the Date of an origin (RFC 9110 §7.6.1, §6.6.1)', async () => {
    const port = await serve((exchange) => {
      const fields = fieldsOf([
        ['X', 'y'],
        ['content-length', '99'],
        ['Transfer-Encoding', 'gzip'],
        ['Connection', 'x'],
        ['Keep-Alive', '5'],
        ['Date', 'then'],
        ['Z', ''],
      ])
      exchange.respond({ status: 200, fields, lengthOctets: null }, null)
    })
    const got = await talk(port, get('/', CLOSE))
    assert.equal(got, `HTTP/1.1 200 OK\r\nX: y\r\nDate: then\r\nZ: \r\nContent-Length: 0\r\n${CLOSE}\r\n`)
  })

  test('has a Date of now when it brings none (RFC 9110 §6.6.1)', async () => {
    const port = await serve(answer)
    const { headers } = await fetch(`http://127.0.0.1:${port}/`)
    assert.ok(Math.abs(Date.parse(headers.get('date')!) - Date.now()) < 3000)
  })

  test('may follow interim responses, but not in HTTP/1.0 (RFC 9110 §15.2)', async () => {
    const port = await serve((exchange) => {
      exchange.inform(103, fieldsOf([['Link', '</a.css>']]))
      respond(exchange, 'a')
    })
    assert.equal(
      await talk(port, get('/', CLOSE)),
      `HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n${ok('a', CLOSE)}`,
    )
    assert.equal(await talk(port, 'GET / HTTP/1.0\r\n\r\n'), ok('a', CLOSE))
  })

  const broken: [what: string, source: () => Source, lengthOctets: number | null][] = [
    ['whose source fails', () => ({ read: () => Promise.reject(new Error('gone')), cancel() {} }), null],
    ['that is shorter than its length', () => parts('hello'), 9],
    ['that is longer than its length', () => parts('hello'), 3],
  ]
  for (const [what, source, lengthOctets] of broken) {
    test(`${what} cannot be taken as complete`, async () => {
      const port = await serve((exchange) => stream(exchange, source(), lengthOctets))
      assert.doesNotMatch(await talk(port, get('/')), /0\r\n\r\n$|\r\n\r\nhel$/)
    })
  }

  test('that is aborted without length is reset in HTTP/1.0, where FIN would mean its end', async () => {
    const port = await serve((exchange) => {
      const texts = ['hello']
      stream(exchange, {
        read: () =>
          texts.length > 0
            ? Buffer.from(texts.shift()!)
            : pause(30).then(() => Promise.reject(new Error('gone'))),
        cancel() {},
      })
    })
    assert.match(await talk(port, 'GET / HTTP/1.0\r\n\r\n'), /hello<reset>$/)
  })

  test('is not produced faster than the client takes it, and is cancelled when the client leaves', async () => {
    let octets = 0
    const cancelled = Promise.withResolvers<string>()
    const port = await serve((exchange) =>
      stream(exchange, {
        read: (limit) => {
          octets += limit
          return Buffer.alloc(limit)
        },
        cancel: (reason) => cancelled.resolve(reason),
      }),
    )
    const socket = net.connect(port, '127.0.0.1')
    socket.write(get('/'))
    socket.pause()
    await pause(150)
    const before = octets
    await pause(100)
    assert.equal(octets, before, 'produced while nobody reads')
    assert.ok(octets < 50_000_000)
    socket.destroy()
    assert.equal(await cancelled.promise, 'client left')
  })

  test('of memory arrives whole, through a source that reuses its memory as well', async () => {
    const large = Buffer.from(Array.from({ length: 1_000_003 }, (_, i) => i % 251))
    const port = await serve((exchange) => {
      const memory = Buffer.alloc(50_000)
      const inner = sourceOf(large)
      const reusing: Source = {
        read: () => {
          const part = inner.read(memory.length) as Buffer | null
          return part === null ? null : memory.subarray(0, part.copy(memory.fill(0)))
        },
        cancel() {},
      }
      const body = exchange.request.target === '/reused' ? reusing : large
      exchange.respond({ status: 200, fields: noFields, lengthOctets: large.length }, body)
    })
    for (const target of ['/', '/reused']) {
      const response = await fetch(`http://127.0.0.1:${port}${target}`)
      assert.ok(large.equals(Buffer.from(await response.arrayBuffer())), target)
    }
  })

  test('of a handler that throws is 500', async () => {
    const port = await serve(() => {
      throw new Error('a bug')
    })
    assert.match(await talk(port, get('/')), /^HTTP\/1.1 500 /)
  })

  test('may come before the content of its request', async () => {
    const port = await serve((exchange) => {
      collect(exchange.request.body).catch(() => {})
      respond(exchange, 'early')
    })
    assert.equal(
      await talk(port, post('/', 'x'.repeat(20)).slice(0, -10), 30, 'x'.repeat(10), get('/', CLOSE)),
      ok('early') + ok('early', CLOSE),
    )
  })
})

describe('a tunnel', () => {
  const upgrade = get('/', 'Connection: Upgrade\r\nUpgrade: echo\r\n')

  test('carries octets both ways, each with an end of its own (RFC 9110 §7.8)', async () => {
    ends.length = 0
    const port = await serve((exchange) => {
      const to = new TransformSource()
      const from = exchange.switchProtocols(noFields, to)
      collect(from).then((all) => to.finish(`you sent ${all.length} ${exchange.request.upgrade}`))
    })
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    socket.write(`${upgrade}early`)
    await pause(20)
    socket.end('x'.repeat(100_000))
    assert.equal(
      await text(socket),
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nyou sent 100005 echo',
    )
    await pause(20)
    assert.deepEqual(ends, [
      { reason: 'finished', status: 101, sentOctets: 20, receivedOctets: 100_005, isAtOnce: false },
    ])
  })

  test('ends both ways when the client breaks off', async () => {
    const ended = Promise.withResolvers<string>()
    const cancelled = Promise.withResolvers<string>()
    const port = await serve((exchange) => {
      const from = exchange.switchProtocols(noFields, {
        read: () => new Promise(() => {}),
        cancel: (reason) => cancelled.resolve(reason),
      })
      collect(from).then(
        () => ended.resolve('end'),
        (error: Error) => ended.resolve(error.message),
      )
    })
    const socket = net.connect(port, '127.0.0.1')
    socket.write(upgrade)
    await pause(30)
    socket.resetAndDestroy()
    assert.match(await ended.promise, /broke off/)
    assert.equal(await cancelled.promise, 'client left')
  })
})

describe('time', () => {
  const limits = { headerTimeout: 100, idleTimeout: 100, bodyTimeout: 100 }

  test('for a head that has begun ends with 408 (RFC 9110 §15.5.9)', async () => {
    const port = await serve(answer, limits)
    assert.match(await talk(port, 'GET / HT'), /^HTTP\/1.1 408 Request Timeout/)
  })

  test('for a head is not prolonged by octets that trickle in', async () => {
    const port = await serve(answer, limits)
    const began = performance.now()
    const trickle = Array.from({ length: 30 }, () => ['x', 50]).flat()
    assert.match(await talk(port, 'GET /', ...trickle), /^HTTP\/1.1 408 /)
    assert.ok(performance.now() - began < 2500)
  })

  test('without a request ends in silence, also after one', async () => {
    const port = await serve(answer, limits)
    assert.equal(await talk(port), '')
    assert.equal(await talk(port, get('/')), ok('hello /'))
  })

  test('without content that is waited for ends with 408', async () => {
    ends.length = 0
    const port = await serve(echo, limits)
    assert.match(await talk(port, post('/', 'hello').slice(0, -2)), /^HTTP\/1.1 408 /)
    assert.equal(ends[0]?.reason, 'client too slow')
  })

  test('of a handler is not the client’s', async () => {
    const port = await serve((exchange) => void pause(700).then(() => respond(exchange, 'late')), limits)
    assert.equal(await talk(port, get('/', CLOSE)), ok('late', CLOSE))
  })

  test('for a client that has sent FIN lasts while the response goes on (RFC 9112 §9.6)', async () => {
    const left: string[] = []
    const piece = Buffer.from('x')
    const port = await serve((exchange) => {
      const { target } = exchange.request
      if (target === '/late') return void pause(100).then(() => respond(exchange, 'late'))
      const pauses = [0, 2500, 2500, 2500]
      const read = (): Promise<Buffer | null> => {
        const next = pauses.shift()
        if (target === '/silent' && next !== 0) return new Promise(() => {})
        return next === undefined ? Promise.resolve(null) : pause(next, piece)
      }
      const cancel = (reason: string): void => void left.push(`${target} ${reason}`)
      exchange.respond({ status: 200, fields: noFields, lengthOctets: null }, { read, cancel })
    })
    const [goesOn, silent, late] = await Promise.all([
      talk(port, get('/goes-on'), FIN),
      talk(port, get('/silent'), FIN),
      talk(port, get('/late') + get('/silent'), FIN),
    ])
    assert.match(goesOn, /(1\r\nx\r\n){4}0\r\n\r\n$/)
    for (const broken of [silent, late]) assert.match(broken, /\r\n\r\n1\r\nx\r\n<reset>$/)
    assert.deepEqual(left, Array(2).fill('/silent client left'))
  })

  test('in which a client takes nothing ends the connection', async () => {
    const ended = Promise.withResolvers<string>()
    const port = await serve(
      (exchange) =>
        exchange.respond(
          { status: 200, fields: noFields, lengthOctets: null },
          { read: (limit) => Buffer.alloc(limit), cancel: (reason) => ended.resolve(reason) },
        ),
      limits,
    )
    const socket = net.connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(get('/'))
    socket.pause()
    assert.equal(await ended.promise, 'client too slow')
    socket.destroy()
  })
})

function post(target: string, content: string): string {
  return `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: ${content.length}\r\n\r\n${content}`
}

function chunked(target: string, ...contents: string[]): string {
  const chunks = contents.map((content) => `${content.length.toString(16)}\r\n${content}\r\n`).join('')
  return `POST ${target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`
}

async function text(socket: net.Socket): Promise<string> {
  let received = ''
  for await (const part of socket.setEncoding('latin1')) received += part
  return received.replace(/Date: [^\r]+ GMT\r\n/g, '')
}

/** Nothing until `finish` says all there is. */
class TransformSource implements Source {
  readonly #said = Promise.withResolvers<Buffer | null>()
  #hasRead = false

  finish(all: string): void {
    this.#said.resolve(Buffer.from(all))
  }

  read(): Promise<Uint8Array | null> | null {
    if (this.#hasRead) return null
    this.#hasRead = true
    return this.#said.promise
  }

  cancel(): void {
    this.#said.resolve(null)
  }
}
