import assert from 'node:assert/strict'
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import { after, beforeEach, describe, mock, test } from 'node:test'
import { resolveName } from './resolve.ts'

type Answer = readonly { readonly address: string; readonly family: number }[] | null

// What the system and DNS answer; real ones would need names of other people.
let system: Answer = null
let ttls: Record<string, number> = {}
let nowMs = 0
let asked = 0
mock.method(dns, 'lookup', (_name: string, _options: object, callback: (...args: unknown[]) => void) => {
  asked++
  setImmediate(() => (system === null ? callback(new Error('EAI_AGAIN')) : callback(null, system)))
})
for (const [method, family] of [
  ['resolve4', 4],
  ['resolve6', 6],
] as const) {
  mock.method(dns.promises.Resolver.prototype, method, async () => {
    const all = Object.entries(ttls).map(([address, ttl]) => ({ address, ttl }))
    return all.filter(({ address }) => address.includes(':') === (family === 6))
  })
}
mock.method(performance, 'now', () => nowMs)
syncBuiltinESMExports()
after(() => {
  mock.restoreAll()
  syncBuiltinESMExports()
})

const six = { address: '2001:db8::1', family: 6 }
const four = { address: '192.0.2.1', family: 4 }
const moved = { address: '192.0.2.2', family: 4 }

function resolve(name: string): Promise<string> {
  return new Promise((settle, reject) => {
    resolveName(name, { all: true }, (error, addresses) => {
      if (error !== null) reject(error)
      else settle((addresses as dns.LookupAddress[]).map(({ address }) => address).join())
    })
  })
}

describe('the name of an origin', () => {
  beforeEach(() => {
    asked = 0
    ttls = {}
  })

  test('has the addresses of both families in the order of the system (RFC 6724 §6)', async () => {
    system = [six, four]
    assert.equal(await resolve('order.example'), '2001:db8::1,192.0.2.1')
  })

  test('is resolved again when the lesser TTL has passed, and once for all who ask meanwhile', async () => {
    system = [six, four]
    ttls = { [six.address]: 60, [four.address]: 20 }
    await Promise.all([resolve('ttl.example'), resolve('ttl.example')])
    system = [moved]
    nowMs += 19_000
    assert.equal(await resolve('ttl.example'), '2001:db8::1,192.0.2.1')
    assert.equal(asked, 1)
    nowMs += 1000
    assert.equal(await resolve('ttl.example'), '192.0.2.2')
  })

  test('that only the system knows, or knows otherwise than DNS, is asked for again after 5 s', async () => {
    system = [four]
    ttls = { [moved.address]: 3600 }
    await resolve('hosts.example')
    system = [moved]
    nowMs += 4999
    assert.equal(await resolve('hosts.example'), '192.0.2.1')
    nowMs += 1
    assert.equal(await resolve('hosts.example'), '192.0.2.2')
  })

  test('keeps its last addresses while nobody answers (RFC 8767 §4)', async () => {
    system = [four]
    await resolve('stale.example')
    system = null
    nowMs += 3_600_000
    assert.equal(await resolve('stale.example'), '192.0.2.1')
    await assert.rejects(resolve('never.example'), /EAI_AGAIN/)
  })
})
