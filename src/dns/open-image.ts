import type { ZoneImage } from './image.ts'
import type { RRsetPlan, ZonePlan } from './plan.ts'
import { SET_HEAD } from './ready.ts'
import { prepareRRset, RECORD_HEAD, wireName } from './rrset.ts'
import { NameTable } from './table.ts'
import { printName } from './wire/name.ts'
import { printRdata } from './wire/rdata.ts'
import { typeName, typeNumber } from './wire/types.ts'
import { additionalOf, highestCut, type Node, negativesOf, soaPlan, type Zone } from './zone.ts'

const ASTERISK = 0x2a

/** What is known of the RRsets of a name beside the image, such as where they were written; absent: nothing. */
export type SetsOf = (owner: string) => readonly RRsetPlan[]

/**
 * Serve a zone from its image. Nodes are made of names that are asked for what is not ready, and kept.
 *
 * @param plan of the zone that was drawn
 */
export function openImage(plan: ZonePlan, serial: number, image: ZoneImage, setsOf?: SetsOf): Zone {
  const apex = wireName(plan.apex)
  const soa = soaPlan(plan, serial)
  const names = NameTable.open<Node>(image, { make, link })

  function make(at: number): Node {
    const owner = names.nameAt(at).slice()
    const text = printName(owner)
    const isApex = owner.length === apex.length
    const parent = isApex ? undefined : names.find(owner, owner[0]! + 1, owner.length)
    const sets = setsOf?.(text) ?? readSets(names, at, plan)
    const rrsets = (isApex ? [soa, ...sets] : sets).map((set) =>
      prepareRRset({ plan: set, type: typeNumber(set.type)!, owner, apex }),
    )
    return { parent, rrsets, wildcard: undefined, cut: undefined, isUnresolved: false }
  }

  /** Joined when it can be found: what it leads to may lead back. */
  function link(node: Node, at: number): void {
    const child = Uint8Array.of(1, ASTERISK, ...names.nameAt(at))
    node.wildcard = image.hasWildcards ? names.find(child, 0, child.length) : undefined
    node.cut = highestCut(node)
    for (const rrset of node.rrsets)
      if (rrset.targets.length > 0) rrset.additional = additionalOf(rrset, node, { names, apex })
  }

  const { depth } = image
  return {
    plan,
    serial,
    apex,
    names,
    depth,
    ...negativesOf(plan, soa, apex),
    signer: undefined,
    spans: undefined,
  }
}

/** The Plan of a zone whose RRsets are in its image alone: they are read when they are wanted. */
export function planOfImage(plan: ZonePlan, image: ZoneImage): ZonePlan {
  return {
    ...plan,
    get rrsets() {
      const names = NameTable.open<never>(image, { make: () => unwanted(), link: unwanted })
      return [...names.places()].flatMap((at) => readSets(names, at, plan))
    },
  }
}

function unwanted(): never {
  throw new Error('Only names of this table are read.')
}

/** RRsets behind a name, ready ones first. */
function readSets(names: NameTable<unknown>, place: number, { from }: ZonePlan): RRsetPlan[] {
  const { octets } = names
  const owner = printName(names.nameAt(place))
  const sets: RRsetPlan[] = []
  let at = names.noteAt(place)
  const read16 = (): number => (octets[at++]! << 8) | octets[at++]!
  const readData = (type: number): string => {
    const length = read16()
    at += length
    return printRdata(type, octets.slice(at - length, at))
  }
  const add = (type: number, ttl: number, data: string[]): void => {
    sets.push({ owner, type: typeName(type), ttl, data, from, why: 'written' })
  }
  for (let left = octets[at++]!; left > 0; left--) {
    const type = read16()
    const count = octets[at++]!
    at += SET_HEAD - 3
    let ttl = 0
    const data = Array.from({ length: count }, () => {
      at += RECORD_HEAD - 6
      ttl = read16() * 0x10000 + read16()
      return readData(type)
    })
    add(type, ttl, data)
  }
  for (let left = octets[at++]!; left > 0; left--) {
    const type = read16()
    const ttl = read16() * 0x10000 + read16()
    add(
      type,
      ttl,
      Array.from({ length: read16() }, () => readData(type)),
    )
  }
  // As they stand in the Plan.
  return sets.sort((a, b) => (a.type < b.type ? -1 : 1))
}
