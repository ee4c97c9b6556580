import { MediaFault } from './fault.ts'

/** A box of ISO 14496-12 §4.2: its content, and where that lies in the file. */
export type Box = {
  readonly type: string
  readonly content: Uint8Array
  /** Offset of the content in the file. */
  readonly at: number
  /** Octets of the whole box, its header included. */
  readonly size: number
}

/** What stands before the content. */
export type BoxHeader = { readonly type: string; readonly headerOctets: number; readonly octets: number }

/**
 * Read the header of a box (ISO 14496-12 §4.2.2).
 *
 * @param octets from the header's first octet; 8 at least, 16 where a 64-bit size may follow
 * @param room octets up to the end of what encloses it: a size of 0 takes them all
 * @returns undefined when `octets` do not hold the header
 */
export function boxHeader(octets: Uint8Array, room: number): BoxHeader | undefined {
  if (octets.length < 8) return undefined
  const view = viewOf(octets)
  const type = textAt(octets, 4, 4)
  const size = view.getUint32(0)
  if (size === 0) return { type, headerOctets: 8, octets: room }
  if (size !== 1) return { type, headerOctets: 8, octets: size }
  if (octets.length < 16) return undefined
  return { type, headerOctets: 16, octets: Number(view.getBigUint64(8)) }
}

/**
 * The boxes that lie in `octets` one behind the other.
 *
 * Fewer than 8 octets at the end are no box: QuickTime ends some lists with four zeros.
 *
 * @param at offset of `octets` in the file
 * @throws {MediaFault} when a box does not fit into what encloses it
 */
export function boxesIn(octets: Uint8Array, at: number): Box[] {
  const found: Box[] = []
  let from = 0
  while (octets.length - from >= 8) {
    const room = octets.length - from
    const header = boxHeader(octets.subarray(from), room)
    if (!header || header.octets < header.headerOctets || header.octets > room) {
      throw new MediaFault(misfit(header, at + from, room))
    }
    const { type, headerOctets, octets: size } = header
    found.push({
      type,
      content: octets.subarray(from + headerOctets, from + size),
      at: at + from + headerOctets,
      size,
    })
    from += size
  }
  return found
}

/** The boxes inside of a box. */
export function children(box: Box, skipOctets = 0): Box[] {
  return boxesIn(box.content.subarray(skipOctets), box.at + skipOctets)
}

/** The first box of a type; several of one kind are the last one's fault. */
export function childOf(boxes: readonly Box[], type: string): Box | undefined {
  return boxes.find((box) => box.type === type)
}

/** Fault text of a box whose size cannot be. */
export function misfit(header: BoxHeader | undefined, at: number, room: number): string {
  if (!header) return `A box at octet ${at} has a 64-bit size, but only ${room} octets are left`
  const says = `Box ${printable(header.type)} at octet ${at} says it has ${header.octets} octets`
  return header.octets > room
    ? `${says}; ${room} are there`
    : `${says}; its header alone has ${header.headerOctets}`
}

/** Reads numbers one behind the other, never beyond the end. */
export type Fields = {
  readonly left: () => number
  readonly skip: (octets: number) => void
  readonly u8: () => number
  readonly u16: () => number
  readonly u24: () => number
  readonly u32: () => number
  readonly i32: () => number
  /** Exact up to 2^53, which is more octets and ticks than there are. */
  readonly u64: () => number
  readonly i64: () => number
  readonly text: (octets: number) => string
  readonly take: (octets: number) => Uint8Array
}

/**
 * Read a box's fields in their order.
 *
 * @throws {MediaFault} from each reader when the box ends before the field does
 */
export function fieldsOf(box: Pick<Box, 'type' | 'content' | 'at'>): Fields {
  const { content } = box
  const view = viewOf(content)
  let at = 0
  const step = (octets: number) => {
    if (octets < 0 || at + octets > content.length) {
      const place = `${printable(box.type)} at octet ${box.at}`
      throw new MediaFault(`${place} ends after ${content.length} octets; ${at + octets} are needed`)
    }
    return (at += octets) - octets
  }
  return {
    left: () => content.length - at,
    skip: (octets) => void step(octets),
    u8: () => view.getUint8(step(1)),
    u16: () => view.getUint16(step(2)),
    u24: () => (view.getUint8(step(1)) << 16) | view.getUint16(step(2)),
    u32: () => view.getUint32(step(4)),
    i32: () => view.getInt32(step(4)),
    u64: () => Number(view.getBigUint64(step(8))),
    i64: () => Number(view.getBigInt64(step(8))),
    text: (octets) => textAt(content, step(octets), octets),
    take: (octets) => content.subarray(step(octets), at),
  }
}

/** Version and flags of a full box (ISO 14496-12 §4.2.2), and the fields behind them. */
export function fullBox(box: Box): { version: number; flags: number; fields: Fields } {
  const fields = fieldsOf(box)
  return { version: fields.u8(), flags: fields.u24(), fields }
}

/** The octets' own view: a subarray's buffer begins elsewhere. */
export function viewOf(octets: Uint8Array): DataView {
  return new DataView(octets.buffer, octets.byteOffset, octets.byteLength)
}

/** A type as it may stand in a message. */
export function printable(type: string): string {
  return type.replace(/[^ -~©]/g, '?')
}

function textAt(octets: Uint8Array, from: number, count: number): string {
  let text = ''
  for (let i = from; i < from + count; i++) text += String.fromCharCode(octets[i] ?? 0)
  return text
}
