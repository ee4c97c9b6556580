import type { Chunks } from './chunks.ts'

/**
 * One number a sample, as small as its values allow.
 *
 * `values` has one number for all samples, or one for each; with `index` it holds only the different ones.
 */
export type Column = {
  readonly values: Uint16Array | Uint32Array | Int32Array | Float64Array
  readonly index?: Uint8Array
}

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

/** The number of sample `i`. */
export function valueAt({ values, index }: Column, i: number): number {
  if (index) return values[index[i]!]!
  return values.length === 1 ? values[0]! : values[i]!
}

/**
 * Keep a number a sample in as few octets as are needed: one for all, an octet into a list of up to 256, two octets, or as given.
 *
 * @param given is kept itself when nothing smaller holds it
 */
export function pack(given: Uint32Array | Int32Array | Float64Array): Column {
  const places = new Map<number, number>()
  let [least, most] = [given[0] ?? 0, given[0] ?? 0]
  for (const value of given) {
    if (places.size <= 256 && !places.has(value)) places.set(value, places.size)
    if (value < least) least = value
    if (value > most) most = value
  }
  if (places.size <= 1) return oneOf(least)
  if (places.size <= 256) {
    const index = new Uint8Array(given.length)
    for (let i = 0; i < given.length; i++) index[i] = places.get(given[i]!)!
    return { values: Float64Array.from(places.keys()), index }
  }
  if (least >= 0 && most <= 0xffff) return { values: Uint16Array.from(given) }
  const isNarrow = least >= -0x80000000 && most <= 0x7fffffff
  return { values: isNarrow ? Int32Array.from(given) : given }
}

/** The same number for all samples. */
export function oneOf(value: number): Column {
  return { values: Float64Array.of(value) }
}

/** The least number of a column. */
export function leastOf({ values }: Column): number {
  let least = values[0] ?? 0
  for (const value of values) least = Math.min(least, value)
  return least
}

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

/** The last place of an ascending list whose value is not above `wanted`; -1 when there is none. */
export function lastUpTo(list: ArrayLike<number>, wanted: number): number {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (list[middle]! <= wanted) low = middle + 1
    else high = middle
  }
  return low - 1
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
export function octetsOf({ sizes }: Pick<Samples, 'sizes'>, first: number, end: number): number {
  let octets = 0
  for (let i = first; i < end; i++) octets += valueAt(sizes, i)
  return octets
}
