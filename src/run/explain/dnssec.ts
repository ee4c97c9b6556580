import type { Position } from '#core/problem.ts'
import type { SavedZones } from '#dns/dnssec/keyed-zones.ts'
import { validityOf } from '#dns/dnssec/rrsig.ts'
import { tagOf } from '#dns/dnssec/zone-keys.ts'
import type { Lookup } from '#dns/lookup.ts'
import { type RRset, wireName } from '#dns/rrset.ts'
import { TYPE, typeNumber } from '#dns/wire/types.ts'
import { type Step, step } from './step.ts'

/**
 * Say which key signs an answer, and until when; nothing for zones that are not signed.
 *
 * @param name the last name of the answer, absolute or not
 * @param live keys, and seconds since 1970; null: a file alone
 */
export function explainSigning(
  name: string,
  type: string,
  { zone, reason, answers }: Lookup,
  live: { readonly signed: SavedZones; readonly nowSeconds: number } | null,
): Step[] {
  if (zone === undefined) return []
  const { id, from, dnssec } = zone.plan
  if (zone.signer?.chain !== undefined) return [explainPresigned(answers.at(-1) ?? zone.negative, from)]
  const saved = live?.signed[id]
  if (saved === undefined) {
    const says = 'signed as soon as Portico serves the file'
    return dnssec === undefined || live !== null ? [] : [step('dnssec', says, '"dnssec" of the domain', from)]
  }
  const tags = saved.keys.filter(({ signsData }) => signsData).map(tagOf)
  if (reason === 'referral')
    return [
      step('dnssec', `key ${tags} signs the DS, or that there is none`, 'NS at a cut is not signed', from),
    ]
  if (reason === 'nxdomain' && dnssec?.denial === 'nsec') {
    const what = `what stands before and behind the name is signed by key ${tags}`
    return [step('dnssec', what, `with DO; the domain is "${saved.phase}"`, from)]
  }
  const isThere = reason.startsWith('answer')
  const owner = wireName(
    isThere ? (answers.at(-1)?.plan.owner ?? name) : name.endsWith('.') ? name : `${name}.`,
  )
  const covered = isThere ? (answers.at(-1)?.type ?? typeNumber(type)!) : TYPE.NSEC
  const { expiration } = validityOf(owner, covered, live!.nowSeconds)
  const until = printTime(expiration)
  const what = isThere ? 'signed' : 'the denial is signed'
  return [
    step(
      'dnssec',
      `${what} by key ${tags}, until ${until}Z`,
      `with DO; the domain is "${saved.phase}"`,
      from,
    ),
  ]
}

/** Of a zone that somebody else signs, the signature says itself who and until when (RFC 4034 §3.2). */
function explainPresigned({ signature, plan }: RRset, from: Position): Step {
  const [, , , , ends = '', , tag] = signature?.rrset.plan.data[0]?.split(' ') ?? []
  if (tag === undefined) return step('dnssec', `${plan.type} has no signature`, 'signed elsewhere', from)
  const [, year, month, day, hour, minute] = /^(....)(..)(..)(..)(..)/.exec(ends) ?? []
  const until = `${year}-${month}-${day} ${hour}:${minute}Z`
  return step(
    'dnssec',
    `signed elsewhere by key ${tag}, until ${until}`,
    'signatures came with the zone',
    from,
  )
}

function printTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')
}
