import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { peer, run } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { runCommand, until } from '../test/running.ts'

const analyze = peer('systemd-analyze')
const activate = peer('systemd-socket-activate')
const folder = mkdtempSync(join(tmpdir(), 'portico systemd-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** What example.com answers; empty when nobody does. */
function askFor(port: number): Promise<string> {
  return new Promise((resolve) => {
    const request = get(
      { host: '127.0.0.1', port, headers: { Host: 'example.com' }, agent: false },
      (response) => {
        let body = ''
        response.on('data', (octets) => (body += octets)).once('end', () => resolve(body))
      },
    )
    request.once('error', () => resolve(''))
  })
}

const units = join(folder, 'root/etc/systemd/system')

async function install(hosts: object, rest: object = {}): Promise<string> {
  const file = join(folder, 'portico.jsonc')
  writeFileSync(
    file,
    JSON.stringify({ address: '203.0.113.10', domains: { 'example.com': { hosts } }, ...rest }),
  )
  const { code, stderr, stdout } = await runCommand([
    'install',
    '--root',
    join(folder, 'root'),
    '--yes',
    '--config',
    file,
  ])
  assert.equal(code, 0, stderr + stdout)
  return readFileSync(join(units, 'portico.service'), 'utf8')
}

async function verify(): Promise<string> {
  const { code, stdout, stderr } = await run(analyze!, [
    'verify',
    join(units, 'portico.service'),
    join(units, 'portico.socket'),
  ])
  assert.equal(code, 0, stdout + stderr)
  return stdout + stderr
}

test('systemd accepts the units that install writes', {
  skip: analyze === undefined && 'needs systemd-analyze',
}, async () => {
  const service = await install({ '@': { service: 8081 } })
  assert.match(service, /^AmbientCapabilities=CAP_NET_BIND_SERVICE$/m)
  assert.match(service, /^SystemCallFilter=@system-service$/m)
  const socket = readFileSync(join(units, 'portico.socket'), 'utf8')
  for (const line of ['ListenDatagram=0.0.0.0:53', 'ListenStream=0.0.0.0:53', 'ListenStream=0.0.0.0:443'])
    assert.ok(socket.includes(`${line}\n`), socket)
  // Names of this machine's own units are its own matter.
  assert.doesNotMatch(await verify(), /portico\.(service|socket):/)
})

test('systemd finds the service well enclosed', {
  skip: analyze === undefined && 'needs systemd-analyze',
}, async () => {
  await install({ '@': { service: 8081 } })
  const words = ['security', '--offline=true', '--no-pager', join(units, 'portico.service')]
  const { stdout } = await run(analyze!, words)
  const exposure = Number(/Overall exposure level[^:]*: ([\d.]+)/.exec(stdout)?.[1])
  assert.ok(exposure > 0 && exposure < 4, stdout.slice(-200))
})

test('a service with programs of its own lets them do more, and write where they run', {
  skip: analyze === undefined && 'needs systemd-analyze',
}, async () => {
  for (const name of ['100% app', 'log']) mkdirSync(join(folder, name))
  const service = await install(
    { '@': { service: { run: 'node app.js', cwd: './100% app' } } },
    { log: { access: './log/access.log' } },
  )
  assert.doesNotMatch(service, /SystemCallFilter/)
  assert.ok(service.includes(`ReadWritePaths="-${folder}/100%% app"\n`), service)
  assert.ok(service.includes(`ReadWritePaths="-${folder}/log"\n`), service)
  assert.doesNotMatch(await verify(), /portico\.(service|socket):/)
})

test('a service with a bucket and live streams may write both, and owns them', async () => {
  const service = await install({ a: { bucket: './media' }, b: { live: './live' } })
  for (const name of ['media', 'live'])
    assert.ok(service.includes(`ReadWritePaths="-${folder}/${name}"\n`), service)
  const file = join(folder, 'portico.jsonc')
  const { stdout } = await runCommand(['install', '--print', '--config', file])
  assert.ok(stdout.includes(`$ mkdir -p ${folder}/media\n$ chown -R portico: ${folder}/media\n`), stdout)
})

test('install --print writes nothing', async () => {
  const { code, stdout } = await runCommand([
    'install',
    '--print',
    '--user',
    'front',
    '--config',
    join(folder, 'portico.jsonc'),
  ])
  assert.equal(code, 0)
  assert.match(stdout, /# \/etc\/systemd\/system\/front\.service/)
  assert.match(stdout, /\$ systemctl enable --now front\.socket front\.service/)
})

test('systemd-socket-activate starts Portico with the sockets that it opened', {
  skip: activate === undefined && 'needs systemd-socket-activate',
}, async () => {
  const port = await freePort()
  const file = join(folder, 'activated.jsonc')
  const hosts = { '@': { respond: 'hello', http: 'serve' } }
  const listen = { dns: 'off', http: `127.0.0.1:${port}`, https: 'off', admin: 'off' }
  writeFileSync(
    file,
    JSON.stringify({ address: '203.0.113.10', listen, domains: { 'example.com': { hosts } } }),
  )
  const main = join(import.meta.dirname, '../src/main.ts')
  const words = ['-l', `127.0.0.1:${port}`, process.execPath, main, 'up', '--config', file]
  const child = spawn(activate!, words, { stdio: 'ignore' })
  const ended = once(child, 'exit')
  // The first connection starts it, and waits in the socket meanwhile.
  let said = ''
  await until(async () => (said = await askFor(port)) !== '')
  child.kill('SIGTERM')
  await ended
  assert.equal(said, 'hello')
})
