import { chunkParts, packChunks } from './chunks.ts'
import { oneOf, pack, valueAt } from './columns.ts'
import { MediaFault } from './fault.ts'
import { isSync, marksOf, type Samples } from './samples.ts'

/** The samples of a fragmented track, as its fragments add them. */
export type SampleList = {
  /** Decode time of the next sample, from the first one's. */
  readonly time: () => number
  /** Samples from here on lie behind each other at an offset of the file. */
  readonly chunk: (offset: number, entry: number) => void
  readonly add: (octets: number, duration: number, composition: number, isSync: boolean) => void
  /** Set the decode time of the next sample by the last one's duration. */
  readonly moveTo: (time: number) => void
  readonly finish: () => Samples
}

const most = 0x7fffffff

/**
 * Collect samples in arrays that grow by doubling.
 *
 * @param limit samples; more are a fault
 */
export function createSampleList(limit: number): SampleList {
  const [sizes, durations, compositions, syncs, starts, entries] = Array.from({ length: 6 }, createNumbers)
  const offsets: number[] = []
  let time = 0
  const finish = () => {
    const count = sizes!.count()
    const packedSizes = pack(Uint32Array.from(sizes!.all()))
    const packed = pack(Int32Array.from(durations!.all()))
    return {
      count,
      sizes: packedSizes,
      durations: packed,
      compositions: count > 0 ? pack(Int32Array.from(compositions!.all())) : oneOf(0),
      syncs: syncs!.count() === count ? undefined : Uint32Array.from(syncs!.all()),
      chunks: packChunks(
        { starts: starts!.all(), offsets, entries: Uint32Array.from(entries!.all()) },
        packedSizes,
        count,
      ),
      marks: marksOf(packed, count),
    }
  }
  return {
    time: () => time,
    chunk: (offset, entry) => {
      starts!.add(sizes!.count())
      entries!.add(entry)
      offsets.push(offset)
    },
    add: (octets, duration, composition, isSync) => {
      if (sizes!.count() >= limit)
        throw new MediaFault(`A track has more than ${limit} samples, which is the limit`)
      if (octets > most || duration > most) {
        throw new MediaFault(
          `A sample has ${octets} octets and ${duration} ticks; ${most} is the most of both`,
        )
      }
      if (isSync) syncs!.add(sizes!.count())
      sizes!.add(octets)
      durations!.add(duration)
      compositions!.add(composition)
      time += duration
    },
    moveTo: (wanted) => {
      const last = durations!.last() + wanted - time
      if (last < 0 || last > most) {
        throw new MediaFault(`A fragment begins at tick ${wanted}, the one before ends at ${time}`)
      }
      durations!.setLast(last)
      time = wanted
    },
    finish,
  }
}

/** Add all samples of tables to a list. */
export function copySamples(samples: Samples, list: SampleList): void {
  const { count, sizes, durations, compositions } = samples
  for (const { first, count: held, from, entry } of chunkParts(samples, 0, count)) {
    list.chunk(from, entry)
    for (let i = first; i < first + held; i++) {
      list.add(valueAt(sizes, i), valueAt(durations, i), valueAt(compositions, i), isSync(samples, i))
    }
  }
}

function createNumbers() {
  let values = new Int32Array(256)
  let count = 0
  return {
    count: () => count,
    last: () => values[count - 1] ?? 0,
    setLast: (value: number) => {
      if (count > 0) values[count - 1] = value
    },
    add: (value: number) => {
      if (count === values.length) {
        const wider = new Int32Array(count * 2)
        wider.set(values)
        values = wider
      }
      values[count++] = value
    },
    all: () => values.subarray(0, count),
  }
}
