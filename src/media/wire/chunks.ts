import { type Column, lastUpTo, pack, sumOf, valueAt } from './columns.ts'

/**
 * Where samples lie: a chunk is a run of samples that stand behind each other in the file.
 *
 * Writers make chunks of one or two samples, a million in a long film. Kept is what differs little: how many samples a chunk
 * has, and how far it is from the end of the one before; every 64th has its place.
 */
export type Chunks = {
  readonly counts: Column
  /** Octets from the end of the chunk before; less than 0 when it lies behind this one. */
  readonly gaps: Column
  /** Sample entry of each chunk, from 0. */
  readonly entries: Column
  /** First sample of every 64th chunk, and where it lies. */
  readonly markSamples: Uint32Array
  readonly markOffsets: Float64Array
}

/** Samples with their places. */
type Placed = { readonly sizes: Column; readonly chunks: Chunks }

/** A chunk as files write it. */
export type ChunkList = {
  /** First sample of each, ascending from 0. */
  readonly starts: ArrayLike<number>
  readonly offsets: ArrayLike<number>
  readonly entries: Uint32Array
}

const markEvery = 64

/** Keep a list of chunks in few octets. */
export function packChunks({ starts, offsets, entries }: ChunkList, sizes: Column, count: number): Chunks {
  const chunks = starts.length
  const counts = new Uint32Array(chunks)
  const gaps = new Float64Array(chunks)
  let end = 0
  for (let i = 0; i < chunks; i++) {
    const next = starts[i + 1] ?? count
    counts[i] = next - starts[i]!
    gaps[i] = i === 0 ? 0 : offsets[i]! - end
    end = offsets[i]! + sumOf(sizes, starts[i]!, next)
  }
  const marks = Math.ceil(chunks / markEvery)
  return {
    counts: pack(counts),
    gaps: pack(gaps),
    entries: pack(entries),
    markSamples: Uint32Array.from({ length: marks }, (_, i) => starts[i * markEvery]!),
    markOffsets: Float64Array.from({ length: marks }, (_, i) => offsets[i * markEvery]!),
  }
}

/** A run of samples that lie behind each other in the file and share a sample entry. */
export type Run = {
  readonly first: number
  readonly count: number
  readonly from: number
  readonly octets: number
  readonly entry: number
}

/** Where samples `first` up to, not including, `end` lie; neighbours in the file are one run. */
export function runsOf(samples: Placed, first: number, end: number): Run[] {
  const runs: Run[] = []
  for (const part of chunkParts(samples, first, end)) {
    const before = runs.at(-1)
    if (before && before.from + before.octets === part.from && before.entry === part.entry) {
      const [count, octets] = [before.count + part.count, before.octets + part.octets]
      runs[runs.length - 1] = { ...before, count, octets }
    } else {
      runs.push(part)
    }
  }
  return runs
}

/** The parts of chunks that hold samples `first` up to, not including, `end`, in order of the samples. */
export function* chunkParts(samples: Placed, first: number, end: number): Generator<Run> {
  const { counts, gaps, entries, markSamples, markOffsets } = samples.chunks
  const mark = Math.max(0, lastUpTo(markSamples, first))
  let chunk = mark * markEvery
  let start = markSamples[mark] ?? 0
  let from = markOffsets[mark] ?? 0
  while (start < end) {
    const next = start + valueAt(counts, chunk)
    const octets = sumOf(samples.sizes, start, next)
    if (next > first) {
      const [begin, stop] = [Math.max(start, first), Math.min(next, end)]
      const before = sumOf(samples.sizes, start, begin)
      const inside = begin === start && stop === next ? octets : sumOf(samples.sizes, begin, stop)
      const entry = valueAt(entries, chunk)
      if (stop > begin)
        yield { first: begin, count: stop - begin, from: from + before, octets: inside, entry }
    }
    if (next >= end) return
    from += octets + valueAt(gaps, ++chunk)
    start = next
  }
}
