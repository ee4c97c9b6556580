import { connect } from 'node:net'
import type { OriginPlan } from '#http/service-plan.ts'

/** Longer waits would hold up the table that a person is waiting for. */
const PROBE_MS = 500
/** More are asked when requests come. */
const PROBE_LIMIT = 64

/**
 * Ask origins whether they take a connection, before the first request does.
 *
 * @returns by id: `answers`, or why not
 */
export async function probeOrigins(origins: readonly OriginPlan[]): Promise<ReadonlyMap<string, string>> {
  const distinct = new Map(
    origins
      .filter(({ port, socketPath }) => port !== 0 || socketPath !== undefined)
      .map((origin) => [origin.id, origin]),
  )
  const asked = [...distinct.values()].slice(0, PROBE_LIMIT)
  return new Map(await Promise.all(asked.map(async (origin) => [origin.id, await probe(origin)] as const)))
}

function probe({ host, port, socketPath }: OriginPlan): Promise<string> {
  return new Promise((resolve) => {
    const socket = socketPath === undefined ? connect(port, host) : connect(socketPath)
    socket.setTimeout(PROBE_MS, () => finish('no answer yet'))
    socket.once('connect', () => finish('answers'))
    socket.once('error', (error: NodeJS.ErrnoException) =>
      finish(`unreachable: ${error.code ?? error.message}`),
    )

    function finish(state: string): void {
      socket.destroy()
      resolve(state)
    }
  })
}
