import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readFully } from '#core/read-fully.ts'
import { isAlive } from './alive.ts'

/**
 * Pictures as far as they were made, hidden beside their film. They are MPEG-TS (ISO 13818-1): it has no index that would
 * be missing after a crash, and what an encoder writes from a key frame on can follow what another one wrote up to it.
 */
export type Draft = {
  readonly path: string
  /**
   * Leave what is whole, and say from which second of the film on it has to be made; 0: all of it.
   *
   * The last key frame goes, too: nothing says that what began with it is whole.
   */
  cut(): Promise<number>
  /** it is the rendition now, or nobody wants it */
  remove(): Promise<void>
}

/** Drafts count from 10 s: what is decoded before the first picture is shown has no time below 0 then. */
export const DRAFT_BEGINS_SECONDS = 10
const CLOCK = 90_000
/** Times of MPEG-TS have 33 bits, which is 26 hours: a longer film is begun again. */
const LIMIT_SECONDS = 95_000
/** Nobody has come back for it. */
const FORGOTTEN_MS = 7 * 86_400_000

/**
 * Take over the draft of a rendition that a run left which is no more, or begin one.
 *
 * @param name of the rendition
 * @param of what it is made of, as in its record: what another film or other words made is thrown away
 */
export async function takeDraft(
  folder: string,
  {
    name,
    of,
    durationSeconds,
  }: { readonly name: string; readonly of: string; readonly durationSeconds: number },
): Promise<Draft> {
  const path = join(folder, `.${name}.${of}.${process.pid}.draft`)
  for (const left of await readdir(folder)) {
    const known = readName(left)
    if (known?.name !== name || isAlive(known.pid)) continue
    // Of two that want it, one finds it gone.
    if (known.of === of) await rename(join(folder, left), path).catch(() => {})
    else await rm(join(folder, left), { force: true })
  }
  return {
    path,
    async cut() {
      const file = await open(path, 'a+', 0o644)
      try {
        const last = durationSeconds < LIMIT_SECONDS ? await lastKeyFrame(file) : null
        await file.truncate(last?.at ?? 0)
        return last === null ? 0 : last.ticks / CLOCK - DRAFT_BEGINS_SECONDS
      } finally {
        await file.close()
      }
    },
    remove: () => rm(path, { force: true }),
  }
}

/** Remove a file when it is a draft that a run has left, and nobody has come back for in a week. */
export async function removeForgotten(folder: string, file: string): Promise<void> {
  const known = readName(file)
  if (known === null || isAlive(known.pid)) return
  const path = join(folder, file)
  const found = await stat(path).catch(() => null)
  if (found !== null && Date.now() - found.mtimeMs > FORGOTTEN_MS) await rm(path, { force: true })
}

function readName(file: string): { readonly name: string; readonly of: string; readonly pid: number } | null {
  const [, name, of, pid] = /^\.(.+)\.([\w-]{22})\.(\d+)\.draft$/.exec(file) ?? []
  return name === undefined ? null : { name, of: of!, pid: Number(pid) }
}

const PACKET_OCTETS = 188
/** Read from the end in such steps. */
const BLOCK_OCTETS = 4096 * PACKET_OCTETS

/** Where the last key frame of a transport stream begins that is not its first, and when it is shown. */
async function lastKeyFrame(
  file: FileHandle,
): Promise<{ readonly at: number; readonly ticks: number } | null> {
  const { size } = await file.stat()
  // A packet of which only the beginning was written is none.
  for (let end = size - (size % PACKET_OCTETS); end > 0; ) {
    const from = Math.max(0, end - BLOCK_OCTETS)
    const block = Buffer.allocUnsafe(end - from)
    if ((await readFully(file.fd, block, from)) < block.length) return null
    for (let at = block.length - PACKET_OCTETS; at >= 0; at -= PACKET_OCTETS) {
      const ticks = keyFrameAt(block.subarray(at, at + PACKET_OCTETS))
      if (ticks === DRAFT_BEGINS_SECONDS * CLOCK) return null
      if (ticks !== null) return { at: from + at, ticks }
    }
    end = from
  }
  return null
}

/** When the key frame is shown that begins in a packet (§2.4.3.4, §2.4.3.6); null when none does. */
function keyFrameAt(packet: Buffer): number | null {
  const begins = packet[0] === 0x47 && (packet[1]! & 0x40) !== 0
  // There is an adaptation field, and what follows can be decoded by itself.
  const isRandomAccess = (packet[3]! & 0x20) !== 0 && packet[4]! > 0 && (packet[5]! & 0x40) !== 0
  const pes = packet.subarray(5 + packet[4]!)
  if (!begins || !isRandomAccess || pes.length < 14 || pes.readUIntBE(0, 3) !== 1 || (pes[7]! & 0x80) === 0)
    return null
  return ((pes[9]! >> 1) & 7) * 2 ** 30 + (pes.readUInt16BE(10) >> 1) * 2 ** 15 + (pes.readUInt16BE(12) >> 1)
}
