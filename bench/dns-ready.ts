import { setTimeout as sleep } from 'node:timers/promises'
import { askServer } from '#dns/ask.ts'

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
