import { admitAddress, compileNetworks } from '#access/admit.ts'
import type { AccessPlan, RatePlan } from '#access/plan.ts'
import type { Position } from '#core/problem.ts'
import { plural } from '#core/units.ts'
import { fault, type Step, step } from './step.ts'

/** How often a client may ask. */
export function explainRate({ id, intervalMs, burst }: RatePlan, at: Position): Step {
  const says = `${burst} requests of a client at once, then one every ${Number(intervalMs.toFixed(3))} ms; 429 beyond`
  return step('limits', says, `counted for ${id.replace(':', ' ')}`, at)
}

/** Who is let in, and whether the client of `--from` is; it is taken for the client itself, not for a proxy. */
export function explainAccess(
  { networks, basic, bearer, forward }: AccessPlan,
  from: string | null,
  at: Position,
): Step[] {
  const steps: Step[] = []
  if (networks.length > 0) {
    const { isAdmitted, reason } = admitAddress(compileNetworks(networks), from)
    if (from === null)
      steps.push(
        step(
          'access',
          `${plural(networks.length, 'network')} ${networks.length === 1 ? 'decides' : 'decide'}`,
          'ask with --from IP',
          at,
        ),
      )
    else if (isAdmitted) steps.push(step('access', `${from} is admitted`, reason, at))
    else steps.push(fault('access', `${from} is refused with 403`, reason, at))
  }
  if (basic !== null) {
    const says = `a name and a password for "${basic.realm}"; 401 without (RFC 7617)`
    steps.push(step('access', says, `basic: ${plural(basic.users.length, 'user')}`, at))
  }
  if (bearer !== null) {
    const says = `a token of ${bearer.issuer} for ${bearer.audience.join(' or ')}; 401 without (RFC 6750)`
    steps.push(step('access', says, `bearer: keys at ${bearer.jwks}`, at))
  }
  if (forward !== null) steps.push(step('access', `${forward.url} is asked; 2xx admits`, 'forward', at))
  return steps
}
