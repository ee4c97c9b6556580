import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { type BatchOptions, openBatch } from './batch.ts'
import { addressOctets } from './wire/address.ts'

/** Largest answer that any limit allows over UDP: `dnsSettings` has the same maximum. */
const ANSWER_LIMIT_OCTETS = 4096

/** Answers that wait for the socket; beyond, they are dropped and clients ask again. */
const UNSENT_LIMIT_OCTETS = 1_048_576

export type DatagramOptions = BatchOptions & {
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
  const batch = batches && !reusePort ? openBatch(address, port, options) : undefined
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
  answerMessages(socket, options)
  // The first datagram of many comes through node:dgram, which wakes us.
  if (batch !== undefined) socket.on('message', batch.answerWaiting)
  return socket
}

function answerMessages(socket: Socket, { answer, onDrop }: BatchOptions): void {
  let out = Buffer.allocUnsafeSlow(ANSWER_LIMIT_OCTETS)
  socket.on('message', (message, { address, port }) => {
    const length = answer(message, message.length, out, addressOctets(address))
    if (length === 0) return
    // Nobody can be reached at port 0. A full queue belongs to a network that is down or flooded.
    if (port === 0 || socket.getSendQueueSize() > UNSENT_LIMIT_OCTETS) return onDrop()
    socket.send(out, 0, length, port, address)
    // An answer that could not be sent at once waits in this buffer.
    if (socket.getSendQueueCount() > 0) out = Buffer.allocUnsafeSlow(ANSWER_LIMIT_OCTETS)
  })
}
