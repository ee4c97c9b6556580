import { loadCLibrary } from './c-library.ts'

/** What the kernel does with files that Node does not ask of it: 64-bit Linux, and a Node with `node:ffi`. */
export type KernelFile = {
  /**
   * Whether both ends of a part of a file lie in memory: who reads or sends it waits for no disk.
   *
   * What lies between them is there too, as good as always: files are read in runs.
   */
  isInMemory(file: number, position: number, lengthOctets: number): boolean
  /**
   * Send the beginning of something: the kernel holds it back, for what follows at once.
   *
   * @param text Latin-1
   * @returns octets that the socket took; none, or fewer than 0, when it is full or broken
   */
  sendHead(socket: number, text: string): number
  /**
   * Send a part of a file without reading it (sendfile(2)).
   *
   * @returns octets that the socket took; none, or fewer than 0, when it is full or broken, or the file has ended
   */
  sendPart(socket: number, file: number, part: { position: number; lengthOctets: number }): number
  /**
   * Have the kernel send whole segments only, while more follows at once (TCP_CORK), or all that it has.
   *
   * sendfile gives the socket 64 KiB at a time, a little more than a segment may have: each time the rest would go alone.
   */
  cork(socket: number, isCorked: boolean): void
}

/** What comes back fits in 32 bits: no call is for as much as 2 GiB. */
const SYMBOLS = {
  send: { arguments: ['i32', 'pointer', 'u64', 'i32'], return: 'i32' },
  sendfile: { arguments: ['i32', 'i32', 'pointer', 'u64'], return: 'i32' },
  setsockopt: { arguments: ['i32', 'i32', 'i32', 'pointer', 'u32'], return: 'i32' },
  preadv2: { arguments: ['i32', 'pointer', 'i32', 'i64', 'i32'], return: 'i32' },
} as const

/** MSG_DONTWAIT, MSG_NOSIGNAL and MSG_MORE. */
const SEND_FLAGS = 0x40 | 0x4000 | 0x8000
const RWF_NOWAIT = 8
/** IPPROTO_TCP and TCP_CORK */
const CORK = [6, 3] as const
/** The smallest there are. */
const PAGE_OCTETS = 4096
/** A longer head goes the ordinary way. */
const LIMIT_HEAD_OCTETS = 8192
/** Where in our memory the kernel finds what: an offset, a vector of one octet, that octet, a number, and the head. */
const AT = { offset: 0, vector: 8, octet: 24, option: 32, head: 64 } as const

/** Undefined where it is not to be had: files are read then, and what was read is sent. */
export const kernelFile: KernelFile | undefined = createKernelFile()

function createKernelFile(): KernelFile | undefined {
  const library = loadCLibrary(SYMBOLS)
  if (library === undefined) return undefined
  // Beside the heap: what lies there may be moved while the kernel has its address.
  const memory = Buffer.allocUnsafeSlow(AT.head + LIMIT_HEAD_OCTETS)
  const address = library.addressOf(memory)
  const [offset, vector, option, head] = [AT.offset, AT.vector, AT.option, AT.head].map(
    (at) => address + BigInt(at),
  )
  memory.writeBigUInt64LE(address + BigInt(AT.octet), AT.vector)
  memory.writeBigUInt64LE(1n, AT.vector + 8)
  const hasOctet = (file: number, position: number): boolean =>
    library.preadv2(file, vector!, 1, BigInt(position), RWF_NOWAIT) === 1
  return {
    isInMemory(file, position, lengthOctets) {
      const last = position + lengthOctets - 1
      return hasOctet(file, last) && (last - position < PAGE_OCTETS || hasOctet(file, position))
    },
    sendHead(socket, text) {
      if (text.length > LIMIT_HEAD_OCTETS) return 0
      return library.send(socket, head!, BigInt(memory.write(text, AT.head, 'latin1')), SEND_FLAGS)
    },
    sendPart(socket, file, { position, lengthOctets }) {
      memory.writeBigUInt64LE(BigInt(position), AT.offset)
      return library.sendfile(socket, file, offset!, BigInt(lengthOctets))
    },
    cork(socket, isCorked) {
      memory.writeInt32LE(Number(isCorked), AT.option)
      library.setsockopt(socket, ...CORK, option!, 4)
    },
  }
}
