import type { Chunks } from './chunks.ts'
import { type Column, lastUpTo, sumOf, valueAt } from './columns.ts'

/** The samples of a track in decoding order. */
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
  readonly chunks: Chunks
  /** Decode time of every 256th sample, from 0. */
  readonly marks: Float64Array
}

const markEvery = 256

/** The same samples, composed `ticks` later. */
export function raiseCompositions(samples: Samples, ticks: number): Samples {
  if (ticks === 0) return samples
  const { values, index } = samples.compositions
  const raised = Float64Array.from(values, (value) => value + ticks)
  return { ...samples, compositions: index ? { values: raised, index } : { values: raised } }
}

/** Decode times of every 256th sample; what decodeTime() counts on from. */
export function marksOf(durations: Column, count: number): Float64Array {
  const marks = new Float64Array(Math.floor(count / markEvery) + 1)
  let time = 0
  for (let i = 0; i < count; i++) {
    if (i % markEvery === 0) marks[i / markEvery] = time
    time += valueAt(durations, i)
  }
  if (count % markEvery === 0) marks[count / markEvery] = time
  return marks
}

/** Ticks from the first sample to sample `i`, which may be one past the last. */
export function decodeTime({ marks, durations }: Samples, i: number): number {
  const mark = Math.floor(i / markEvery)
  let time = marks[mark]!
  for (let k = mark * markEvery; k < i; k++) time += valueAt(durations, k)
  return time
}

/** The first sample whose decode time is `ticks` or later; `count` when there is none. */
export function sampleFrom(samples: Samples, ticks: number): number {
  const { marks, durations, count } = samples
  let i = Math.max(0, lastUpTo(marks, ticks)) * markEvery
  // Samples without duration may stand before a mark of the same time.
  while (i >= markEvery && marks[i / markEvery] === ticks) i -= markEvery
  for (let time = marks[i / markEvery]!; i < count && time < ticks; i++) time += valueAt(durations, i)
  return i
}

/** The sync sample of a place in their order; every sample when all are. */
export function syncAt({ syncs }: Samples, place: number): number {
  return syncs ? syncs[place]! : place
}

/** How many sync samples there are. */
export function syncCount({ syncs, count }: Samples): number {
  return syncs ? syncs.length : count
}

/** Whether decoding can begin at a sample. */
export function isSync({ syncs }: Samples, sample: number): boolean {
  return !syncs || syncs[lastUpTo(syncs, sample)] === sample
}

/** Octets of samples `first` up to, not including, `end`. */
export function octetsOf({ sizes }: Samples, first: number, end: number): number {
  return sumOf(sizes, first, end)
}
