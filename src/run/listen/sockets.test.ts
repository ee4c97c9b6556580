import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { test } from 'node:test'
import { createDescriptors } from '#core/descriptors.ts'
import { silent } from '#core/log.ts'
import type { ListenerPlan } from '#plan/listeners.ts'
import { createSockets, type Sockets } from './sockets.ts'

const from = { file: 'portico.jsonc', line: 3, column: 1 }

function listener(
  protocol: 'dns' | 'http',
  port: number,
  optional = false,
  address = '127.0.0.1',
): ListenerPlan {
  return { id: `${protocol} ${address} ${port}`, key: '', from, protocol, address, port, optional }
}

function open(descriptors = createDescriptors()): Sockets {
  return createSockets({
    passed: { take: () => undefined, left: () => [] },
    descriptors,
    workers: 2,
    holderOf: async () => 'process 812 (nginx)',
    log: silent,
  })
}

async function canConnect(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  return once(socket, 'connect').then(
    () => socket.destroy() !== undefined,
    () => false,
  )
}

test('each worker has sockets of its own on a port that was found once, and keeps them across reloads', async (t) => {
  if (createDescriptors() === undefined) return t.skip('needs node:ffi')
  const sockets = open()
  const plans = [listener('dns', 0), listener('http', 0)]
  ;(await sockets.prepare(plans)).commit()
  const [a, b] = [sockets.slices(0), sockets.slices(1)]
  assert.deepEqual(
    a.map(({ port }) => port),
    b.map(({ port }) => port),
  )
  const all = [...a, ...b].flatMap(({ sockets }) => [sockets?.tcp, sockets?.udp])
  assert.equal(new Set(all).size, 7)
  const [, http] = a
  assert.equal(await canConnect(http!.port), true)
  ;(await sockets.prepare(plans)).commit()
  assert.deepEqual(sockets.slices(0), a)
  ;(await sockets.prepare([plans[0]!])).commit()
  assert.equal(await canConnect(http!.port), false)
  sockets.close()
  assert.equal(await canConnect(a[0]!.port), false)
})

for (const descriptors of [createDescriptors(), undefined]) {
  const how = descriptors === undefined ? ', also where workers open their own' : ''
  test(`a port that is taken is refused with who holds it, also when its holder would share it${how}`, async () => {
    const holder = createServer()
    await once(holder.listen({ port: 0, host: '127.0.0.1', reusePort: true }), 'listening')
    const { port } = holder.address() as AddressInfo
    const sockets = open(descriptors)
    const free = listener('http', 0)
    await assert.rejects(sockets.prepare([free, listener('http', port)]), {
      message: `Cannot listen on 127.0.0.1:${port} for http (portico.jsonc:3): the port is taken by process 812 (nginx). Fix: stop it, or give "listen": { "http": … } another port`,
    })
    assert.deepEqual(sockets.slices(0), [])
    const prepared = await sockets.prepare([listener('http', port, true), free])
    assert.equal(prepared.slices(0).length, 1)
    prepared.abort()
    assert.equal(await canConnect(prepared.slices(0)[0]!.port), false)
    holder.close()
  })
}

test('a UDP port that is taken leaves TCP closed too', async () => {
  const holder = createSocket('udp4')
  holder.bind(0, '127.0.0.1')
  await once(holder, 'listening')
  const { port } = holder.address()
  await assert.rejects(open().prepare([listener('dns', port)]), /the port is taken/)
  assert.equal(await canConnect(port), false)
  holder.close()
})

test('an address that is not ours is refused', async () => {
  const plan = listener('http', 0, false, '203.0.113.99')
  await assert.rejects(open().prepare([plan]), /this machine does not have that address/)
})
