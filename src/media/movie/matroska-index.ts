import { type Element, elementAt, HEADER_OCTETS } from '#media/wire/ebml.ts'
import { MediaFault } from '#media/wire/fault.ts'
import { type Cue, ids, readCues, seekPosition, timestampScale } from '#media/wire/matroska-index.ts'
import { type TextEntry, textEntries } from '#media/wire/matroska-text.ts'
import type { MediaFile } from './movie.ts'

// Writers put SeekHead, Info and Tracks first; fonts and covers may come before the first cluster, but after these.
const headOctets = 64 * 1024

/** What a file says of its clusters and of its text without being read. */
export type MatroskaIndex = {
  /** none when the file has none, as recordings of browsers do */
  readonly cues: readonly Cue[]
  readonly texts: readonly TextEntry[]
  /** nanoseconds of a tick */
  readonly scale: number
}

/**
 * Read the cues of a file (RFC 9559 §22), wherever they stand, and the head before its first cluster; nothing else.
 *
 * @param mostOctets of the cues
 * @throws {MediaFault} when the file is no Matroska, or its cues are larger
 */
export async function readIndex(file: MediaFile, mostOctets: number): Promise<MatroskaIndex> {
  const head = await file.read({ from: 0, octets: Math.min(headOctets, file.octets) })
  const ebml = elementAt(head, 0)
  const segment = ebml?.octets === undefined ? undefined : headerAt(head, ebml.at + ebml.octets)
  if (segment?.id !== ids.segment)
    throw new MediaFault('The file begins as Matroska does, and has no segment after 64 KiB')
  let scale = timestampScale(new Uint8Array())
  let texts: readonly TextEntry[] = []
  let place: number | undefined
  for (let at = segment.at; ; ) {
    const element = headerAt(head, at)
    if (!element || element.id === ids.cluster) break
    if (element.id === ids.cues) place = at
    const data =
      element.octets === undefined ? undefined : head.subarray(element.at, element.at + element.octets)
    if (element.octets === undefined || !data) break
    if (element.id === ids.info) scale = timestampScale(data)
    if (element.id === ids.tracks) texts = textEntries(data)
    if (element.id === ids.seekHead) place ??= seekPlace(data, segment.at)
    at = element.at + element.octets
  }
  const wanted = place === undefined ? null : { place, mostOctets, segmentAt: segment.at, scale }
  return { cues: wanted === null ? [] : await readAt(file, wanted), texts, scale }
}

function headerAt(head: Uint8Array, at: number): Element | undefined {
  return elementAt(head.subarray(at), at)
}

function seekPlace(seekHead: Uint8Array, segmentAt: number): number | undefined {
  const position = seekPosition(seekHead, ids.cues)
  return position === undefined ? undefined : segmentAt + position
}

type Wanted = {
  readonly place: number
  readonly mostOctets: number
  readonly segmentAt: number
  readonly scale: number
}

async function readAt(
  file: MediaFile,
  { place, mostOctets, segmentAt, scale }: Wanted,
): Promise<readonly Cue[]> {
  if (place >= file.octets) return []
  const octets = Math.min(HEADER_OCTETS, file.octets - place)
  const element = elementAt(await file.read({ from: place, octets }), place)
  if (element?.id !== ids.cues || element.octets === undefined || element.at + element.octets > file.octets)
    return []
  if (element.octets > mostOctets) {
    throw new MediaFault(
      `The cues at octet ${place} have ${element.octets} octets; ${mostOctets} is the limit`,
    )
  }
  const cues = await file.read({ from: element.at, octets: element.octets })
  return readCues(cues, segmentAt, scale)
}
