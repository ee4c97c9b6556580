import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { silent } from '#core/log.ts'
import { createDnsServer } from '#dns/server.ts'
import { decodeMessage, encodeMessage, type Message } from '#dns/wire/message.ts'
import { parseName } from '#dns/wire/name.ts'
import { TsigChain } from '#dns/wire/tsig.ts'
import { CLASS, OPCODE, typeNumber } from '#dns/wire/types.ts'
import { compileZones } from '#dns/zone.ts'
import { filmOf, movieBox, videoTrack } from './media/handmade-film.ts'
import { freePort } from './ports.ts'
import { until } from './running.ts'
import type { Asked, Held, Said } from './soak-portico.ts'
import { zonePlan } from './zone-fixture.ts'

// All services at once, while the file changes and workers die. A quarter of an hour on request:
// PORTICO_SOAK_SECONDS=900 node --test test/soak.test.ts
const SECONDS = Number(process.env['PORTICO_SOAK_SECONDS'] ?? 8)
const RELOAD_MS = Math.max(2000, Math.min(30_000, SECONDS * 100))
const KILL_MS = RELOAD_MS * 1.5
/** Long runs leave the machine to others. */
const PAUSE_MS = SECONDS > 60 ? 150 : 40
const LOOK_MS = Math.min(5000, SECONDS * 100)
/** A run of so long says how memory goes; until then caches fill and code is compiled. */
const STEADY_SECONDS = 300
/** What may be held more at the end of a long run than after a third of it. */
const LIMIT_GROWTH_OCTETS = 48 * 2 ** 20
const TOKEN = 'a-token-of-the-soak'
const SECRET = randomBytes(32)
/** What is logged because the test makes it happen. */
const EXPECTED = /worker ended|pool member down/
const LARGE = Buffer.alloc(8 * 2 ** 20, 'abcdefghijklmnopqrstuvwxyz')

type Ports = { readonly dns: number; readonly http: number; readonly https: number }

/** What went otherwise than it should; what was cut off by the end of a worker is counted alone. */
type Tally = { done: Record<string, number>; cut: number; readonly faults: string[] }

test('all services answer rightly side by side while the file changes and workers die, and hold no more for it', {
  timeout: SECONDS * 1000 + 120_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portico-'))
  const origin = await startOrigin()
  const resolver = createDnsServer({ zones: elsewhere(), limits: DNS_LIMITS, log: silent })
  const ports = { dns: await freePort(), http: await freePort(), https: await freePort() }
  const file = join(folder, 'portico.jsonc')
  const { port: resolverPort } = await resolver.listen('127.0.0.1', 0)
  const write = (reloads: number): Promise<void> =>
    writeFile(file, JSON.stringify(fileOf(reloads, ports, origin.port, resolverPort)))
  await lay(folder)
  await write(0)
  const portico = await startInProcess(file)
  const tally: Tally = { done: {}, cut: 0, faults: [] }
  const clients = new Clients(ports, await readFile(join(folder, 'state', 'tls', 'root.pem'), 'utf8'))
  const looks: Held[] = []
  const endAt = performance.now() + SECONDS * 1000
  let kills = 0
  let reloads = 0
  try {
    const every = async (ms: number, work: () => Promise<void>): Promise<void> => {
      for (let next = performance.now() + ms; next < endAt; next += ms) {
        await pause(Math.max(0, next - performance.now()))
        await work()
      }
    }
    await Promise.all([
      ...Object.entries(clients.works()).map(async ([name, work]) => {
        while (performance.now() < endAt) {
          await attempt(name, work, tally)
          await pause(PAUSE_MS)
        }
      }),
      every(LOOK_MS, async () => void looks.push((await portico.ask('held'))!)),
      every(KILL_MS, async () => {
        kills++
        await portico.ask('end a worker')
      }),
      every(RELOAD_MS, async () => {
        await write(++reloads)
        portico.reload()
        await until(async () => (await clients.get(`r${reloads}`, '/').catch(() => null))?.status === 200)
      }),
    ])
    clients.close()
    const before = looks[0]!.descriptors
    await until(async () => (await portico.ask('held'))!.descriptors <= before + 8).catch(() => {
      tally.faults.push(`descriptors: ${before} at the begin, and more now that all is over`)
    })
    console.log(report(looks, { kills, reloads, tally }))
    assert.deepEqual(tally.faults, [])
    // Each worker that ends has at most what each client asks.
    assert.ok(tally.cut <= kills * Object.keys(clients.works()).length * 2, `${tally.cut} were cut off`)
    for (const [name, count] of Object.entries(tally.done)) assert.ok(count > 0, `${name} was never done`)
    assert.deepEqual(
      portico.logged.filter((line) => !EXPECTED.test(line)),
      [],
    )
    if (SECONDS >= STEADY_SECONDS) assertSteady(looks)
  } finally {
    clients.close()
    await portico.stop()
    await resolver.close()
    origin.close()
    await rm(folder, { recursive: true, force: true })
  }
})

