import type { SavedZones } from '#dns/dnssec/keyed-zones.ts'
import { validityOf } from '#dns/dnssec/rrsig.ts'
import { tagOf } from '#dns/dnssec/zone-keys.ts'
import type { Lookup } from '#dns/lookup.ts'
import { wireName } from '#dns/rrset.ts'
import { TYPE, typeNumber } from '#dns/wire/types.ts'
import { type Step, step } from './explain-step.ts'

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
  const isThere = reason.startsWith('answer')
  const owner = wireName(
    isThere ? (answers.at(-1)?.plan.owner ?? name) : name.endsWith('.') ? name : `${name}.`,
  )
  const covered = isThere ? (answers.at(-1)?.type ?? typeNumber(type)!) : TYPE.NSEC
  const { expiration } = validityOf(owner, covered, live!.nowSeconds)
  const until = new Date(expiration * 1000).toISOString().slice(0, 16).replace('T', ' ')
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
