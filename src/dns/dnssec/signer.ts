import type { ZonePlan } from '../plan.ts'
import {
  type Denial,
  type Denied,
  isExpanded,
  prepareRecords,
  type RRset,
  rdataOf,
  type Signature,
  type Signer,
  wireName,
} from '../rrset.ts'
import { TYPE } from '../wire/types.ts'
import type { Budget } from './budget.ts'
import { nameAfter, nsecRdata } from './nsec.ts'
import type { SigningKey } from './plan.ts'
import { RecentNames } from './recent.ts'
import { openKeys, type SignedSet, signSet, validityOf } from './rrsig.ts'

/** What all signers of a thread share. */
export type Signing = {
  /** Who signs a zone with these keys, at least one of which signs data: the same while the keys are the same. */
  signerOf(zone: ZonePlan, keys: readonly SigningKey[]): Signer
  /** signatures that were made, and that clients were sent to TCP for, as too many were made lately */
  readonly counts: Readonly<SignatureCounts>
}

export type SignatureCounts = { made: number; heldBack: number }

export type SigningOptions = {
  /** seconds since 1970 */
  readonly now: () => number
  readonly budget: Budget
}

/** Names of clients' choice whose signatures are kept, twice: about 1 kB each. */
const LIMIT_NAMES = 4096
/** RRsets of a wildcard that are kept for each of these names. */
const LIMIT_RRSETS = 16

const KEPT = { allocate: Buffer.allocUnsafeSlow }

type Proven = {
  signer: Signer
  /** what the name had: the same array until the zone changes */
  rrsets: readonly RRset[] | undefined
  denial: Denial
  refreshAt: number
}
/** The RRsets of a wildcard as they were signed for one name. */
type Expanded = Map<RRset, Signature>

/** Signatures are made when they are first asked for, and kept until half of their time is over. */
export function createSigning({ now, budget }: SigningOptions): Signing {
  const denials = new RecentNames<Proven>(LIMIT_NAMES)
  const expansions = new RecentNames<Expanded>(LIMIT_NAMES)
  const counts: SignatureCounts = { made: 0, heldBack: 0 }
  const signers = new Map<string, { readonly key: string; readonly signer: Signer }>()

  function take(patient: boolean): boolean {
    const mayMake = budget.take(patient)
    counts[mayMake ? 'made' : 'heldBack']++
    return mayMake
  }

  function signerOf(zone: ZonePlan, keys: readonly SigningKey[]): Signer {
    const key = JSON.stringify([zone.soa, keys])
    const known = signers.get(zone.id)
    if (known?.key === key) return known.signer
    const signer = createSigner(zone, keys)
    signers.set(zone.id, { key, signer })
    return signer
  }

  function createSigner(zone: ZonePlan, keys: readonly SigningKey[]): Signer {
    const apex = wireName(zone.apex)
    const keysOf = openKeys(apex, keys)
    const negativeTtl = Math.min(zone.soa.ttl, zone.soa.minimum)
    const signer: Signer = { sign, deny }
    return signer

    function sign(rrset: RRset, name: Uint8Array, patient: boolean): RRset | undefined {
      if (isExpanded(rrset, name)) return signExpanded(rrset, name, patient)
      const known = rrset.signature
      if (known !== undefined && now() < known.refreshAt) return known.rrset
      if (!take(patient)) return isStillValid(known) ? known.rrset : undefined
      const made = signAs(rrset, wireName(rrset.plan.owner))
      rrset.signature = made
      return made.rrset
    }

    function isStillValid(known: Signature | undefined): known is Signature {
      return known !== undefined && now() < known.validUntil
    }

    function signExpanded(rrset: RRset, name: Uint8Array, patient: boolean): RRset | undefined {
      const end = nameEnd(name, 0)
      let expanded = expansions.find(name, 0, end)
      const known = expanded?.get(rrset)
      if (known !== undefined && now() < known.refreshAt) return known.rrset
      if (!take(patient)) return undefined
      if (expanded === undefined) expansions.add(name, 0, end, (expanded = new Map()))
      // Those of a Plan that is gone.
      else if (expanded.size === LIMIT_RRSETS) expanded.clear()
      const made = signAs(rrset, name.slice(0, end))
      expanded.set(rrset, made)
      return made.rrset
    }

    function signAs(rrset: RRset, owner: Uint8Array): Signature {
      return make({ owner, type: rrset.type, ttl: rrset.plan.ttl, rdata: rdataOf(rrset) })
    }

    function deny(name: Uint8Array, start: number, { rrsets, patient }: Denied): Denial | undefined {
      const end = nameEnd(name, start)
      const proven = denials.find(name, start, end)
      const isSame = proven?.signer === signer && proven.rrsets === rrsets
      if (isSame && now() < proven.refreshAt) return proven.denial
      if (!take(patient)) return undefined
      const owner = name.slice(start, end)
      const rdata = [nsecRdata(nameAfter(owner), rrsets === undefined ? [TYPE.NXNAME] : typesOf(rrsets))]
      const nsec = prepareRecords(
        { plan: planOf('NSEC', negativeTtl), type: TYPE.NSEC, owner, apex },
        rdata,
        KEPT,
      )
      const signature = make({ owner, type: TYPE.NSEC, ttl: negativeTtl, rdata })
      const denial = { nsec, signature: signature.rrset }
      const made = { signer, rrsets, denial, refreshAt: signature.refreshAt }
      if (proven === undefined) denials.add(name, start, end, made)
      else Object.assign(proven, made)
      return made.denial
    }

    function make(set: SignedSet): Signature {
      const { owner, type, ttl } = set
      const validity = validityOf(owner, type, now())
      const rdata = keysOf(type).map((key) => signSet(set, key, validity))
      const rrset = prepareRecords({ plan: planOf('RRSIG', ttl), type: TYPE.RRSIG, owner, apex }, rdata, KEPT)
      return { rrset, refreshAt: validity.refreshAt, validUntil: validity.expiration }
    }

    function planOf(type: string, ttl: number): RRset['plan'] {
      return { owner: zone.apex, type, ttl, data: [], from: zone.from, why: 'DNSSEC' }
    }
  }

  return { signerOf, counts }
}

/** Types of a name (RFC 4035 §2.3): at a cut, glue is not ours, and NS stands there unsigned. */
function typesOf(rrsets: readonly RRset[]): number[] {
  return rrsets.filter(({ signer, type }) => signer !== undefined || type === TYPE.NS).map(({ type }) => type)
}

function nameEnd(name: Uint8Array, start: number): number {
  let at = start
  while (name[at]! !== 0) at += name[at]! + 1
  return at + 1
}
