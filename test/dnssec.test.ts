import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { askServer } from '#dns/ask.ts'
import { printRdata } from '#dns/wire/rdata.ts'
import { startRunning, until } from './running.ts'

const hosts = { www: { respond: 'here' } }
/** Nobody answers there. */
const dnssec = { propagation: '0s', resolver: '127.0.0.1:9' }

test('a domain is signed, shows its DS, keeps its key, and is unsigned step by step', async () => {
  const running = await startRunning({ dnssec, hosts })
  const ask = async (name: string, type: string): Promise<string[]> => {
    const server = { address: '127.0.0.1', port: running.ports.dns }
    const said = await askServer(server, { name, type, recursive: false, timeoutMs: 5000 })
    if (typeof said === 'string') throw new Error(said)
    return said.answer.map((record) => printRdata(record.type, record.rdata))
  }
  try {
    const [key] = await ask('example.com.', 'DNSKEY')
    assert.match(key!, /^257 3 13 /)
    const { mode } = await stat(join(running.folder, 'state', 'dns', 'keys.json'))
    assert.equal(mode & 0o777, 0o600)
    assert.match((await ask('www.example.com.', 'RRSIG')).join(), /^A 13 3 300 \d+ \d+ \d+ example\.com\. /)

    const status = await running.command('dnssec', 'status')
    assert.match(
      status.stdout,
      /^example\.com: signed; give the DS to the registrar after .*\n {2}key \d+, algorithm 13/,
    )
    const ds = await running.command('dnssec', 'ds', 'example.com')
    assert.deepEqual([ds.code, ds.stdout], [1, ''])
    const asked = await running.command('dnssec', 'ds', 'example.com', '--json')
    const { ds: none, until: when, says } = JSON.parse(asked.stdout) as Record<string, unknown>
    assert.equal(none, null)
    assert.match(String(when), /^2\d{3}-/)
    assert.match(String(says), /give the DS to the registrar after/)
    const explained = await running.command('explain', 'www.example.com', 'A')
    assert.match(explained.stdout, /dnssec +signed by key \d+, until 2\d{3}-/)
    const exported = await running.command('export', 'zone', 'example.com')
    assert.match(exported.stdout, /^www +IN A /m)
    assert.doesNotMatch(exported.stdout, /DNSKEY|CDS|RRSIG/)
    const roll = await running.command('dnssec', 'roll', 'example.com')
    assert.match(roll.stderr, /"roll" has to wait: the domain is "beginning"/)

    // A reload takes nothing away; the key is the same one.
    await running.write({
      dnssec: { ...dnssec, denial: 'nsec' },
      hosts,
      records: { new: { A: '203.0.113.1' } },
    })
    await until(async () => (await ask('new.example.com.', 'A')).length > 0)
    assert.deepEqual(await ask('example.com.', 'DNSKEY'), [key])
    const denied = await running.command('explain', 'none.example.com', 'A')
    assert.match(denied.stdout, /dnssec +what stands before and behind the name is signed by key \d+/)

    await running.write({ hosts })
    await until(async () => (await ask('example.com.', 'CDS')).includes('0 0 0 00'))
    assert.deepEqual(await ask('example.com.', 'DNSKEY'), [key])
    const said = await running.command('dnssec', 'submitted', 'example.com')
    assert.match(said.stdout, /the parent has no DS any longer/)
    await until(async () => (await ask('example.com.', 'DNSKEY')).length === 0)
    assert.match((await running.command('dnssec', 'status')).stdout, /^example\.com: not signed;/m)
  } finally {
    await running.stop()
  }
})
