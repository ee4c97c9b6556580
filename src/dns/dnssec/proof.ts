import type { Lookup } from '../lookup.ts'
import type { Query } from '../query.ts'
import { ANCOUNT, ARCOUNT, NSCOUNT, type Response } from '../response.ts'
import type { Additional, RRset } from '../rrset.ts'
import { RCODE, TYPE } from '../wire/types.ts'
import { findRRset } from '../zone.ts'

/** Adds signatures and denials to a response for a client that has asked for them. One object serves all. */
export class Proof {
  readonly #response: Response
  #query: Query
  #isWanted = false
  #patient = false
  /** begins with the name that the section at hand is about */
  #name: Uint8Array = new Uint8Array()

  constructor(response: Response, query: Query) {
    this.#response = response
    this.#query = query
  }

  /** @param patient the client waits for signatures, and is not to be sent to another transport */
  begin(patient: boolean): void {
    this.#isWanted = this.#query.dnssecOk
    this.#patient = patient
    this.#name = this.#query.name
  }

  /** The name at hand is now the target of an alias. */
  follow(alias: RRset): void {
    this.#name = alias.targets[0]!
  }

  /** Add the signatures of an RRset that was just added; whether all that is wanted is there. */
  sign(rrset: RRset, count: number, ownerLength: number | undefined): boolean {
    if (!this.#isWanted || rrset.signer === undefined) return true
    const signature = rrset.signer.sign(rrset, this.#name, this.#patient)
    return signature !== undefined && this.#response.add(signature, count, ownerLength)
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
  deny(found: Lookup): boolean {
    const { zone, authority, reason } = found
    if (!this.#isWanted || zone?.signer === undefined || authority === undefined) return true
    return reason === 'referral' ? this.#refer(found, authority) : this.#addNsec(found, NSCOUNT)
  }

  /** RFC 4035 §3.1.4: the DS of a delegation, or the proof that there is none. */
  #refer({ node, zone }: Lookup, delegation: RRset): boolean {
    const { ownerLength } = delegation
    let cut = node
    while (cut !== undefined && !cut.rrsets.includes(delegation)) cut = cut.parent
    const ds = cut && findRRset(cut, TYPE.DS)
    if (ds !== undefined)
      return this.#response.add(ds, NSCOUNT, ownerLength) && this.sign(ds, NSCOUNT, ownerLength)
    const start = nameLength(this.#name) - ownerLength
    const denied = { rrsets: cut?.rrsets, patient: this.#patient }
    const denial = zone!.signer!.deny(this.#name, start, denied)
    if (denial === undefined || !this.#response.add(denial.nsec, NSCOUNT, ownerLength)) return false
    return this.#response.add(denial.signature, NSCOUNT, ownerLength)
  }

  #addNsec({ zone, node }: Lookup, count: number): boolean {
    const denied = { rrsets: node?.rrsets, patient: this.#patient }
    const denial = zone!.signer!.deny(this.#name, 0, denied)
    if (denial === undefined || !this.#response.add(denial.nsec, count)) return false
    return this.#response.add(denial.signature, count)
  }

  /** Whether NSEC or RRSIG are what the client asks for: they stand in no zone, and are made for each answer. */
  isAsked({ zone, node, authority }: Lookup): boolean {
    const { qtype } = this.#query
    if (zone?.signer === undefined || authority !== zone.negative) return false
    return (qtype === TYPE.NSEC || qtype === TYPE.RRSIG) && (node !== undefined || this.#isWanted)
  }

  /** Answer with the NSEC, or with the signature of one RRset of the name (RFC 8482 §4.1 for what is many). */
  answer(found: Lookup): boolean {
    const { zone, node } = found
    const signed = node?.rrsets.find(({ signer }) => signer !== undefined)
    if (this.#query.qtype === TYPE.RRSIG && signed !== undefined) {
      const signature = signed.signer!.sign(signed, this.#name, this.#patient)
      return signature !== undefined && this.#response.add(signature, ANCOUNT)
    }
    if (this.#query.qtype === TYPE.NSEC && this.#isWanted) return this.#addNsec(found, ANCOUNT)
    const denial = zone!.signer!.deny(this.#name, 0, { rrsets: node?.rrsets, patient: this.#patient })
    if (denial === undefined) return false
    return this.#response.add(this.#query.qtype === TYPE.NSEC ? denial.nsec : denial.signature, ANCOUNT)
  }

  /** A name that a signed NSEC says to be there is no NXDOMAIN, but for clients that know better (RFC 9824 §5.1). */
  rcode(found: Lookup): number {
    const { rcode, zone } = found
    if (rcode !== RCODE.NXDOMAIN || zone?.signer === undefined || !this.#isWanted) return rcode
    return this.#query.compactOk && !this.isAsked(found) ? rcode : RCODE.NOERROR
  }
}

function nameLength(name: Uint8Array): number {
  let at = 0
  while (name[at]! !== 0) at += name[at]! + 1
  return at + 1
}
