import { readdir, readFile, readlink } from 'node:fs/promises'
import { printIpv6 } from '#dns/wire/address.ts'

/** Processes looked at before giving up: a machine with more is busy enough. */
const PROCESS_LIMIT = 5000

/** A socket that waits for others on this machine, and whose it is. */
export type Holder = {
  readonly transport: 'TCP' | 'UDP'
  /** `0.0.0.0` and `::` are all addresses; `::` often takes IPv4 as well */
  readonly address: string
  readonly port: number
  /** null: of a process that this user may not look into */
  readonly pid: number | null
  readonly name: string | null
}

/**
 * Find who listens on a TCP port, or holds a UDP one, of this machine.
 *
 * @returns such as `process 812 (postfix)`; undefined when nobody does or this system or user may not know
 */
export async function holderOf(port: number): Promise<string | undefined> {
  const holders = await listHolders(new Set([port]))
  const known = holders.find(({ pid }) => pid !== null) ?? holders[0]
  return known === undefined ? undefined : printHolder(known)
}

/** `process 812 (postfix)`. */
export function printHolder({ pid, name }: Pick<Holder, 'pid' | 'name'>): string {
  return pid === null ? 'a process of another user' : `process ${pid} (${name ?? '?'})`
}

/** Every socket that listens on one of these TCP ports, or holds one over UDP; none where there is no /proc. */
export async function listHolders(ports: ReadonlySet<number>): Promise<Holder[]> {
  const sockets = (await readSockets()).filter(({ port }) => ports.has(port))
  const owners = await ownersOf(new Set(sockets.map(({ inode }) => `socket:[${inode}]`)))
  return sockets.map(({ inode, ...socket }) => ({
    ...socket,
    ...(owners.get(`socket:[${inode}]`) ?? { pid: null, name: null }),
  }))
}

/** A socket that this process was given. */
export type OwnSocket = Pick<Holder, 'transport' | 'address' | 'port'> & { readonly fd: number }

/** Which of these descriptors are waiting sockets, and where; Node itself cannot say that of a bare number. */
export async function socketsAmong(descriptors: readonly number[]): Promise<OwnSocket[]> {
  const sockets = await readSockets()
  const found = descriptors.map(async (fd): Promise<OwnSocket[]> => {
    const link = await readlink(`/proc/self/fd/${fd}`).catch(() => '')
    return sockets
      .filter(({ inode }) => link === `socket:[${inode}]`)
      .map(({ transport, address, port }) => ({ transport, address, port, fd }))
  })
  return (await Promise.all(found)).flat()
}

async function readSockets(): Promise<TableSocket[]> {
  const tables = ['tcp', 'tcp6', 'udp', 'udp6'].map(async (table) => {
    const text = await readFile(`/proc/net/${table}`, 'utf8').catch(() => '')
    return socketsIn(text, table.startsWith('udp') ? 'UDP' : 'TCP')
  })
  return (await Promise.all(tables)).flat()
}

type TableSocket = Pick<Holder, 'transport' | 'address' | 'port'> & { readonly inode: string }

/** States of sockets that wait: TCP_LISTEN, and a UDP socket without a peer. */
const WAITING = { TCP: '0A', UDP: '07' } as const

/** Lines of /proc/net: `sl local_address rem_address st …`, the inode tenth; addresses and ports in hex. */
function socketsIn(table: string, transport: Holder['transport']): TableSocket[] {
  return table.split('\n').flatMap((line) => {
    const words = line.trim().split(/\s+/)
    const [address = '', port = ''] = words[1]?.split(':') ?? []
    if (words[3] !== WAITING[transport] || words[9] === undefined) return []
    return [{ transport, address: readAddress(address), port: Number.parseInt(port, 16), inode: words[9] }]
  })
}

/** Words of 32 bits in the order of this machine, which is little-endian wherever Node runs. */
function readAddress(hex: string): string {
  const octets = Buffer.from(hex, 'hex').swap32()
  return octets.length === 4 ? octets.join('.') : printIpv6(octets)
}

type Owner = Pick<Holder, 'pid' | 'name'>

async function ownersOf(wanted: ReadonlySet<string>): Promise<Map<string, Owner>> {
  const owners = new Map<string, Owner>()
  if (wanted.size === 0) return owners
  const names = await readdir('/proc').catch(() => [])
  for (const pid of names.filter((name) => /^\d+$/.test(name)).slice(0, PROCESS_LIMIT)) {
    const found = (await socketsOf(pid)).filter((link) => wanted.has(link) && !owners.has(link))
    if (found.length === 0) continue
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '?')
    for (const link of found) owners.set(link, { pid: Number(pid), name: name.trim() })
    if (owners.size === wanted.size) break
  }
  return owners
}

async function socketsOf(pid: string): Promise<string[]> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => [])
  return Promise.all(descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')))
}
