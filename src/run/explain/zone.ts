import { permit } from '#dns/transfer/permit.ts'
import type { MovePlan, ServerPlan } from '#dns/transfer/plan.ts'
import type { SecondaryState } from '#dns/transfer/secondary.ts'
import { printSocket } from '#plan/listeners.ts'
import type { Plan } from '#plan/plan.ts'
import { fault, type Step, step } from './step.ts'

/** Whether a type asks for a whole zone. */
export function isTransfer(type: string): boolean {
  return /^[AI]XFR$/i.test(type)
}

/**
 * Say who may copy the zone of this name.
 *
 * @param from address of the client; null: of anyone
 */
export function explainTransfer(name: string, plan: Plan, from: string | null): Step {
  const apex = `${name.toLowerCase().replace(/\.$/, '')}.`
  const move = plan.dns.moves.find((one) => one.apex === apex)
  const key = move?.out?.key ?? null
  const signed = key === null ? '' : `, signed with the key "${key.slice(0, -1)}"`
  if (from === null && move?.out != null) {
    const { to } = move.out
    return step('zone', `copied to ${to?.join(', ') ?? 'anyone'}${signed}`, 'transfer', move.from)
  }
  // Whether a request is signed is not known here: the one who asks has the key.
  const permission = permit('copy', move, { client: from ?? '', key })
  if (permission === 'allowed') return step('zone', `copied to ${from}${signed}`, permission, move!.from)
  return fault('zone', `not copied to ${from ?? 'anyone'}`, permission, move?.from ?? null)
}

/** Say where the zone of a name is copied from, and how that stands; nothing of one that is our own. */
export function explainCopy(
  name: string,
  { dns }: Plan,
  states: readonly SecondaryState[] | undefined,
): Step[] {
  const absolute = `${name.toLowerCase().replace(/\.$/, '')}.`
  const move = [...dns.moves]
    .sort((a, b) => b.apex.length - a.apex.length)
    .find(({ apex }) => absolute === apex || absolute.endsWith(`.${apex}`))
  if (move?.secondary == null) return []
  const state = states?.find(({ apex }) => apex === move.apex)
  const source = `copied from ${move.secondary.from.map(printServer).join(', ')}`
  return [
    state === undefined ? step('zone', source, 'secondary', move.from) : explainState(source, move, state),
  ]
}

function printServer({ address, port }: ServerPlan): string {
  return printSocket(address, port)
}

function explainState(source: string, move: MovePlan, state: SecondaryState): Step {
  const { serial, checkedAtMs, nextCheckAtMs, isExpired, lastFault } = state
  const heard = checkedAtMs === null ? 'never heard of' : `last heard of ${time(checkedAtMs)}`
  const says = `${source}: serial ${serial ?? 'none'}, ${heard}, asked again ${time(nextCheckAtMs)}`
  if (isExpired) return fault('zone', says, lastFault ?? 'secondary: no copy yet', move.from)
  return step('zone', says, lastFault ?? 'secondary', move.from)
}

function time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
