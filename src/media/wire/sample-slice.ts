import { chunkParts, packChunks } from './chunks.ts'
import { type Column, pack, valueAt } from './columns.ts'
import { marksOf, type Samples } from './samples.ts'

/** Samples `first` up to, not including, `end` as a track of their own; its decode times begin at 0. */
export function sliceSamples(samples: Samples, first: number, end: number): Samples {
  if (first === 0 && end === samples.count) return samples
  const parts = [...chunkParts(samples, first, end)]
  const list = {
    starts: parts.map((part) => part.first - first),
    offsets: parts.map(({ from }) => from),
    entries: Uint32Array.from(parts, ({ entry }) => entry),
  }
  const sizes = cut(samples.sizes, first, end)
  const durations = cut(samples.durations, first, end)
  return {
    count: end - first,
    sizes,
    durations,
    compositions: cut(samples.compositions, first, end),
    syncs: samples.syncs?.filter((sample) => sample >= first && sample < end).map((sample) => sample - first),
    chunks: packChunks(list, sizes, end - first),
    marks: marksOf(durations, end - first),
  }
}

function cut(column: Column, first: number, end: number): Column {
  if (!column.index && column.values.length === 1) return column
  const values = new Int32Array(end - first)
  for (let i = first; i < end; i++) values[i - first] = valueAt(column, i)
  return pack(values)
}
