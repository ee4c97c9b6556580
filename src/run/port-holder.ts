import { readdir, readFile, readlink } from 'node:fs/promises'

/** Processes looked at before giving up: a machine with more is busy enough. */
const PROCESS_LIMIT = 5000

/**
 * Find who listens on a TCP port, or holds a UDP one, of this machine.
 *
 * @returns such as `process 812 (postfix)`; undefined when nobody does or this system or user may not know
 */
export async function holderOf(port: number): Promise<string | undefined> {
  const inodes = new Set<string>()
  for (const table of ['tcp', 'tcp6', 'udp', 'udp6']) {
    const text = await readFile(`/proc/net/${table}`, 'utf8').catch(() => '')
    for (const inode of inodesOf(text, port, table.startsWith('udp') ? '07' : '0A'))
      inodes.add(`socket:[${inode}]`)
  }
  if (inodes.size === 0) return undefined
  const names = await readdir('/proc').catch(() => [])
  for (const pid of names.filter((name) => /^\d+$/.test(name)).slice(0, PROCESS_LIMIT)) {
    if (!(await holds(pid, inodes))) continue
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '?')
    return `process ${pid} (${name.trim()})`
  }
  return 'a process of another user'
}

/** Lines of /proc/net: `sl local_address rem_address st …`, the inode tenth; addresses and ports in hex. */
function inodesOf(table: string, port: number, state: string): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  return table.split('\n').flatMap((line) => {
    const words = line.trim().split(/\s+/)
    const isHeld = words[1]?.endsWith(`:${wanted}`) === true && words[3] === state
    return isHeld && words[9] !== undefined ? [words[9]] : []
  })
}

async function holds(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => [])
  const links = await Promise.all(descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')))
  return links.some((link) => inodes.has(link))
}
