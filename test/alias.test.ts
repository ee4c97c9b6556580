import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent } from '#core/log.ts'
import { askServer } from '#dns/ask.ts'
import { createDnsServer } from '#dns/server.ts'
import { printRdata } from '#dns/wire/rdata.ts'
import { compileZones } from '#dns/zone.ts'
import { type Running, startRunning, until } from './running.ts'
import { zonePlan } from './zone-fixture.ts'

const LIMITS = { udpPayload: 1232, tcpConnections: 10, tcpIdleMs: 2000 }

/** Some other server, whose records have a TTL of a few seconds. */
function elsewhere(lines: readonly string[]): ReturnType<typeof compileZones> {
  const plan = zonePlan('cdn.test.', ['@ NS ns.cdn.test.', ...lines])
  return compileZones([{ ...plan, rrsets: plan.rrsets.map((rrset) => ({ ...rrset, ttl: 1 })) }], new Map())
}

async function ask({ ports }: Running, name: string, type: string): Promise<string> {
  const server = { address: '127.0.0.1', port: ports.dns }
  const said = await askServer(server, { name, type, recursive: false, timeoutMs: 2000 })
  if (typeof said === 'string') return said
  const records = said.answer.map((record) => `${record.ttl} ${printRdata(record.type, record.rdata)}`)
  return `${said.rcode} ${records.join(', ')}`.trim()
}

test('a name with an ALIAS has the addresses of its target, follows them, and keeps the last known (RFC 8767 §4)', async () => {
  const resolver = createDnsServer({
    zones: elsewhere(['app A 192.0.2.1', 'app AAAA 2001:db8::1', 'www CNAME app.cdn.test.']),
    limits: LIMITS,
    log: silent,
  })
  const { port } = await resolver.listen('127.0.0.1', 0)
  const running = await startRunning(
    {
      hosts: { www: { respond: 'x' } },
      records: {
        '@': { ALIAS: 'www.cdn.test', MX: '10 mail.example.net.' },
        own: { ALIAS: 'www' },
        none: { ALIAS: 'gone.elsewhere.test' },
      },
    },
    { dns: { resolver: `127.0.0.1:${port}` } },
  )
  try {
    assert.equal(await ask(running, 'example.com.', 'A'), '0 1 192.0.2.1')
    assert.equal(await ask(running, 'example.com.', 'AAAA'), '0 1 2001:db8::1')
    assert.equal(await ask(running, 'example.com.', 'MX'), '0 300 10 mail.example.net.')
    assert.equal(await ask(running, 'example.com.', 'TXT'), '0')
    assert.equal(await ask(running, 'own.example.com.', 'A'), '0 60 203.0.113.10')
    assert.equal(await ask(running, 'none.example.com.', 'A'), '2', 'SERVFAIL: nothing was ever known')
    const explained = await running.command('explain', 'example.com', 'A')
    assert.match(explained.stdout, /example\.com\. ALIAS www\.cdn\.test\./)
    assert.match(explained.stdout, /1 A 192\.0\.2\.1/)

    resolver.replaceZones(elsewhere(['app A 192.0.2.9', 'www CNAME app.cdn.test.']))
    await until(async () => (await ask(running, 'example.com.', 'A')) === '0 1 192.0.2.9')
    assert.equal(await ask(running, 'example.com.', 'AAAA'), '0')

    await resolver.close()
    await until(async () => (await ask(running, 'example.com.', 'A')) === '0 30 192.0.2.9', 15_000)
  } finally {
    await running.stop()
    await resolver.close()
  }
})
