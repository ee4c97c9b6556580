import assert from 'node:assert/strict'
import { open } from 'node:fs/promises'
import type { MediaFile } from '#media/movie/movie.ts'
import { run } from '../peers.ts'

/** A file of octets that are in memory, and what was read of it. */
export function memoryFile(content: Uint8Array): MediaFile & { reads: { from: number; octets: number }[] } {
  const reads: { from: number; octets: number }[] = []
  return {
    octets: content.length,
    tag: 'memory',
    reads,
    read: async (range) => {
      reads.push(range)
      return content.slice(range.from, range.from + range.octets)
    },
  }
}

/** A file on disk; closed with `close`. */
export async function diskFile(path: string): Promise<MediaFile & { close(): Promise<void> }> {
  const handle = await open(path)
  const { size } = await handle.stat()
  return {
    octets: size,
    tag: path,
    read: async ({ from, octets }) => {
      const content = new Uint8Array(octets)
      const { bytesRead } = await handle.read(content, 0, octets, from)
      return content.subarray(0, bytesRead)
    },
    close: () => handle.close(),
  }
}

/** What ffmpeg takes as a picture that moves, and as a tone. */
export const picture = (seconds: number, rate = '25', size = '192x108'): string[] => [
  ...['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=${rate}:d=${seconds}`],
]

/** A tone of 48 kHz. */
export const tone = (seconds: number): string[] => ['-f', 'lavfi', '-i', `sine=d=${seconds}:r=48000`]

/** Run ffmpeg to its end, in a folder; a word from it is a failure. */
export async function ffmpeg(command: string, folder: string, args: readonly string[]): Promise<string> {
  const quiet = ['-nostdin', '-hide_banner', '-loglevel', 'error', '-y']
  const { code, stdout, stderr } = await run(command, [...quiet, ...args], {
    cwd: folder,
    timeoutMs: 120_000,
  })
  assert.equal(code, 0, `ffmpeg ${args.join(' ')}\n${stderr}`)
  return stdout
}
