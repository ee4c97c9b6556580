import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import packet from 'dns-packet'
import { silent } from '#core/log.ts'
import { type Portico, startPortico } from '#run/portico.ts'
import type { Snapshot } from '#run/snapshot.ts'
import { statusOf } from '#run/status.ts'
import { until } from './running.ts'

/** How long workers are killed; longer runs find what is rare. */
const KILL_MS = Number(process.env['PORTICO_KILL_SECONDS'] ?? 4) * 1000

type Ports = Record<'dns' | 'http' | 'https', number>

/** A Portico of this process with workers of its own, on ports that it finds itself. */
async function use(
  config: object,
  run: (portico: Portico, ports: Ports, replace: (next: object) => Promise<void>) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'portico-workers-'))
  const listen = { dns: '127.0.0.1:0', http: '127.0.0.1:0', https: '127.0.0.1:0', admin: 'off' }
  const source = { config: { listen, address: '203.0.113.10', workers: 2, ...config }, folder }
  const portico = await startPortico({ source, dev: false, log: silent })
  const portOf = (wanted: string): number => {
    return portico.front.listeners().find(({ protocol }) => protocol === wanted)!.port
  }
  const ports = { dns: portOf('dns'), http: portOf('http'), https: portOf('https') }
  try {
    await run(portico, ports, async (next) => {
      Object.assign(source.config, next)
      assert.equal((await portico.reload()).ok, true)
    })
  } finally {
    await portico.stop(0)
    await rm(folder, { recursive: true })
  }
}

const hosts = (hosts: object): object => ({ domains: { 'example.com': { hosts } } })
const site = { respond: 'a', http: 'serve' }