/** Do one thing, once more when a worker ended under it; anything else that goes wrong is a fault. */
async function attempt(name: string, work: () => Promise<void>, tally: Tally): Promise<void> {
  for (let tries = 1; tries <= 4; tries++) {
    try {
      await work()
      tally.done[name] = (tally.done[name] ?? 0) + 1
      return
    } catch (error) {
      if (error instanceof Cut && tries < 4) {
        tally.cut++
        await pause(100)
        continue
      }
      if (tally.faults.length < 20)
        tally.faults.push(`${name}: ${error instanceof Error ? error.message : error}`)
      tally.done[name] ??= 0
      return
    }
  }
}

/** A connection that broke off, or an answer over UDP that did not come. */
class Cut extends Error {}

function fileOf(
  reloads: number,
  { dns, http: plain, https }: Ports,
  origin: number,
  resolver: number,
): object {
  const purge = createHash('sha256').update(TOKEN).digest('hex')
  const hosts = {
    '*': { respond: 'anyone', http: 'serve' },
    www: { files: './site', http: 'serve', compress: true },
    app: { service: origin, http: 'serve' },
    kept: { service: origin, cache: { purge, stale: { down: '1h' } }, http: 'serve' },
    media: { bucket: { root: './media', write: 'anyone' }, http: 'serve' },
    films: { files: './films', stream: true, http: 'serve' },
    [`r${reloads}`]: { respond: `${reloads}`, http: 'serve' },
  }
  return {
    workers: 2,
    address: ['203.0.113.10'],
    listen: { dns: at(dns), http: at(plain), https: at(https), admin: 'off' },
    cache: { memory: '8MiB', disk: '64MiB' },
    dns: { resolver: at(resolver) },
    keys: { soak: { secret: { env: 'PORTICO_SOAK_KEY' } } },
    log: { access: { file: './access.log', rotate: '1MB', keep: 2 } },
    pools: { app: { members: ['127.0.0.1', '127.0.0.2'], health: { port: plain, interval: '1s' } } },
    domains: {
      'example.com': {
        dnssec: { resolver: '127.0.0.1:9' },
        update: { keys: 'soak', names: ['*.dyn'] },
        hosts,
        records: { far: { ALIAS: 'app.cdn.test' }, pool: { A: { pool: 'app', policy: 'failover' } } },
      },
    },
  }
}

function at(port: number): string {
  return `127.0.0.1:${port}`
}

async function lay(folder: string): Promise<void> {
  for (const name of ['site', 'media', 'films']) await mkdir(join(folder, name))
  await writeFile(join(folder, 'site', 'index.html'), '<p>here</p>'.repeat(300))
  await writeFile(join(folder, 'site', 'large.bin'), LARGE)
  await writeFile(join(folder, 'films', 'film.mp4'), filmOf(movieBox(videoTrack())))
}

const DNS_LIMITS = { udpPayload: 1232, tcpConnections: 10, tcpIdleMs: 2000 }

/** Where ALIAS leads. */
function elsewhere(): ReturnType<typeof compileZones> {
  const plan = zonePlan('cdn.test.', ['@ NS ns.cdn.test.', 'app A 192.0.2.1'])
  return compileZones([{ ...plan, rrsets: plan.rrsets.map((rrset) => ({ ...rrset, ttl: 2 })) }], new Map())
}

