import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { originAt } from '../../test/origin.ts'
import { type StartedProxy, startOrigin, startProxy, startScript, talk } from '../../test/proxy.ts'
import { httpLimits } from './config.ts'

const get = (target = '/', lines = ''): string => `GET ${target} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`
const getAndClose = get('/', 'Connection: close\r\n')
const ok = (text: string, lines = ''): string =>
  `HTTP/1.1 200 OK\r\n${lines}Content-Length: ${text.length}\r\n\r\n${text}`
const statusOf = (response: string): number => Number(response.slice(9, 12))

/** Wait until something is so; fails after 2 s. */
async function until(question: () => boolean, what: string): Promise<void> {
  for (let i = 0; !question(); i++) {
    if (i > 400) assert.fail(`did not happen within 2 s: ${what}`)
    await pause(5)
  }
}

/** Ask once through a proxy of its own in front of an origin that always gives `answer`. */
async function askScript(answer: Parameters<typeof startScript>[0], request = getAndClose): Promise<string> {
  const origin = await startScript(answer)
  const proxy = await startProxy([originAt(origin.port)], { limits: SHORT })
  return talk(proxy.port, [request])
}

const SHORT = { connectTimeout: 300, answerTimeout: 200 }

describe('a response', () => {
  const answers: readonly (readonly [string, string, string])[] = [
    [
      'with a length keeps it',
      ok('hello', 'X-A: 1\r\n'),
      'HTTP/1.1 200 OK\r\nX-A: 1\r\nVia: 1.1 portico\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello',
    ],
    [
      'in chunks stays in chunks (RFC 9112 §7.1)',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n',
      'HTTP/1.1 200 OK\r\nVia: 1.1 portico\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
    ],
    [
      '304 has no content, whatever its fields say (RFC 9112 §6.3)',
      'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 99\r\n\r\n',
      'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nVia: 1.1 portico\r\nConnection: close\r\n\r\n',
    ],
    [
      '103 goes before the final one (RFC 9110 §15.2)',
      `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok('x')}`,
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nVia: 1.1 portico\r\n\r\nHTTP/1.1 200 OK\r\nVia: 1.1 portico\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx',
    ],
    [
      '100 that nobody asked for is passed over (RFC 9110 §15.2.1)',
      `HTTP/1.1 100 Continue\r\n\r\n${ok('x')}`,
      'HTTP/1.1 200 OK\r\nVia: 1.1 portico\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx',
    ],
  ]
  for (const [name, answer, expected] of answers) {
    test(name, async () => assert.equal(await askScript(answer), expected))
  }

  test('that ends with the connection becomes chunks for HTTP/1.1 (RFC 9112 §6.3)', async () => {
    const answer = await askScript((_head, socket) => {
      socket.end('HTTP/1.0 200 OK\r\n\r\nto the end')
      return undefined
    })
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\nVia: 1\.0 portico\r\nTransfer-Encoding: chunked\r\n/)
    assert.match(answer, /\r\n\r\na\r\nto the end\r\n0\r\n\r\n$/)
  })

  test('to HEAD has the length and no content (RFC 9110 §9.3.2)', async () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n'
    const answer = await askScript(head, 'HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    assert.match(answer, /Content-Length: 1234\r\n.*\r\n\r\n$/s)
  })

  test('to HTTP/1.0 is not in chunks (RFC 9112 §7.1)', async () => {
    const answer = await askScript(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      'GET / HTTP/1.0\r\n\r\n',
    )
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n(?:.*\r\n)*\r\nabc$/)
    assert.doesNotMatch(answer, /chunked/)
  })

  test('has its trailers passed on to a client that takes them (RFC 9110 §6.5)', async () => {
    const answer = await askScript(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\nX-End: 2\r\n\r\n',
      get('/', 'TE: trailers\r\nConnection: TE, close\r\n'),
    )
    assert.match(answer, /\r\n0\r\nX-Sum: 1\r\nX-End: 2\r\n\r\n$/)
  })

  test('arrives piece by piece when the origin sends it so', async () => {
    const origin = await startScript((_head, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n')
      socket.write('data: 1\n\n')
      return undefined
    })
    const proxy = await startProxy([originAt(origin.port)])
    assert.match(await talk(proxy.port, [get()], /data: 1/), /text\/event-stream/)
    await until(() => origin.sockets[0]!.readableEnded || origin.sockets[0]!.destroyed, 'the origin is told')
    assert.equal(proxy.ends[0]?.end.reason, 'client left')
  })
})

