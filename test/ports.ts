import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

const given = new Set<number>()

/**
 * Find a port on 127.0.0.1 that is free for TCP and for UDP.
 *
 * For configs, which name their ports; a server that a test starts itself listens on port 0 instead.
 *
 * @returns a port from 20000 to 32767, below the range from which Linux takes the ports of outgoing connections;
 *   never the same twice in a process
 * @throws {Error} when 100 tries found none
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(20_000, 32_768)
    if (!given.has(port) && (await isFreeForTcp(port)) && (await isFreeForUdp(port))) {
      given.add(port)
      return port
    }
  }
  throw new Error('100 ports from 20000 to 32767 were tried, and none is free for TCP and UDP on 127.0.0.1')
}

async function isFreeForTcp(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    return true
  } catch {
    return false
  }
}

async function isFreeForUdp(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  try {
    socket.bind(port, '127.0.0.1')
    await once(socket, 'listening')
    return true
  } catch {
    return false
  } finally {
    socket.close()
  }
}
