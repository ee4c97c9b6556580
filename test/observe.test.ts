import assert from 'node:assert/strict'
import { readFile, rename, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { AccessRecord } from '#log/record.ts'
import { freePort } from './ports.ts'
import { type Running, startRunning, until } from './running.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'

const asked: IncomingMessage[] = []
const origin = createServer((request, response) => {
  asked.push(request)
  response.writeHead(request.url === '/failing' ? 500 : 200).end('from the origin')
})
let portico: Running
let metricsPort: number

before(async () => {
  origin.listen(0, '127.0.0.1')
  metricsPort = await freePort()
  const { port } = origin.address() as AddressInfo
  portico = await startRunning(
    { hosts: { app: { service: port, http: 'serve' } } },
    {
      trust: ['127.0.0.1'],
      log: { access: { file: './access.log' }, console: 'off' },
      metrics: { listen: `:${metricsPort}` },
      requestId: { trace: true, field: true, respond: true },
    },
  )
})
after(async () => {
  await portico.stop()
  origin.close()
})

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  // fetch may not set Host: the name resolves to nothing outside.
  return new Promise((resolve, reject) => {
    import('node:http').then(({ request }) => {
      const options = {
        host: '127.0.0.1',
        port: portico.ports.http,
        path,
        headers: { Host: 'app.example.com', ...headers },
      }
      request(options, (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('end', () => {
          const fields = Object.entries(response.headers).map(
            ([name, value]) => [name, String(value)] as [string, string],
          )
          resolve(new Response(Buffer.concat(parts), { status: response.statusCode ?? 0, headers: fields }))
        })
      })
        .on('error', reject)
        .end()
    }, reject)
  })
}

async function records(): Promise<AccessRecord[]> {
  const text = await readFile(join(portico.folder, 'access.log'), 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as AccessRecord]))
}

test('a trusted trace goes on to the origin with a new parent, and stands in the log', async () => {
  const response = await get('/a?b=c', {
    traceparent: `00-${TRACE}-b7ad6b7169203331-01`,
    tracestate: 'vendor=1',
    'X-Request-Id': 'mine-1',
    Referer: 'https://example.com/from',
    'User-Agent': 'test',
  })
  const { headers } = asked.at(-1)!
  assert.match(
    String(headers['traceparent']),
    new RegExp(`^00-${TRACE}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`),
  )
  assert.equal(headers['tracestate'], 'vendor=1')
  assert.equal(headers['x-request-id'], 'mine-1')
  assert.equal(response.headers.get('x-request-id'), 'mine-1')
  await until(async () => (await records()).length > 0)
  const record = (await records())[0]!
  const { time, durationMs, firstOctetMs, ...rest } = record
  assert.ok(Date.parse(time) > 0 && durationMs >= firstOctetMs! && firstOctetMs! > 0)
  assert.deepEqual(
    [rest.target, rest.status, rest.requestId, rest.traceId, rest.referer, rest.userAgent],
    ['/a?b=c', 200, 'mine-1', TRACE, 'https://example.com/from', 'test'],
  )
})

