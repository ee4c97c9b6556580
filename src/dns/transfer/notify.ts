import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Log } from '#core/log.ts'
import { wireName } from '../rrset.ts'
import { decodeMessage, encodeMessage } from '../wire/message.ts'
import { TsigChain, type TsigKey } from '../wire/tsig.ts'
import { CLASS, OPCODE, rcodeName, TYPE } from '../wire/types.ts'
import { soaOf, type Version } from './difference.ts'
import type { ServerPlan } from './plan.ts'
import { toWire } from './reply.ts'

/** Five tries, as the RFC proposes, but sooner and growing apart: 31 s in all. */
const TRIES_MS = [1000, 2000, 4000, 8000, 16_000]

export type Notifier = {
  /** Tell servers of a new version, until each has answered; what they were told before is no longer repeated. */
  notify(version: Version, servers: readonly ServerPlan[], key: TsigKey | null): void
  close(): void
}

/** Tells secondaries that a zone changed (RFC 1996). */
export function createNotifier(log: Log): Notifier {
  /** by zone and server */
  const running = new Map<string, AbortController>()

  async function tell(version: Version, server: ServerPlan, key: TsigKey | null): Promise<void> {
    const zone = version.plan.apex
    const name = `${zone} ${server.address} ${server.port}`
    running.get(name)?.abort()
    const controller = new AbortController()
    running.set(name, controller)
    let said = 'no answer'
    for (const timeoutMs of TRIES_MS) {
      said = await notifyOnce(version, server, { key, timeoutMs, signal: controller.signal })
      if (said === 'NOERROR' || controller.signal.aborted) break
    }
    if (running.get(name) === controller) running.delete(name)
    if (controller.signal.aborted) return
    const fields = {
      zone: zone.slice(0, -1),
      server: `${server.address} port ${server.port}`,
      serial: version.serial,
    }
    if (said === 'NOERROR') log('info', 'dns: secondary told', fields)
    else log('warning', 'dns: secondary not told', { ...fields, why: said })
  }

  return {
    notify(version, servers, key) {
      for (const server of servers) void tell(version, server, key)
    },
    close() {
      for (const controller of running.values()) controller.abort()
    },
  }
}

type NotifyOptions = {
  readonly key: TsigKey | null
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** One NOTIFY; the rcode of its answer, or why there was none when the time was over. */
function notifyOnce(
  version: Version,
  { address, port }: ServerPlan,
  { key, timeoutMs, signal }: NotifyOptions,
): Promise<string> {
  return new Promise((resolve) => {
    const id = randomInt(0x10000)
    const message = notifyMessage(id, version)
    const now = Math.floor(Date.now() / 1000)
    const chain = key === null ? null : new TsigChain(key)
    let said = 'no answer'
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    const timer = setTimeout(end, timeoutMs)
    signal.addEventListener('abort', end)
    // Nobody there at this moment: the time until the next try passes all the same.
    socket.on('error', (error: NodeJS.ErrnoException) => (said = error.code ?? error.message))
    socket.on('message', (octets) => {
      const bare = chain === null ? octets : chain.check(octets, now)
      const answer = typeof bare === 'string' ? bare : decodeMessage(bare)
      if (typeof answer === 'string') said = answer
      else if (answer.qr && answer.id === id && answer.opcode === OPCODE.NOTIFY) {
        said = rcodeName(answer.rcode)
        if (said === 'NOERROR') end()
      }
    })
    socket.connect(port, address, (error?: Error) => {
      if (error === undefined) socket.send(chain === null ? message : chain.request(message, now))
    })

    function end(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      socket.removeAllListeners()
      socket.on('error', () => {})
      socket.close()
      resolve(said)
    }
  })
}

/** With the new SOA as a hint (RFC 1996 §3.6). */
function notifyMessage(id: number, version: Version): Buffer {
  return encodeMessage({
    id,
    opcode: OPCODE.NOTIFY,
    rcode: 0,
    ...{ qr: false, aa: true, tc: false, rd: false, ra: false, ad: false, cd: false },
    question: [{ name: wireName(version.plan.apex), type: TYPE.SOA, class: CLASS.IN }],
    answer: [toWire(soaOf(version))],
    authority: [],
    additional: [],
  })
}