/** It says what it was asked for; below /n/ for a second only, and in so many octets. */
async function startOrigin(): Promise<{ port: number; close(): void }> {
  const server = http.createServer((request, response) => {
    const octets = Number(/\/n\/(\d+)/.exec(request.url!)?.[1] ?? 0)
    response.writeHead(200, { 'Cache-Control': octets % 2 === 0 ? 'max-age=1' : 'max-age=3600' })
    response.end(octets === 0 ? request.url : Buffer.alloc(octets, `${octets} `))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

type Answer = { readonly status: number; readonly body: Buffer }

/** One client of each kind that people have. */
class Clients {
  readonly #ports: Ports
  readonly #ca: string
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 16 })
  #session: http2.ClientHttp2Session | null = null
  #count = 0

  constructor(ports: Ports, ca: string) {
    this.#ports = ports
    this.#ca = ca
  }

  works(): Record<string, () => Promise<void>> {
    return {
      respond: () => this.#wants('any', '/', 'anyone'),
      file: () => this.#wants('www', '/', '<p>here</p>'.repeat(300)),
      range: () => this.#range(),
      leaver: () => this.#leave(),
      service: () => this.#wants('app', `/x${this.#count++}`, (target) => target),
      cached: () => this.#cached(),
      purge: async () => {
        const { status } = await this.#request('kept', '/n/1001', {
          method: 'PURGE',
          headers: { Authorization: `Bearer ${TOKEN}` },
        })
        assert.equal(status, 200)
        await pause(500)
      },
      upload: () => this.#upload(),
      form: () => this.#form(),
      film: () => this.#film(),
      'http/2': () => this.#overHttp2(),
      dns: () => this.#resolve(),
      'dns update': () => this.#update(),
    }
  }

  async get(host: string, target: string, headers: http.OutgoingHttpHeaders = {}): Promise<Answer> {
    return this.#request(host, target, { headers })
  }

  close(): void {
    this.#agent.destroy()
    this.#session?.destroy()
  }

  async #wants(host: string, target: string, wanted: string | ((target: string) => string)): Promise<void> {
    const { status, body } = await this.get(host, target)
    assert.equal(`${status} ${body}`, `200 ${typeof wanted === 'string' ? wanted : wanted(target)}`)
  }

  async #range(): Promise<void> {
    const first = Math.floor(Math.random() * (LARGE.length - 100_000))
    const { status, body } = await this.get('www', '/large.bin', {
      Range: `bytes=${first}-${first + 99_999}`,
    })
    assert.equal(status, 206)
    assert.ok(body.equals(LARGE.subarray(first, first + 100_000)), 'another range')
  }

  /** Asks for much, reads little, and goes. */
  #leave(): Promise<void> {
    return new Promise((resolve, reject) => {
      const request = http.get(this.#options('www', '/large.bin'), (response) => {
        response.once('data', () => response.destroy())
        response.once('close', () => resolve())
      })
      request.on('error', (error) => reject(new Cut(error.message)))
    })
  }

  async #cached(): Promise<void> {
    const octets = 1000 + Math.floor(Math.random() ** 3 * 60_000)
    const { status, body } = await this.get('kept', `/n/${octets}`)
    assert.equal(status, 200)
    assert.ok(body.equals(Buffer.alloc(octets, `${octets} `)), `other octets than those of ${octets}`)
  }

  async #upload(): Promise<void> {
    const target = `/put/${this.#count++ % 20}`
    const content = randomBytes(80_000)
    const put = await this.#request('media', target, { method: 'PUT', content })
    assert.ok([200, 201].includes(put.status), `PUT gave ${put.status}: ${put.body}`)
    const { body } = await this.get('media', target)
    assert.ok(body.equals(content), 'another object than was put')
    const gone = await this.#request('media', target, { method: 'DELETE' })
    assert.ok([200, 204, 404].includes(gone.status), `DELETE gave ${gone.status}`)
  }

  async #form(): Promise<void> {
    const form = new FormData()
    form.set('note', 'here')
    form.set('file', new Blob([randomBytes(20_000)]), `form-${this.#count++ % 20}.bin`)
    const encoded = new Response(form)
    const content = Buffer.from(await encoded.arrayBuffer())
    const headers = { 'Content-Type': encoded.headers.get('content-type')! }
    const { status, body } = await this.#request('media', '/', { method: 'POST', headers, content })
    assert.equal(status, 201, String(body))
  }

  /** A playlist, the one that it names, and every segment of that. */
  async #film(): Promise<void> {
    const read = async (target: string): Promise<string[]> => {
      const { status, body } = await this.get('films', target)
      assert.equal(status, 200, `${target}: ${body.subarray(0, 200)}`)
      const lines = body.toString('latin1').split('\n')
      return lines
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => new URL(line, `http://f${target}`).pathname)
    }
    const [media] = await read('/film.mp4/index.m3u8')
    for (const segment of await read(media!)) {
      const { status, body } = await this.get('films', segment)
      assert.equal(status, 200, segment)
      assert.ok(body.length > 30, `${segment} has ${body.length} octets`)
    }
  }

  async #overHttp2(): Promise<void> {
    if (this.#session === null || this.#session.destroyed || this.#session.closed) {
      this.#session = http2.connect(`https://127.0.0.1:${this.#ports.https}`, {
        ca: this.#ca,
        servername: 'www.example.com',
      })
      this.#session.on('error', () => {})
    }
    const session = this.#session
    await new Promise<void>((resolve, reject) => {
      let octets = 0
      const request = session.request({ ':path': '/large.bin', ':authority': 'www.example.com' })
      request.on('data', (chunk: Buffer) => (octets += chunk.length))
      request.on('error', (error) => reject(new Cut(error.message)))
      request.on('close', () => {
        if (octets === LARGE.length) resolve()
        else reject(new Cut(`${octets} octets over HTTP/2`))
      })
    })
    await pause(200)
  }

  async #resolve(): Promise<void> {
    const missing = `x${this.#count++}.dyn.example.com.`
    const asked: [string, string, number][] = [
      ['www.example.com.', 'A', 2],
      ['any.example.com.', 'A', 2],
      ['example.com.', 'DNSKEY', 2],
      ['pool.example.com.', 'A', 2],
      ['far.example.com.', 'A', 2],
      [missing, 'TXT', 0],
    ]
    for (const [name, type, least] of asked) {
      const { rcode, answer, tc } = await this.#query(question(name, type))
      if (!tc)
        assert.ok(
          rcode === 0 && answer.length >= least,
          `${name} ${type}: ${rcode}, ${answer.length} records`,
        )
    }
  }

  async #update(): Promise<void> {
    const name = parseName(`u${this.#count++ % 50}.dyn.example.com.`) as Uint8Array
    const zone = question('example.com.', 'SOA', OPCODE.UPDATE)
    const record = { owner: name, class: CLASS.IN, ttl: 60, type: typeNumber('A')!, rdata: randomBytes(4) }
    const octets = encodeMessage({ ...zone, authority: [record] })
    const signed = new TsigChain({ name: 'soak.', algorithm: 'hmac-sha256', secret: SECRET })
    const { rcode } = await this.#ask(signed.request(octets, Math.floor(Date.now() / 1000)))
    assert.equal(rcode, 0, 'the update was refused')
    await pause(1000)
  }

  #query(message: Message): Promise<Message> {
    return this.#ask(encodeMessage(message))
  }

  async #ask(octets: Uint8Array): Promise<Message> {
    const socket = createSocket('udp4')
    socket.on('error', () => {})
    try {
      socket.send(octets, this.#ports.dns, '127.0.0.1')
      const signal = AbortSignal.timeout(5000)
      const [said] = (await once(socket, 'message', { signal }).catch(() => {
        throw new Cut('no answer over UDP in 5 s')
      })) as [Buffer]
      const message = decodeMessage(said)
      assert.ok(typeof message !== 'string', String(message))
      return message
    } finally {
      socket.close()
    }
  }

  #options(host: string, path: string): http.RequestOptions {
    return { host: '127.0.0.1', port: this.#ports.http, path, headers: { Host: `${host}.example.com` } }
  }

  #request(
    host: string,
    target: string,
    {
      method = 'GET',
      headers = {},
      content,
    }: { method?: string; headers?: http.OutgoingHttpHeaders; content?: Buffer },
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const options = this.#options(host, target)
      const request = http.request({
        ...options,
        method,
        agent: this.#agent,
        headers: {
          ...(options.headers as http.OutgoingHttpHeaders),
          ...headers,
          ...(content && { 'Content-Length': content.length }),
        },
      })
      request.on('error', (error) => reject(new Cut(error.message)))
      request.on('response', (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', (error) => reject(new Cut(error.message)))
        response.on('end', () => resolve({ status: response.statusCode!, body: Buffer.concat(chunks) }))
      })
      request.end(content)
    })
  }
}

