import { open } from 'node:fs/promises'
import { readFully } from '#core/read-fully.ts'
import { leadTrack } from '#media/movie/cuts.ts'
import type { Movie } from '#media/movie/movie.ts'
import { openMovie } from '#media/movie/open.ts'
import { MediaFault } from '../wire/fault.ts'
import type { FilmFacts } from './ladder.ts'

/** A film on this machine, as it stood when it was looked at. */
export type LocalFilm = FilmFacts & {
  readonly path: string
  readonly octets: number
  readonly modifiedMs: number
}

/**
 * Look at a film as the packager does: what it cannot offer, it has no use for.
 *
 * @throws {MediaFault} when it is none, or has no pictures
 */
export async function lookAtFilm(path: string): Promise<LocalFilm> {
  const handle = await open(path)
  try {
    const { size: octets, mtimeMs: modifiedMs } = await handle.stat()
    const movie = await openMovie({
      octets,
      tag: '',
      async read(range) {
        const content = Buffer.allocUnsafe(range.octets)
        const filled = await readFully(handle.fd, content, range.from)
        if (filled < range.octets) throw new MediaFault(`The file ends after ${range.from + filled} octets`)
        return content
      },
    })
    return { ...factsOf(movie), path, octets, modifiedMs }
  } finally {
    await handle.close()
  }
}

function factsOf(movie: Movie): FilmFacts {
  const video = leadTrack(movie)
  if (video.kind !== 'video') throw new MediaFault('The film has no pictures, and sound needs no ladder')
  const hasSound = movie.tracks.some(({ kind }) => kind === 'audio')
  return {
    height: Math.min(video.width, video.height),
    frameRate: video.frameRate,
    bitsPerSecond: (video.octets * 8) / Math.max(video.durationSeconds, 0.001),
    codec: video.codec,
    durationSeconds: movie.durationSeconds,
    hasOddSound: !hasSound && movie.refused.length > 0,
    hasSound,
  }
}
