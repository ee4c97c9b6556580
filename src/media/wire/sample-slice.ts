import { type Column, lastUpTo, marksOf, octetsOf, pack, type Samples, valueAt } from './samples.ts'

/** Samples `first` up to, not including, `end` as a track of their own; its decode times begin at 0. */
export function sliceSamples(samples: Samples, first: number, end: number): Samples {
  if (first === 0 && end === samples.count) return samples
  const chunk = lastUpTo(samples.chunkStarts, first)
  const chunkEnd = lastUpTo(samples.chunkStarts, end - 1) + 1
  const chunkOffsets = samples.chunkOffsets.slice(chunk, chunkEnd)
  chunkOffsets[0]! += octetsOf(samples, samples.chunkStarts[chunk]!, first)
  const durations = cut(samples.durations, first, end)
  return {
    count: end - first,
    sizes: cut(samples.sizes, first, end),
    durations,
    compositions: cut(samples.compositions, first, end),
    syncs: samples.syncs?.filter((sample) => sample >= first && sample < end).map((sample) => sample - first),
    chunkStarts: samples.chunkStarts.slice(chunk, chunkEnd).map((start) => Math.max(0, start - first)),
    chunkOffsets,
    chunkEntries: cut(samples.chunkEntries, chunk, chunkEnd),
    marks: marksOf(durations, end - first),
  }
}

function cut(column: Column, first: number, end: number): Column {
  if (!column.index && column.values.length === 1) return column
  const values = new Int32Array(end - first)
  for (let i = first; i < end; i++) values[i - first] = valueAt(column, i)
  return pack(values)
}