describe('a response that cannot be passed on is answered with 502', () => {
  const table: readonly (readonly [string, string])[] = [
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['HTTP/2 frames', '\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64\r\n\r\n'],
    ['a field without colon', 'HTTP/1.1 200 OK\r\nX\r\n\r\n'],
    ['folded fields (RFC 9112 §5.2)', 'HTTP/1.1 200 OK\r\nA: 1\r\n b\r\n\r\n'],
    ['two lengths (RFC 9112 §6.3)', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'both framings (RFC 9112 §6.3)',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n'],
    ['a status above 599', 'HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n'],
    ['101 without a wish (RFC 9110 §7.8)', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
    ['too large a head', `HTTP/1.1 200 OK\r\nA: ${'a'.repeat(70_000)}\r\n\r\n`],
    ['endless interim responses', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(40)],
  ]
  for (const [name, answer] of table) {
    test(name, async () => {
      const response = (await askScript(answer)).replace(/^(HTTP\/1\.1 103 .*\r\nVia: .*\r\n\r\n)+/, '')
      assert.equal(statusOf(response), 502)
      assert.match(response, /\r\n\r\n502 Bad Gateway\nThe origin answered with something that is not HTTP/)
    })
  }
})

describe('an origin that fails', () => {
  test('by refusing connections gives 502', async () => {
    const port = await startOrigin(() => {})
    const free = net.createServer().listen(0, '127.0.0.1')
    await once(free, 'listening')
    const { port: closed } = free.address() as net.AddressInfo
    free.close()
    assert.notEqual(port, closed)
    const proxy = await startProxy([originAt(closed)])
    const response = await talk(proxy.port, [getAndClose])
    assert.equal(statusOf(response), 502)
    assert.match(response, /The origin refuses connections: nothing listens on its port\./)
    assert.doesNotMatch(response, new RegExp(`${closed}|ECONNREFUSED`))
    assert.match(proxy.ends[0]!.note.reason, /ECONNREFUSED/)
    assert.equal(proxy.origins.states()[0]?.isDown, true)
  })

  test('by a name without address gives 502', async () => {
    const proxy = await startProxy([originAt(80, { host: 'no-such-host.invalid' })])
    assert.equal(statusOf(await talk(proxy.port, [getAndClose])), 502)
  })

  test('by not answering gives 504', async () => {
    const response = await askScript(() => undefined)
    assert.equal(statusOf(response), 504)
    assert.match(response, /The origin did not answer within 0\.2 s\./)
  })

  test('by closing before it answers gives 502', async () => {
    const response = await askScript((_head, socket) => {
      socket.destroy()
      return undefined
    })
    assert.equal(statusOf(response), 502)
  })

  test('by closing within its head gives 502', async () => {
    const response = await askScript((_head, socket) => {
      socket.end('HTTP/1.1 200 OK\r\nContent-')
      return undefined
    })
    assert.equal(statusOf(response), 502)
  })

  const broken: readonly (readonly [string, string])[] = [
    ['within content with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc'],
    ['between chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'],
    ['by a chunk that is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n'],
  ]
  for (const [name, answer] of broken) {
    test(`${name} never looks complete (RFC 9112 §8)`, async () => {
      const response = await askScript((_head, socket) => {
        socket.end(answer)
        return undefined
      })
      assert.doesNotMatch(response, /\r\n0\r\n/)
      assert.match(response, /<reset>$/)
    })
  }

  test('by falling silent within its content ends the response', async () => {
    const response = await askScript('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc')
    assert.match(response, /abc<reset>$/)
  })
})

describe('connections to the origin', () => {
  test('are used again, the last one first (RFC 9112 §9.3)', async () => {
    const origin = await startScript((_head, socket) => ok(`${origin.sockets.indexOf(socket)}`))
    const proxy = await startProxy([originAt(origin.port)])
    for (let i = 0; i < 5; i++) assert.match(await talk(proxy.port, [getAndClose]), /\r\n\r\n0$/)
    assert.equal(origin.sockets.length, 1)
    assert.deepEqual(pick(proxy, ['open', 'idle', 'connects']), [1, 1, 1])
  })

  test('are not used again after Connection: close (RFC 9112 §9.6)', async () => {
    const origin = await startScript(ok('x', 'Connection: close\r\n'))
    const proxy = await startProxy([originAt(origin.port)])
    for (let i = 0; i < 3; i++) await talk(proxy.port, [getAndClose])
    assert.equal(origin.sockets.length, 3)
  })

  test('are not used again after octets that nobody asked for', async () => {
    const origin = await startScript(`${ok('x')}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`)
    const proxy = await startProxy([originAt(origin.port)])
    for (let i = 0; i < 3; i++) assert.match(await talk(proxy.port, [getAndClose]), /\r\n\r\nx$/)
    assert.equal(origin.sockets.length, 3)
  })

  test('are not used again after 204 that speaks of content, which may follow (RFC 9110 §8.6, RFC 9112 §6.1)', async () => {
    const cases: [string, number][] = [
      ['Content-Length: 4', 3],
      ['Transfer-Encoding: chunked', 3],
      ['Content-Length: 0', 1],
      ['X-A: b', 1],
    ]
    for (const [line, sockets] of cases) {
      const origin = await startScript(`HTTP/1.1 204 No Content\r\n${line}\r\n\r\n`)
      const proxy = await startProxy([originAt(origin.port)])
      for (let i = 0; i < 3; i++) assert.match(await talk(proxy.port, [getAndClose]), /^HTTP\/1.1 204 /)
      assert.equal(origin.sockets.length, sockets, line)
    }
  })

  test('carry heads that come again, and those that are only like them', async () => {
    const origin = await startScript((head) =>
      ok(/^GET (\S+)/.exec(head)![1]!, `X-Asked: ${/X-A: (.*)/.exec(head)?.[1]}\r\n`),
    )
    const proxy = await startProxy([originAt(origin.port)])
    const one = get('/one', 'X-A: 1\r\n')
    const asked = [
      one,
      one,
      get('/two', 'X-A: 1\r\n'),
      get('/one', 'X-A: 2\r\n'),
      one,
      get('/one', 'X-A: 1\r\nConnection: close\r\n'),
    ]
    const answer = await talk(proxy.port, asked)
    assert.deepEqual(answer.match(/X-Asked: \d|\/(one|two)(?=HTTP|$)/g), [
      ...['X-Asked: 1', '/one', 'X-Asked: 1', '/one', 'X-Asked: 1', '/two'],
      ...['X-Asked: 2', '/one', 'X-Asked: 1', '/one', 'X-Asked: 1', '/one'],
    ])
    assert.equal(origin.heads[0], origin.heads[1])
  })

  test('that answered HEAD are not taken to answer GET without content', async () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n'
    const origin = await startScript((asked) => (asked.startsWith('HEAD') ? head : `${head}ok`))
    const proxy = await startProxy([originAt(origin.port)])
    const asked = ['GET', 'HEAD', 'GET', 'HEAD', 'GET'].map(
      (method) => `${method} / HTTP/1.1\r\nHost: a\r\n\r\n`,
    )
    const answer = await talk(proxy.port, [...asked, getAndClose])
    assert.equal(answer.match(/HTTP\/1\.1 200/g)?.length, 6)
    assert.equal(answer.match(/\r\n\r\nok/g)?.length, 4)
    assert.equal(origin.sockets.length, 1)
  })

  test('closed by the origin while idle cost the client nothing (RFC 9112 §9.3.1)', async () => {
    const origin = await startScript((_head, socket, count) => {
      if (count !== 2) return ok(`${count}`)
      socket.destroy()
      return undefined
    })
    const proxy = await startProxy([originAt(origin.port)])
    assert.match(await talk(proxy.port, [getAndClose]), /1$/)
    assert.match(await talk(proxy.port, [getAndClose]), /3$/)
    assert.equal(origin.sockets.length, 2)
  })

  test('closed by the origin are no reason to ask twice what is not idempotent (RFC 9110 §9.2.2)', async () => {
    const origin = await startScript((_head, socket, count) => {
      if (count !== 2) return ok(`${count}`)
      socket.destroy()
      return undefined
    })
    const proxy = await startProxy([originAt(origin.port)])
    await talk(proxy.port, [getAndClose])
    const post = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
    assert.equal(statusOf(await talk(proxy.port, [post])), 502)
    assert.equal(origin.heads.length, 2)
  })

  test('are limited: further requests wait for a free one, in order', async () => {
    const origin = await startScript((head, socket) => {
      setTimeout(() => socket.write(ok(head.split(' ')[1]!)), 30)
      return undefined
    })
    const proxy = await startProxy([originAt(origin.port)], { limits: { originConnections: 2 } })
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => talk(proxy.port, [get(`/${i}`, 'Connection: close\r\n')])),
    )
    for (const [i, answer] of answers.entries()) assert.match(answer, new RegExp(`/${i}$`))
    assert.equal(origin.sockets.length, 2)
  })

  test('that stay in use give 503 to who waits too long or comes as one too many', async () => {
    const origin = await startScript(() => undefined)
    const limits = { originConnections: 1, connectTimeout: 100, answerTimeout: 5000 }
    const proxy = await startProxy([originAt(origin.port)], { limits })
    const answers = Array.from({ length: 10 }, () => talk(proxy.port, [getAndClose]))
    await until(() => proxy.ends.length === 9, 'nine are answered')
    assert.deepEqual(new Set(proxy.ends.map(({ end }) => end.status)), new Set([503]))
    proxy.origins.close()
    await Promise.all(answers)
  })

  test('of a process that has no port yet give 502, and work when it has one', async () => {
    const origin = await startScript(ok('up'))
    let port: number | null = null
    const portOf = (id: string): number | null => (id === 'process:a' ? port : null)
    const proxy = await startProxy([originAt(0)], { processId: 'process:a', portOf })
    assert.match(await talk(proxy.port, [getAndClose]), /^HTTP\/1\.1 502 .*is starting\./s)
    port = origin.port
    assert.match(await talk(proxy.port, [getAndClose]), /up$/)
  })

  test('stay over a reload that keeps the origin, and close after one that does not', async () => {
    const origin = await startScript(ok('x'))
    const plan = originAt(origin.port)
    const proxy = await startProxy([plan])
    await talk(proxy.port, [getAndClose])
    proxy.origins.keep([{ ...plan }], httpLimits({}))
    assert.equal(origin.sockets[0]!.readableEnded, false)
    await talk(proxy.port, [getAndClose])
    assert.equal(origin.sockets.length, 1)
    proxy.origins.keep([], httpLimits({}))
    await until(() => origin.sockets[0]!.readableEnded, 'the idle connection is closed')
  })
})