/** With DO: signed, or denied with signatures. */
function question(name: string, type: string, opcode: number = OPCODE.QUERY): Message {
  return {
    id: randomBytes(2).readUInt16BE(),
    opcode,
    rcode: 0,
    ...{ qr: false, aa: false, tc: false, rd: false, ra: false, ad: false, cd: false },
    question: [{ name: parseName(name) as Uint8Array, type: typeNumber(type)!, class: CLASS.IN }],
    answer: [],
    authority: [],
    additional: [],
    ...(opcode === OPCODE.QUERY && {
      edns: { payloadSize: 1232, version: 0, dnssecOk: true, options: [] },
    }),
  }
}

type InProcess = {
  readonly logged: readonly string[]
  ask(what: Asked['what']): Promise<Held | null>
  reload(): void
  stop(): Promise<void>
}

async function startInProcess(file: string): Promise<InProcess> {
  const entry = new URL('./soak-portico.ts', import.meta.url)
  const env = { ...process.env, PORTICO_SOAK_KEY: SECRET.toString('base64') }
  const child = fork(entry, [file], { env })
  const ended = once(child, 'exit')
  const logged: string[] = []
  const waiting = new Map<number, (held: Held | null) => void>()
  child.on('message', (said: Said) => {
    if ('logged' in said) logged.push(said.logged)
    else waiting.get(said.id)?.(said.held)
  })
  let id = 0
  const answerTo = (asked: number): Promise<Held | null> =>
    new Promise((resolve, reject) => {
      waiting.set(asked, resolve)
      void ended.then(() => reject(new Error(`Portico ended: ${logged.join('\n')}`)))
    })
  await answerTo(0)
  const ask = (what: Asked['what']): Promise<Held | null> => {
    const answer = answerTo(++id)
    child.send({ id, what } satisfies Asked)
    return answer
  }
  return {
    logged,
    ask,
    reload: () => void child.kill('SIGHUP'),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) await ask('stop').catch(() => null)
      const [code] = await ended
      assert.equal(code, 0)
    },
  }
}