test('metrics count requests by route, and the origin behind it', async () => {
  await get('/failing')
  const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`)
  const text = await response.text()
  assert.match(response.headers.get('content-type')!, /^text\/plain; version=0\.0\.4/)
  for (const line of [
    'portico_http_requests_total{host="app.example.com",route="/**",class="5xx"} 1',
    'portico_http_requests_in_flight 0',
    `portico_origin_requests_total{origin="http://127.0.0.1:${(origin.address() as AddressInfo).port}"} 2`,
    `portico_origin_failures_total{origin="http://127.0.0.1:${(origin.address() as AddressInfo).port}"} 1`,
    'portico_reloads_total{result="ok"} 0',
  ])
    assert.ok(text.includes(`\n${line}\n`), `${line} in\n${text}`)
  assert.match(
    text,
    /portico_http_request_duration_seconds_bucket\{host="app.example.com",route="\/\*\*",le="\+Inf"\} 2/,
  )
})

test('OpenMetrics is for who accepts it, and the admin listener asks for its token', async () => {
  const accept = 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5'
  const open = await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { headers: { Accept: accept } })
  assert.match(open.headers.get('content-type')!, /^application\/openmetrics-text; version=1\.0\.0/)
  assert.match(await open.text(), /\n# EOF\n$/)
  assert.equal((await fetch(`http://127.0.0.1:${metricsPort}/status`)).status, 404)
  const { url, token } = JSON.parse(await readFile(join(portico.folder, 'state', 'admin.json'), 'utf8'))
  assert.equal((await fetch(`${url}/metrics`)).status, 401)
  const asks = await fetch(`${url}/metrics`, { headers: { Authorization: `Bearer ${token}` } })
  assert.match(await asks.text(), /^# HELP portico_build_info /)
})

test('status says rates, percentiles and how origins do; top says who is busiest', async () => {
  const load = setInterval(() => void get('/load'), 20)
  const [status, json, top] = await Promise.all([
    portico.command('status'),
    portico.command('status', '--json'),
    portico.command('top', '--json'),
  ])
  clearInterval(load)
  assert.match(status.stdout, /^Requests +[\d.]+\/s +\d+$/m)
  assert.match(status.stdout, /^ {2}p99 +[\d.]+ [mµ]?s +[\d.]+ [mµ]?s$/m)
  assert.match(status.stdout, /^http:\/\/127\.0\.0\.1:\d+ .* up /m)
  const { traffic, origins, rates } = JSON.parse(json.stdout)
  assert.ok(traffic.routes['app.example.com /**'].requests > 2)
  assert.equal(origins[0].isDown, false)
  assert.ok(rates.all.requestsPerSecond > 5 && rates.all.p50Seconds > 0)
  const { hosts, clients, all } = JSON.parse(top.stdout)
  assert.deepEqual([hosts[0].name, clients[0].name], ['app.example.com', '127.0.0.1'])
  assert.ok(all.p99Seconds > 0 && clients[0].requestsPerSecond > 5)
})

test('the access log goes on in a new file after it was moved away', async () => {
  const path = join(portico.folder, 'access.log')
  await rename(path, `${path}.old`)
  assert.equal((await portico.command('reopen-log')).code, 0)
  await get('/after')
  await until(async () => (await records()).some(({ target }) => target === '/after'))
  assert.ok(!(await records()).some(({ target }) => target === '/failing'))
})

test('SIGUSR1 opens the log anew, as programs that rotate logs expect', async () => {
  const path = join(portico.folder, 'access.log')
  await rename(path, `${path}.older`)
  portico.child.kill('SIGUSR1')
  await until(async () => (await stat(path).catch(() => null)) !== null, 1500)
  assert.doesNotMatch(portico.output(), /Debugger/)
})

test('a reload changes how the log is written, and whom nobody trusts names no request', async () => {
  await portico.write(
    { hosts: { app: { service: (origin.address() as AddressInfo).port, http: 'serve' } } },
    {
      log: { access: { file: './other.log', format: 'combined', query: false } },
      requestId: { trace: true },
    },
  )
  assert.equal((await portico.command('reload')).code, 0)
  await get('/secret?token=1', { traceparent: `00-${TRACE}-b7ad6b7169203331-01`, tracestate: 'vendor=1' })
  const { headers } = asked.at(-1)!
  assert.match(String(headers['traceparent']), /^00-[0-9a-f]{32}-[0-9a-f]{16}-02$/)
  assert.ok(!String(headers['traceparent']).includes(TRACE))
  assert.equal(headers['tracestate'], undefined)
  const path = join(portico.folder, 'other.log')
  await until(async () => (await readFile(path, 'utf8')) !== '')
  assert.match(
    await readFile(path, 'utf8'),
    /^127\.0\.0\.1 - - \[[^\]]+\] "GET \/secret HTTP\/1\.1" 200 15 "-" "-"\n$/,
  )
})

test('metrics follow a reload to another address and port', async () => {
  const hosts = { app: { service: (origin.address() as AddressInfo).port, http: 'serve' } }
  const other = await freePort()
  const answers = (port: number): Promise<boolean> => {
    return fetch(`http://127.0.0.1:${port}/metrics`).then(
      ({ ok }) => ok,
      () => false,
    )
  }
  for (const [listen, port] of [
    [`127.0.0.1:${other}`, other],
    [`:${other}`, other],
  ] as const) {
    await portico.write({ hosts }, { metrics: { listen } })
    await portico.command('reload')
    await until(() => answers(port))
  }
  assert.equal(await answers(metricsPort), false)
  await portico.write({ hosts })
  await portico.command('reload')
  await until(async () => !(await answers(other)))
})