describe('several origins', () => {
  test('take turns', async () => {
    const one = await startScript(ok('one'))
    const two = await startScript(ok('two'))
    const proxy = await startProxy([originAt(one.port), originAt(two.port)])
    const answers: string[] = []
    for (let i = 0; i < 4; i++) answers.push((await talk(proxy.port, [getAndClose])).slice(-3))
    assert.deepEqual(answers, ['one', 'two', 'one', 'two'])
  })

  test('stand in for one that refuses connections, which is then left out', async () => {
    const up = await startScript(ok('up'))
    const free = net.createServer().listen(0, '127.0.0.1')
    await once(free, 'listening')
    const { port: closed } = free.address() as net.AddressInfo
    free.close()
    const proxy = await startProxy([originAt(closed), originAt(up.port)])
    for (let i = 0; i < 4; i++) assert.match(await talk(proxy.port, [getAndClose]), /up$/)
    assert.equal(proxy.origins.states()[0]?.connectFailures, 1)
    assert.equal(proxy.ends[0]?.note.answeredBy, `127.0.0.1:${up.port}`)
  })
})

describe('the content of a request', () => {
  const post = (lines: string): string => `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines}\r\n`

  /** An origin that answers with the content it got, taken out of its framing by Node. */
  async function startEcho(): Promise<StartedProxy> {
    const server = http.createServer((request, response) => {
      const framing = `${request.headers['content-length']}/${request.headers['transfer-encoding']}`
      response.setHeader('X-Framing', framing)
      request.on('end', () => response.setHeader('X-Trailers', JSON.stringify(request.trailers)))
      request
        .setEncoding('latin1')
        .toArray()
        .then((parts) => response.end(parts.join('')))
    })
    const port = await startOrigin((socket) => server.emit('connection', socket))
    return startProxy([originAt(port)])
  }

  test('is passed on with its length', async () => {
    const proxy = await startEcho()
    const answer = await talk(proxy.port, [post('Content-Length: 5\r\n'), 'he', 'llo'])
    assert.match(answer, /X-Framing: 5\/undefined\r\n(?:.*\r\n)*\r\nhello$/)
  })

  test('is passed on in chunks, with trailers (RFC 9112 §7.1)', async () => {
    const proxy = await startEcho()
    const chunks = '3\r\nhel\r\n2\r\nlo\r\n0\r\nX-Sum: 7\r\nHost: evil\r\nX-End: 1\r\n\r\n'
    const answer = await talk(proxy.port, [post('Transfer-Encoding: chunked\r\n'), chunks])
    assert.match(answer, /X-Framing: undefined\/chunked\r\n(?:.*\r\n)*\r\n/)
    assert.match(answer, /X-Trailers: \{"x-sum":"7","x-end":"1"\}/)
    assert.match(answer, /hello/)
  })

  test('waits until the origin wants it (RFC 9110 §10.1.1)', async () => {
    const proxy = await startEcho()
    const socket = net.connect(proxy.port, '127.0.0.1')
    let received = ''
    socket.on('data', (chunk) => (received += chunk))
    socket.write(post('Content-Length: 5\r\nExpect: 100-continue\r\n'))
    await until(() => received === 'HTTP/1.1 100 Continue\r\n\r\n', '100 arrives')
    socket.end('hello')
    await once(socket, 'end')
    assert.match(received, /hello$/)
  })

  test('is not asked for when the origin refuses it (RFC 9110 §10.1.1)', async () => {
    const refusal = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'
    const answer = await askScript(refusal, post('Content-Length: 5\r\nExpect: 100-continue\r\n'))
    assert.match(answer, /^HTTP\/1\.1 403 .*no$/s)
  })

  test('that breaks off is never complete for the origin', async () => {
    const origin = await startScript(() => undefined)
    const proxy = await startProxy([originAt(origin.port)])
    const socket = net.connect(proxy.port, '127.0.0.1')
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`)
    await until(() => origin.heads.length === 1, 'the origin has the head')
    let received = ''
    origin.sockets[0]!.on('data', (chunk) => (received += chunk))
    socket.destroy()
    await until(() => origin.sockets[0]!.closed || origin.sockets[0]!.readableEnded, 'the origin is told')
    assert.doesNotMatch(received, /0\r\n\r\n/)
  })

  test('may be answered before it is complete', async () => {
    const origin = await startScript('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig')
    const proxy = await startProxy([originAt(origin.port)])
    const answer = await talk(proxy.port, [post('Content-Length: 1000000\r\n'), 'abc'], /big$/)
    assert.equal(statusOf(answer), 413)
    await until(() => pick(proxy, ['open'])[0] === 0, 'the connection is not used again')
  })
})

describe('a client that leaves', () => {
  test('before the answer cancels the request at the origin at once', async () => {
    const origin = await startScript(() => undefined)
    const proxy = await startProxy([originAt(origin.port)])
    const socket = net.connect(proxy.port, '127.0.0.1')
    socket.write(get())
    await until(() => origin.heads.length === 1, 'the origin has the request')
    socket.resetAndDestroy()
    await until(() => origin.sockets[0]!.readableEnded || origin.sockets[0]!.destroyed, 'the origin is told')
    assert.equal(pick(proxy, ['open'])[0], 0)
  })

  test('while it waits for a connection leaves the queue', async () => {
    const origin = await startScript(() => undefined)
    const proxy = await startProxy([originAt(origin.port)], { limits: { originConnections: 1 } })
    const first = net.connect(proxy.port, '127.0.0.1')
    first.write(get())
    await until(() => origin.heads.length === 1, 'the origin has the request')
    const second = net.connect(proxy.port, '127.0.0.1')
    second.write(get())
    await until(() => pick(proxy, ['waiting'])[0] === 1, 'the second waits')
    second.resetAndDestroy()
    await until(() => pick(proxy, ['waiting'])[0] === 0, 'the second has left')
    first.destroy()
  })
})

describe('another protocol (RFC 9110 §7.8)', () => {
  const upgrade = get('/', 'Connection: Upgrade\r\nUpgrade: echo\r\n')

  test('has its octets passed on both ways, and each side closes for itself', async () => {
    const port = await startOrigin((socket) => {
      socket.once('data', (head) => {
        assert.match(head.toString(), /Connection: Upgrade\r\nUpgrade: echo\r\n/)
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX-A: 1\r\n\r\nhi ',
        )
        socket.on('data', (chunk) => socket.write(chunk.toString().toUpperCase()))
        socket.on('end', () => socket.end('bye'))
      })
    })
    const proxy = await startProxy([originAt(port)], { limits: SHORT })
    const socket = net.connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true })
    let received = ''
    socket.on('data', (chunk) => (received += chunk))
    socket.write(upgrade)
    await until(() => received.endsWith('hi '), 'the origin speaks first')
    assert.match(received, /^HTTP\/1\.1 101 Switching Protocols\r\n/)
    assert.match(received, /\r\nUpgrade: echo\r\n/)
    socket.write('abc')
    await until(() => received.endsWith('ABC'), 'an echo')
    // Longer than the time for an answer: nobody has to speak.
    await pause(500)
    socket.end('def')
    await once(socket, 'end')
    assert.match(received, /ABCDEFbye$/)
    await until(() => pick(proxy, ['open'])[0] === 0, 'the connection has closed')
    assert.equal(proxy.ends[0]?.end.reason, 'finished')
  })

  test('that the origin does not speak is answered as any request', async () => {
    assert.match(
      await askScript(
        ok('plain', 'Connection: close\r\n'),
        upgrade.replace('Upgrade\r\n', 'Upgrade, close\r\n'),
      ),
      /plain$/,
    )
  })

  test('ends with the client', async () => {
    const origin = await startScript('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\n')
    const proxy = await startProxy([originAt(origin.port)])
    const socket = net.connect(proxy.port, '127.0.0.1')
    socket.write(upgrade)
    await once(socket, 'data')
    socket.resetAndDestroy()
    await until(() => origin.sockets[0]!.destroyed || origin.sockets[0]!.readableEnded, 'the origin is told')
  })

  test('is never h2c: its requests would pass unseen', async () => {
    const origin = await startScript(ok('x'))
    const proxy = await startProxy([originAt(origin.port)])
    await talk(
      proxy.port,
      [get('/', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n')],
      /x$/,
    )
    assert.doesNotMatch(origin.heads[0]!, /upgrade|http2/i)
  })
})

test('a request that comes back to us again and again is answered with 508 (RFC 9110 §7.6.3)', async () => {
  // A service that leads to ourselves: the plan names a port that is known only afterwards.
  let port: number | null = null
  const proxy = await startProxy([originAt(0)], { processId: 'self', portOf: () => port })
  port = proxy.port
  assert.equal(statusOf(await talk(proxy.port, [getAndClose])), 508)
  assert.equal(proxy.ends.length, 11)
})

test('OPTIONS with Max-Forwards 0 goes no further (RFC 9110 §7.6.2)', async () => {
  const origin = await startScript(ok('x'))
  const proxy = await startProxy([originAt(origin.port)])
  const answer = await talk(proxy.port, [
    'OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\nConnection: close\r\n\r\n',
  ])
  assert.equal(statusOf(answer), 204)
  assert.equal(origin.heads.length, 0)
})

/** Figures of the one origin. */
function pick(proxy: StartedProxy, names: readonly ('open' | 'idle' | 'waiting' | 'connects')[]): number[] {
  const state = proxy.origins.states()[0]!
  return names.map((name) => state[name])
}

test('426 says what to ask for, but never h2c (RFC 9110 §15.5.22)', async () => {
  const { port: origin } = await startScript(
    'HTTP/1.1 426 Upgrade Required\r\nUpgrade: h2c, websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n',
  )
  const { port } = await startProxy([originAt(origin)])
  const answer = await talk(port, [get('/', 'Connection: close\r\n')])
  assert.match(answer, /\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n/)
  assert.doesNotMatch(answer, /h2c/)
})

test('a client that resets while the origin does not take its content is noticed at once', async () => {
  // It reads nothing: what the client sends fills the buffers between.
  const origin = await startOrigin((socket) => socket.pause())
  const { port, ends } = await startProxy([originAt(origin)])
  const socket = net.connect(port, '127.0.0.1').on('error', () => {})
  await once(socket, 'connect')
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n')
  const piece = Buffer.alloc(100_000)
  const send = (): void => {
    while (socket.write(piece)) {}
  }
  socket.on('drain', send)
  send()
  for (let before = -1; before !== socket.bytesWritten; await pause(200)) before = socket.bytesWritten
  socket.resetAndDestroy()
  await until(() => ends.length === 1, 'the end')
  assert.equal(ends[0]?.end.reason, 'client left')
})
