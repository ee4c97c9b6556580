import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { askServer } from '#dns/ask.ts'
import { temporaryFolder } from './folder.ts'
import { freePort } from './ports.ts'
import { until } from './running.ts'

const folder = temporaryFolder()

const main = join(import.meta.dirname, '../src/main.ts')

/** The descriptor of a socket that is open here; only a parent that passes it on has use for one. */
function descriptorOf(socket: Server | Socket): number {
  const { _handle, ...rest } = socket as unknown as { _handle?: { fd: number } } & Record<symbol, unknown>
  if (_handle !== undefined && _handle !== null) return _handle.fd
  const state = Object.getOwnPropertySymbols(rest).find(({ description }) => description === 'state symbol')!
  return (rest[state] as { handle: { fd: number } }).handle.fd
}

/**
 * A service manager in a few words: it holds the sockets, from descriptor 3 on, and starts Portico twice, one after the
 * other. A shell, because Node would accept from sockets that it holds.
 */
function startManager(file: string, descriptors: readonly number[]): ChildProcess & { said: () => string } {
  const start = `echo $$ > "${folder}/pid-$0"; LISTEN_PID=$$ NOTIFY_SOCKET=@$0 exec "${process.execPath}" "${main}" up --config "${file}"`
  const env = {
    ...process.env,
    PATH: `${folder}:${process.env['PATH']}`,
    LISTEN_FDS: String(descriptors.length),
    WATCHDOG_USEC: '400000',
    START: start,
  }
  const script = 'for turn in first second; do sh -c "$START" $turn; done'
  const child = spawn('sh', ['-c', script], { env, stdio: ['ignore', 'pipe', 'pipe', ...descriptors] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (octets) => (said += octets))
  return Object.assign(child, { said: () => said })
}

function told(): string {
  return readFileSync(join(folder, 'told'), 'utf8')
}

function stop(turn: 'first' | 'second'): void {
  try {
    process.kill(Number(readFileSync(join(folder, `pid-${turn}`), 'utf8')), 'SIGTERM')
  } catch {
    // It has not begun, or is gone.
  }
}

/** The status of an answer on a new connection; what went wrong when there was none. */
function ask(port: number): Promise<number | string> {
  return new Promise((resolve) => {
    const agent = new Agent({ keepAlive: false })
    get({ port, host: '127.0.0.1', agent, headers: { Host: 'example.com' } }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0))
    }).once('error', ({ message }) => resolve(message))
  })
}

test('sockets that were passed outlive a restart: no connection is refused, and the service manager is told', {
  skip: process.platform !== 'linux' && 'needs /proc',
  timeout: 60_000,
}, async (t) => {
  // As systemd's own program, but it writes what it was told into a file.
  writeFileSync(join(folder, 'systemd-notify'), `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> "${folder}/told"\n`, {
    mode: 0o755,
  })
  writeFileSync(join(folder, 'told'), '')
  const port = await freePort()
  const http = createServer().listen(0, '127.0.0.1')
  const tcp = createServer().listen(port, '127.0.0.1')
  const udp = createSocket('udp4').bind(port, '127.0.0.1')
  const vain = createServer().listen(0, '127.0.0.1')
  await Promise.all([http, tcp, udp, vain].map((socket) => once(socket, 'listening')))
  const httpPort = (http.address() as { port: number }).port
  const file = join(folder, 'portico.jsonc')
  writeFileSync(
    file,
    `{ "address": "203.0.113.10", "listen": { "dns": "127.0.0.1:${port}", "http": "127.0.0.1:${httpPort}", "https": "off", "admin": "off" },
    "domains": { "example.com": { "hosts": { "@": { "respond": "hello", "http": "serve" } } } } }`,
  )
  const sockets = [http, udp, tcp, vain]
  const manager = startManager(file, sockets.map(descriptorOf))
  for (const socket of sockets) socket.close()
  const isUp = (times: number): boolean => manager.said().split('Ctrl-C stops').length > times
  await until(() => isUp(1) || manager.exitCode !== null, 20_000)
  assert.match(manager.said(), /socket passed in vain/)
  const answers: Promise<number | string>[] = []
  const load = setInterval(() => answers.push(ask(httpPort)), 5)
  t.after(() => {
    clearInterval(load)
    manager.kill('SIGTERM')
    for (const turn of ['first', 'second'] as const) stop(turn)
  })
  stop('first')
  await until(() => isUp(2) || manager.exitCode !== null, 20_000)
  const said = await askServer(
    { address: '127.0.0.1', port },
    { name: 'example.com.', type: 'A', recursive: false, timeoutMs: 2000 },
  )
  await until(() => told().includes('@second WATCHDOG=1'))
  clearInterval(load)
  const statuses = await Promise.all(answers)
  const ended = once(manager, 'exit')
  stop('second')
  await ended
  assert.ok(statuses.length > 10, String(statuses.length))
  assert.deepEqual([...new Set(statuses)], [200])
  assert.equal(typeof said === 'string' ? said : said.answer.length, 1)
  assert.match(told(), /^@first READY=1 STATUS=serves .*portico\.jsonc$/m)
  assert.match(told(), /^@second STOPPING=1$/m)
})
