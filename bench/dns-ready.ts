import { setTimeout as sleep } from 'node:timers/promises'
import { askServer } from '#dns/ask.ts'
import { cpuSeconds } from './peers.ts'

/** Queries at a time: all of them fit into the queue of a socket. For one that is lost, dnsperf waits 5 s at the end. */
export const IN_FLIGHT = 100

/** Processor time in `IDLE_MS` of a server that waits. */
const IDLE_SECONDS = 0.01
const IDLE_MS = 500

/** All of them load for some seconds, or a machine is too small for the bench. */
const READY_LIMIT_MS = 120_000

/**
 * Wait until a name server has the address of a name over UDP: it may listen before its zones are there.
 *
 * @throws {Error} when it has none in two minutes
 */
export async function untilAnswered(port: number, name: string): Promise<void> {
  const deadline = performance.now() + READY_LIMIT_MS
  while (performance.now() < deadline) {
    const ask = { name, type: 'A', recursive: false, timeoutMs: 200 }
    const said = await askServer({ address: '127.0.0.1', port }, ask)
    if (typeof said !== 'string' && said.answer.length === 1) return
    await sleep(50)
  }
  throw new Error(`Nothing answers for ${name} on port ${port} after ${READY_LIMIT_MS} ms`)
}

/**
 * Wait until no server does anything: one that answers may still sign its zones or write them, on the core that all
 * of them share.
 *
 * @throws {Error} when one is still busy after two minutes
 */
export async function untilIdle(pids: readonly number[]): Promise<void> {
  const deadline = performance.now() + READY_LIMIT_MS
  const spent = (): number => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0)
  for (let before = -1; performance.now() < deadline; await sleep(IDLE_MS)) {
    const now = spent()
    if (before >= 0 && now - before < IDLE_SECONDS) return
    before = now
  }
  throw new Error(`The servers do not come to rest in ${READY_LIMIT_MS} ms`)
}
