import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { originAt } from '../test/origin.ts'
import { startProxy } from '../test/proxy.ts'

// Longer by hand, as in `KILL_SECONDS=60 npm test -- conformance/origins.test.ts`.
const SECONDS = Number(process.env['KILL_SECONDS'] ?? 8)
const CLIENTS = 12

const children = new Map<number, ChildProcess>()
after(() => {
  for (const child of children.values()) child.kill('SIGKILL')
})

const ORIGIN = `
  const server = require('node:http').createServer((request, response) => {
    setTimeout(() => response.end('x'.repeat(1000)), Math.random() * 5)
  })
  server.listen(Number(process.argv[1]), '127.0.0.1', () => process.stdout.write('up'))
`

async function start(port: number): Promise<void> {
  const child = spawn(process.execPath, ['-e', ORIGIN, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.set(port, child)
  await once(child.stdout!, 'data')
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => net.createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  for (const server of servers) server.close()
  return ports
}

/** One request at a time until it is time; what went wrong. */
async function client(port: number, isOver: () => boolean, counts: { good: number }): Promise<string[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const faults: string[] = []
  while (!isOver()) {
    const request = http.get({ port, host: '127.0.0.1', path: '/', agent })
    try {
      const [response] = (await once(request, 'response')) as [http.IncomingMessage]
      let octets = 0
      for await (const chunk of response) octets += (chunk as Buffer).length
      if (response.statusCode === 200 && octets === 1000) counts.good++
      else faults.push(`${response.statusCode} with ${octets} octets`)
    } catch (error) {
      faults.push(String(error))
    }
  }
  agent.destroy()
  return faults
}

test('two origins of three, killed and revived at random under load, cost no idempotent request (RFC 9110 §9.2.2)', async (context) => {
  const ports = await freePorts(3)
  await Promise.all(ports.map(start))
  const proxy = await startProxy(ports.map((port) => originAt(port)))
  const endsAt = performance.now() + SECONDS * 1000
  const isOver = (): boolean => performance.now() > endsAt
  const counts = { good: 0 }
  const clients = Array.from({ length: CLIENTS }, () => client(proxy.port, isOver, counts))
  let kills = 0
  const killers = ports.slice(0, 2).map(async (port) => {
    while (!isOver()) {
      await pause(100 + Math.random() * 700)
      const child = children.get(port)!
      child.kill('SIGKILL')
      kills++
      await once(child, 'exit')
      await pause(Math.random() * 500)
      await start(port)
    }
  })
  const faults = (await Promise.all(clients)).flat()
  await Promise.all(killers)
  context.diagnostic(`${counts.good} requests, ${kills} kills, ${faults.length} failed`)
  assert.deepEqual(faults, [])
  assert.ok(counts.good > 500 * SECONDS && kills > SECONDS, `${counts.good} requests and ${kills} kills`)
  // Those that came back were used again.
  for (const state of proxy.origins.states()) assert.ok(state.connects > 2, JSON.stringify(state))
})
