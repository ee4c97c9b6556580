import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Finding } from '#core/finding.ts'
import { decodeMessage, encodeMessage, type Message } from '#dns/wire/message.ts'
import { parseName, printName } from '#dns/wire/name.ts'
import { parseRdata } from '#dns/wire/rdata.ts'
import { typeName, typeNumber } from '#dns/wire/types.ts'
import type { ResourceRecord } from '#dns/wire/writer.ts'
import { parseResolver } from '#run/dns/resolver.ts'
import { checkLive } from '#run/doctor/live.ts'
import { planSource } from '#run/portico.ts'
import { freePort } from './ports.ts'
import { runCommand } from './running.ts'

const folder = mkdtempSync(join(tmpdir(), 'portico-live-'))
const sockets: Socket[] = []
after(() => {
  for (const socket of sockets) socket.close()
  rmSync(folder, { recursive: true, force: true })
})

/** `owner type` → data; what is a delegation stands in `authority`, with glue. */
type WorldTable = Readonly<Record<string, readonly string[]>>

function recordsFor(table: WorldTable, owner: string, type: string): ResourceRecord[] {
  return (table[`${owner} ${type}`] ?? []).map((data) => ({
    owner: parseName(owner) as Uint8Array,
    type: typeNumber(type)!,
    class: 1,
    ttl: 60,
    rdata: (parseRdata(typeNumber(type)!, data) as { wire: Uint8Array }).wire,
  }))
}

/** A resolver and every name server of a little world at once: all of them are 127.0.0.1. */
async function startWorld(table: WorldTable, referral: WorldTable = {}): Promise<number> {
  const socket = createSocket('udp4')
  socket.on('message', (octets, from) => {
    const query = decodeMessage(octets) as Message
    const owner = printName(query.question[0]!.name)
    const type = typeName(query.question[0]!.type)
    const isReferral = !query.rd && `${owner} ${type}` in referral
    const answer = isReferral ? [] : recordsFor(table, owner, type)
    const authority = isReferral ? recordsFor(referral, owner, type) : []
    const glue = isReferral ? Object.keys(referral).filter((key) => / A+$/.test(key)) : []
    const additional = glue.flatMap((key) => recordsFor(referral, ...(key.split(' ') as [string, string])))
    const { edns: _edns, ...head } = query
    socket.send(
      encodeMessage({ ...head, qr: true, aa: !isReferral, answer, authority, additional }),
      from.port,
      from.address,
    )
  })
  // A test listens on the same port over TCP too.
  socket.bind(await freePort(), '127.0.0.1')
  sockets.push(socket)
  await once(socket, 'listening')
  return socket.address().port
}

/** A file whose name servers are ns1 and ns2 of its domain. */
function fileOn(port: number, top = ''): string {
  const file = join(folder, `${port}${top.length}.jsonc`)
  writeFileSync(
    file,
    `{ "address": ["127.0.0.1"], ${top} "listen": { "dns": ":${port}", "http": "off", "https": "off", "admin": "off" },
    "domains": { "example.com": { "hosts": { "www": { "service": 8081 } }, "records": {
      "@": { "NS": ["ns1", "ns2"], "MX": "10 mx" }, "ns1": { "A": "127.0.0.1" }, "ns2": { "A": "127.0.0.2" }, "mx": { "A": "127.0.0.1" } } } } }`,
  )
  return file
}

async function look(file: string, port: number): Promise<Record<string, string>> {
  const planned = await planSource({ file }, false)
  const findings = await checkLive(planned, {
    resolver: { address: '127.0.0.1', port },
    serverPort: port,
    timeoutMs: 4000,
  })
  return Object.fromEntries(
    findings.map(({ what, level, message }: Finding) => [what, `${level}: ${message}`]),
  )
}

const GOOD: WorldTable = {
  'com. NS': ['a.gtld.example.'],
  'a.gtld.example. A': ['127.0.0.1'],
  'example.com. NS': ['ns1.example.com.', 'ns2.example.com.'],
  'example.com. SOA': ['ns1.example.com. hostmaster.example.com. 7 7200 3600 1209600 300'],
  'www.example.com. A': ['127.0.0.1'],
  '1.0.0.127.in-addr.arpa. PTR': ['mx.example.com.'],
}
const REFERRAL: WorldTable = {
  'example.com. NS': ['ns1.example.com.', 'ns2.example.com.'],
  'ns1.example.com. A': ['127.0.0.1'],
  'ns2.example.com. A': ['127.0.0.2'],
}

