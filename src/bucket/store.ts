import { type Refusal, refuse } from '#http/wire/refusal.ts'
import type { Bucket } from './bucket.ts'
import type { About, Conditions, PutObject } from './change.ts'
import { Draft, type Finished } from './draft.ts'
import { isTypeOf, judgeType } from './type.ts'
import { BodyFault } from './wire/body.ts'

/** Anything that gives octets to its end. */
export type Octets = { read(): Promise<Uint8Array | null> | Uint8Array | null }

/**
 * Receive octets into a draft.
 *
 * @throws {BodyFault} when they are more than an object may have, or of a type that is not taken
 * @throws {Error} when they break off; the draft is gone then
 */
export async function receiveDraft(bucket: Bucket, octets: Octets, label = ''): Promise<Finished> {
  const { drafts } = bucket.paths
  const { maxOctets, sync } = bucket.plan
  await bucket.reader()
  const draft = await Draft.create(drafts, label)
  try {
    for (let part = await octets.read(); part !== null; part = await octets.read()) {
      if (draft.octets + part.length > maxOctets) throw tooLarge(maxOctets)
      const written = draft.write(part)
      if (written !== undefined) await written
    }
    return await draft.finish(sync)
  } catch (error) {
    await draft.discard()
    throw error
  }
}

export type ToStore = {
  readonly key: string
  readonly finished: Finished
  readonly declared: string | null
  readonly about: About
  readonly taken: PutObject['taken']
}

/** Decide what a finished draft is stored as; refuses types that are not taken. */
export async function judgeObject(
  { plan }: Bucket,
  { key, finished, declared, about, taken }: ToStore,
): Promise<PutObject | Refusal> {
  const { path, sha256, octets, head } = finished
  const judged = await judgeType(declared, { name: key, head, mismatch: plan.mismatch })
  if (typeof judged === 'string') return refuse(415, judged)
  const refused = [judged.type, ...(judged.detected === null ? [] : [judged.detected])].find(
    (type) => !isTypeOf(type, plan.types),
  )
  if (refused !== undefined) return refuseType(refused, plan.types)
  return { key, draft: path, sha256, octets, ...judged, about, taken }
}

/** Before any octet is read: a length or a type that will not do (RFC 9110 §15.5.14, §15.5.16). */
export function refuseEarly(
  { plan }: Bucket,
  lengthOctets: number | null,
  declared: string | null,
): Refusal | null {
  if (lengthOctets !== null && lengthOctets > plan.maxOctets) return tooLarge(plan.maxOctets).refusal
  if (declared !== null && !isTypeOf(declared, plan.types)) return refuseType(declared, plan.types)
  return null
}

/** The preconditions of a request for a change. */
export function conditionsOf(fields: { all(name: string): string[] }): Conditions {
  return ['if-match', 'if-none-match', 'if-unmodified-since'].flatMap((name) =>
    fields.all(name).map((value) => [name, value] as const),
  )
}

function tooLarge(maxOctets: number): BodyFault {
  return new BodyFault(413, `an object may have ${maxOctets} octets, and this is larger`)
}

function refuseType(type: string, types: readonly string[] | null): Refusal {
  return refuse(415, `the type ${type} is not taken here; ${(types ?? []).join(', ')} are`)
}
