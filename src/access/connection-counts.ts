import type { Socket } from 'node:net'
import { clientKey } from './client-key.ts'

/** How many connections each client has. */
export type ConnectionCounts = {
  /** most a client may have; `null`: as many as it likes. Those that are open live on when it changes. */
  limit: number | null
  /** Count a connection until it closes, or refuse it. */
  mayConnect(address: string, socket: Socket): boolean
}

/**
 * Create the table of clients with open connections: as large as there are connections, which the server limits.
 *
 * @param isTrusted proxies are not limited: behind one stand many clients
 */
export function createConnectionCounts(isTrusted: (address: string) => boolean): ConnectionCounts {
  const counts = new Map<string, number>()
  const table: ConnectionCounts = { limit: null, mayConnect }
  return table

  function mayConnect(address: string, socket: Socket): boolean {
    if (table.limit === null || address === '' || isTrusted(address)) return true
    const client = clientKey(address)
    const count = counts.get(client) ?? 0
    if (count >= table.limit) return false
    counts.set(client, count + 1)
    socket.once('close', () => release(client))
    return true
  }

  function release(client: string): void {
    const count = counts.get(client) ?? 0
    if (count > 1) counts.set(client, count - 1)
    else counts.delete(client)
  }
}
