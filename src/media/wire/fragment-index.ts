import { type Box, children, fullBox } from './bmff.ts'

/** Where the fragments of a film begin that begin with a key frame, as its own index says. */
export type FragmentIndex = {
  readonly trackId: number
  /** of `ticks` */
  readonly timescale: number
  /** ascending in both */
  readonly entries: readonly { readonly ticks: number; readonly offset: number }[]
  /** where the last of them ends; undefined when the index does not say */
  readonly endTicks: number | undefined
  readonly endOffset: number | undefined
}

/** A fragment a second for a day has fewer. */
const LIMIT_ENTRIES = 100_000

/** What `tfra` does not say, and `moov` does. */
type TimescaleOf = (trackId: number) => number | undefined

/**
 * Read a segment index (ISO 14496-12 §8.16.3) whose references are all of media.
 *
 * @returns undefined when it refers to other indexes, or to what does not begin with a key frame
 * @throws {MediaFault} when it is cut short
 */
export function readSegmentIndex(sidx: Box): FragmentIndex | undefined {
  const { version, fields } = fullBox(sidx)
  const trackId = fields.u32()
  const timescale = fields.u32()
  let ticks = version === 0 ? fields.u32() : fields.u64()
  // Offsets count from behind the box.
  let offset = sidx.at + sidx.content.length + (version === 0 ? fields.u32() : fields.u64())
  fields.skip(2)
  const entries: { ticks: number; offset: number }[] = []
  for (let left = fields.u16(); left > 0; left--) {
    const reference = fields.u32()
    const duration = fields.u32()
    const isKey = fields.u32() >>> 31 === 1
    if (reference >>> 31 === 1) return undefined
    // What does not begin with a key frame belongs to what stands before it.
    if (isKey) entries.push({ ticks, offset })
    else if (entries.length === 0) return undefined
    ticks += duration
    offset += reference & 0x7fffffff
  }
  if (timescale === 0) return undefined
  return { trackId, timescale, entries, endTicks: ticks, endOffset: offset }
}

/**
 * Read the random access points of a film (ISO 14496-12 §8.8.9, §8.8.10): those at the beginning of a fragment.
 *
 * @throws {MediaFault} when it is cut short
 */
export function readRandomAccess(mfra: Box, timescaleOf: TimescaleOf): FragmentIndex[] {
  return children(mfra).flatMap((tfra) => {
    if (tfra.type !== 'tfra') return []
    const { version, fields } = fullBox(tfra)
    const trackId = fields.u32()
    const timescale = timescaleOf(trackId)
    const lengths = fields.u32()
    const numberOf = (shift: number): number =>
      fields.take(((lengths >> shift) & 3) + 1).reduce((sum, octet) => sum * 256 + octet, 0)
    const entries: { ticks: number; offset: number }[] = []
    let left = fields.u32()
    if (left > LIMIT_ENTRIES) return []
    for (; left > 0; left--) {
      const ticks = version === 1 ? fields.u64() : fields.u32()
      const offset = version === 1 ? fields.u64() : fields.u32()
      // Which track of the fragment does not matter; which run and sample of it does.
      numberOf(4)
      const [run, sample] = [numberOf(2), numberOf(0)]
      const isFirst = run === 1 && sample === 1
      if (isFirst && offset !== entries.at(-1)?.offset) entries.push({ ticks, offset })
    }
    if (timescale === undefined) return []
    return [{ trackId, timescale, entries, endTicks: undefined, endOffset: undefined }]
  })
}

/** Whether times and places go up, and begin where the film's first fragment does. */
export function isInOrder({ entries, endTicks, endOffset }: FragmentIndex, firstAt: number): boolean {
  if (entries[0]?.offset !== firstAt) return false
  const last = { ticks: endTicks ?? Number.POSITIVE_INFINITY, offset: endOffset ?? Number.POSITIVE_INFINITY }
  return entries.every(({ ticks, offset }, i) => {
    const next = entries[i + 1] ?? last
    return ticks < next.ticks && offset < next.offset
  })
}
