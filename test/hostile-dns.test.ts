import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { askServer } from '#dns/ask.ts'
import { encodeMessage } from '#dns/wire/message.ts'
import { parseName } from '#dns/wire/name.ts'
import { CLASS, TYPE } from '#dns/wire/types.ts'
import { startRunning } from './running.ts'

/** An hour of the worst in some seconds; a minute of it with HOSTILE_SECONDS=60. */
const SECONDS = Number(process.env['HOSTILE_SECONDS'] ?? 4)
/** Each attacker sends so many datagrams at a time, so often. */
const BURST = 20
const EVERY_MS = 4
const SLOW_CONNECTIONS = 200
/** Noise of a collector that has not run yet; a leak of what was sent would be a multiple. */
const GROWTH_LIMIT_OCTETS = 64 * 1024 * 1024

function query(name: string): Buffer {
  return encodeMessage({
    id: 7,
    opcode: 0,
    rcode: 0,
    ...{ qr: false, aa: false, tc: false, rd: true, ra: false, ad: false, cd: false },
    question: [{ name: parseName(name) as Uint8Array, type: TYPE.A, class: CLASS.IN }],
    answer: [],
    authority: [],
    additional: [],
    edns: {
      payloadSize: 4096,
      version: 0,
      dnssecOk: true,
      options: [
        { code: 10, data: Buffer.alloc(24, 1) },
        { code: 8, data: Buffer.from('00011800c00002', 'hex') },
      ],
    },
  })
}

const random = (below: number): number => Math.floor(Math.random() * below)

const ATTACKS: Readonly<Record<string, () => Buffer>> = {
  'fuzzed packets'() {
    const octets = Buffer.from(query('www.example.com.'))
    for (let i = random(8); i >= 0; i--) octets[random(octets.length)] = random(256)
    return octets.subarray(0, random(4) === 0 ? random(octets.length) : octets.length)
  },
  noise: () => Buffer.from(Array.from({ length: random(512) }, () => random(256))),
  'names that do not exist': () => query(`${random(1e9).toString(36)}.${random(1e9)}.example.com.`),
  'answers to nobody'() {
    const octets = Buffer.from(query('www.example.com.'))
    octets[2]! |= 0x80
    return octets
  },
}

function residentOctets(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

async function attack(make: () => Buffer, port: number, from: string): Promise<() => void> {
  const socket: Socket = createSocket('udp4')
  socket.on('error', () => {})
  socket.bind(0, from)
  await once(socket, 'listening')
  const timer = setInterval(() => {
    for (let i = 0; i < BURST; i++) socket.send(make(), port, '127.0.0.1', () => {})
  }, EVERY_MS)
  return () => {
    clearInterval(timer)
    socket.close()
  }
}

/** Connections that say a query one octet at a time, and some that only take. */
function openSlow(port: number): () => void {
  const sockets = Array.from({ length: SLOW_CONNECTIONS }, () =>
    connect(port, '127.0.0.1').on('error', () => {}),
  )
  const whole = Buffer.concat([Buffer.from([0, 255]), Buffer.alloc(255)])
  let at = 0
  const timer = setInterval(() => {
    for (const socket of sockets) socket.write(whole.subarray(at % whole.length, (at % whole.length) + 1))
    at++
  }, 50)
  return () => {
    clearInterval(timer)
    for (const socket of sockets) socket.destroy()
  }
}

test('an hour of hostility leaves memory flat and good clients served', {
  skip: process.platform !== 'linux' && 'reads /proc, and sends from all of 127.0.0.0/8',
}, async (t) => {
  const running = await startRunning(
    {
      hosts: { www: { respond: 'x' } },
      records: { app: { A: { pool: 'app' } } },
    },
    {
      pools: { app: { members: [{ address: '192.0.2.1', location: 'DE' }] } },
      places: { networks: { '192.0.2.0/24': 'FR' } },
      // Attackers are limited, and the good client at 127.0.0.1 is in a network of its own.
      limits: { dns: { rate: { perSecond: 100, exempt: ['127.0.0.1'] } } },
    },
  )
  const { dns: port } = running.ports
  const stops: (() => void)[] = [openSlow(port)]
  try {
    let number = 0
    for (const make of Object.values(ATTACKS)) {
      number++
      stops.push(await attack(make, port, `127.0.${number}.1`))
    }
    await sleep(Math.min(1000, SECONDS * 250))
    const before = residentOctets(running.child.pid!)
    const until = performance.now() + SECONDS * 1000
    let slowestMs = 0
    let answered = 0
    for (let asked = 0; performance.now() < until; asked++) {
      const name = asked % 2 === 0 ? 'www.example.com.' : 'app.example.com.'
      const began = performance.now()
      const ask = { name, type: 'A', recursive: false, timeoutMs: 4000 }
      const said = await askServer({ address: '127.0.0.1', port }, ask)
      assert.ok(typeof said !== 'string', `query ${asked}: ${said}`)
      assert.equal(said.answer.length, 1)
      answered++
      slowestMs = Math.max(slowestMs, performance.now() - began)
      await sleep(20)
    }
    const grown = residentOctets(running.child.pid!) - before
    const said = `${Math.round(grown / 1e6)} MB more after ${SECONDS} s`
    t.diagnostic(
      `${said}; the slowest answer of ${answered} to a good client took ${Math.round(slowestMs)} ms`,
    )
    assert.ok(grown < GROWTH_LIMIT_OCTETS, said)
    assert.ok(slowestMs < 2500, `a good client waited ${Math.round(slowestMs)} ms`)
  } finally {
    for (const stop of stops) stop()
    assert.equal(await running.stop(), 0)
  }
})
