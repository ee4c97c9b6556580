import { deserialize, serialize } from 'node:v8'
import type { Movie } from './movie.ts'

/** Counts up when what a Movie has changes: an index of another version is made anew. */
const version = 3

/** A movie as octets that can be kept on disk: its typed arrays as they are. */
export function encodeMovie(movie: Movie): Uint8Array {
  return serialize({ version, movie })
}

/**
 * The movie that encodeMovie() wrote.
 *
 * @returns undefined when the octets are cut short or of another version
 */
export function decodeMovie(octets: Uint8Array): Movie | undefined {
  try {
    const kept: { version: unknown; movie: Movie } = deserialize(octets)
    return kept.version === version ? kept.movie : undefined
  } catch {
    return undefined
  }
}
