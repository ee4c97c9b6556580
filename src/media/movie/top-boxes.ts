import { type Box, type BoxHeader, boxHeader, misfit } from '#media/wire/bmff.ts'
import { MediaFault } from '#media/wire/fault.ts'
import type { MediaFile } from './movie.ts'

/** What looking at a file may cost. */
export type BoxLimits = {
  /** Of moov, or of one moof. */
  readonly indexOctets: number
  /** Boxes at the file's top level: two a fragment. */
  readonly boxes: number
}

/** A box at the file's top level: its content is read when it is wanted. */
export type TopBox = { readonly header: BoxHeader; readonly at: number; whole(): Promise<Box> }

/** Octets of the file, of which a little more than is asked is read: what is behind a header is asked next. */
export type Window = (from: number, octets: number) => Promise<Uint8Array>

/** Read at once: a moof of some seconds has less; a head of a file with ftyp, free and the beginning of mdat too. */
export const WINDOW_OCTETS: number = 32 * 1024

/**
 * The boxes of a file, without their contents; what a recording left unfinished at the end is passed over.
 *
 * @param stretch of the file, where not all of it is meant
 * @throws {MediaFault} when a box does not fit, or there are more than the limit
 */
export async function* topBoxes(
  read: Window,
  file: MediaFile,
  limits: BoxLimits,
  { from, end }: { readonly from: number; readonly end: number } = { from: 0, end: file.octets },
): AsyncGenerator<TopBox> {
  let hasFragments = false
  for (let at = from, boxes = 0; end - at >= 8; boxes++) {
    if (boxes === limits.boxes)
      throw new MediaFault(`The file has more than ${limits.boxes} boxes, which is the limit`)
    const room = file.octets - at
    const header = boxHeader(await read(at, Math.min(16, room)), room)
    if (!header || header.octets < header.headerOctets || header.octets > room) {
      if (hasFragments) return
      throw new MediaFault(misfit(header, at, room))
    }
    const place = at
    yield { header, at, whole: () => wholeBox(read, header, place, limits) }
    hasFragments ||= header.type === 'moof'
    at += header.octets
  }
}

async function wholeBox(read: Window, header: BoxHeader, at: number, limits: BoxLimits): Promise<Box> {
  const { type, headerOctets, octets } = header
  if (octets > limits.indexOctets) {
    throw new MediaFault(
      `${type} at octet ${at} has ${octets} octets; ${limits.indexOctets} is the limit of an index`,
    )
  }
  const content = await read(at + headerOctets, octets - headerOctets)
  return { type, content, at: at + headerOctets, size: octets }
}

/** @param head of the file, which was read already */
export function createWindow(file: MediaFile, head: Uint8Array): Window {
  let held = { from: 0, content: head }
  return async (from, octets) => {
    const isHeld = from >= held.from && from + octets <= held.from + held.content.length
    if (!isHeld) {
      const wanted = Math.min(Math.max(octets, WINDOW_OCTETS), file.octets - from)
      held = { from, content: await file.read({ from, octets: wanted }) }
      if (held.content.length < octets) {
        throw new MediaFault(
          `The file ended at octet ${from + held.content.length}; it has ${file.octets}`,
          502,
        )
      }
    }
    return held.content.subarray(from - held.from, from - held.from + octets)
  }
}
