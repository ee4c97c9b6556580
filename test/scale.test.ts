import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import { existsSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { test } from 'node:test'
import { startRunning } from './running.ts'

test('10 000 hosts are ready in under 3 s of processor time, and a request costs what it costs with 10', {
  timeout: 60_000,
}, async () => {
  const few = await measure(10)
  const many = await measure(10_000)
  console.log(
    `10 hosts: ready after ${few.readyMs} ms of processor time, ${few.requestMs} ms a request; 10 000 hosts: ${many.readyMs} ms, ${many.requestMs} ms`,
  )
  // Not by the clock: what else the machine does at this moment is not ours.
  assert.ok(many.readyMs < 3000, `ready after ${many.readyMs} ms of processor time`)
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
  const running = await startRunning({ hosts })
  const readyMs = processorMs(running.child.pid!)
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

/** What a process has taken of the processors, in user and kernel mode (proc(5)); 0 where the system does not say. */
function processorMs(pid: number): number {
  if (!existsSync(`/proc/${pid}/stat`)) return 0
  const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
    .slice(11, 13)
  return (Number(user) + Number(system)) * 10
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
