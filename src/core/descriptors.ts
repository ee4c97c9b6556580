import { type CLibrary, loadCLibrary } from './c-library.ts'
import { type Network, parseNetwork } from './network.ts'

/** Sockets by their descriptor, which may outlive the thread that uses them. */
export type Descriptors = {
  /**
   * Open and bind a socket that does not block; one for TCP listens: connections wait from now on.
   *
   * @returns undefined when the system refuses, which Node says why when it is asked for the same
   */
  open(target: SocketTarget): number | undefined
  /** Another descriptor of the same socket, which stays open when one of the two is closed. */
  duplicate(fd: number): number
  close(fd: number): void
}

export type SocketTarget = {
  readonly protocol: 'tcp' | 'udp'
  /** literal; `::` is IPv6 only */
  readonly address: string
  readonly port: number
  /** other sockets, for which the same is said, may have the same port: the system shares out what comes */
  readonly reusePort: boolean
}

const SYMBOLS = {
  socket: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
  setsockopt: { arguments: ['i32', 'i32', 'i32', 'pointer', 'u32'], return: 'i32' },
  bind: { arguments: ['i32', 'pointer', 'u32'], return: 'i32' },
  listen: { arguments: ['i32', 'i32'], return: 'i32' },
  fcntl: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
  close: { arguments: ['i32'], return: 'i32' },
} as const

type Library = CLibrary<typeof SYMBOLS>

const TYPE = { tcp: 1, udp: 2 } as const
const NONBLOCK_CLOEXEC = 0x8_0800
const REUSE_ADDRESS = [1, 2] as const
const REUSE_PORT = [1, 15] as const
const ONLY_IPV6 = [41, 26] as const
const F_DUPFD_CLOEXEC = 1030
/** Connections that the kernel keeps until they are taken. */
const BACKLOG = 4096

/** struct sockaddr_in and sockaddr_in6: family, port, then the address. */
const NAME = {
  port: 2,
  4: { family: 2, octets: 16, address: 4, digits: 8 },
  6: { family: 10, octets: 28, address: 8, digits: 32 },
} as const

/** @returns undefined where the C library cannot be called */
export function createDescriptors(): Descriptors | undefined {
  const library = loadCLibrary(SYMBOLS)
  if (library === undefined) return undefined
  return {
    open(target) {
      const network = parseNetwork(target.address)
      return network === undefined ? undefined : open(library, network, target)
    },
    duplicate: (fd) => library.fcntl(fd, F_DUPFD_CLOEXEC, 0),
    close: (fd) => void library.close(fd),
  }
}

function open(library: Library, { family, bits }: Network, target: SocketTarget): number | undefined {
  const { protocol, port, reusePort } = target
  const fd = library.socket(NAME[family].family, TYPE[protocol] | NONBLOCK_CLOEXEC, 0)
  if (fd < 0) return undefined
  // Connections of a server that stopped a moment ago are no reason to refuse.
  if (protocol === 'tcp') setOption(library, fd, REUSE_ADDRESS)
  if (reusePort) setOption(library, fd, REUSE_PORT)
  if (family === 6) setOption(library, fd, ONLY_IPV6)
  const name = Buffer.alloc(NAME[family].octets)
  name.writeUInt16LE(NAME[family].family)
  name.writeUInt16BE(port, NAME.port)
  name.write(bits.toString(16).padStart(NAME[family].digits, '0'), NAME[family].address, 'hex')
  const isBound = library.bind(fd, name, name.length) === 0
  if (isBound && (protocol === 'udp' || library.listen(fd, BACKLOG) === 0)) return fd
  library.close(fd)
  return undefined
}

function setOption(library: Library, fd: number, [level, option]: readonly [number, number]): void {
  const on = Buffer.from([1, 0, 0, 0])
  library.setsockopt(fd, level, option, on, on.length)
}
