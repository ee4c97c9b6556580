import { HEADER } from '../query.ts'
import { decodeMessage, type Message } from '../wire/message.ts'
import { lowerName, printName } from '../wire/name.ts'
import { appendError, checkRequest, splitTsig, type TsigChain, type TsigKeys } from '../wire/tsig.ts'
import { CLASS, OPCODE, RCODE, TYPE } from '../wire/types.ts'
import { type Permission, permit } from './permit.ts'
import type { MovePlan } from './plan.ts'
import { replyHeader, replyTo } from './reply.ts'

/** A message that the main thread answers; it was checked, and the client may ask it. */
export type Errand = {
  /** without TSIG */
  readonly message: Uint8Array
  readonly protocol: 'udp' | 'tcp'
  readonly client: string
  /** name of the key that signed it */
  readonly key: string | null
  /** octets that the signature of an answer will take */
  readonly reserveOctets: number
}

/** Messages that answer an errand, and the number to ask for more with. */
export type ErrandReply = { readonly messages: readonly Uint8Array[]; readonly more: number | null }

/** Who sent a message, and how. */
export type Sender = { readonly address: string; readonly protocol: 'udp' | 'tcp' }

/** Answer a message that is signed or moves a zone, in one message or in many. */
export type Elsewhere = (message: Buffer, sender: Sender) => AsyncIterable<Uint8Array>

export type GateOptions = {
  readonly keys: () => TsigKeys
  /** by apex */
  readonly moves: () => ReadonlyMap<string, MovePlan>
  /** Whether a zone of that apex is served here: wire form, lower case. */
  readonly isApex: (name: Uint8Array) => boolean
  readonly nowSeconds: () => number
  /** Answer an ordinary query, with room for a signature. */
  readonly answer: (query: Uint8Array, sender: Sender, reserveOctets: number) => Uint8Array | null
  readonly ask: (errand: Errand) => Promise<ErrandReply>
  readonly askMore: (more: number) => Promise<ErrandReply>
}

/**
 * Answer what zones alone cannot: check signatures, refuse what is not permitted, pass on the rest, sign the answers.
 *
 * @example const elsewhere = createGate(options); for await (const octets of elsewhere(message, sender)) send(octets)
 */
export function createGate(options: GateOptions): Elsewhere {
  return async function* elsewhere(message, sender) {
    const split = splitTsig(message)
    if (typeof split === 'string') return yield replyHeader(message, RCODE.FORMERR)
    if (split === null) return yield* answerBare(message, null, sender, options)
    const now = options.nowSeconds()
    const verdict = checkRequest(split, options.keys(), now)
    if (typeof verdict === 'string') return yield replyHeader(split.bare, RCODE.FORMERR)
    if (!verdict.ok) {
      const reply = replyHeader(verdict.bare, RCODE.NOTAUTH)
      const { tsig, error, chain } = verdict
      return yield chain === null
        ? appendError(reply, tsig, error)
        : chain.sign(reply, now, { error, timeSeconds: tsig.timeSeconds })
    }
    for await (const reply of answerBare(verdict.bare, verdict.chain, sender, options))
      yield verdict.chain.sign(reply, options.nowSeconds())
  }
}

async function* answerBare(
  message: Buffer,
  chain: TsigChain | null,
  sender: Sender,
  options: GateOptions,
): AsyncGenerator<Uint8Array> {
  if (message.length < HEADER) return
  const decoded = decodeMessage(message)
  if (typeof decoded === 'string') return yield replyHeader(message, RCODE.FORMERR)
  const wish = wishOf(decoded)
  const reserveOctets = chain?.octets ?? 0
  if (wish === undefined) {
    const answer = options.answer(message, sender, reserveOctets)
    return answer === null ? undefined : yield answer
  }
  const refusal = refuse(decoded, wish, { ...sender, key: chain?.key.name ?? null }, options)
  if (refusal !== RCODE.NOERROR) return yield replyTo(decoded, refusal)
  const errand: Errand = {
    message,
    protocol: sender.protocol,
    client: sender.address,
    key: chain?.key.name ?? null,
    reserveOctets,
  }
  try {
    let reply = await options.ask(errand)
    yield* reply.messages
    while (reply.more !== null) {
      reply = await options.askMore(reply.more)
      yield* reply.messages
    }
  } catch {
    // The main thread is busy or going: the client asks again.
    yield replyTo(decoded, RCODE.SERVFAIL)
  }
}

/** What a message wants that zones alone do not answer. */
export function wishOf({ opcode, question }: Message): 'copy' | 'update' | 'notify' | undefined {
  if (opcode === OPCODE.UPDATE) return 'update'
  if (opcode === OPCODE.NOTIFY) return 'notify'
  const type = question[0]?.type
  return opcode === OPCODE.QUERY && (type === TYPE.AXFR || type === TYPE.IXFR) ? 'copy' : undefined
}

function refuse(
  { question, opcode }: Message,
  wish: 'copy' | 'update' | 'notify',
  { address, protocol, key }: Sender & { readonly key: string | null },
  { moves, isApex }: GateOptions,
): number {
  const [zone, ...more] = question
  if (zone === undefined || more.length > 0) return RCODE.FORMERR
  if (opcode !== OPCODE.QUERY && zone.type !== TYPE.SOA) return RCODE.FORMERR
  // RFC 5936 §4.2: there is no AXFR over UDP.
  if (zone.type === TYPE.AXFR && protocol === 'udp') return RCODE.FORMERR
  const apex = lowerName(zone.name)
  const move = moves().get(printName(apex))
  // RFC 2136 §3.1.1, RFC 5936 §2.2.1: not ours is another answer than not for you.
  if (zone.class !== CLASS.IN || (move === undefined && !isApex(apex))) return RCODE.NOTAUTH
  const permission: Permission = permit(wish, move, { client: address, key })
  return permission === 'allowed' ? RCODE.NOERROR : RCODE.REFUSED
}
