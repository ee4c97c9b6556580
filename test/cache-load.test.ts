import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type Running, startRunning } from './running.ts'

// 60 s on request; a few are enough to see most faults: PORTICO_SOAK_SECONDS=60 node --test test/cache-load.test.ts
const SECONDS = Number(process.env['PORTICO_SOAK_SECONDS'] ?? 3)
const CLIENTS = 24
const OBJECTS = 400
/** Less than the objects take: they make room for one another, and are read from disk again. */
const MEMORY_OCTETS = 8 * 2 ** 20
/** What a process may grow by between the middle of a long run and its end. */
const LIMIT_GROWTH_OCTETS = 32 * 2 ** 20
/** How often its memory is looked at. */
const LOOKS = 24
const TOKEN = 'a-token-of-ours'

let running: Running
/** what each object is now; a purge follows each change */
const versions = Array.from({ length: OBJECTS }, () => 1)

/** Every eighth object is large; each is made of its name, version and a checksum of what follows. */
function contentOf(id: number, version: number): Buffer {
  const length = id % 8 === 0 ? 150_000 + id * 700 : 200 + id * 20
  const body = Buffer.alloc(length, `${id}/${version};`)
  const sum = createHash('sha1').update(body).digest('hex')
  return Buffer.concat([Buffer.from(`${id} ${version} ${sum}\n`), body])
}

const origin = http.createServer((request, response) => {
  const id = Number(request.url!.slice(1))
  const version = versions[id]!
  const content = contentOf(id, version)
  response.writeHead(200, {
    'Cache-Control': 'max-age=3600',
    ETag: `"${id}-${version}"`,
    'Cache-Tag': `t${id % 10}`,
    ...(id % 3 === 0 ? {} : { 'Content-Length': content.length }),
  })
  if (id % 16 !== 0) return void response.end(content)
  // In two pieces, so that purges and clients that leave come in between.
  response.write(content.subarray(0, content.length / 2))
  setTimeout(() => response.end(content.subarray(content.length / 2)), 5)
})

before(async () => {
  await once(origin.listen(0, '127.0.0.1'), 'listening')
  const { port } = origin.address() as AddressInfo
  const hosts = {
    a: { service: port, cache: { purge: createHash('sha256').update(TOKEN).digest('hex') }, http: 'serve' },
  }
  running = await startRunning(
    { hosts },
    { workers: 2, cache: { memory: `${MEMORY_OCTETS}B`, disk: '64MiB' } },
  )
})

after(async () => {
  origin.closeAllConnections()
  origin.close()
  assert.equal(await running.stop(), 0)
})

const agent = new http.Agent({ keepAlive: true, maxSockets: CLIENTS })

/** @returns null when the client left on purpose */
function get(id: number, leavesEarly: boolean): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: running.ports.http,
      path: `/${id}`,
      agent,
      headers: { Host: 'a.example.com' },
    }
    const request = http.get(options, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (octets) => {
        chunks.push(octets)
        if (!leavesEarly) return
        incoming.destroy()
        resolve(null)
      })
      incoming.on('end', () => resolve(Buffer.concat(chunks))).on('error', reject)
    })
    request.on('error', (error) => (leavesEarly ? resolve(null) : reject(error)))
  })
}

function check(id: number, content: Buffer, atLeast: number): void {
  const lineEnd = content.indexOf('\n')
  const [name, version, sum] = content.toString('latin1', 0, lineEnd).split(' ')
  assert.equal(Number(name), id)
  assert.ok(Number(version) >= atLeast, `/${id} gives version ${version} after the purge of ${atLeast - 1}`)
  assert.equal(
    createHash('sha1')
      .update(content.subarray(lineEnd + 1))
      .digest('hex'),
    sum,
    `/${id} has wrong octets`,
  )
}

async function purge(id: number): Promise<void> {
  const headers = { Host: 'a.example.com', Authorization: `Bearer ${TOKEN}` }
  const options = {
    host: '127.0.0.1',
    port: running.ports.http,
    path: `/${id}`,
    method: 'PURGE',
    headers,
    agent: false,
  }
  const [incoming] = (await once(http.request(options).end(), 'response')) as [http.IncomingMessage]
  incoming.resume()
  await once(incoming, 'end')
  assert.equal(incoming.statusCode, 200)
}

async function residentOctets(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024
}

test(`hits, misses, purges and clients that leave for ${SECONDS} s: no wrong octet, nothing old after a purge, budgets kept`, async (context) => {
  const pid: number = JSON.parse((await running.command('status', '--json')).stdout).pid
  const counts = { answers: 0, left: 0, purges: 0 }
  const end = performance.now() + SECONDS * 1000
  const isEnough = (): boolean => counts.answers > 20 && counts.purges >= 2
  // A machine that is busy with other things gets more time.
  const goesOn = (): boolean => performance.now() < end || (!isEnough() && performance.now() < end + 30_000)
  /** the least version that may be served: raised when a purge is done */
  const purged = versions.slice()
  const client = async (): Promise<void> => {
    while (goesOn()) {
      // Few are asked for often, many seldom.
      const id = Math.floor(OBJECTS * Math.random() ** 3)
      const atLeast = purged[id]!
      const content = await get(id, Math.random() < 0.05)
      if (content === null) counts.left++
      else {
        check(id, content, atLeast)
        counts.answers++
      }
    }
  }
  const changer = async (): Promise<void> => {
    while (goesOn()) {
      const id = Math.floor(OBJECTS * Math.random() ** 3)
      versions[id]!++
      await purge(id)
      purged[id] = versions[id]!
      counts.purges++
    }
  }
  const resident: number[] = []
  const watcher = async (): Promise<void> => {
    for (; goesOn(); await pause((SECONDS * 1000) / LOOKS)) resident.push(await residentOctets(pid))
  }
  await Promise.all([changer(), watcher(), ...Array.from({ length: CLIENTS }, client)])
  const grownOctets = resident.at(-1)! - resident[Math.floor(resident.length / 2)]!
  agent.destroy()
  const { stdout } = await running.command('status', '--json')
  const { cache } = JSON.parse(stdout)
  context.diagnostic(`${JSON.stringify({ ...counts, grownOctets, resident })}: ${JSON.stringify(cache)}`)
  // What the compiler and the collector take at first says nothing.
  if (SECONDS >= 30) {
    assert.ok(grownOctets < LIMIT_GROWTH_OCTETS, `grown by ${grownOctets} octets`)
    assert.ok(cache.disk.hits > 0, 'everything had room in memory')
  }
  assert.ok(isEnough(), JSON.stringify(counts))
  assert.ok(cache.memory.octets <= MEMORY_OCTETS && cache.disk.octets <= 64 * 2 ** 20, stdout)
})
