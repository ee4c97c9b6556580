import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { ELSEWHERE } from './answer.ts'
import { type BatchOptions, openBatch, type Peer } from './batch.ts'
import type { Elsewhere } from './transfer/gate.ts'
import { addressOctets } from './wire/address.ts'

/** Largest answer that any limit allows over UDP: `dnsSettings` has the same maximum. */
const ANSWER_LIMIT_OCTETS = 4096

/** Answers that wait for the socket; beyond, they are dropped and clients ask again. */
const UNSENT_LIMIT_OCTETS = 1_048_576

export type DatagramOptions = Omit<BatchOptions, 'onElsewhere'> & {
  readonly elsewhere: Elsewhere
  /** many datagrams for one system call where that is possible */
  readonly batches: boolean
  /** other threads bind the same address and port */
  readonly reusePort?: boolean
}

/**
 * Answer the datagrams of an address.
 *
 * @returns the bound socket; it is the caller's to close
 * @throws {Error} of node:dgram when the address cannot be bound; nothing is open then
 */
export async function serveDatagrams(
  address: string,
  port: number,
  options: DatagramOptions,
): Promise<Socket> {
  const { batches, reusePort = false } = options
  const onElsewhere = (message: Buffer, from: Peer): void =>
    void answerElsewhere(socket, message, from, options)
  const batch = batches && !reusePort ? openBatch(address, port, { ...options, onElsewhere }) : undefined
  const socket = createSocket({
    type: isIPv6(address) ? 'udp6' : 'udp4',
    ipv6Only: isIPv6(address),
    reusePort,
    // Answers go to addresses, never to names; an answer at once spares each a turn of the event loop.
    lookup: (host, _options, callback) => callback(null, host, 0),
  })
  const listening = once(socket, 'listening')
  const bound = batch?.fd ?? options.fd
  if (bound === undefined) socket.bind(port, address)
  else socket.bind({ fd: bound })
  try {
    await listening
  } catch (error) {
    socket.close()
    throw error
  }
  const answerOne = createAnswerOne(socket, { ...options, onElsewhere })
  // The first datagram of many comes through node:dgram, which wakes us. A link-local address needs its zone.
  socket.on('message', (message, peer) => {
    if (batch === undefined || peer.address.includes('%')) answerOne(message, peer)
    else batch.answerWaiting(message, peer)
  })
  return socket
}

/** Elsewhere at a time: what comes meanwhile is dropped, and asked again. */
const ELSEWHERE_LIMIT = 1000
let elsewhere = 0

async function answerElsewhere(
  socket: Socket,
  message: Buffer,
  { address, port }: Peer,
  options: DatagramOptions,
): Promise<void> {
  if (port === 0 || elsewhere >= ELSEWHERE_LIMIT) return options.onDrop()
  elsewhere++
  try {
    for await (const reply of options.elsewhere(message, { address, protocol: 'udp' })) {
      socket.send(reply, port, address)
      break
    }
  } catch {
    // The socket was closed meanwhile.
    options.onDrop()
  } finally {
    elsewhere--
  }
}

function createAnswerOne(
  socket: Socket,
  { answer, onDrop, onElsewhere }: BatchOptions,
): (message: Buffer, from: Peer) => void {
  let out = Buffer.allocUnsafeSlow(ANSWER_LIMIT_OCTETS)
  return (message, { address, port }) => {
    const length = answer(message, message.length, out, addressOctets(address))
    if (length === 0) return
    if (length === ELSEWHERE) return onElsewhere(message, { address, port })
    // Nobody can be reached at port 0. A full queue belongs to a network that is down or flooded.
    if (port === 0 || socket.getSendQueueSize() > UNSENT_LIMIT_OCTETS) return onDrop()
    socket.send(out, 0, length, port, address)
    // An answer that could not be sent at once waits in this buffer.
    if (socket.getSendQueueCount() > 0) out = Buffer.allocUnsafeSlow(ANSWER_LIMIT_OCTETS)
  }
}
