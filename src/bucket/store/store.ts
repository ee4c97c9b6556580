import type { Bucket } from '#bucket/bucket.ts'
import { isTypeOf, judgeType } from '#bucket/type.ts'
import { Fault } from '#bucket/wire/body.ts'
import type { About, Conditions, PutObject } from './change.ts'
import { Draft, type Finished } from './draft.ts'

/** Anything that gives octets to its end. */
export type Octets = { read(): Promise<Uint8Array | null> | Uint8Array | null }

/**
 * Receive octets into a draft.
 *
 * @throws {Fault} when they are more than an object may have, or of a type that is not taken
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

/**
 * Decide what a finished draft is stored as.
 *
 * @throws {Fault} when its type is not taken
 */
export async function judgeObject(
  { plan }: Bucket,
  { key, finished, declared, about, taken }: ToStore,
): Promise<PutObject> {
  const { path, sha256, octets, head } = finished
  const judged = await judgeType(declared, { name: key, head, mismatch: plan.mismatch })
  if (typeof judged === 'string') throw new Fault(415, judged)
  refuseType(judged.type, plan.types)
  if (judged.detected !== null) refuseType(judged.detected, plan.types)
  return { key, draft: path, sha256, octets, ...judged, about, taken }
}

/**
 * Look at what is known before any octet is read (RFC 9110 §15.5.14, §15.5.16).
 *
 * @throws {Fault} for a length or a type that will not do
 */
export function refuseEarly({ plan }: Bucket, lengthOctets: number | null, declared: string | null): void {
  if (lengthOctets !== null && lengthOctets > plan.maxOctets) throw tooLarge(plan.maxOctets)
  if (declared !== null) refuseType(declared, plan.types)
}

/** The preconditions of a request for a change. */
export function conditionsOf(fields: { all(name: string): string[] }): Conditions {
  return ['if-match', 'if-none-match', 'if-unmodified-since'].flatMap((name) =>
    fields.all(name).map((value) => [name, value] as const),
  )
}

function tooLarge(maxOctets: number): Fault {
  return new Fault(413, `an object may have ${maxOctets} octets, and this is larger`)
}

function refuseType(type: string, types: readonly string[] | null): void {
  if (isTypeOf(type, types)) return
  throw new Fault(415, `the type ${type} is not taken here; ${(types ?? []).join(', ')} are`)
}
