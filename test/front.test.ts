import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer, request as plainRequest, type Server } from 'node:http'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Status } from '#run/status.ts'
import { freePort } from './ports.ts'
import { type Running, runCommand, startRunning, until } from './running.ts'

const services: Server[] = []
let running: Running
let root = ''

before(async () => {
  for (let i = 0; i < 3; i++) {
    const server = createServer((incoming, response) => {
      response.end(
        JSON.stringify({ port: (server.address() as AddressInfo).port, headers: incoming.headers }),
      )
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    services.push(server)
  }
  running = await startRunning({
    hosts: {
      '@': { respond: 'apex\n' },
      sub1: { service: portOf(0) },
      sub2: { service: portOf(1) },
      '*': { service: portOf(2) },
      shop: { alias: 'shop.service.net' },
      dead: { service: 1 },
      plain: { service: portOf(0), http: 'serve' },
      broken: { service: { run: [process.execPath, '-e', 'process.exit(3)'] } },
      run: {
        service: {
          run: [
            process.execPath,
            '-e',
            'require("http").createServer((q,s)=>s.end("run"+process.env.PORT)).listen(process.env.PORT,"127.0.0.1")',
          ],
        },
      },
    },
    records: { '@': { MX: '10 mail', TXT: 'v=spf1 -all' }, mail: { A: '203.0.113.10' } },
  })
  root = await running.root()
})

after(async () => {
  const code = await running.stop()
  for (const server of services) server.close()
  assert.equal(code, 0)
})

function portOf(i: number): number {
  return (services[i]!.address() as AddressInfo).port
}

type Answer = { status: number; body: string; headers: Record<string, string | string[] | undefined> }

function get(host: string, path = '/'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: running.ports.https,
      servername: host,
      ca: root,
      path,
      headers: { Host: host },
      agent: false,
    }
    request(options, (response) => {
      let body = ''
      response.on('data', (octets) => (body += octets))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }))
    })
      .on('error', reject)
      .end()
  })
}

test('each name leads to its own port over verified TLS, a name under "*" too', async () => {
  for (const [host, service] of [
    ['sub1.example.com', 0],
    ['sub2.example.com', 1],
    ['anything.example.com', 2],
  ] as const) {
    const { status, body } = await get(host, '/x?y=1')
    assert.equal(status, 200)
    const said = JSON.parse(body) as { port: number; headers: Record<string, string> }
    assert.equal(said.port, portOf(service))
    assert.equal(said.headers['host'], host)
    assert.equal(said.headers['x-forwarded-proto'], 'https')
    assert.match(said.headers['via'] ?? '', /portico/)
  }
})

test('the names of the hosts and the records are answered over DNS', async () => {
  const resolver = new Resolver()
  resolver.setServers([`127.0.0.1:${running.ports.dns}`])
  assert.deepEqual(await resolver.resolve4('sub1.example.com'), ['203.0.113.10'])
  assert.deepEqual(await resolver.resolve4('whatever.example.com'), ['203.0.113.10'])
  assert.deepEqual(await resolver.resolveCname('shop.example.com'), ['shop.service.net'])
  assert.deepEqual(await resolver.resolveMx('example.com'), [
    { exchange: 'mail.example.com', priority: 10, type: 'MX' },
  ])
  assert.deepEqual(await resolver.resolveTxt('example.com'), [['v=spf1 -all']])
  await assert.rejects(resolver.resolve4('example.org'))
})

test('plain HTTP is redirected to HTTPS at its port unless the host serves it', async () => {
  const ask = (host: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      plainRequest(
        { host: '127.0.0.1', port: running.ports.http, path: '/p?q', headers: { Host: host }, agent: false },
        (response) => {
          response.resume()
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, body: '', headers: response.headers }),
          )
        },
      )
        .on('error', reject)
        .end()
    })
  const redirected = await ask('sub1.example.com')
  assert.equal(redirected.status, 308)
  assert.equal(redirected.headers['location'], `https://sub1.example.com:${running.ports.https}/p?q`)
  assert.equal((await ask('plain.example.com')).status, 200)
})

test('a dead origin is a 502 page, and the rest is served', async () => {
  assert.equal((await get('dead.example.com')).status, 502)
  assert.equal((await get('example.com')).body, 'apex\n')
})

test('a process gets its port and is reached when it answers', async () => {
  await until(async () => (await get('run.example.com')).status === 200)
  assert.match((await get('run.example.com')).body, /^run\d+$/)
})

test('status, plan and explain say what is served, as JSON too', async () => {
  const status = await running.command('status', '--json')
  assert.equal(status.code, 0, status.stderr)
  const said = JSON.parse(status.stdout) as { hosts: { url: string; leadsTo: string }[] }
  const sub1 = said.hosts.find(({ url }) => url.includes('//sub1.'))
  assert.equal(sub1?.leadsTo, `http://127.0.0.1:${portOf(0)}`)
  const explained = await running.command(
    'explain',
    `https://sub1.example.com:${running.ports.https}/x`,
    '--json',
  )
  const { steps, running: isRunning } = JSON.parse(explained.stdout) as {
    steps: { step: string; says: string; isFault: boolean }[]
    running: boolean
  }
  assert.equal(isRunning, true)
  assert.deepEqual(
    steps.map(({ step }) => step),
    ['record', 'listener', 'certificate', 'route', 'origin', 'transfer', 'transfer', 'delivery'],
  )
  assert.ok(steps.every(({ isFault }) => !isFault))
  assert.match(steps[0]!.says, /sub1\.example\.com\. 300 A 203\.0\.113\.10/)
  assert.match(steps[4]!.says, new RegExp(`127\\.0\\.0\\.1:${portOf(0)}`))
  const wildcard = await running.command('explain', 'zzz.example.com', 'A')
  assert.match(wildcard.stdout, /zzz\.example\.com \(by \*\.example\.com\.\) 300 A 203\.0\.113\.10/)
})

test('an origin that is a program which ends at once is down, with how it ended', async () => {
  await get('broken.example.com')
  const { stdout } = await running.command('status', '--json')
  const { origins } = JSON.parse(stdout) as Status
  const broken = origins.find(({ id }) => id.includes('broken'))
  assert.equal(broken?.isDown, true)
  assert.match(broken?.why ?? '', /: .*3/)
})

test('a bad file changes nothing and says so; a good one is served at once', async () => {
  const before = await running.command('plan', '--json')
  await running.write({ hosts: { sub1: { servce: 1 } } })
  const failed = await running.command('reload')
  assert.equal(failed.code, 1)
  assert.match(failed.stdout, /config\/unknown-key/)
  assert.equal((await get('sub1.example.com')).status, 200)
  await running.write({ hosts: { new: { respond: 'new\n' } } })
  await until(async () => (await get('new.example.com').catch(() => null))?.body === 'new\n')
  assert.notEqual(before.stdout, '')
})

test('a second Portico with the same state is refused, with who has it', async () => {
  const other = join(running.folder, 'other.jsonc')
  const ports = { dns: 'off', http: `127.0.0.1:${await freePort()}`, https: 'off', admin: 'off' }
  await writeFile(
    other,
    JSON.stringify({ listen: ports, domains: { 'example.org': { hosts: { '@': { respond: '' } } } } }),
  )
  const { code, stderr } = await runCommand(['up', '--config', other])
  assert.equal(code, 1)
  assert.match(stderr, new RegExp(`state folder \\S+ is in use by process ${running.child.pid}:`))
})
