import type { Log } from '#core/log.ts'
import type { Message } from '../wire/message.ts'
import { RCODE, TYPE } from '../wire/types.ts'
import type { GivenOut } from './copy-out.ts'
import { count, type MoveCounts } from './counts.ts'
import type { ErrandReply } from './gate.ts'
import { chooseTransfer, replyTo, serialOfQuery, writeDatagram, writeMessages } from './reply.ts'
import type { Streams } from './streams.ts'

export type GiveOptions = {
  readonly streams: Streams
  readonly counts: MoveCounts
  /** for a signature, over UDP; null over TCP */
  readonly reserveOctets: number | null
  readonly log: Log
}

/**
 * Answer an AXFR or IXFR that is permitted.
 *
 * @param out null when there is nothing to give: SERVFAIL
 */
export async function giveCopy(
  query: Message,
  out: GivenOut | null,
  { streams, reserveOctets, counts, log }: GiveOptions,
): Promise<ErrandReply> {
  await out?.ready
  if (out?.copy == null) return oneReply(query, RCODE.SERVFAIL)
  const { copy, history } = out
  const theirs = query.question[0]!.type === TYPE.AXFR ? null : serialOfQuery(query)
  if (theirs === undefined) return oneReply(query, RCODE.FORMERR)
  const { reason, records } = chooseTransfer(copy, history, theirs)
  count(counts.out, reason)
  const zone = copy.plan.apex.slice(0, -1)
  log('info', 'dns: zone copied out', { zone, serial: copy.serial, by: reason })
  if (reserveOctets !== null)
    return { messages: [writeDatagram(query, copy, records, reserveOctets)], more: null }
  return streams.begin(writeMessages(query, records)) ?? oneReply(query, RCODE.SERVFAIL)
}

/** An answer of one message without records. */
export function oneReply(query: Message, rcode: number): ErrandReply {
  return { messages: [replyTo(query, rcode)], more: null }
}
