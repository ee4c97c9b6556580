import type { Lookup, Reason } from '../lookup.ts'
import type { Query } from '../query.ts'
import { ANCOUNT, ARCOUNT, NSCOUNT, type Response } from '../response.ts'
import {
  type Additional,
  type Chain,
  type Claim,
  type Denial,
  isExpanded,
  type Link,
  type RRset,
  type Signer,
} from '../rrset.ts'
import { RCODE, TYPE } from '../wire/types.ts'
import { findRRset, type Node } from '../zone.ts'

/** Adds signatures and denials to a response for a client that has asked for them. One object serves all. */
export class Proof {
  readonly #response: Response
  readonly #query: Query
  #isWanted = false
  #patient = false
  /** begins with the name that the section at hand is about */
  #name: Uint8Array = new Uint8Array()
  /** names that wildcards of zones with a chain were expanded to: that they are not there is to be proven */
  #expanded: { readonly chain: Chain; readonly name: Uint8Array }[] = []

  constructor(response: Response, query: Query) {
    this.#response = response
    this.#query = query
  }

  /** @param patient the client waits for signatures, and is not to be sent to another transport */
  begin(patient: boolean): void {
    this.#isWanted = this.#query.dnssecOk
    this.#patient = patient
    this.#name = this.#query.name
    if (this.#expanded.length > 0) this.#expanded = []
  }

  /** The name at hand is now the target of an alias. */
  follow(alias: RRset): void {
    this.#name = alias.targets[0]!
  }

  /** Add the signatures of an RRset that was just added; whether all that is wanted is there. */
  sign(rrset: RRset, count: number, ownerLength: number | undefined): boolean {
    if (!this.#isWanted || rrset.signer === undefined) return true
    const signature = rrset.signer.sign(rrset, this.#name, this.#patient)
    const { chain } = rrset.signer
    if (chain !== undefined && count === ANCOUNT && isExpanded(rrset, this.#name))
      this.#expanded.push({ chain, name: this.#nameAtHand() })
    return signature !== undefined && this.#response.add(signature, count, ownerLength)
  }

  #nameAtHand(): Uint8Array {
    return this.#name.subarray(0, nameLength(this.#name))
  }

  /** Add what answers by wildcards must prove (RFC 4035 §3.1.3.3, RFC 5155 §7.2.6); whether it is there. */
  expand(): boolean {
    return this.#expanded.every(({ chain, name }) => this.#addLinks(chain.prove('wildcard answers', name)))
  }

  /** Owners are written whole: a link of an alias before this name may stand in another zone. */
  #addLinks(links: readonly Link[]): boolean {
    return links.every(({ owner, nsec, signature = nsec.signer?.sign(nsec, owner, this.#patient) }) => {
      const labels = owner.subarray(0, -1)
      const add = (rrset: RRset): boolean => this.#response.addBeside(rrset, labels, NSCOUNT, 1)
      return signature !== undefined && add(nsec) && add(signature)
    })
  }

  /** Add signatures in the additional section; those that do not fit are left out (RFC 4035 §3.1.1). */
  signBeside({ rrset, labels }: Additional): void {
    if (!this.#isWanted || rrset.signer === undefined) return
    if (labels !== undefined && rrset.plan.owner.startsWith('*.')) return
    const signature = rrset.signer.sign(rrset, this.#name, this.#patient)
    if (signature === undefined) return
    if (labels === undefined) this.#response.add(signature, ARCOUNT)
    else this.#response.addBeside(signature, labels)
  }

  /** Add what a negative answer or a referral must prove (RFC 9824 §3.1, §3.2, §3.4); whether it is there. */
  deny({ zone, node, authority, reason }: Lookup): boolean {
    if (!this.#isWanted || zone?.signer === undefined || authority === undefined) return true
    if (reason === 'referral') return this.#refer(zone.signer, node, authority)
    const { chain } = zone.signer
    if (chain !== undefined) return this.#addLinks(chain.prove(claimOf(reason), this.#nameAtHand()))
    if (zone.spans !== undefined && node === undefined) return this.#addLinks(zone.spans.deny(this.#name))
    const denial = this.#proveName(zone.signer, node)
    return denial !== undefined && this.#add(denial, NSCOUNT)
  }

  /** RFC 4035 §3.1.4: the DS of a delegation, or the proof that there is none. */
  #refer(signer: Signer, node: Node | undefined, delegation: RRset): boolean {
    const { ownerLength } = delegation
    let cut = node
    while (cut !== undefined && !cut.rrsets.includes(delegation)) cut = cut.parent
    const ds = cut && findRRset(cut, TYPE.DS)
    if (ds !== undefined)
      return this.#response.add(ds, NSCOUNT, ownerLength) && this.sign(ds, NSCOUNT, ownerLength)
    const start = nameLength(this.#name) - ownerLength
    if (signer.chain !== undefined)
      return this.#addLinks(signer.chain.prove('no type', this.#nameAtHand().subarray(start)))
    const denial = signer.deny(this.#name, start, { rrsets: cut?.rrsets, patient: this.#patient })
    return denial !== undefined && this.#add(denial, NSCOUNT, ownerLength)
  }

  /** What the name at hand has, and that it has no more; undefined: nothing, it does not exist. */
  #proveName(signer: Signer, node: Node | undefined): Denial | undefined {
    const { qtype } = this.#query
    let rrsets: readonly RRset[] | undefined = node?.rrsets
    // It may have the type, but not for this client: a pool of which no member is up.
    if (rrsets?.some(({ type }) => type === qtype)) rrsets = rrsets.filter(({ type }) => type !== qtype)
    return signer.deny(this.#name, 0, { rrsets, patient: this.#patient })
  }

  #add({ nsec, signature }: Denial, count: number, ownerLength?: number): boolean {
    return this.#response.add(nsec, count, ownerLength) && this.#response.add(signature, count, ownerLength)
  }

  /** Whether NSEC or RRSIG are what the client asks for: they stand in no zone, and are made for each answer. */
  isAsked({ zone, node, authority }: Lookup): boolean {
    const { qtype } = this.#query
    if (zone?.signer === undefined || authority !== zone.negative) return false
    // What came with the zone is asked for as any other type; but signatures stand beside what they cover.
    if (zone.signer.chain !== undefined)
      return qtype === TYPE.RRSIG && node?.rrsets.some(({ signer }) => signer !== undefined) === true
    if (node === undefined && zone.spans !== undefined) return false
    return (qtype === TYPE.NSEC || qtype === TYPE.RRSIG) && (node !== undefined || this.#isWanted)
  }

  /** Answer with the NSEC, or with the signature of one RRset of the name (RFC 8482 §4.1 for what is many). */
  answer({ zone, node }: Lookup): boolean {
    const isSignature = this.#query.qtype === TYPE.RRSIG
    const signed = isSignature ? node?.rrsets.find(({ signer }) => signer !== undefined) : undefined
    if (signed !== undefined) {
      const signature = signed.signer!.sign(signed, this.#name, this.#patient)
      return signature !== undefined && this.#response.add(signature, ANCOUNT)
    }
    const denial = this.#proveName(zone!.signer!, node)
    if (denial === undefined) return false
    if (isSignature) return this.#response.add(denial.signature, ANCOUNT)
    return this.#isWanted ? this.#add(denial, ANCOUNT) : this.#response.add(denial.nsec, ANCOUNT)
  }

  /** A name that a signed NSEC says to be there is no NXDOMAIN, but for clients that know better (RFC 9824 §5.1). */
  rcode(found: Lookup): number {
    const { rcode, zone } = found
    if (rcode !== RCODE.NXDOMAIN || zone?.signer === undefined || !this.#isWanted) return rcode
    if (zone.signer.chain !== undefined || zone.spans !== undefined) return rcode
    return this.#query.compactOk && !this.isAsked(found) ? rcode : RCODE.NOERROR
  }
}

function claimOf(reason: Reason): Claim {
  if (reason === 'nxdomain') return 'no name'
  return reason === 'nodata: wildcard' ? 'no type at the wildcard' : 'no type'
}

function nameLength(name: Uint8Array): number {
  let at = 0
  while (name[at]! !== 0) at += name[at]! + 1
  return at + 1
}
