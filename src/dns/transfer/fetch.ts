import { randomInt } from 'node:crypto'
import { connect } from 'node:net'
import { whyUnreached } from '#dns/unreached.ts'
import { wireName } from '../rrset.ts'
import { decodeMessage, encodeMessage } from '../wire/message.ts'
import { TsigChain, type TsigKey } from '../wire/tsig.ts'
import { CLASS, TYPE } from '../wire/types.ts'
import type { ResourceRecord } from '../wire/writer.ts'
import { IncomingTransfer, type Received } from './incoming.ts'
import type { ServerPlan } from './plan.ts'

export type Fetch = {
  /** absolute name */
  readonly apex: string
  /** SOA of our copy, for what changed since; null for all */
  readonly soa: { readonly record: ResourceRecord; readonly serial: number } | null
  readonly key: TsigKey | null
  readonly signal?: AbortSignal
}

const PREFIX = 2
/** Nothing came for so long. */
const SILENCE_MS = 15_000
/** The whole transfer. */
const LONGEST_MS = 1_800_000
/** Octets that wait for the rest of a message: one message and what came behind it. */
const UNREAD_LIMIT_OCTETS = 4 * 65_537

/**
 * Copy a zone from a primary over TCP: all of it, or what changed.
 *
 * @returns what came, or a text that says why nothing did
 */
export function fetchZone({ address, port }: ServerPlan, fetch: Fetch): Promise<Received | string> {
  return new Promise((resolve) => {
    const id = randomInt(0x10000)
    const chain = fetch.key === null ? null : new TsigChain(fetch.key)
    const incoming = new IncomingTransfer(wireName(fetch.apex), fetch.soa?.serial ?? null)
    const socket = connect(port, address)
    const timer = setTimeout(() => end(`it took longer than ${LONGEST_MS / 60_000} minutes`), LONGEST_MS)
    const onAbort = (): void => end('stopped')
    let unread = Buffer.alloc(0)
    fetch.signal?.addEventListener('abort', onAbort)
    socket.setTimeout(SILENCE_MS, () => end(`nothing came for ${SILENCE_MS / 1000} s`))
    socket.once('error', (error: NodeJS.ErrnoException) => end(whyUnreached(error)))
    socket.once('end', () => end('the connection was closed before the end of the zone'))
    socket.on('data', (more: Buffer) => {
      unread = Buffer.concat([unread, more])
      readAll()
    })
    const query = queryOf(id, fetch)
    const request = chain === null ? query : chain.request(query, nowSeconds())
    socket.write(Buffer.concat([prefixOf(request), request]))

    function readAll(): void {
      while (unread.length >= PREFIX && unread.length >= PREFIX + unread.readUInt16BE()) {
        const next = PREFIX + unread.readUInt16BE()
        const result = readOne(unread.subarray(PREFIX, next))
        unread = unread.subarray(next)
        if (result !== null) return end(result)
      }
      if (unread.length > UNREAD_LIMIT_OCTETS) end('a message without end')
    }

    function readOne(octets: Buffer): Received | null | string {
      const bare = chain === null ? octets : chain.check(octets, nowSeconds())
      if (typeof bare === 'string') {
        const said = decodeMessage(octets)
        const rcode = typeof said === 'string' ? '' : `, and its rcode is ${said.rcode}`
        return `the answer is not to be believed: ${bare}${rcode}`
      }
      const message = decodeMessage(bare)
      if (typeof message === 'string') return `the answer is no message: ${message}`
      if (!message.qr || message.id !== id) return 'the answer is to another question'
      const result = incoming.take(message)
      if (result === null || typeof result === 'string' || chain === null || chain.isClosed) return result
      return 'the last message is not signed (RFC 8945 §5.3.1)'
    }

    function end(result: Received | string): void {
      clearTimeout(timer)
      fetch.signal?.removeEventListener('abort', onAbort)
      socket.removeAllListeners()
      socket.on('error', () => {})
      socket.destroy()
      resolve(result)
    }
  })
}

function queryOf(id: number, { apex, soa }: Fetch): Buffer {
  return encodeMessage({
    id,
    opcode: 0,
    rcode: 0,
    ...{ qr: false, aa: false, tc: false, rd: false, ra: false, ad: false, cd: false },
    question: [{ name: wireName(apex), type: soa === null ? TYPE.AXFR : TYPE.IXFR, class: CLASS.IN }],
    answer: [],
    authority: soa === null ? [] : [soa.record],
    additional: [],
  })
}

function prefixOf(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(PREFIX)
  prefix.writeUInt16BE(message.length)
  return prefix
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
