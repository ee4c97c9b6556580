import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../test/ports.ts'
import { type Contender, compare, type Figures, ratio, round } from './compare.ts'
import { createGround, type Ground, startScript } from './ground.ts'
import { runH2load } from './loads.ts'
import { answerBlock, listenPlain, listenTls, startNginx } from './nginx.ts'
import { residentOctets, SERVER_CORE, waitForPort } from './peers.ts'

const IDLE = 15_000
/** connections that are opened at a time: fewer than the kernel keeps for a server that is busy */
const BATCH = 250
const HANDSHAKES = 2000
const ROUNDS = 3
const CONTENT_OCTETS = 64

type Idle = {
  readonly connections: number
  /** resident memory for each, in KB of 1000 octets; `heap` is the part that the garbage collector sees */
  readonly portico: { readonly residentKb: number; readonly heapKb: number }
  readonly nginx: { readonly residentKb: number }
}

export type ConnectionsBench = {
  readonly bench: 'connections'
  /** ours / theirs, handshakes per second */
  readonly ratios: { readonly nginx: number }
  readonly idle: Idle
  /** TLS 1.3 with P-256, no session resumed, one request on each */
  readonly handshakes: Readonly<Record<'portico' | 'nginx', Figures>>
}

/**
 * Measure what connections cost beside nginx: memory of 15 000 that were used once and stay open, and 2 000 new TLS
 * handshakes at once.
 *
 * @throws {Error} when nginx or h2load is missing, one of them does not start, or a connection is not held
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const ground = await createGround('connections', ['nginx', 'h2load'])
  try {
    const idle = await measureIdle(ground)
    const handshakes = await measureHandshakes(ground)
    const ratios = { nginx: ratio(handshakes.portico, handshakes.nginx) }
    print({ bench: 'connections', ratios, idle, handshakes }, json)
  } finally {
    await ground.leave()
  }
}

async function measureIdle(ground: Ground): Promise<Idle> {
  const { portico, nginx } = await startBoth(ground, 'plain')
  const heapOf = async (): Promise<number> => {
    const before = portico.peer.output().length
    process.kill(portico.peer.pid, 'SIGUSR2')
    while (portico.peer.output().length === before) await pause(20)
    return Number(/heap (\d+)\n$/.exec(portico.peer.output())![1])
  }
  // Code is compiled, and memory for the first ones is taken, before anything is counted.
  for (const { port } of [portico, nginx]) await holdIdle(port, BATCH, async () => {})
  const heapBefore = await heapOf()
  const before = residentOctets(portico.peer.pid)
  const each = (octets: number): number => round(octets / IDLE / 1000)
  const ours = await holdIdle(portico.port, IDLE, async () => {
    const heapKb = each((await heapOf()) - heapBefore)
    return { residentKb: each(residentOctets(portico.peer.pid) - before), heapKb }
  })
  const theirsBefore = residentOctets(nginx.peer.pid)
  const theirs = await holdIdle(nginx.port, IDLE, async () => residentOctets(nginx.peer.pid) - theirsBefore)
  return { connections: IDLE, portico: ours, nginx: { residentKb: each(theirs) } }
}

/** Open connections, send a request on each, read the response, and measure while all are open. */
async function holdIdle<Measured>(
  port: number,
  count: number,
  measure: () => Promise<Measured>,
): Promise<Measured> {
  const sockets: Socket[] = []
  let closed = 0
  try {
    while (sockets.length < count) {
      const opened = Array.from({ length: Math.min(BATCH, count - sockets.length) }, () => use(port))
      sockets.push(...(await Promise.all(opened)))
    }
    for (const socket of sockets) socket.once('close', () => closed++)
    // A server that closes what it cannot hold does so now.
    await pause(300)
    if (closed > 0) throw new Error(`${closed} of ${count} connections to port ${port} were closed`)
    return await measure()
  } finally {
    await Promise.all(
      sockets.map((socket) => socket.destroyed || once(socket.resetAndDestroy(), 'close').catch(() => {})),
    )
  }
}

async function use(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  await once(socket, 'data')
  return socket
}

async function measureHandshakes(ground: Ground): Promise<ConnectionsBench['handshakes']> {
  const words = ['--h1', '-c', `${HANDSHAKES}`]
  return compare(await startBoth(ground, 'tls'), ROUNDS, (port) =>
    runH2load(`https://127.0.0.1:${port}/`, HANDSHAKES, words),
  )
}

async function startBoth(
  ground: Ground,
  kind: 'plain' | 'tls',
): Promise<Record<'portico' | 'nginx', Contender>> {
  const ports = { portico: await freePort(), nginx: await freePort() }
  const files = kind === 'tls' ? [ground.certificate, ground.key] : []
  const words = [`${ports.portico}`, `${CONTENT_OCTETS}`, ...files]
  const portico = await startScript(ground, 'answer-portico.ts', ...words)
  const listen = kind === 'tls' ? listenTls(ports.nginx, ground) : listenPlain(ports.nginx)
  const nginx = await startNginx(ground, SERVER_CORE, `idle-${kind}`, answerBlock(listen, CONTENT_OCTETS))
  await Promise.all(Object.values(ports).map((port) => waitForPort(port)))
  return { portico: { port: ports.portico, peer: portico }, nginx: { port: ports.nginx, peer: nginx } }
}

function print(result: ConnectionsBench, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(result))
    return
  }
  const { connections, portico, nginx } = result.idle
  console.log(`Memory of each of ${connections} idle connections, in KB`)
  console.table({ portico, nginx })
  console.log('New TLS connections with one request each, one core for the server')
  console.table(result.handshakes)
  console.log(`Handshakes per second, ours / theirs: nginx ${result.ratios.nginx}`)
}