/** The status of one answer on a connection of its own, or how there was none. */
async function ask(port: number, host = 'www.example.com'): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.setTimeout(20_000, () => socket.destroy(new Error('no answer in 20 s')))
  socket.end(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
  try {
    let text = ''
    for await (const part of socket.setEncoding('latin1')) text += part
    return text.split(' ')[1] ?? 'closed'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

async function askTimes(times: number, port: number, host?: string): Promise<Record<string, number>> {
  const answers = await Promise.all(Array.from({ length: times }, () => ask(port, host)))
  return Object.fromEntries(
    Object.entries(Object.groupBy(answers, (answer) => answer)).map(([answer, list]) => [
      answer,
      list!.length,
    ]),
  )
}

test('all workers serve HTTP and DNS on one port, and status adds up what they did', () =>
  use(hosts({ www: site }), async (portico, ports) => {
    assert.deepEqual(await askTimes(100, ports.http), { 200: 100 })
    for (let i = 0; i < 50; i++) assert.equal(await resolve(ports.dns), '203.0.113.10')
    const snapshots = await portico.front.snapshots()
    assert.equal(snapshots.length, 2)
    assert.ok(snapshots.every(({ http, dns }) => http.requests > 0 && dns.queries > 0))
    const { http, dns, workers } = await statusOf(portico)
    assert.deepEqual([http.requests, http.byClass[2], dns.queries], [100, 100, 50])
    assert.deepEqual(
      workers.map(({ worker, state, restarts }) => [worker, state, restarts]),
      [
        [0, 'serving', 0],
        [1, 'serving', 0],
      ],
    )
  }))

test('limits of a client hold over all workers together', () =>
  use(
    {
      ...hosts({ www: site, few: { ...site, limits: { requests: '20/h' } } }),
      limits: { client: { connections: 70 } },
    },
    async (_portico, ports) => {
      assert.deepEqual(await askTimes(60, ports.http, 'few.example.com'), { 200: 20, 429: 40 })
      const sockets = Array.from({ length: 100 }, () =>
        connect(ports.http, '127.0.0.1').on('error', () => {}),
      )
      let closed = 0
      for (const socket of sockets) socket.resume().once('close', () => closed++)
      await until(() => closed >= 30)
      await sleep(50)
      assert.equal(closed, 30)
      for (const socket of sockets) socket.destroy()
    },
  ))

test('a reload is served by all workers at once', () =>
  use(hosts({ www: site }), async (_portico, ports, replace) => {
    for (const name of ['one', 'two', 'three']) {
      await replace(hosts({ www: site, [name]: site }))
      assert.deepEqual(await askTimes(20, ports.http, `${name}.example.com`), { 200: 20 })
    }
    assert.deepEqual(await askTimes(20, ports.http, 'one.example.com'), { 404: 20 })
  }))

test('one worker checks the health of an origin, and all know what came of it', async (t) => {
  let checks = 0
  const origin = createServer((request, response) => {
    if (request.url === '/health') checks++
    response.writeHead(503).end()
  })
  t.after(() => origin.close())
  await once(origin.listen(0, '127.0.0.1'), 'listening')
  const { port } = origin.address() as AddressInfo
  const health = { path: '/health', interval: '500ms', timeout: '500ms', down: 2 }
  await use(hosts({ www: { service: { url: `http://127.0.0.1:${port}`, health } } }), async (portico) => {
    const isDown = (snapshot: Snapshot): boolean => snapshot.origins[0]?.isDown === true
    await until(async () => (await portico.front.snapshots()).every(isDown))
    assert.ok(checks <= 3, `${checks} checks`)
    const { origins } = await portico.front.snapshot()
    assert.match(origins[0]!.why, /health checks fail: status 503/)
    // A worker that comes later is told by the next check.
    portico.front.endWorker(1)
    await until(async () => (await portico.front.snapshots()).length < 2)
    await until(async () => (await portico.front.snapshots()).filter(isDown).length === 2)
  })
})

test('a session of TLS is resumed on whichever worker it comes to, and all have one certificate', () =>
  use(hosts({ www: site }), async (portico, ports) => {
    const options = { port: ports.https, servername: 'www.example.com', ca: portico.front.authority.root.pem }
    const first = connectTls(options)
    const [session] = (await once(first, 'session')) as [Buffer]
    const { serialNumber } = first.getPeerCertificate()
    first.destroy()
    const sockets = Array.from({ length: 20 }, (_, i) =>
      connectTls(i < 10 ? { ...options, session } : options),
    )
    await Promise.all(sockets.map((socket) => once(socket, 'secureConnect')))
    const [resumed, others] = [sockets.slice(0, 10), sockets.slice(10)]
    assert.ok(resumed.every((socket) => socket.isSessionReused()))
    assert.ok(others.every((socket) => !socket.isSessionReused()))
    assert.ok(others.every((socket) => socket.getPeerCertificate().serialNumber === serialNumber))
    for (const socket of sockets) socket.destroy()
  }))

test('a stop refuses new connections and waits for requests under way, until a second stop ends them', async (t) => {
  const origin = createServer((_request, response) => response.write('begun'))
  t.after(() => origin.close())
  await once(origin.listen(0, '127.0.0.1'), 'listening')
  const { port } = origin.address() as AddressInfo
  await use(hosts({ www: { service: port, http: 'serve' } }), async (portico, ports) => {
    const socket = connect(ports.http, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n')
    await once(socket, 'data')
    const gentle = portico.stop(60_000)
    await until(async () => (await ask(ports.http)) === 'ECONNREFUSED')
    assert.equal(socket.readableEnded, false)
    const ended = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => {}).resume()
    await Promise.all([portico.stop(0), gentle, ended])
  })
})

test('what comes for a worker that waits to be started again is answered by another one', () =>
  use(hosts({ www: site }), async (portico, ports) => {
    const stateOf = (): string => portico.front.workers()[0]!.state
    // Each time as soon as it serves: the last pause is of 1.6 s.
    for (let kills = 0; kills < 5; kills++) {
      await until(() => stateOf() === 'serving')
      portico.front.endWorker(0)
      await until(() => stateOf() === 'waiting to restart')
    }
    assert.deepEqual(await askTimes(50, ports.http), { 200: 50 })
    for (let i = 0; i < 20; i++) assert.equal(await resolve(ports.dns), '203.0.113.10')
    assert.equal(stateOf(), 'waiting to restart')
    await until(() => stateOf() === 'serving')
    assert.deepEqual(await askTimes(50, ports.http), { 200: 50 })
    assert.ok((await portico.front.snapshots())[0]!.http.requests > 0)
  }))

for (const workers of [1, 2]) {
  test(`while one of ${workers} workers after the other is killed, no connection is refused and DNS answers`, async () => {
    await use({ workers, ...hosts({ www: site }) }, async (portico, ports) => {
      const answers: Record<string, number> = {}
      let longestMs = 0
      let isOver = false
      const clients = Array.from({ length: 8 }, async () => {
        while (!isOver) {
          const startedAt = performance.now()
          const answer = await ask(ports.http)
          longestMs = Math.max(longestMs, performance.now() - startedAt)
          answers[answer] = (answers[answer] ?? 0) + 1
          await sleep(2)
        }
      })
      const resolver = (async () => {
        let lost = 0
        while (!isOver) if ((await resolveAgain(ports.dns)) === null) lost++
        return lost
      })()
      const startedAt = performance.now()
      let kills = 0
      while (performance.now() - startedAt < KILL_MS) {
        portico.front.endWorker(kills++ % workers)
        await sleep(1000)
        // On a busy machine a thread needs longer; one that has hardly served would be given a pause.
        await until(() => portico.front.workers().every(({ state }) => state === 'serving'))
      }
      isOver = true
      await Promise.all(clients)
      // A query that a worker has read dies with it; whoever asks again is answered.
      assert.equal(await resolver, 0)
      const { 200: answered = 0, ECONNRESET: cut = 0, closed = 0, ...others } = answers
      assert.deepEqual(others, {})
      // Those that a worker had accepted die with it; 8 clients have 8 at most.
      assert.ok(cut + closed <= kills * 8, `${cut + closed} of ${answered} were cut off by ${kills} kills`)
      assert.ok(portico.front.workers().reduce((sum, { restarts }) => sum + restarts, 0) === kills)
      console.log(
        `${workers} workers, ${kills} killed: ${answered} answered, ${cut + closed} cut off, ${Math.round(longestMs)} ms at most`,
      )
    })
  })
}

/** As resolvers do: asked again twice. */
async function resolveAgain(port: number): Promise<string | null> {
  for (let tries = 1; tries < 5; tries++) {
    const address = await resolve(port)
    if (address !== null) return address
  }
  return resolve(port)
}

/** The address of www.example.com; null when there was no answer in 3 s, which is more than a worker takes to be replaced. */
async function resolve(port: number): Promise<string | null> {
  const socket = createSocket('udp4')
  const query = packet.encode({ type: 'query', id: 1, questions: [{ name: 'www.example.com', type: 'A' }] })
  socket.send(query, port, '127.0.0.1')
  try {
    const [message] = (await once(socket, 'message', { signal: AbortSignal.timeout(3000) })) as [Buffer]
    const [answer] = packet.decode(message).answers ?? []
    return answer?.type === 'A' ? answer.data : null
  } catch {
    return null
  } finally {
    socket.close()
  }
}
