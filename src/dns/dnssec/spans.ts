import { lastIndex } from '#core/sorted.ts'
import type { ZonePlan } from '../plan.ts'
import { type Link, prepareRRset, type RRset, type Signer, wireName } from '../rrset.ts'
import type { NameTable } from '../table.ts'
import { NAME_LIMIT } from '../wire/name.ts'
import { printRdata } from '../wire/rdata.ts'
import { TYPE } from '../wire/types.ts'
import { nsecRdata } from './nsec.ts'

/**
 * Proofs by NSEC that lead from name to name (RFC 4034 §4.1). They are made and signed when they are first needed;
 * there are as many as names, whatever clients ask for.
 */
export type Spans = {
  /**
   * Prove that neither a name nor a wildcard for it is there (RFC 4035 §3.1.3.2).
   *
   * @param name uncompressed wire form in lower case; what stands behind its root label is not read
   */
  deny(name: Uint8Array): readonly Link[]
  /** all NSEC */
  list(): RRset[]
  /** Take over the signatures of what stayed as it was. */
  keep(before: Spans): void
  /** the NSEC that have signatures, by name */
  readonly signed: ReadonlyMap<string, RRset>
}

/** Of a node: what it has, and what answers in its place. */
type SpannedNode = { readonly rrsets: readonly RRset[]; readonly cut: RRset | undefined }

type SpannedZone = {
  readonly plan: ZonePlan
  readonly apex: Uint8Array
  readonly names: Pick<NameTable<SpannedNode>, 'values' | 'find'>
}

type Owner = { readonly text: string; readonly node: SpannedNode; readonly key: string; link?: Link }

/** @param signer signs the zone, whose nodes all know it already */
export function createSpans({ plan, apex, names }: SpannedZone, signer: Signer): Spans {
  const aliases = new Set(plan.aliases?.map(({ owner }) => owner))
  const owners = ownersOf(names, aliases).sort((a, b) => (a.key < b.key ? -1 : 1))
  const ttl = Math.min(plan.soa.ttl, plan.soa.minimum)
  let known: ReadonlyMap<string, RRset> = new Map()

  function linkAt(index: number): Link {
    const at = owners[index]!
    return (at.link ??= createLink(at, owners[(index + 1) % owners.length]!.text))
  }

  function createLink({ text, node, key }: Owner, next: string): Link {
    // Addresses of an ALIAS come and go; what says that they may be there is true all the time.
    const types: number[] = aliases.has(text) ? [TYPE.A, TYPE.AAAA] : []
    for (const { type, signer: own } of node.rrsets)
      if (own !== undefined || type === TYPE.NS) types.push(type)
    const data = [printRdata(TYPE.NSEC, nsecRdata(wireName(next), types))]
    const owner = wireName(text)
    const own = { owner: text, type: 'NSEC', ttl, data, from: plan.from, why: 'DNSSEC' } as const
    const nsec = prepareRRset({ plan: own, type: TYPE.NSEC, owner, apex })
    nsec.signer = signer
    const before = known.get(key)
    if (before !== undefined && Buffer.compare(before.wire, nsec.wire) === 0)
      nsec.signature = before.signature
    return { owner, nsec }
  }

  return {
    deny(name) {
      const key = orderKey(name)
      const before = lastUpTo(owners, key)
      const behind = owners[before + 1]?.key ?? ''
      const encloser = Math.max(shared(key, owners[before]!.key), shared(key, behind))
      const wildcard = lastUpTo(owners, `${key.slice(0, encloser)}*\0`)
      return wildcard === before ? [linkAt(before)] : [linkAt(before), linkAt(wildcard)]
    },
    list: () => owners.map((_, index) => linkAt(index).nsec),
    keep(before) {
      const isThere = (key: string): boolean => owners[lastUpTo(owners, key)]!.key === key
      known = new Map([...before.signed].filter(([key]) => isThere(key)))
    },
    get signed() {
      const made = owners.flatMap(({ key, link }) =>
        link?.nsec.signature ? [[key, link.nsec] as const] : [],
      )
      return new Map([...known, ...made])
    },
  }
}

/** Names with records that are ours, and cuts (RFC 4035 §2.3); those with an ALIAS are there before it is found. */
function ownersOf(names: SpannedZone['names'], aliases: ReadonlySet<string>): Owner[] {
  const spanned = names.values.filter(({ rrsets, cut }) => {
    return rrsets.length > 0 && (cut === undefined || rrsets.includes(cut))
  })
  const owners = spanned.map((node) => ownerOf(node.rrsets[0]!.plan.owner, node))
  for (const text of aliases) {
    const name = wireName(text)
    const node = names.find(name, 0, name.length)!
    if (node.rrsets.length === 0) owners.push(ownerOf(text, node))
  }
  return owners
}

function ownerOf(text: string, node: SpannedNode): Owner {
  return { text, node, key: orderKey(wireName(text)) }
}

/**
 * A text that stands among others as the name does in canonical order (RFC 4034 §6.1): labels from the right, each
 * ended by a zero. The key of an ancestor begins that of all below it.
 *
 * @param name wire form, lower case
 */
export function orderKey(name: Uint8Array): string {
  let labels = 0
  for (let at = 0; name[at]! !== 0; at += name[at]! + 1) starts[labels++] = at
  let end = 0
  while (labels > 0) {
    const start = starts[--labels]!
    for (let i = start + 1; i <= start + name[start]!; i++) {
      const octet = name[i]!
      // Zeros end labels: 0 and 1 are written as 1 and the octet that comes next.
      if (octet < 2) written[end++] = 1
      written[end++] = octet < 2 ? octet + 1 : octet
    }
    written[end++] = 0
  }
  return written.toString('latin1', 0, end)
}

// Keys are written one after the other: where labels begin, and the key, at most twice as long as a name.
const starts = new Uint8Array(128)
const written = Buffer.alloc(2 * NAME_LIMIT)

/** How much of two keys is the key of a common ancestor. */
function shared(a: string, b: string): number {
  let end = 0
  for (let i = 0; i < a.length && a[i] === b[i]; i++) if (a[i] === '\0') end = i + 1
  return end
}

/** The last owner whose key is not behind the other: the apex is before all. */
function lastUpTo(owners: readonly Owner[], key: string): number {
  return lastIndex(owners, (owner) => owner.key <= key)
}
