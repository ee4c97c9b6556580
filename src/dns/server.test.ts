import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import packet from 'dns-packet'
import { createDescriptors } from '#core/descriptors.ts'
import { silent } from '#core/log.ts'
import { freePort } from '../../test/ports.ts'
import { zonePlan } from '../../test/zone-fixture.ts'
import type { DnsLimits } from './plan.ts'
import { createDnsServer, type DnsServer, type DnsSharing } from './server.ts'
import { compileZones, type Zones } from './zone.ts'

const LIMITS: DnsLimits = { udpPayload: 1232, tcpConnections: 10, tcpIdleMs: 2000 }

const zoneAt = (address: string): Zones =>
  compileZones(
    [
      zonePlan('test.', [
        `www A ${address}`,
        ...Array.from({ length: 200 }, (_, i) => `fat TXT "${i} ${'x'.repeat(200)}"`),
      ]),
    ],
    new Map(),
  )

async function serve<Result>(
  limits: Partial<DnsLimits>,
  use: (server: DnsServer, port: number) => Promise<Result>,
): Promise<Result> {
  const server = createDnsServer({
    zones: zoneAt('192.0.2.1'),
    limits: { ...LIMITS, ...limits },
    log: silent,
  })
  try {
    const { port } = await server.listen('127.0.0.1', 0)
    return await use(server, port)
  } finally {
    await server.close()
  }
}

function query(id: number, name = 'www.test', type: packet.RecordType = 'A'): Buffer {
  return packet.encode({ type: 'query', id, questions: [{ name, type }] })
}

const framed = (message: Buffer): Buffer =>
  Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message])

async function client(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Wait for the end, be it a reset. */
const ended = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()))

/** Read so many messages; what is missing when the connection ends is missing in the list. */
async function read(socket: Socket, count: number): Promise<packet.DecodedPacket[]> {
  const messages: packet.DecodedPacket[] = []
  let octets = Buffer.alloc(0)
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    octets = Buffer.concat([octets, chunk as Buffer])
    while (octets.length >= 2 && octets.length >= 2 + octets.readUInt16BE(0)) {
      const end = 2 + octets.readUInt16BE(0)
      messages.push(packet.decode(octets.subarray(2, end)))
      octets = octets.subarray(end)
    }
    if (messages.length >= count) break
  }
  return messages
}

const firstData = (message: packet.DecodedPacket | undefined): unknown => {
  const record = message?.answers?.[0]
  return record !== undefined && 'data' in record ? record.data : undefined
}

for (const batches of [true, false]) {
  for (const address of ['127.0.0.1', '::1']) {
    const how = batches ? 'in batches' : 'one by one'
    test(`datagrams to ${address} are answered ${how}, and what is no query is dropped`, async () => {
      const server = createDnsServer({ zones: zoneAt('192.0.2.1'), limits: LIMITS, log: silent, batches })
      const { port } = await server.listen(address, 0)
      const socket = createSocket(address === '::1' ? 'udp6' : 'udp4')
      const got = new Map<number, unknown>()
      socket.on('message', (message) => {
        const response = packet.decode(message)
        got.set(response.id ?? 0, firstData(response))
      })
      for (let id = 1; id <= 100; id++) {
        socket.send('x', port, address)
        socket.send(query(id), port, address)
      }
      for (let waits = 0; got.size < 100 && waits < 200; waits++) await sleep(10)
      socket.close()
      assert.equal(got.size, 100)
      assert.deepEqual(new Set(got.values()), new Set(['192.0.2.1']))
      const { queries, dropped, rcodes, truncated } = server.stats()
      assert.deepEqual([queries, dropped, rcodes[0], truncated], [200, 100, 100, 0])
      await server.close()
    })
  }
}

test('queries over one connection may come together or octet by octet (RFC 7766 §6.2.1, §8; RFC 1035 §4.2.2)', () =>
  serve({}, async (_, port) => {
    const socket = await client(port)
    const together = Buffer.concat(Array.from({ length: 50 }, (_, id) => framed(query(id))))
    socket.write(together)
    assert.deepEqual(
      (await read(socket, 50)).map(({ id }) => id),
      Array.from({ length: 50 }, (_, id) => id),
    )
    socket.setNoDelay(true)
    for (const octet of framed(query(77))) {
      socket.write(Buffer.from([octet]))
      await sleep(1)
    }
    assert.deepEqual((await read(socket, 1)).map(firstData), ['192.0.2.1'])
    socket.destroy()
  }))

test('the zones are replaced between two queries of one connection', () =>
  serve({}, async (server, port) => {
    const socket = await client(port)
    socket.write(framed(query(1)))
    assert.deepEqual((await read(socket, 1)).map(firstData), ['192.0.2.1'])
    server.replaceZones(zoneAt('192.0.2.2'))
    socket.write(framed(query(2)))
    assert.deepEqual((await read(socket, 1)).map(firstData), ['192.0.2.2'])
    socket.destroy()
  }))

