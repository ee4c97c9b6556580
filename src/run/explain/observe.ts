import { createTrust } from '#http/trust.ts'
import type { Plan } from '#plan/plan.ts'
import type { IdentityPlan } from '#traces/plan.ts'
import { type Step, step } from './step.ts'

/**
 * Say what is written down of a request, and by which ids it is told apart.
 *
 * @param asksOrigin whether a service answers, which may be told the ids too
 * @param from address of the client, or null for any
 */
export function explainObserved(
  { observe, http }: Pick<Plan, 'observe' | 'http'>,
  asksOrigin: boolean,
  from: string | null,
): Step[] {
  const { accessLog, identity, traces } = observe
  const steps: Step[] = []
  if (identity !== null) {
    steps.push(step('identity', whoGetsIds(identity, asksOrigin), believed(http.trust, from), null))
  }
  if (traces !== null) {
    const share = `${traces.share * 100} % of traces that begin here`
    steps.push(step('trace', `spans to ${traces.endpoint}`, `${share}; others as their sender decided`, null))
  }
  if (accessLog !== null) {
    const { file, format, oneIn, query } = accessLog
    const kept = oneIn === 1 ? 'every request' : `one in ${oneIn}, and all that fail`
    const reason = query ? kept : `${kept}; without queries`
    steps.push(step('log', `${file}, as ${format}`, reason, null))
  }
  return steps
}

function whoGetsIds({ trace, field, respond }: IdentityPlan, asksOrigin: boolean): string {
  const toOrigin = [trace ? 'traceparent' : '', field ? 'X-Request-Id' : ''].filter((name) => name !== '')
  const told = [
    ...(asksOrigin && toOrigin.length > 0 ? [`${toOrigin.join(' and ')} to the origin`] : []),
    ...(respond ? ['X-Request-Id to the client'] : []),
  ]
  return told.join(', ') || 'an id for the log'
}

function believed(trust: readonly string[], from: string | null): string {
  if (from === null) return 'ids that a client sends count only from networks in "trust"'
  return createTrust(trust)(from)
    ? `ids of ${from} count: it is in "trust"`
    : `made here: ${from} is not in "trust", so what it sends is dropped`
}