test('check --live finds a world that agrees with the file (RFC 1034 §4.2.1, RFC 1035 §3.5)', async () => {
  const port = await startWorld(GOOD, REFERRAL)
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  const found = await look(fileOn(port), port)
  server.close()
  assert.match(
    found['delegation of example.com']!,
    /^ok: a\.gtld\.example, a server of the zone above, names ns1/,
  )
  assert.equal(found['glue of ns1.example.com'], 'ok: the zone above has 127.0.0.1.')
  assert.match(found['DS of example.com']!, /^ok: there is none/)
  assert.match(found['address of www.example.com']!, /^ok/)
  assert.equal(found['PTR of 127.0.0.1'], 'ok: mx.example.com.')
  assert.match(found[`127.0.0.1:${port} (dns, TCP)`]!, /^ok: open/)
})

test('check --live names what differs: delegation, glue, DS, serial, CAA, PTR (RFC 1034 §4.3.5, RFC 1912 §2.1, RFC 4035 §5.2, RFC 8659 §3)', async () => {
  const port = await startWorld(
    {
      ...GOOD,
      'example.com. DS': ['1 13 2 d4b7d520e7bb5f0f67674a0cceb1e3e0614b93c4f9e99b8383f6a1e4469da50a'],
      'example.com. CAA': ['0 issue "sectigo.com"'],
      'www.example.com. A': ['198.51.100.1'],
      '1.0.0.127.in-addr.arpa. PTR': ['host-1.isp.example.'],
    },
    { 'example.com. NS': ['ns1.example.com.', 'ns.old.example.'], 'ns1.example.com. A': ['198.51.100.9'] },
  )
  const found = await look(fileOn(port, '"certificates": { "issuer": "letsencrypt" },'), port)
  assert.match(found['delegation of example.com']!, /^warning: .*ns\.old\.example; the file has/)
  assert.match(
    found['glue of ns1.example.com']!,
    /^error: the zone above has 198\.51\.100\.9; the file has 127\.0\.0\.1/,
  )
  assert.match(found['DS of example.com']!, /^error/)
  assert.match(
    found['ns1.example.com (127.0.0.1) for example.com']!,
    /^warning: serial 7, and the newest is \d+/,
  )
  assert.match(found['ns2.example.com (127.0.0.2) for example.com']!, /^warning: nothing listens there/)
  assert.match(
    found['CAA of example.com']!,
    /^error: example\.com allows sectigo\.com to issue, and not Let's Encrypt/,
  )
  assert.match(found['address of www.example.com']!, /^warning: the world finds 198\.51\.100\.1/)
  assert.match(found['PTR of 127.0.0.1']!, /^warning: it is host-1\.isp\.example/)
  assert.match(found[`127.0.0.1:${port} (dns, TCP)`]!, /^warning: nothing listens there/)
})

test('check --live ends in time when nobody answers, and says so', async () => {
  const silent = createSocket('udp4').bind(0, '127.0.0.1')
  sockets.push(silent)
  await once(silent, 'listening')
  const { port } = silent.address()
  const started = performance.now()
  const words = [
    'check',
    '--live',
    '--resolver',
    `127.0.0.1:${port}`,
    '--timeout',
    '1s',
    '--json',
    '--config',
    fileOn(port),
  ]
  const { code, stdout } = await runCommand(words)
  assert.ok(performance.now() - started < 4000)
  const { live } = JSON.parse(stdout) as { live: Finding[] }
  assert.ok(live.length > 3 && live.every(({ level }) => level !== 'ok'))
  assert.match(live[0]!.message, /no answer in time|no time left/)
  assert.equal(code, 0)
})

test('parseResolver() reads addresses of both families, with and without port', () => {
  assert.deepEqual(parseResolver('9.9.9.9'), { address: '9.9.9.9', port: 53 })
  assert.deepEqual(parseResolver('127.0.0.1:5353'), { address: '127.0.0.1', port: 5353 })
  assert.deepEqual(parseResolver('[2620:fe::fe]:853'), { address: '2620:fe::fe', port: 853 })
  assert.deepEqual(parseResolver('2620:fe::fe'), { address: '2620:fe::fe', port: 53 })
  for (const wrong of ['dns.example', '9.9.9.9:99999', '[::1', ''])
    assert.equal(parseResolver(wrong), undefined)
})
