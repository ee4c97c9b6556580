import { deserialize, serialize } from 'node:v8'
import type { Movie } from './movie.ts'

/** Counts up when what a Movie has changes: an index of another version is made anew. */
const version = 4

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
    return kept.version === version ? ownArrays(kept.movie) : undefined
  } catch {
    return undefined
  }
}

/** With arrays of their own: each of deserialize() keeps alive all the octets that it lies in, and Buffer's pool with them. */
function ownArrays<T>(value: T): T {
  if (value === null || typeof value !== 'object') return value
  if (ArrayBuffer.isView(value)) {
    if (value instanceof Uint8Array) return new Uint8Array(value) as T
    return new (value.constructor as new (values: T) => T)(value)
  }
  if (Array.isArray(value)) return value.map(ownArrays) as T
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, ownArrays(part)])) as T
}
