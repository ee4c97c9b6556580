import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Broadcast, Session } from '#media/live/broadcast.ts'
import { initFile, segmentFile } from '#media/live/folder.ts'
import type { Piece } from './pieces-source.ts'

/** Name of the track that stands for all, in the initialisation segment of the film. */
export const FILM = 'film'

/**
 * What was live as one fragmented MP4: nothing is copied, its octets lie in the segments.
 *
 * Encoders may come and go in it, as long as the format stays; of what was sent in another one before, it has nothing.
 */
export async function filmOf({ segments }: Broadcast, folder: string): Promise<Piece[]> {
  const last = segments.at(-1)!.session
  const from = segments.findLastIndex(({ session }) => !isAlike(session, last)) + 1
  const init = join(folder, initFile(FILM, last.init))
  const pieces: Piece[] = [{ path: init, from: 0, octets: (await stat(init)).size }]
  for (const { msn, session, tracks } of segments.slice(from)) {
    for (const [i, { name }] of session.tracks.entries()) {
      const { octets } = tracks[i]!
      if (octets > 0) pieces.push({ path: join(folder, segmentFile(name, msn)), from: 0, octets })
    }
  }
  return pieces
}

function isAlike({ tracks }: Session, other: Session): boolean {
  return (
    tracks.length === other.tracks.length &&
    tracks.every(({ format, timescale }, i) => {
      return format === other.tracks[i]!.format && timescale === other.tracks[i]!.timescale
    })
  )
}
