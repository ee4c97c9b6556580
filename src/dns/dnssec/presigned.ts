import type { RRsetPlan, ZonePlan } from '../plan.ts'
import {
  type Chain,
  type Link,
  prepareRRset,
  type RRset,
  type Signature,
  type Signer,
  wireName,
} from '../rrset.ts'
import { TYPE } from '../wire/types.ts'
import { createNsec3Chain, createNsecChain } from './chain.ts'

/** A zone that somebody else has signed, taken apart. */
export type Presigned = {
  /** what names have; signatures, and NSEC3 with its names that nobody may ask for (RFC 5155 §7.2.8), left out */
  readonly rrsets: readonly RRsetPlan[]
  /** Give what was compiled of it the signatures that came with the zone. */
  sign(compiled: readonly RRset[], exists: (name: Uint8Array) => boolean): Signer
}

/** Take the signatures out of a zone that has some (RFC 4035 §3.1); undefined where it is not signed. */
export function readPresigned({ apex, rrsets: all }: ZonePlan): Presigned | undefined {
  if (!all.some(({ owner, type }) => owner === apex && type === 'DNSKEY')) return undefined
  const signatures = new Map<string, RRsetPlan>()
  for (const rrset of all) {
    if (rrset.type !== 'RRSIG') continue
    const types = Map.groupBy(rrset.data, (data) => data.slice(0, data.indexOf(' ')))
    for (const [type, data] of types) signatures.set(`${rrset.owner} ${type}`, { ...rrset, data })
  }
  if (signatures.size === 0) return undefined
  const rrsets = all.filter(({ type }) => type !== 'RRSIG' && type !== 'NSEC3')
  const zone = wireName(apex)

  /** RFC 4034 §3: with the TTL of what it covers, which is shorter for the SOA of negative answers. */
  function signatureOf({ plan: { owner, type, ttl } }: RRset): RRset | undefined {
    const signature = signatures.get(`${owner} ${type}`)
    if (signature === undefined) return undefined
    const plan = { ...signature, ttl }
    return prepareRRset({ plan, type: TYPE.RRSIG, owner: wireName(owner), apex: zone })
  }

  function linksOf(compiled: readonly RRset[]): Link[] {
    return compiled.flatMap((nsec) => {
      const signature = signatureOf(nsec)
      return signature === undefined ? [] : [{ owner: wireName(nsec.plan.owner), nsec, signature }]
    })
  }

  function chainOf(compiled: readonly RRset[], exists: (name: Uint8Array) => boolean): Chain {
    const hashed = all.filter(({ type }) => type === 'NSEC3')
    if (hashed.length === 0)
      return createNsecChain(zone, linksOf(compiled.filter(({ type }) => type === TYPE.NSEC)))
    const prepared = hashed.map((plan) => {
      return prepareRRset({ plan, type: TYPE.NSEC3, owner: wireName(plan.owner), apex: zone })
    })
    return createNsec3Chain(zone, linksOf(prepared), exists)
  }

  return {
    rrsets,
    sign(compiled, exists) {
      const signer: Signer = {
        chain: chainOf(compiled, exists),
        sign: ({ signature }) => signature?.rrset,
        deny: () => undefined,
      }
      for (const rrset of compiled) {
        const signature = signatureOf(rrset)
        if (signature === undefined) continue
        rrset.signer = signer
        rrset.signature = kept(signature)
      }
      return signer
    },
  }
}

/** It is the primary who renews it. */
function kept(rrset: RRset): Signature {
  return { rrset, refreshAt: Number.POSITIVE_INFINITY, validUntil: Number.POSITIVE_INFINITY }
}
