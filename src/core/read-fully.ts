import { read } from 'node:fs'
import { promisify } from 'node:util'

const readSome = promisify(read)

/**
 * Fill a buffer from an open file: one read may bring less than was asked for.
 *
 * @param position of its first octet in the file
 * @returns how many octets came: fewer than the buffer has when the file ends before
 */
export async function readFully(descriptor: number, octets: Uint8Array, position: number): Promise<number> {
  let filled = 0
  while (filled < octets.length) {
    const { bytesRead } = await readSome(
      descriptor,
      octets,
      filled,
      octets.length - filled,
      position + filled,
    )
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}
