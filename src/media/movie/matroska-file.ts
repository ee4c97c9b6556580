import type { EncodedPacket, Input, InputTrack } from 'mediabunny'
import { MediaFault } from '#media/wire/fault.ts'
import { guardReads } from './matroska-guard.ts'
import type { MediaFile } from './movie.ts'

/** A Matroska file while something is read of it. */
export type OpenFile = {
  readonly tracks: readonly InputTrack[]
  /** What finds a track's packets. */
  packets(track: InputTrack): PacketReader
}

/** How packets are found (mediabunny's EncodedPacketSink). */
export type PacketReader = {
  getFirstPacket(options?: { metadataOnly: boolean }): Promise<EncodedPacket | null>
  getPacket(seconds: number, options?: { metadataOnly: boolean }): Promise<EncodedPacket | null>
  getKeyPacket(seconds: number, options?: { metadataOnly: boolean }): Promise<EncodedPacket | null>
  getNextKeyPacket(packet: EncodedPacket, options?: { metadataOnly: boolean }): Promise<EncodedPacket | null>
  packets(
    from?: EncodedPacket,
    to?: EncodedPacket,
    options?: { metadataOnly: boolean },
  ): AsyncIterable<EncodedPacket>
}

/**
 * Read something of a WebM or Matroska file by mediabunny, which is imported when the first such file is asked for.
 *
 * @param mostOctets that may be read for it; hostile files cannot have more
 * @throws {MediaFault} 422 with mediabunny's words, or as the file's reader says
 */
export async function readMatroska<T>(
  file: MediaFile,
  mostOctets: number,
  use: (open: OpenFile) => Promise<T>,
): Promise<T> {
  const { CustomSource, EncodedPacketSink, Input, Logging, LogLevel, MATROSKA, WEBM } = await import(
    'mediabunny'
  )
  // What is wrong with a film is said to who asks for it, not on the console.
  Logging.level = LogLevel.Silent
  let left = mostOctets
  const read = (from: number, end: number) => {
    left -= end - from
    if (left < 0)
      throw new MediaFault(`Finding a part of the film took more than ${mostOctets} octets, the limit`)
    return file.read({ from, octets: end - from })
  }
  const source = new CustomSource({ getSize: () => file.octets, read, handleUnhandledError: () => {} })
  guardReads(source)
  const input: Input = new Input({ formats: [WEBM, MATROSKA], source })
  try {
    const tracks = await input.getTracks()
    return await use({ tracks, packets: (track) => new EncodedPacketSink(track) })
  } catch (error) {
    if (error instanceof MediaFault) throw error
    throw new MediaFault(`The Matroska file cannot be read: ${(error as Error).message.slice(0, 300)}`)
  } finally {
    input.dispose()
  }
}
