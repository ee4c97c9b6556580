import { type Box, childOf, children, fullBox } from './bmff.ts'
import { MediaFault } from './fault.ts'
import { canonicalLanguage } from './language.ts'
import { type SampleEntry, sampleEntries } from './sample-entry.ts'

/** A track as `trak` describes it, its samples aside. */
export type TrackBox = {
  readonly id: number
  readonly kind: 'video' | 'audio' | 'text'
  readonly timescale: number
  readonly language: string
  readonly name: string
  readonly width: number
  readonly height: number
  readonly matrix: Uint8Array
  readonly edits: readonly Edit[]
  readonly entries: readonly SampleEntry[]
  /** The boxes of `stbl`. */
  readonly tables: readonly Box[]
}

/** An edit (ISO 14496-12 §8.6.6): `mediaTicks` is -1 for time in which nothing is shown. */
export type Edit = { readonly movieTicks: number; readonly mediaTicks: number; readonly rate: number }

/** Defaults of a track's fragments (ISO 14496-12 §8.8.3). */
export type TrackDefaults = {
  readonly entry: number
  readonly duration: number
  readonly size: number
  readonly flags: number
}

/** What `moov` says. */
export type MovieBox = {
  readonly timescale: number
  readonly tracks: readonly TrackBox[]
  readonly refused: readonly { readonly id: number; readonly reason: string }[]
  /** By track; undefined when the film has no fragments. */
  readonly defaults: ReadonlyMap<number, TrackDefaults> | undefined
}

const mostTracks = 64

/**
 * Read `moov` (ISO 14496-12 §8.2).
 *
 * @throws {MediaFault} when a box that must be there is missing or says what cannot be
 */
export function readMovieBox(moov: Box): MovieBox {
  const boxes = children(moov)
  const compressed = childOf(boxes, 'cmov')
  if (compressed)
    throw new MediaFault('The index is compressed (cmov), as QuickTime did until 2000: remux the film')
  const traks = boxes.filter(({ type }) => type === 'trak')
  if (traks.length > mostTracks)
    throw new MediaFault(`moov has ${traks.length} tracks; ${mostTracks} is the limit`)
  const read = traks.map(readAnyTrack).filter((track) => track !== undefined)
  const mvex = childOf(boxes, 'mvex')
  return {
    timescale: timescaleOf(needed(boxes, 'mvhd', moov)),
    tracks: read.filter((track) => 'tables' in track),
    refused: read.filter((track) => 'reason' in track),
    defaults: mvex && defaultsOf(mvex),
  }
}

function needed(boxes: readonly Box[], type: string, parent: Box): Box {
  const box = childOf(boxes, type)
  if (!box) throw new MediaFault(`${parent.type} at octet ${parent.at} has no ${type}`)
  return box
}

/** Ticks a second, of `mvhd` and `mdhd` alike. */
function timescaleOf(box: Box): number {
  const { version, fields } = fullBox(box)
  fields.skip(version === 1 ? 16 : 8)
  const timescale = fields.u32()
  if (timescale === 0)
    throw new MediaFault(`${box.type} at octet ${box.at} has a timescale of 0; 1 is the least`)
  return timescale
}

/** A film whose subtitles cannot be read is played without them. */
function readAnyTrack(trak: Box): ReturnType<typeof readTrack> {
  try {
    return readTrack(trak)
  } catch (error) {
    if (isText(trak)) return undefined
    throw error
  }
}

function isText(trak: Box): boolean {
  const media = childOf(children(trak), 'mdia')
  const handler = media && childOf(children(media), 'hdlr')
  return handler !== undefined && kindOf(handler) === 'text'
}