/** The least of a stretch: what was not collected yet does not count. */
function least(looks: readonly Held[], of: (held: Held) => number): number {
  return Math.min(...looks.map(of))
}

const KINDS: Readonly<Record<string, (held: Held) => number>> = {
  rss: ({ rss }) => rss,
  'heap of the main thread': ({ mainHeap }) => mainHeap,
  'heaps of workers': ({ workerHeaps }) => workerHeaps.reduce((sum, heap) => sum + heap, 0),
}

function assertSteady(looks: readonly Held[]): void {
  const third = Math.ceil(looks.length / 3)
  for (const [name, of] of Object.entries(KINDS)) {
    const grown = least(looks.slice(-third), of) - least(looks.slice(third, -third), of)
    assert.ok(grown < LIMIT_GROWTH_OCTETS, `${name} grew by ${grown} octets`)
  }
}

function report(
  looks: readonly Held[],
  { kills, reloads, tally }: { kills: number; reloads: number; tally: Tally },
): string {
  const third = Math.ceil(looks.length / 3)
  const stretches = [looks.slice(0, third), looks.slice(third, -third), looks.slice(-third)]
  const inMebi = (octets: number): string => (octets / 2 ** 20).toFixed(1)
  return [
    `${SECONDS} s, ${reloads} reloads, ${kills} workers ended, ${tally.cut} cut off`,
    Object.entries(tally.done)
      .map(([name, count]) => `${name} ${count}`)
      .join(', '),
    ...Object.entries(KINDS).map(
      ([name, of]) =>
        `${name}, MiB by thirds: ${stretches.map((looked) => inMebi(least(looked, of))).join(', ')}`,
    ),
    `descriptors: ${looks[0]!.descriptors} at first, ${looks.at(-1)!.descriptors} at last`,
  ].join('\n')
}
