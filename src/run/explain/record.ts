import { type Lookup, lookup } from '#dns/lookup.ts'
import { lowerName, parseName } from '#dns/wire/name.ts'
import { rcodeName, typeNumber } from '#dns/wire/types.ts'
import { explainSigning } from './dnssec.ts'
import { explainAlias, explainPool } from './pool.ts'
import type { RecordQuestion } from './question.ts'
import { fault, type Step, step } from './step.ts'
import type { World } from './world.ts'
import { explainCopy, explainTransfer, isTransfer } from './zone.ts'

/** Say what is answered for a name and type, or how its zone is moved. */
export function explainQuestion({ name, type }: RecordQuestion, world: World, from: string | null): Step[] {
  if (isTransfer(type)) return [explainTransfer(name, world.plan, from)]
  const copied = explainCopy(name, world.plan, world.live?.secondaries)
  // What a copy holds is state: the file alone does not know it.
  if (copied.length > 0 && world.live === null) return copied
  return [...copied, ...explainRecord(name, type, world, from)]
}

/** A and AAAA of the host: whichever there is, or why there is none. */
export function explainAddress(host: string, world: World, from: string | null): Step[] {
  if (host.startsWith('[') || /^[0-9.]+$/.test(host)) {
    return [step('record', `${host} is an address`, 'no name to look up', null)]
  }
  const steps = ['A', 'AAAA'].map((type) => explainRecord(host, type, world, from))
  const found = steps.filter((list) => list.some(({ isFault }) => !isFault))
  const [first, ...others] = found.length > 0 ? found : steps.slice(0, 1)
  // An alias or a delegation stands before both.
  const told = new Set(first!.map(({ says }) => says))
  return [...first!, ...others.flat().filter(({ says }) => !told.has(says))]
}

function explainRecord(name: string, type: string, world: World, client: string | null): Step[] {
  const wire = parseName(name.endsWith('.') ? name : `${name}.`)
  if (typeof wire === 'string') return [fault('record', wire, 'not a name', null)]
  const found = lookup(world.zones, lowerName(wire), typeNumber(type)!)
  const reason = found.reason.startsWith('answer') ? found.reason : 'alias'
  let asked = name
  const steps = found.answers.flatMap((rrset) => {
    if (rrset.members !== undefined) return explainPool(rrset, world, client)
    const { owner, ttl, data, from, why } = rrset.plan
    // The answer carries the name that was asked for, also where a wildcard gives the data (RFC 4592 §2.2.1).
    const shown = owner.startsWith('*.') ? `${asked} (by ${owner})` : owner
    if (rrset.plan.type === 'CNAME') asked = data[0]!
    return data.map((rdata) =>
      step('record', `${shown} ${ttl} ${rrset.plan.type} ${rdata}`, `${reason}, ${why}`, from),
    )
  })
  const alias = type === 'A' || type === 'AAAA' ? explainAlias(name, world) : []
  if (alias.length > 0 && world.dns === undefined) return alias
  if (!isAnswered(found)) steps.push(explainAbsence(name, type, found))
  return [...alias, ...steps, ...explainSigning(asked, type, found, world.live)]
}

function isAnswered({ reason }: Lookup): boolean {
  return (
    reason.startsWith('answer') &&
    reason !== 'answer: alias to elsewhere' &&
    reason !== 'answer: alias without end'
  )
}

function explainAbsence(name: string, type: string, { reason, rcode, zone, authority }: Lookup): Step {
  if (reason === 'referral' && authority !== undefined) {
    const { owner, data, from } = authority.plan
    return step('record', `${owner} is delegated to ${data.join(', ')}`, reason, from)
  }
  if (reason === 'answer: alias to elsewhere')
    return step('record', 'the rest is answered by the servers of that name', reason, null)
  return fault('record', `${name} ${type}: ${rcodeName(rcode)}`, reason, zone?.plan.from ?? null)
}
