import { isIPv6 } from 'node:net'
import { type CLibrary, loadCLibrary } from '#core/c-library.ts'
import { createDescriptors } from '#core/descriptors.ts'
import { ELSEWHERE } from './answer.ts'
import type { AnswerOctets } from './connection.ts'
import { parseIpv4, parseIpv6, printIpv6 } from './wire/address.ts'

/**
 * Many datagrams for one system call (recvmmsg(2), sendmmsg(2)), where Node can call the C library: 64-bit Linux and
 * a Node with `node:ffi`. `node:dgram` has one system call for each datagram, and those cost more than the answers.
 */
export type Batch = {
  /** for `socket.bind({ fd })`; whoever binds it closes it */
  readonly fd: number
  /**
   * Answer what waits in the socket. Not after the socket was closed.
   *
   * @param first a datagram that somebody else has read from the socket, and who sent it: no link-local address
   */
  answerWaiting(first?: Uint8Array, from?: Peer): void
}

export type BatchOptions = {
  readonly answer: AnswerOctets
  /** called for each answer that could not be sent */
  readonly onDrop: () => void
  /** takes what is not answered at once: the octets are the callee's */
  readonly onElsewhere: (message: Buffer, from: Peer) => void
  /** a socket that is bound already, and does not block */
  readonly fd?: number
}

export type Peer = { readonly address: string; readonly port: number }

/** Datagrams at a time. */
const BATCH = 64
/**
 * Batches each time that libuv wakes us, which costs as much as some answers. It does so up to 32 times before the rest
 * of the program gets its turn: in a flood that is after 10 ms.
 */
const BATCHES = 2
/** Room for a query, and for an answer: what does not fit is cut, and so is FORMERR. */
const OCTETS = 4096
/** From one to the next: at a power of two the first octets of all would compete for few places in the cache. */
const STRIDE = OCTETS + 64

/** struct mmsghdr of 64-bit Linux, in octets: name, namelen, iov, iovlen, control, controllen, flags, len. */
const HEADER = { size: 64, name: 0, nameLength: 8, vector: 16, vectorLength: 24, octets: 56 } as const
/** struct iovec: base, len. */
const VECTOR = { size: 16, base: 0, length: 8 } as const
/** Octets of struct sockaddr_in and sockaddr_in6, and room for either. */
const NAME = { size: 32, ipv4: 16, ipv6: 28 } as const
/** Where in them port and address stand. */
const PORT = 2
const ADDRESS = { ipv4: [4, 8], ipv6: [8, 24] } as const
/** AF_INET and AF_INET6 of Linux. */
const FAMILY = { ipv4: 2, ipv6: 10 } as const

const MSG_DONTWAIT = 0x40

const SYMBOLS = {
  recvmmsg: { arguments: ['i32', 'pointer', 'u32', 'i32', 'pointer'], return: 'i32' },
  sendmmsg: { arguments: ['i32', 'pointer', 'u32', 'i32'], return: 'i32' },
} as const

type Library = CLibrary<typeof SYMBOLS>

/**
 * Open a UDP socket for batches.
 *
 * @param address literal; `::` is IPv6 only
 * @returns undefined where batches are impossible or the address cannot be bound: `node:dgram` can say why
 */
export function openBatch(address: string, port: number, options: BatchOptions): Batch | undefined {
  const library = loadCLibrary(SYMBOLS)
  if (library === undefined) return undefined
  const target = { protocol: 'udp', address, port, reusePort: false } as const
  const fd = options.fd ?? createDescriptors()?.open(target)
  if (fd === undefined) return undefined
  const length = isIPv6(address) ? NAME.ipv6 : NAME.ipv4
  return { fd, answerWaiting: createBatch(library, fd, length, options) }
}

/** Memory that the kernel reads and writes: `BATCH` headers, each with a vector, a name and octets. */
function createRing(addressOf: Library['addressOf'], names: Buffer, nameLength: number) {
  const headers = Buffer.alloc(BATCH * HEADER.size)
  const vectors = Buffer.alloc(BATCH * VECTOR.size)
  const octets = Buffer.alloc(BATCH * STRIDE)
  for (let i = 0; i < BATCH; i++) {
    const header = i * HEADER.size
    headers.writeBigUInt64LE(addressOf(names) + BigInt(i * NAME.size), header + HEADER.name)
    headers.writeUInt32LE(nameLength, header + HEADER.nameLength)
    headers.writeBigUInt64LE(addressOf(vectors) + BigInt(i * VECTOR.size), header + HEADER.vector)
    headers.writeBigUInt64LE(1n, header + HEADER.vectorLength)
    vectors.writeBigUInt64LE(addressOf(octets) + BigInt(i * STRIDE), i * VECTOR.size + VECTOR.base)
    vectors.writeBigUInt64LE(BigInt(OCTETS), i * VECTOR.size + VECTOR.length)
  }
  const slots = Array.from({ length: BATCH }, (_, i) => octets.subarray(i * STRIDE, i * STRIDE + OCTETS))
  return { headerWords: wordsOf(headers), vectorWords: wordsOf(vectors), slots, pointer: addressOf(headers) }
}

