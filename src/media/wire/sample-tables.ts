import { type Box, childOf, fullBox, viewOf } from './bmff.ts'
import { type ChunkList, chunkParts, packChunks } from './chunks.ts'
import { oneOf, pack } from './columns.ts'
import { MediaFault } from './fault.ts'
import { marksOf, type Samples } from './samples.ts'

/** How much a film may hold; what is more is a fault, so that no file can take the memory of all others. */
export type SampleLimits = { readonly samples: number; readonly fileOctets: number }

/**
 * The samples that the tables of a track describe (ISO 14496-12 §8.6, §8.7).
 *
 * Every table is bounded by the octets that are there; where one number speaks for many samples, by `limits`.
 *
 * @param tables the boxes of `stbl`
 * @param entryCount sample entries of the track
 * @throws {MediaFault} when tables are missing, disagree, or point outside of the file
 */
export function samplesOf(tables: readonly Box[], entryCount: number, limits: SampleLimits): Samples {
  const { count, sizes } = sampleSizes(tables, limits)
  const durations = spreadRuns(required(tables, 'stts'), count)
  const composition = childOf(tables, 'ctts')
  const packedDurations = pack(durations)
  const packedSizes = typeof sizes === 'number' ? oneOf(sizes) : pack(sizes)
  const samples: Samples = {
    count,
    sizes: packedSizes,
    durations: packedDurations,
    compositions: composition ? pack(spreadRuns(composition, count)) : oneOf(0),
    syncs: syncSamples(childOf(tables, 'stss'), count),
    chunks: packChunks(chunksOf(tables, count, entryCount), packedSizes, count),
    marks: marksOf(packedDurations, count),
  }
  refuseOutside(samples, limits.fileOctets)
  return samples
}

function required(tables: readonly Box[], type: string): Box {
  const box = childOf(tables, type)
  if (!box)
    throw new MediaFault(`stbl at octet ${tables[0]?.at ?? 0} has no ${type}, a table that every track needs`)
  return box
}

/** Entries of a table that says how many it has: no more than there is room for. */
function tableOf(box: Box, headOctets: number, count: number, entryOctets: number): DataView {
  const room = box.content.length - headOctets
  if (count * entryOctets > room) {
    const needs = `${count} entries of ${entryOctets} octets`
    throw new MediaFault(`${box.type} at octet ${box.at} says ${needs}; ${room} octets are there`)
  }
  return viewOf(box.content.subarray(headOctets, headOctets + count * entryOctets))
}

function sampleSizes(
  tables: readonly Box[],
  limits: SampleLimits,
): { count: number; sizes: Uint32Array | number } {
  const compact = childOf(tables, 'stz2')
  const box = compact ?? required(tables, 'stsz')
  const { fields } = fullBox(box)
  const size = compact ? fields.u32() & 0xff : fields.u32()
  const count = fields.u32()
  const possible = !compact && size > 0 ? Math.min(limits.samples, limits.fileOctets / size) : limits.samples
  if (count > possible) {
    throw new MediaFault(
      `${box.type} at octet ${box.at} says ${count} samples; ${Math.floor(possible)} is the limit`,
    )
  }
  if (!compact && size > 0) return { count, sizes: size }
  const bits = compact ? size : 32
  if (![4, 8, 16, 32].includes(bits)) {
    throw new MediaFault(`stz2 at octet ${box.at} has fields of ${bits} bits; 4, 8 and 16 are known`)
  }
  const view = tableOf(box, 12, bits === 4 ? Math.ceil(count / 2) : count, Math.max(1, bits / 8))
  const sizes = new Uint32Array(count)
  for (let i = 0; i < count; i++) sizes[i] = sizeAt(view, bits, i)
  return { count, sizes }
}

function sizeAt(view: DataView, bits: number, i: number): number {
  if (bits === 32) return view.getUint32(i * 4)
  if (bits === 16) return view.getUint16(i * 2)
  if (bits === 8) return view.getUint8(i)
  return i % 2 === 0 ? view.getUint8(i >> 1) >> 4 : view.getUint8(i >> 1) & 15
}

/**
 * Spread runs of (count, value), as stts and ctts have, over the samples.
 *
 * Values are read as signed: version 0 of ctts has no sign, but many a writer puts one there. What the runs leave out
 * has the last run's value in stts (real files end a run short) and 0 in ctts.
 */
