import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { after, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { originAt } from '../../../test/origin.ts'
import { startProxy, startScript, talk } from '../../../test/proxy.ts'
import type { HealthPlan } from '../service-plan.ts'

const ask = (lines = '', method = 'GET'): string =>
  `${method} / HTTP/1.1\r\nHost: a\r\n${lines}Connection: close\r\n\r\n`
const ok = (text: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`
const failing = (status: number): string => `HTTP/1.1 ${status} Odd\r\nContent-Length: 0\r\n\r\n`
const contentOf = (response: string): string => response.slice(response.indexOf('\r\n\r\n') + 4)
const statusOf = (response: string): number => Number(response.slice(9, 12))
// The clock of the origins ticks in an eighth of the shortest limit.
const QUICK = { connectTimeout: 400, answerTimeout: 400 }

async function until(question: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; !(await question()); i++) {
    if (i > 400) assert.fail(`did not happen within 4 s: ${what}`)
    await pause(10)
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  return port
}

describe('a request that found no origin', () => {
  test('is passed on to the next one whatever its method (RFC 9110 §9.2.2)', async () => {
    const [dead, alive] = [await freePort(), await startScript(ok('alive'))]
    const proxy = await startProxy([originAt(dead), originAt(alive.port)])
    const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi'
    assert.equal(contentOf(await talk(proxy.port, [post])), 'alive')
    assert.equal(proxy.origins.states()[0]?.isDown, true)
    assert.match(proxy.origins.states()[0]!.why, /ECONNREFUSED/)
  })

  test('brings its origin back into use by a connection of our own, within seconds', async () => {
    const port = await freePort()
    const other = await startScript(ok('other'))
    const proxy = await startProxy([originAt(port), originAt(other.port)], { limits: QUICK })
    assert.equal(contentOf(await talk(proxy.port, [ask()])), 'other')
    const back = http.createServer((_request, response) => response.end('back')).listen(port, '127.0.0.1')
    after(() => back.close())
    await until(() => !proxy.origins.states()[0]!.isDown, 'it is up without a request')
    const answers = [await talk(proxy.port, [ask()]), await talk(proxy.port, [ask()])]
    assert.deepEqual(answers.map(contentOf).sort(), ['back', 'other'])
  })

  test('goes to the fallback while all are down, and not there while one is up', async () => {
    const [port, spare] = [await freePort(), await startScript(ok('spare'))]
    const service = { fallback: originAt(spare.port) }
    const proxy = await startProxy([originAt(port)], { service, limits: QUICK })
    assert.equal(contentOf(await talk(proxy.port, [ask()])), 'spare')
    assert.equal(contentOf(await talk(proxy.port, [ask()])), 'spare')
    const back = http.createServer((_request, response) => response.end('back')).listen(port, '127.0.0.1')
    after(() => back.close())
    await until(async () => contentOf(await talk(proxy.port, [ask()])) === 'back', 'the origin is used again')
  })

  test('is refused when the fallback is down as well', async () => {
    const service = { fallback: originAt(await freePort()) }
    const proxy = await startProxy([originAt(await freePort())], { service })
    assert.equal(statusOf(await talk(proxy.port, [ask()])), 502)
  })
})

describe('a request that an origin has failed', () => {
  const hangUp = (_head: string, socket: net.Socket): undefined => void socket.destroy()

  test('is passed on to another one when it is idempotent and has no content (RFC 9110 §9.2.2)', async () => {
    const [bad, good] = [await startScript(hangUp), await startScript(ok('good'))]
    const proxy = await startProxy([originAt(bad.port), originAt(good.port)])
    assert.equal(contentOf(await talk(proxy.port, [ask()])), 'good')
    await talk(proxy.port, [ask()])
    assert.equal(statusOf(await talk(proxy.port, [ask('', 'POST')])), 502)
    assert.equal(bad.heads.length, 2)
  })

  test('is passed on as often as the file says', async () => {
    const bad = await Promise.all([startScript(hangUp), startScript(hangUp), startScript(hangUp)])
    const plans = bad.map(({ port }) => originAt(port))
    const proxy = await startProxy(plans, { service: { retry: { times: 1, status: [] } } })
    assert.equal(statusOf(await talk(proxy.port, [ask()])), 502)
    assert.equal(bad.flatMap(({ heads }) => heads).length, 2)
  })

  test('is passed on after a status only when the file says so, and the last answer stands', async () => {
    const [bad, good] = [await startScript(failing(503)), await startScript(ok('good'))]
    const plans = [originAt(bad.port), originAt(good.port)]
    const plain = await startProxy(plans)
    assert.equal(statusOf(await talk(plain.port, [ask()])), 503)
    const retrying = await startProxy(plans, { service: { retry: { times: 2, status: [503] } } })
    assert.equal(contentOf(await talk(retrying.port, [ask()])), 'good')
    const alone = await startProxy([plans[0]!], { service: { retry: { times: 2, status: [503] } } })
    assert.equal(statusOf(await talk(alone.port, [ask()])), 503)
  })
})

describe('health checks', () => {
  const health: HealthPlan = { path: '/up', intervalMs: 60, timeoutMs: 200, status: [200], up: 2, down: 2 }

  test('take an origin out that answers badly or not at all, and bring it back', async () => {
    let answer: string | undefined = ok('')
    const sick = await startScript((head) => (head.startsWith('GET /up ') ? answer : ok('sick')))
    const well = await startScript((head) => (head.startsWith('GET /up ') ? ok('') : ok('well')))
    const plans = [originAt(sick.port, { health }), originAt(well.port, { health })]
    const proxy = await startProxy(plans, { limits: QUICK })
    const state = () => proxy.origins.states()[0]!
    for (const [bad, why] of [
      [failing(500), 'health checks fail: status 500'],
      [undefined, 'health checks fail: no answer within 0.2 s'],
    ] as const) {
      answer = bad
      await until(() => state().isDown, 'it is taken out')
      await until(() => state().why.startsWith(why.slice(0, 30)), why)
      for (let i = 0; i < 3; i++) assert.equal(contentOf(await talk(proxy.port, [ask()])), 'well')
      answer = ok('')
      await until(() => !state().isDown, 'it is back')
    }
    assert.equal(state().lastCheck, 'status 200')
    assert.match(sick.heads[0]!, /^GET \/up HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/)
  })

  test('end with the origin', async () => {
    const origin = await startScript(ok(''))
    const proxy = await startProxy([originAt(origin.port, { health })], { limits: QUICK })
    await until(() => origin.heads.length > 1, 'it is checked')
    proxy.origins.close()
    const checks = origin.heads.length
    await pause(300)
    assert.ok(origin.heads.length <= checks + 1)
  })
})

test('an origin that fails requests in a row is left alone, then tried by one request, then used again', async () => {
  let answer = failing(500)
  const bad = await startScript(() => answer)
  const good = await startScript(ok('good'))
  const circuit = { failures: 2, pauseMs: 300, status: [500] }
  const proxy = await startProxy([originAt(bad.port, { circuit }), originAt(good.port)], { limits: QUICK })
  for (let i = 0; i < 20; i++) await talk(proxy.port, [ask()])
  assert.equal(bad.heads.length, 2)
  assert.equal(proxy.origins.states()[0]?.why, '2 requests in a row have failed')
  await pause(400)
  for (let i = 0; i < 6; i++) await talk(proxy.port, [ask()])
  assert.equal(bad.heads.length, 3)
  answer = ok('mended')
  await pause(400)
  const answers: string[] = []
  for (let i = 0; i < 6; i++) answers.push(contentOf(await talk(proxy.port, [ask()])))
  assert.ok(answers.filter((text) => text === 'mended').length >= 3, answers.join())
})

test('requests with the same cookie, field or client go to the same origin (RFC 6265 §4.2.1)', async () => {
  const origins = await Promise.all(['0', '1', '2'].map((text) => startScript(ok(text))))
  const plans = origins.map(({ port }) => originAt(port))
  const byCookie = await startProxy(plans, { service: { policy: { hash: 'cookie', name: 'sid' } } })
  const byField = await startProxy(plans, { service: { policy: { hash: 'header', name: 'x-user' } } })
  const answers = async (port: number, lines: string): Promise<Set<string>> => {
    const texts = await Promise.all([1, 2, 3, 4].map(() => talk(port, [ask(lines)])))
    return new Set(texts.map(contentOf))
  }
  const seen = new Set<string>()
  for (let i = 0; i < 12; i++) {
    const cookie = await answers(byCookie.port, `Cookie: sidx=${i % 3}; sid=user-${i}\r\n`)
    const field = await answers(byField.port, `X-User: user-${i}\r\n`)
    assert.deepEqual(cookie, field)
    assert.equal(cookie.size, 1)
    for (const text of cookie) seen.add(text)
  }
  assert.equal(seen.size, 3)
  assert.equal((await answers(byCookie.port, '')).size, 1)
})
