import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { askServer } from '#dns/ask.ts'
import { printRdata } from '#dns/wire/rdata.ts'
import { freePort } from './ports.ts'
import { type Running, startRunning } from './running.ts'

const INTERVAL_MS = 100

/** Members of loopback that answer on one port. */
async function startMembers(port: number, addresses: readonly string[]): Promise<Map<string, Server>> {
  const members = new Map<string, Server>()
  for (const address of addresses) members.set(address, await startMember(port, address))
  return members
}

async function startMember(port: number, address: string): Promise<Server> {
  const server = createServer((_, response) => void response.writeHead(200).end('well'))
  server.listen(port, address)
  await once(server, 'listening')
  return server
}

async function stopMember(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

async function askA(
  { ports }: Running,
  name: string,
): Promise<{ data: string[]; ttl: number; rcode: number }> {
  const ask = { name: `${name}.example.com.`, type: 'A', recursive: false, timeoutMs: 2000 }
  const said = await askServer({ address: '127.0.0.1', port: ports.dns }, ask)
  assert.ok(typeof said !== 'string', String(said))
  return {
    data: said.answer.map(({ type, rdata }) => printRdata(type, rdata)),
    ttl: said.answer[0]?.ttl ?? 0,
    rcode: said.rcode,
  }
}

async function eventually(running: Running, name: string, wanted: readonly string[]): Promise<number> {
  const started = performance.now()
  for (let tries = 0; tries < 200; tries++) {
    const { data } = await askA(running, name)
    if (data.join() === wanted.join()) return performance.now() - started
    await sleep(20)
  }
  assert.fail(`${name} was never ${wanted.join()}, but ${(await askA(running, name)).data.join()}`)
}

test('members of a pool that die and come back leave and join the answers in time, and no answer is empty', async (t) => {
  const port = await freePort()
  const [first, second] = ['127.0.0.21', '127.0.0.22'] as const
  const members = await startMembers(port, [first])
  const health = { port, path: '/', interval: `${INTERVAL_MS}ms`, timeout: '200ms', up: 2, down: 3 }
  const running = await startRunning(
    {
      hosts: { '@': { respond: 'x' } },
      records: {
        app: { A: { pool: 'app', policy: 'failover' } },
        strict: { A: { pool: 'strict', policy: 'failover' } },
        back: { A: { pool: 'back', policy: 'failover' } },
      },
    },
    {
      pools: {
        app: { members: [first, second], health },
        back: { members: [second, first], health },
        strict: { members: [first], health, whenDown: 'none' },
      },
    },
  )
  const seen: string[] = []
  let isOver = false
  const watching = (async () => {
    for (; !isOver; await sleep(10)) {
      const said = (await askA(running, 'app')).data.join()
      if (seen.at(-1) !== said) seen.push(said)
    }
  })()
  try {
    // Health is known before the first answer.
    assert.deepEqual((await askA(running, 'back')).data, [first])
    const well = await askA(running, 'app')
    assert.deepEqual(well.data, [first])
    assert.ok(well.ttl <= 60)

    members.set(second, await startMember(port, second))
    await eventually(running, 'back', [second])
    await stopMember(members.get(first)!)
    const leftMs = await eventually(running, 'app', [second])
    assert.ok(leftMs < INTERVAL_MS * 3 * 1.1 + 1500, `${leftMs} ms`)
    t.diagnostic(`a member that died was out of the answers after ${Math.round(leftMs)} ms`)
    // Each pool looks for itself.
    await eventually(running, 'strict', [])
    assert.equal((await askA(running, 'strict')).rcode, 0)

    await stopMember(members.get(second)!)
    await eventually(running, 'app', [first, second])
    members.set(first, await startMember(port, first))
    await eventually(running, 'app', [first])
    await eventually(running, 'strict', [first])

    const { stdout } = await running.command('explain', 'app.example.com', 'A', '--from', '192.0.2.1')
    assert.match(stdout, /first that is up/)
    assert.match(stdout, /127\.0\.0\.22 .*down/)
    isOver = true
    await watching
    // One change for each that died or came back: nothing flaps.
    assert.deepEqual(seen, [first, second, `${first},${second}`, first])
  } finally {
    isOver = true
    await watching.catch(() => {})
    await running.stop()
    for (const server of members.values()) await stopMember(server)
  }
})

test('the nearest member answers, by client subnet or address, and explain says how far it is', async () => {
  const running = await startRunning(
    {
      hosts: { '@': { respond: 'x' } },
      records: { near: { A: { pool: 'near' } } },
    },
    {
      pools: {
        near: {
          members: [
            { address: '192.0.2.1', location: 'DE' },
            { address: '192.0.2.2', location: '1.35,103.8' },
          ],
        },
      },
      places: { networks: { '127.0.0.0/8': 'SG', '198.51.100.0/24': 'FR' } },
    },
  )
  try {
    assert.deepEqual((await askA(running, 'near')).data, ['192.0.2.2'])
    const { stdout } = await running.command('explain', 'near.example.com', 'A', '--from', '198.51.100.7')
    assert.match(stdout, /near\.example\.com\. 30 A 192\.0\.2\.1/)
    assert.match(stdout, /nearest of those that are up/)
    assert.match(stdout, /192\.0\.2\.1 .*\d+ km/)
  } finally {
    await running.stop()
  }
})