function readTrack(trak: Box): TrackBox | { id: number; reason: string } | undefined {
  const boxes = children(trak)
  const media = needed(boxes, 'mdia', trak)
  const mediaBoxes = children(media)
  const kind = kindOf(needed(mediaBoxes, 'hdlr', media))
  if (!kind) return undefined
  const head = trackHeader(needed(boxes, 'tkhd', trak))
  const header = needed(mediaBoxes, 'mdhd', media)
  const information = needed(mediaBoxes, 'minf', media)
  const tables = children(needed(children(information), 'stbl', information))
  const entries = sampleEntries(needed(tables, 'stsd', information), kind)
  if (typeof entries === 'string' && kind === 'text') return undefined
  if (typeof entries === 'string') return { id: head.id, reason: `Track ${head.id} ${entries}` }
  return {
    ...head,
    kind,
    timescale: timescaleOf(header),
    language: languageOf(header, childOf(mediaBoxes, 'elng')),
    name: nameOf(childOf(boxes, 'udta')),
    edits: editsOf(childOf(boxes, 'edts')),
    entries,
    tables,
  }
}

/** Subtitles are `text` by ISO, `sbtl` by Apple, `subt` where they are XML or pictures. */
function kindOf(hdlr: Box): TrackBox['kind'] | undefined {
  const { fields } = fullBox(hdlr)
  fields.skip(4)
  const handler = fields.text(4)
  if (handler === 'vide') return 'video'
  if (handler === 'soun') return 'audio'
  return ['text', 'sbtl', 'subt'].includes(handler) ? 'text' : undefined
}

function trackHeader(tkhd: Box): Pick<TrackBox, 'id' | 'width' | 'height' | 'matrix'> {
  const { version, fields } = fullBox(tkhd)
  fields.skip(version === 1 ? 16 : 8)
  const id = fields.u32()
  fields.skip((version === 1 ? 12 : 8) + 16)
  // A copy: a view would keep all of moov in memory.
  const matrix = Uint8Array.from(fields.take(36))
  const [width, height] = [fields.u32() / 0x10000, fields.u32() / 0x10000]
  return { id, matrix, width, height }
}

/** BCP 47 from `elng`, or from the three letters of five bits each in `mdhd` (ISO 14496-12 §8.4.2, §8.4.6). */
function languageOf(mdhd: Box, elng: Box | undefined): string {
  const { version, fields } = fullBox(mdhd)
  fields.skip(version === 1 ? 28 : 16)
  const packed = fields.u16()
  const letters = [10, 5, 0].map((shift) => String.fromCharCode(0x60 + ((packed >> shift) & 31))).join('')
  const extended = elng && fullBox(elng).fields
  return (
    canonicalLanguage(extended?.text(extended.left()).replace(/\0.*$/s, '')) ??
    canonicalLanguage(letters) ??
    'und'
  )
}

function nameOf(udta: Box | undefined): string {
  const name = udta && childOf(children(udta), 'name')
  return name
    ? new TextDecoder()
        .decode(name.content)
        .replace(/[\0-\x1f]/g, '')
        .trim()
        .slice(0, 200)
    : ''
}

function editsOf(edts: Box | undefined): Edit[] {
  const elst = edts && childOf(children(edts), 'elst')
  if (!elst) return []
  const { version, fields } = fullBox(elst)
  const count = fields.u32()
  const edits: Edit[] = []
  for (let i = 0; i < count; i++) {
    const [movieTicks, mediaTicks] =
      version === 1 ? [fields.u64(), fields.i64()] : [fields.u32(), fields.i32()]
    edits.push({ movieTicks, mediaTicks, rate: fields.i32() / 0x10000 })
  }
  return edits
}

function defaultsOf(mvex: Box): Map<number, TrackDefaults> {
  const defaults = new Map<number, TrackDefaults>()
  for (const trex of children(mvex)) {
    if (trex.type !== 'trex') continue
    const { fields } = fullBox(trex)
    const id = fields.u32()
    defaults.set(id, { entry: fields.u32(), duration: fields.u32(), size: fields.u32(), flags: fields.u32() })
  }
  return defaults
}