function wordsOf({ buffer, byteOffset, byteLength }: Buffer): Uint32Array {
  return new Uint32Array(buffer, byteOffset, byteLength / 4)
}

function createBatch(
  library: Library,
  fd: number,
  nameLength: number,
  { answer, onDrop, onElsewhere }: BatchOptions,
): Batch['answerWaiting'] {
  // Answers go where the queries came from: both rings have the same names.
  const names = Buffer.alloc(BATCH * NAME.size)
  const queries = createRing(library.addressOf, names, nameLength)
  const answers = createRing(library.addressOf, names, nameLength)
  const [from, to] = nameLength === NAME.ipv4 ? ADDRESS.ipv4 : ADDRESS.ipv6
  const clients = Array.from({ length: BATCH }, (_, i) =>
    names.subarray(i * NAME.size + from, i * NAME.size + to),
  )

  const behindFirst = queries.pointer + BigInt(HEADER.size)

  return function answerWaiting(first, peer): void {
    let count = first === undefined || peer === undefined ? 0 : take(first, peer)
    for (let batch = 0; batch < BATCHES; batch++) {
      const received = receive(count)
      if (count + received > 0) answerBatch(count + received)
      if (received === 0) return
      count = 0
    }
  }

  /** Lay a datagram where the first of a batch stands; how many there are now. */
  function take(datagram: Uint8Array, { address, port }: Peer): number {
    const octets = Math.min(datagram.length, OCTETS)
    queries.slots[0]!.set(datagram.subarray(0, octets))
    queries.headerWords[HEADER.octets / 4] = octets
    names.fill(0, 0, nameLength)
    names.writeUInt16LE(nameLength === NAME.ipv4 ? FAMILY.ipv4 : FAMILY.ipv6)
    names.writeUInt16BE(port, PORT)
    clients[0]!.set((nameLength === NAME.ipv4 ? parseIpv4(address) : parseIpv6(address)) ?? [])
    return 1
  }

  /** Read what waits, behind the datagrams that are there; how many came. */
  function receive(count: number): number {
    const into = count === 0 ? queries.pointer : behindFirst
    return Math.max(0, library.recvmmsg(fd, into, BATCH - count, MSG_DONTWAIT, null))
  }

  function answerBatch(received: number): void {
    const { headerWords } = queries
    let count = 0
    for (let i = 0; i < received; i++) {
      const header = (i * HEADER.size) / 4
      const octets = headerWords[header + HEADER.octets / 4]!
      // The kernel wrote how long the name is; the next one may be as long as ever.
      headerWords[header + HEADER.nameLength / 4] = nameLength
      const length = answer(queries.slots[i]!, octets, answers.slots[count]!, clients[i]!)
      if (length === 0) continue
      if (length === ELSEWHERE) {
        onElsewhere(
          Buffer.from(queries.slots[i]!.subarray(0, octets)),
          peerOf(names, i * NAME.size, nameLength),
        )
        continue
      }
      answers.vectorWords[(count * VECTOR.size + VECTOR.length) / 4] = length
      if (count !== i) names.copyWithin(count * NAME.size, i * NAME.size, (i + 1) * NAME.size)
      count++
    }
    send(count)
  }

  /** The kernel stops at the first answer that it cannot send, such as one to port 0: go on behind it. */
  function send(count: number): void {
    let done = 0
    while (done < count) {
      const sent = library.sendmmsg(
        fd,
        answers.pointer + BigInt(done * HEADER.size),
        count - done,
        MSG_DONTWAIT,
      )
      if (sent > 0) done += sent
      else {
        done++
        onDrop()
      }
    }
  }
}

/** struct sockaddr_in and sockaddr_in6: port at octet 2, address at 4 or 8. */
function peerOf(names: Buffer, at: number, length: number): Peer {
  const port = names.readUInt16BE(at + PORT)
  if (length === NAME.ipv4) return { address: names.subarray(at + 4, at + 8).join('.'), port }
  return { address: printIpv6(names.subarray(at + 8, at + 24)), port }
}
