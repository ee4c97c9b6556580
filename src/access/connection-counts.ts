import type { Socket } from 'node:net'
import { clientKey } from './client-key.ts'
import { type ClientTags, createClientTags, openClientTable } from './client-table.ts'

/** How many connections each client has, over all threads. */
export type ConnectionCounts = {
  /** most a client may have; `null`: as many as it likes. Those that are open live on when it changes. */
  limit: number | null
  /** Count a connection until it closes, or refuse it. */
  mayConnect(address: string, socket: Socket): boolean
}

/** What threads share: a row of counts a client, with a column a thread, so that one that dies can be taken out. */
export type CountMemory = ClientTags & { readonly counts: SharedArrayBuffer; readonly threads: number }

const CLIENTS = 65_536
const COUNT_OCTETS = 4

/** Memory is taken from the system as it is used: 4 octets for a client and a thread. */
export function createCountMemory(threads: number): CountMemory {
  const counts = new SharedArrayBuffer(CLIENTS * threads * COUNT_OCTETS)
  return { ...createClientTags(CLIENTS), counts, threads }
}

/** Forget what a thread that died has counted. */
export function clearCounts({ counts: memory, threads }: CountMemory, thread: number): void {
  const counts = new Int32Array(memory)
  for (let at = thread; at < counts.length; at += threads) Atomics.store(counts, at, 0)
}

/**
 * Count the connections of one thread beside those of the others.
 *
 * Where more clients have connections than there is room for, some of them count together.
 *
 * @param isTrusted proxies are not limited: behind one stand many clients
 */
export function createConnectionCounts(
  isTrusted: (address: string) => boolean,
  memory: CountMemory,
  thread: number,
): ConnectionCounts {
  const { threads } = memory
  const clients = openClientTable(memory)
  const counts = new Int32Array(memory.counts)
  const table: ConnectionCounts = { limit: null, mayConnect }
  return table

  function mayConnect(address: string, socket: Socket): boolean {
    if (table.limit === null || address === '' || isTrusted(address)) return true
    const entry = clients.entryOf(clientKey(address), hasFewer, () => {})
    const own = entry * threads + thread
    Atomics.add(counts, own, 1)
    // Counted first, so that two threads cannot both take the last place.
    if (total(entry) > table.limit) {
      Atomics.sub(counts, own, 1)
      return false
    }
    socket.once('close', () => Atomics.sub(counts, own, 1))
    return true
  }

  function total(entry: number): number {
    let sum = 0
    for (let at = entry * threads; at < (entry + 1) * threads; at++) sum += Atomics.load(counts, at)
    return sum
  }

  function hasFewer(a: number, b: number): boolean {
    return total(a) < total(b)
  }
}
