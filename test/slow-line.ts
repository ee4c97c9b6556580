import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** A line to a server that lets through so many octets a second, of all connections together. */
export type SlowLine = {
  readonly port: number
  /** targets that were asked for over HTTP/1.1, in order */
  readonly asked: readonly string[]
  /** Infinity: as fast as it goes */
  octetsPerSecond: number
  close(): Promise<void>
}

/** What is let through at once: a slice each hundredth of a second at 1 Mb/s. */
const SLICE_OCTETS = 1250

/** Open a line to a port of this machine. */
export async function openSlowLine(to: number): Promise<SlowLine> {
  const sockets = new Set<Socket>()
  const asked: string[] = []
  let freeAt = 0
  const server = createServer((client) => {
    const origin = connect(to, '127.0.0.1')
    for (const socket of [client, origin]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        origin.destroy()
      })
    }
    client.on('data', (octets) => {
      for (const [, target] of octets.toString('latin1').matchAll(/^GET (\S+) HTTP/gm)) asked.push(target!)
      origin.write(octets)
    })
    let queue = Promise.resolve()
    origin.on('data', (octets: Buffer) => {
      origin.pause()
      queue = queue.then(() => pour(octets, client)).then(() => void origin.resume())
    })
  })
  const line: SlowLine = {
    get port() {
      return (server.address() as AddressInfo).port
    },
    asked,
    octetsPerSecond: Number.POSITIVE_INFINITY,
    async close() {
      for (const socket of sockets) socket.destroy()
      await once(server.close(), 'close')
    },
  }
  async function pour(octets: Buffer, client: Socket): Promise<void> {
    for (let at = 0; at < octets.length && !client.destroyed; at += SLICE_OCTETS) {
      const slice = octets.subarray(at, at + SLICE_OCTETS)
      const nowMs = performance.now()
      freeAt = Math.max(freeAt, nowMs) + (1000 * slice.length) / line.octetsPerSecond
      if (freeAt - nowMs > 1) await pause(freeAt - nowMs)
      client.write(slice)
    }
  }
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return line
}
