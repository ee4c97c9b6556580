import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import { get } from 'node:http'
import { test } from 'node:test'
import { startRunning } from './running.ts'

test('10 000 hosts are ready in under 3 s, and a request costs what it costs with 10', {
  timeout: 60_000,
}, async () => {
  const few = await measure(10)
  const many = await measure(10_000)
  console.log(
    `10 hosts: ready in ${few.readyMs} ms, ${few.requestMs} ms a request; 10 000 hosts: ${many.readyMs} ms, ${many.requestMs} ms`,
  )
  assert.ok(many.readyMs < 3000, `ready after ${many.readyMs} ms`)
  // Not a timed test: a look-up that grew with the hosts would cost a hundred times as much.
  assert.ok(
    many.requestMs < few.requestMs * 5 + 1,
    `${many.requestMs} ms a request against ${few.requestMs} ms`,
  )
})

async function measure(count: number): Promise<{ readyMs: number; requestMs: number }> {
  const hosts = Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`h${i}`, { respond: `h${i}`, http: 'serve' }]),
  )
  const startedAt = performance.now()
  const running = await startRunning({ hosts })
  const readyMs = Math.round(performance.now() - startedAt)
  try {
    const resolver = new Resolver()
    resolver.setServers([`127.0.0.1:${running.ports.dns}`])
    assert.deepEqual(await resolver.resolve4(`h${count - 1}.example.com`), ['203.0.113.10'])
    const times: number[] = []
    for (let i = 0; i < 100; i++) {
      const name = `h${(i * 97) % count}`
      const sentAt = performance.now()
      assert.equal(await body(running.ports.http, `${name}.example.com`), name)
      times.push(performance.now() - sentAt)
    }
    times.sort((a, b) => a - b)
    return { readyMs, requestMs: Math.round(times[50]! * 1000) / 1000 }
  } finally {
    await running.stop()
  }
}

function body(port: number, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, headers: { Host: host } }, (response) => {
      let text = ''
      response.on('data', (octets) => (text += octets))
      response.on('end', () => resolve(text))
    }).on('error', reject)
  })
}
