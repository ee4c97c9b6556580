import { box, fullBoxOf, u32 } from './bmff-write.ts'
import { valueAt } from './columns.ts'
import { isSync, octetsOf, type Samples } from './samples.ts'

/** What a fragment holds: samples `first` up to, not including, `end`, all with one sample entry. */
export type FragmentContent = {
  readonly trackId: number
  readonly samples: Samples
  readonly first: number
  readonly end: number
  /** From 0. */
  readonly entry: number
  /** Ticks. */
  readonly decodeTime: number
  /** Of the last sample, where it is not its own: a key frame alone stands until the next. */
  readonly lastDuration?: number
}

// ISO 14496-12 §8.8.3.1: depends on none and others may; depends on others and is no sync sample.
const syncFlags = 0x02000000
const otherFlags = 0x01010000

/** Which fields a trun has for each sample; what is the same for all stands once in tfhd. */
type Fields = { readonly durations: boolean; readonly flags: boolean; readonly compositions: boolean }

/**
 * moof and the header of mdat (ISO 14496-12 §8.8): what stands before the samples' own octets.
 *
 * Sample octets begin right behind; offsets count from moof (CMAF: default-base-is-moof), times are 64 bits.
 */
export function fragmentHead(content: FragmentContent): Uint8Array {
  const { trackId, first, end, entry, decodeTime, samples } = content
  const fields = fieldsOf(content)
  const defaultFlags = end > first + 1 && !isSync(samples, end - 1) ? otherFlags : syncFlags
  const tfhdFlags = 0x20000 | 0x2 | (fields.durations ? 0 : 0x8) | (fields.flags ? 0 : 0x20)
  const tfhd = fullBoxOf(
    'tfhd',
    0,
    tfhdFlags,
    u32(trackId, entry + 1),
    ...(fields.durations ? [] : [u32(durationAt(content, first))]),
    ...(fields.flags ? [] : [u32(defaultFlags)]),
  )
  const tfdt = fullBoxOf('tfdt', 1, 0, u32(Math.floor(decodeTime / 2 ** 32), decodeTime >>> 0))
  const traf = box('traf', tfhd, tfdt, trackRun(content, fields))
  const moof = box('moof', fullBoxOf('mfhd', 0, 0, u32(first + 1)), traf)
  const mdat = mdatHeader(octetsOf(samples, first, end))
  // The data offset is known only now; it is trun's second field, and trun stands last.
  const offsetAt = moof.length - trackRunOctets(content, fields) + 16
  new DataView(moof.buffer).setUint32(offsetAt, moof.length + mdat.length)
  return Buffer.concat([moof, mdat])
}

/** Octets of fragmentHead() without making it. */
export function fragmentHeadOctets(content: FragmentContent): number {
  const fields = fieldsOf(content)
  const tfhd = 20 + (fields.durations ? 0 : 4) + (fields.flags ? 0 : 4)
  const octets = octetsOf(content.samples, content.first, content.end)
  return 8 + 16 + 8 + tfhd + 20 + trackRunOctets(content, fields) + mdatHeader(octets).length
}

function fieldsOf(content: FragmentContent): Fields {
  const { samples, first, end } = content
  const duration = first < end ? durationAt(content, first) : 0
  const last = end > first ? isSync(samples, end - 1) : true
  let [durations, flags, compositions] = [false, false, false]
  for (let i = first; i < end; i++) {
    if (durationAt(content, i) !== duration) durations = true
    if (valueAt(samples.compositions, i) !== 0) compositions = true
    if (i > first && isSync(samples, i) !== last) flags = true
  }
  return { durations, flags, compositions }
}

function durationAt({ samples, end, lastDuration }: FragmentContent, i: number): number {
  return i === end - 1 && lastDuration !== undefined ? lastDuration : valueAt(samples.durations, i)
}

function octetsEach({ durations, flags, compositions }: Fields): number {
  return 4 + (durations ? 4 : 0) + (flags ? 4 : 0) + (compositions ? 4 : 0)
}

function trackRunOctets({ first, end }: FragmentContent, fields: Fields): number {
  return 20 + (fields.flags ? 0 : 4) + (end - first) * octetsEach(fields)
}

/** trun of version 1, whose composition offsets have a sign (ISO 14496-12 §8.8.8). */
function trackRun(content: FragmentContent, fields: Fields): Uint8Array {
  const { samples, first, end } = content
  const octets = new Uint8Array(trackRunOctets(content, fields) - 12)
  const view = new DataView(octets.buffer)
  view.setUint32(0, end - first)
  let at = 8
  const put = (value: number) => {
    view.setInt32(at, value)
    at += 4
  }
  if (!fields.flags) put(first === end || isSync(samples, first) ? syncFlags : otherFlags)
  for (let i = first; i < end; i++) {
    if (fields.durations) put(durationAt(content, i))
    put(valueAt(samples.sizes, i))
    if (fields.flags) put(isSync(samples, i) ? syncFlags : otherFlags)
    if (fields.compositions) put(valueAt(samples.compositions, i))
  }
  const durationFlag = fields.durations ? 0x100 : 0
  const compositionFlag = fields.compositions ? 0x800 : 0
  const flags = 0x1 | 0x200 | durationFlag | compositionFlag | (fields.flags ? 0x400 : 0x4)
  return fullBoxOf('trun', 1, flags, octets)
}

function mdatHeader(octets: number): Uint8Array {
  const short = octets + 8
  if (short < 2 ** 32) return Buffer.concat([u32(short), Buffer.from('mdat')])
  const long = octets + 16
  return Buffer.concat([u32(1), Buffer.from('mdat'), u32(Math.floor(long / 2 ** 32), long >>> 0)])
}