test('a connection without a complete query is closed in time, however it dribbles (RFC 7766 §6.2.3)', () =>
  serve({ tcpIdleMs: 200 }, async (_, port) => {
    const [silentOne, dribbling] = [await client(port), await client(port)]
    const closed = Promise.all([ended(silentOne), ended(dribbling)])
    const started = performance.now()
    dribbling.write(Buffer.from([0xff, 0xff]))
    const timer = setInterval(() => dribbling.write('x'), 50)
    silentOne.resume()
    dribbling.resume()
    await closed
    clearInterval(timer)
    assert.ok(performance.now() - started < 1500)
  }))

test('one connection too many closes the one that was idle longest (RFC 7766 §6.2.2)', () =>
  serve({ tcpConnections: 2 }, async (server, port) => {
    const [first, second] = [await client(port), await client(port)]
    for (const socket of [second, first]) {
      socket.write(framed(query(1)))
      await read(socket, 1)
    }
    const third = await client(port)
    second.resume()
    await ended(second)
    for (const socket of [first, third]) {
      socket.write(framed(query(2)))
      assert.equal((await read(socket, 1)).length, 1)
      socket.destroy()
    }
    assert.ok(server.stats().tcpConnections <= 2)
  }))

test('a client that does not read holds bounded memory, and gets everything once it reads', () =>
  serve({}, async (server, port) => {
    const socket = await client(port)
    const questions = Buffer.concat(
      Array.from({ length: 1000 }, (_, id) => framed(query(id, 'fat.test', 'TXT'))),
    )
    socket.write(questions)
    await sleep(300)
    // 1000 answers of 43 kB: the kernel takes some MB, the rest is not even made.
    assert.ok(server.stats().queries < 700)
    assert.equal((await read(socket, 1000)).length, 1000)
    socket.destroy()
  }))

test('a port that is taken is an error that names it', () =>
  serve({}, async (_, port) => {
    const other = createDnsServer({ zones: zoneAt('192.0.2.1'), limits: LIMITS, log: silent })
    await assert.rejects(other.listen('127.0.0.1', port), {
      message: `Cannot listen on 127.0.0.1:${port}: the port is taken`,
    })
    await assert.rejects(
      other.listen('203.0.113.99', 0),
      /Cannot listen on 203\.0\.113\.99:0: this machine does not have/,
    )
    await other.close()
  }))

test('a UDP port that is taken leaves TCP closed too', async () => {
  const holder = createSocket('udp4')
  holder.bind(0, '127.0.0.1')
  await once(holder, 'listening')
  const { port } = holder.address()
  const server = createDnsServer({ zones: zoneAt('192.0.2.1'), limits: LIMITS, log: silent })
  await assert.rejects(server.listen('127.0.0.1', port), /the port is taken/)
  const socket = connect(port, '127.0.0.1')
  await assert.rejects(once(socket, 'connect'), { code: 'ECONNREFUSED' })
  holder.close()
})

for (const descriptors of [createDescriptors(), undefined]) {
  const how = descriptors === undefined ? 'that they share' : 'with sockets that were opened for them'
  test(`several servers answer on one port ${how}, and each may close`, async () => {
    const [a, b] = ['192.0.2.1', '192.0.2.2'].map((address) =>
      createDnsServer({ zones: zoneAt(address), limits: LIMITS, log: silent }),
    )
    const open = (protocol: 'tcp' | 'udp', port: number): number =>
      descriptors!.open({ protocol, address: '127.0.0.1', port, reusePort: true })!
    const sharing = (port: number): DnsSharing =>
      descriptors === undefined ? { reusePort: true } : { tcp: open('tcp', port), fd: open('udp', port) }
    const port = await freePort()
    await a!.listen('127.0.0.1', port, sharing(port))
    await b!.listen('127.0.0.1', port, sharing(port))
    const seen = new Set<unknown>()
    const ask = async (): Promise<unknown> => {
      const socket = createSocket('udp4')
      socket.send(query(1), port, '127.0.0.1')
      const [message] = (await once(socket, 'message')) as [Buffer]
      socket.close()
      return firstData(packet.decode(message))
    }
    for (let tries = 0; seen.size < 2 && tries < 200; tries++) seen.add(await ask())
    assert.deepEqual([...seen].sort(), ['192.0.2.1', '192.0.2.2'])
    await a!.close()
    for (let i = 0; i < 10; i++) assert.equal(await ask(), '192.0.2.2')
    const socket = await client(port)
    socket.write(framed(query(1)))
    assert.equal(firstData((await read(socket, 1))[0]), '192.0.2.2')
    socket.destroy()
    await b!.close()
  })
}
