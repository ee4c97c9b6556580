import { isIPv6 } from 'node:net'
import type { AnswerOctets } from './connection.ts'
import { parseIpv4, parseIpv6 } from './wire/address.ts'

/**
 * Many datagrams for one system call (recvmmsg(2), sendmmsg(2)), where Node can call the C library: 64-bit Linux and
 * a Node with `node:ffi`. `node:dgram` has one system call for each datagram, and those cost more than the answers.
 */
export type Batch = {
  /** for `socket.bind({ fd })`; whoever binds it closes it */
  readonly fd: number
  /** Answer what waits in the socket, at most `BATCH` datagrams. Not after the socket was closed. */
  answerWaiting(): void
}

export type BatchOptions = {
  readonly answer: AnswerOctets
  /** called for each answer that could not be sent */
  readonly onDrop: () => void
  /** a descriptor that is bound already; a new one is opened when there is none */
  readonly fd?: number
}

/** Datagrams at a time; libuv wakes us up to 32 times before others get their turn, which is some milliseconds. */
const BATCH = 32
/** Room for a query, and for an answer: what does not fit is cut, and so is FORMERR. */
const OCTETS = 4096

/** struct mmsghdr of 64-bit Linux, in octets: name, namelen, iov, iovlen, control, controllen, flags, len. */
const HEADER = { size: 64, name: 0, nameLength: 8, vector: 16, vectorLength: 24, octets: 56 } as const
/** struct iovec: base, len. */
const VECTOR = { size: 16, base: 0, length: 8 } as const
/** Room for struct sockaddr_in (16 octets) or sockaddr_in6 (28): family, port, then the address. */
const NAME = {
  size: 32,
  port: 2,
  ipv4: { family: 2, length: 16, address: 4 },
  ipv6: { family: 10, length: 28, address: 8 },
} as const

const SOCK_DGRAM_NONBLOCK_CLOEXEC = 0x8_0802
const MSG_DONTWAIT = 0x40
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26

const SYMBOLS = {
  socket: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
  setsockopt: { arguments: ['i32', 'i32', 'i32', 'pointer', 'u32'], return: 'i32' },
  bind: { arguments: ['i32', 'pointer', 'u32'], return: 'i32' },
  close: { arguments: ['i32'], return: 'i32' },
  recvmmsg: { arguments: ['i32', 'pointer', 'u32', 'i32', 'pointer'], return: 'i32' },
  sendmmsg: { arguments: ['i32', 'pointer', 'u32', 'i32'], return: 'i32' },
} as const

type Library = NonNullable<ReturnType<typeof loadLibrary>>

/**
 * Open a UDP socket for batches.
 *
 * @param address literal; `::` is IPv6 only
 * @returns undefined where batches are impossible or the address cannot be bound: `node:dgram` can say why
 */
export function openBatch(address: string, port: number, options: BatchOptions): Batch | undefined {
  const isSupported = process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64')
  const library = isSupported ? loadLibrary() : undefined
  if (library === undefined) return undefined
  const fd = options.fd ?? openSocket(library, address, port)
  if (fd === undefined) return undefined
  const { length } = isIPv6(address) ? NAME.ipv6 : NAME.ipv4
  return { fd, answerWaiting: createBatch(library, fd, length, options) }
}

/** The C library; undefined in a Node without `node:ffi`, or one that is not allowed to use it. */
function loadLibrary() {
  // Without it we go on with node:dgram, so the warning that it may change tells nobody what to do.
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    const ffi = process.getBuiltinModule('node:ffi')
    return { ...ffi.dlopen(null, SYMBOLS).functions, addressOf: ffi.getRawPointer }
  } catch {
    return undefined
  } finally {
    process.emitWarning = emitWarning
  }
}

function openSocket(library: Library, address: string, port: number): number | undefined {
  const { family, length, address: addressAt } = isIPv6(address) ? NAME.ipv6 : NAME.ipv4
  const octets = isIPv6(address) ? parseIpv6(address) : parseIpv4(address)
  if (octets === undefined) return undefined
  const name = Buffer.alloc(NAME.size)
  name.writeUInt16LE(family)
  name.writeUInt16BE(port, NAME.port)
  name.set(octets, addressAt)
  const fd = library.socket(family, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0)
  if (fd < 0) return undefined
  if (isIPv6(address)) library.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, Buffer.from([1, 0, 0, 0]), 4)
  if (library.bind(fd, name, length) === 0) return fd
  library.close(fd)
  return undefined
}

/** Memory that the kernel reads and writes: `BATCH` headers, each with a vector, a name and octets. */
function createRing(addressOf: Library['addressOf'], names: Buffer, nameLength: number) {
  const headers = Buffer.alloc(BATCH * HEADER.size)
  const vectors = Buffer.alloc(BATCH * VECTOR.size)
  const octets = Buffer.alloc(BATCH * OCTETS)
  for (let i = 0; i < BATCH; i++) {
    const header = i * HEADER.size
    headers.writeBigUInt64LE(addressOf(names) + BigInt(i * NAME.size), header + HEADER.name)
    headers.writeUInt32LE(nameLength, header + HEADER.nameLength)
    headers.writeBigUInt64LE(addressOf(vectors) + BigInt(i * VECTOR.size), header + HEADER.vector)
    headers.writeBigUInt64LE(1n, header + HEADER.vectorLength)
    vectors.writeBigUInt64LE(addressOf(octets) + BigInt(i * OCTETS), i * VECTOR.size + VECTOR.base)
    vectors.writeBigUInt64LE(BigInt(OCTETS), i * VECTOR.size + VECTOR.length)
  }
  const slots = Array.from({ length: BATCH }, (_, i) => octets.subarray(i * OCTETS, (i + 1) * OCTETS))
  return { headers, vectors, slots, pointer: addressOf(headers) }
}

function createBatch(
  library: Library,
  fd: number,
  nameLength: number,
  { answer, onDrop }: BatchOptions,
): () => void {
  // Answers go where the queries came from: both rings have the same names.
  const names = Buffer.alloc(BATCH * NAME.size)
  const queries = createRing(library.addressOf, names, nameLength)
  const answers = createRing(library.addressOf, names, nameLength)

  return function answerWaiting(): void {
    const received = library.recvmmsg(fd, queries.pointer, BATCH, MSG_DONTWAIT, null)
    let count = 0
    for (let i = 0; i < received; i++) {
      const header = i * HEADER.size
      const octets = queries.headers.readUInt32LE(header + HEADER.octets)
      // The kernel wrote how long the name is; the next one may be as long as ever.
      queries.headers.writeUInt32LE(nameLength, header + HEADER.nameLength)
      const length = answer(queries.slots[i]!, octets, answers.slots[count]!)
      if (length === 0) continue
      answers.vectors.writeUInt32LE(length, count * VECTOR.size + VECTOR.length)
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
