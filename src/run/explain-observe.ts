import { createTrust } from '#http/trust.ts'
import type { Plan } from '#plan/plan.ts'
import { type Step, step } from './explain-step.ts'

/**
 * Say what is written down of a request, and by which ids it is told apart.
 *
 * @param from address of the client, or null for any
 */
export function explainObserved(
  { observe, http }: Pick<Plan, 'observe' | 'http'>,
  from: string | null,
): Step[] {
  const { accessLog, identity, traces } = observe
  const steps: Step[] = []
  if (identity !== null) {
    const names = [identity.trace ? 'traceparent' : '', identity.field ? 'X-Request-Id' : '']
    const sent = names.filter((name) => name !== '').join(' and ')
    const says = sent === '' ? 'an id goes to the client' : `${sent} to the origin`
    steps.push(step('identity', says, believed(http.trust, from), null))
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

function believed(trust: readonly string[], from: string | null): string {
  if (from === null) return 'ids that a client sends count only from networks in "trust"'
  return createTrust(trust)(from)
    ? `ids of ${from} count: it is in "trust"`
    : `made here: ${from} is not in "trust", so what it sends is dropped`
}