function spreadRuns(box: Box, count: number): Int32Array {
  const isDuration = box.type === 'stts'
  const { fields } = fullBox(box)
  const runs = fields.u32()
  const view = tableOf(box, 8, runs, 8)
  const spread = new Int32Array(count)
  let at = 0
  let value = 0
  for (let run = 0; run < runs && at < count; run++) {
    const end = Math.min(count, at + view.getUint32(run * 8))
    value = view.getInt32(run * 8 + 4)
    if (isDuration && value < 0) {
      throw new MediaFault(`stts at octet ${box.at} has a duration of ${value} at sample ${at + 1}`)
    }
    spread.fill(value, at, end)
    at = end
  }
  if (isDuration) spread.fill(value, at)
  return spread
}

function syncSamples(box: Box | undefined, count: number): Uint32Array | undefined {
  if (!box) return undefined
  const { fields } = fullBox(box)
  const entries = fields.u32()
  const view = tableOf(box, 8, entries, 4)
  const syncs = new Uint32Array(entries)
  let before = -1
  for (let i = 0; i < entries; i++) {
    const sample = view.getUint32(i * 4) - 1
    if (sample <= before || sample >= count) {
      const place = `stss at octet ${box.at} names sample ${sample + 1}`
      throw new MediaFault(`${place} as entry ${i + 1}; it must ascend up to ${count}`)
    }
    syncs[i] = before = sample
  }
  return syncs.length === count ? undefined : syncs
}

/** Which samples lie in which chunk (stsc), and where the chunks lie (stco or co64). */
function chunksOf(tables: readonly Box[], count: number, entryCount: number): ChunkList {
  const wide = childOf(tables, 'co64')
  const places = wide ?? required(tables, 'stco')
  const chunks = fullBox(places).fields.u32()
  const view = tableOf(places, 8, chunks, wide ? 8 : 4)
  const offsets = wide ? new Float64Array(chunks) : new Uint32Array(chunks)
  for (let i = 0; i < chunks; i++) {
    offsets[i] = wide ? Number(view.getBigUint64(i * 8)) : view.getUint32(i * 4)
  }
  const runs = required(tables, 'stsc')
  const { starts, entries, used } = chunkStartsOf(runs, chunks, count, entryCount)
  return {
    starts: starts.subarray(0, used),
    offsets: offsets.subarray(0, used),
    entries: entries.subarray(0, used),
  }
}

function chunkStartsOf(box: Box, chunks: number, count: number, entryCount: number) {
  const runs = fullBox(box).fields.u32()
  const view = tableOf(box, 8, runs, 12)
  const starts = new Uint32Array(chunks)
  const entries = new Uint32Array(chunks)
  let [sample, used] = [0, 0]
  for (let run = 0; run < runs; run++) {
    const end = run + 1 < runs ? view.getUint32(run * 12 + 12) - 1 : chunks
    const [perChunk, entry] = [view.getUint32(run * 12 + 4), view.getUint32(run * 12 + 8)]
    if (view.getUint32(run * 12) - 1 !== used || end > chunks || end < used) {
      throw new MediaFault(`stsc at octet ${box.at}: run ${run + 1} does not go on where the one before ends`)
    }
    if (entry < 1 || entry > entryCount) {
      throw new MediaFault(`stsc at octet ${box.at} names sample entry ${entry}; stsd has ${entryCount}`)
    }
    for (; used < end && sample < count; used++, sample += perChunk) {
      starts[used] = sample
      entries[used] = entry - 1
    }
    if (sample >= count) break
  }
  if (sample < count) {
    throw new MediaFault(
      `stsc at octet ${box.at} places ${sample} samples in ${chunks} chunks; there are ${count}`,
    )
  }
  return { starts, entries, used }
}

function refuseOutside(samples: Samples, fileOctets: number): void {
  for (const { first, count, from, octets } of chunkParts(samples, 0, samples.count)) {
    if (from + octets <= fileOctets) continue
    const where = `Samples ${first + 1} to ${first + count} reach up to octet ${from + octets}`
    throw new MediaFault(`${where}, the file has ${fileOctets}: it was cut short`)
  }
}
