import { MediaFault } from '#media/wire/fault.ts'

/** What a source of mediabunny is asked by its readers: octets it has in memory, or a promise of them. */
type Readable = { _read(start: number, end: number, least: number, most: number): unknown }

/** Nothing else goes on in this worker while a reader does not pause. */
const SLICE_MS = 20
/** The same octets so often in a row: it turns in a circle. */
const LIMIT_AGAIN = 1000
/** A film of a day without cues has as many; hostile files have no more. */
const LIMIT_READS = 20_000_000

/**
 * Have what reads a Matroska file pause for others, and end when it does not end by itself.
 *
 * mediabunny 1.61 looks for the next element octet by octet where one is broken, and looks at the last eight of a stretch
 * for ever, out of its memory: without a pause, that is the end of the worker.
 *
 * @param source one of mediabunny's; its readers are handed a MediaFault
 */
export function guardReads(source: object): void {
  const readable = source as Readable
  const read = readable._read.bind(readable)
  let begunMs = performance.now()
  let [reads, again, lastStart, lastEnd] = [0, 0, -1, -1]
  readable._read = (start, end, least, most) => {
    again = start === lastStart && end === lastEnd ? again + 1 : 0
    ;[lastStart, lastEnd] = [start, end]
    if (++reads > LIMIT_READS || again > 2 * LIMIT_AGAIN)
      throw new MediaFault(
        `The Matroska file is broken near octet ${start}, and cannot be read on from there`,
      )
    // As at the end of the file: readers that can go on without it do.
    if (again > LIMIT_AGAIN) return null
    const result = read(start, end, least, most)
    if (result instanceof Promise || performance.now() - begunMs < SLICE_MS) return result
    return pause().then(() => {
      begunMs = performance.now()
      return result
    })
  }
}

/** Let everything else have its turn. */
function pause(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
