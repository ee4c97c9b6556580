import { hash } from 'node:crypto'
import { lastIndex } from '#core/sorted.ts'
import { type Chain, type Link, RECORD_HEAD, type RRset } from '../rrset.ts'
import { printBase32 } from '../wire/encoding.ts'
import { compareNames, lowerName } from '../wire/name.ts'

/** Proofs by NSEC (RFC 4035 §3.1.3). */
export function createNsecChain(apex: Uint8Array, links: readonly Link[]): Chain {
  const sorted = [...links].sort((a, b) => compareNames(a.owner, b.owner))

  /** The one that has the name, or in whose gap it would stand: also an empty name between two others. */
  function at(name: Uint8Array): Link | undefined {
    return sorted[lastIndex(sorted, ({ owner }) => compareNames(owner, name) <= 0)] ?? sorted.at(-1)
  }

  return {
    prove(claim, name) {
      const first = at(name)
      if (first === undefined) return []
      if (claim === 'no type' || claim === 'wildcard answers') return [first]
      const encloser = longer(common(name, first.owner), common(name, nextOf(first.nsec)), apex)
      return unique([first, at(below('*', encloser))])
    },
  }
}

/** The labels that two names end with. */
function common(a: Uint8Array, b: Uint8Array): Uint8Array {
  let name = a
  while (!isAncestor(name, b)) name = parentOf(name)
  return name
}

function isAncestor(name: Uint8Array, of: Uint8Array): boolean {
  let other = of
  while (other.length > name.length) other = parentOf(other)
  return Buffer.compare(other, name) === 0
}

/** RFC 4034 §4.1.1: the rdata begins with the next name. */
function nextOf({ wire }: RRset): Uint8Array {
  let end = RECORD_HEAD
  while (wire[end]! !== 0) end += wire[end]! + 1
  return lowerName(wire.subarray(RECORD_HEAD, end + 1))
}

function longer(...names: Uint8Array[]): Uint8Array {
  return names.reduce((longest, name) => (name.length > longest.length ? name : longest))
}

/** Of a hash that takes longer, resolvers believe nothing (RFC 9276 §3.2); it would cost us as much. */
const ITERATIONS_LIMIT = 500

/**
 * Proofs by NSEC3 (RFC 5155 §7.2).
 *
 * @param exists whether a name is there, empty ones too
 */
export function createNsec3Chain(
  apex: Uint8Array,
  links: readonly Link[],
  exists: (name: Uint8Array) => boolean,
): Chain {
  const sorted = links
    .map((link) => ({ ...link, label: Buffer.from(link.owner.subarray(1, 1 + link.owner[0]!)).toString() }))
    .sort((a, b) => (a.label < b.label ? -1 : 1))
  const [, , iterations = '0', salt = '-'] = links[0]?.nsec.plan.data[0]?.split(' ') ?? []
  const parameters = { iterations: Number(iterations), salt: Buffer.from(salt === '-' ? '' : salt, 'hex') }
  if (parameters.iterations > ITERATIONS_LIMIT) sorted.length = 0

  const labelOf = (name: Uint8Array): string => printBase32(hashed(name, parameters)).toLowerCase()

  function match(name: Uint8Array): Link | undefined {
    const label = labelOf(name)
    const found = sorted[lastIndex(sorted, (link) => link.label <= label)]
    return found?.label === label ? found : undefined
  }

  function cover(name: Uint8Array): Link | undefined {
    const label = labelOf(name)
    return sorted[lastIndex(sorted, (link) => link.label <= label)] ?? sorted.at(-1)
  }

  /** RFC 5155 §7.2.1; a delegation that was left out (opt-out) is there, and has no NSEC3. */
  function enclosers(name: Uint8Array): { readonly encloser: Uint8Array; readonly proof: Proof } {
    let nextCloser = name
    let encloser = name.length > apex.length ? parentOf(name) : name
    let matched: Link | undefined
    while (
      !(exists(encloser) && (matched = match(encloser)) !== undefined) &&
      encloser.length > apex.length
    ) {
      nextCloser = encloser
      encloser = parentOf(encloser)
    }
    return { encloser, proof: [matched, cover(nextCloser)] }
  }

  return {
    prove(claim, name) {
      if (sorted.length === 0) return []
      if (claim === 'no type') {
        const own = match(name)
        return own === undefined ? unique(enclosers(name).proof) : [own]
      }
      const { encloser, proof } = enclosers(name)
      if (claim === 'wildcard answers') return unique(proof.slice(1))
      const wildcard = below('*', encloser)
      return unique([...proof, claim === 'no name' ? cover(wildcard) : match(wildcard)])
    },
  }
}

type Proof = readonly (Link | undefined)[]

/** RFC 5155 §5. */
function hashed(
  name: Uint8Array,
  parameters: { readonly iterations: number; readonly salt: Buffer },
): Buffer {
  let digest = hash('sha1', Buffer.concat([name, parameters.salt]), 'buffer')
  for (let i = 0; i < parameters.iterations; i++)
    digest = hash('sha1', Buffer.concat([digest, parameters.salt]), 'buffer')
  return digest
}

function unique(proof: Proof): Link[] {
  return [...new Set(proof)].filter((link) => link !== undefined)
}

function parentOf(name: Uint8Array): Uint8Array {
  return name.subarray(1 + name[0]!)
}

function below(label: string, name: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.of(label.length), Buffer.from(label), name])
}
