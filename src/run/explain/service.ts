import { formatDuration, plural } from '#core/units.ts'
import type { OriginState } from '#http/origin/pool.ts'
import type { OriginPlan, ServicePlan } from '#http/service-plan.ts'
import type { ProcessState } from '#processes/process.ts'

/** One line about an origin; a fault when requests do not go there and should. */
export type OriginLine = { readonly says: string; readonly reason: string; readonly isFault: boolean }

/** How origins and processes are doing; null when nothing runs. */
type Doing = { readonly origins: readonly OriginState[]; readonly processes: readonly ProcessState[] } | null

/** Say where a service passes requests on to, by what policy, and how each origin is doing. */
export function explainOrigins(action: ServicePlan, live: Doing): OriginLine[] {
  if (action.processId !== null) return [explainProcess(action.processId, live)]
  const { origins, weights, fallback } = action
  const policy = origins.length === 1 ? 'the only origin' : policyWords(action)
  const lines = origins.map((origin, i) => {
    const weight = weights === undefined ? '' : `, weight ${weights[i]}`
    return explainOrigin(origin, `${policy}${weight}`, live)
  })
  return fallback === undefined
    ? lines
    : [...lines, explainOrigin(fallback, 'fallback, while all others are down', live)]
}

function policyWords({ policy, slowStartMs }: ServicePlan): string {
  const slow =
    slowStartMs === undefined ? '' : `, slowly for ${formatDuration(slowStartMs)} after it came back`
  if (policy === undefined) return `in turn${slow}`
  if (policy === 'least-connections') return `fewest requests${slow}`
  if (policy === 'first-available') return 'first available'
  if (policy === 'random') return `at random${slow}`
  return policy.hash === 'client'
    ? "by hash of the client's address"
    : `by hash of ${policy.hash} ${policy.name}`
}

function explainProcess(id: string, live: Doing): OriginLine {
  const where = id.replace('process:', 'process ')
  if (live === null) return line(`${where}, started by Portico`, 'not running: a file alone')
  const process = live.processes.find((state) => state.id === id)
  if (process?.port == null) {
    const reason = process?.lastEnd ?? process?.state ?? 'unknown'
    return { says: `${where} does not answer yet`, reason, isFault: true }
  }
  return line(`http://127.0.0.1:${process.port} (${where}, pid ${process.pid})`, process.state)
}

function explainOrigin({ id, health }: OriginPlan, reason: string, live: Doing): OriginLine {
  const url = id.replace('origin:', '')
  if (live === null) return line(url, `${reason}; its state is not known: a file alone`)
  const state = live.origins.find((origin) => origin.id === id)
  if (state?.isDown === true) return { says: `${url} is down: ${state.why}`, reason, isFault: true }
  const used =
    state === undefined || state.connects === 0
      ? 'not asked yet'
      : `answers, ${plural(state.open, 'connection')} open`
  const checked = health === undefined || !state?.lastCheck ? '' : `; ${health.path} gave ${state.lastCheck}`
  return line(url, `${reason}; ${used}${checked}`)
}

function line(says: string, reason: string): OriginLine {
  return { says, reason, isFault: false }
}
