/**
 * One number a sample, as small as its values allow.
 *
 * `values` has one number for all samples, or one for each; with `index` it holds only the different ones.
 */
export type Column = {
  readonly values: Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array
  readonly index?: Uint8Array
}

/** The samples of a track in decoding order; a chunk is a run of samples that lie behind each other in the file. */
export type Samples = {
  readonly count: number
  /** Octets. */
  readonly sizes: Column
  /** Ticks from this sample's decode time to the next one's. */
  readonly durations: Column
  /** Composition time less decode time, in ticks; may be negative. */
  readonly compositions: Column
  /** Numbers of the sync samples (from 0), ascending; undefined when all are. */
  readonly syncs: Uint32Array | undefined
  /** First sample of each chunk, ascending from 0, and where it lies in the file. */
  readonly chunkStarts: Uint32Array
  readonly chunkOffsets: Uint32Array | Float64Array
  /** Sample entry of each chunk, from 0. */
  readonly chunkEntries: Column
  /** Decode time of every 256th sample, from 0. */
  readonly marks: Float64Array
}
