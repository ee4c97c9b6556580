import type { HostRow } from '#run/status.ts'
import { paint, tableLines } from './print.ts'

/** More rows would scroll what matters off the screen; `--json` has them all. */
const ROW_LIMIT = 40

/** Lines that say, for each host, what it leads to and how that is doing. */
export function hostTable(hosts: readonly HostRow[]): string[] {
  const shown = hosts.slice(0, ROW_LIMIT)
  const rows = tableLines(shown.map(({ url, leadsTo, state }) => [`  ${url}`, `→ ${leadsTo}`, state]))
  const lines = rows.map(
    (line, i) => line.slice(0, line.length - shown[i]!.state.length) + paintState(shown[i]!.state),
  )
  return shown.length === hosts.length ? lines : [...lines, `  … and ${hosts.length - shown.length} more`]
}

function paintState(state: string): string {
  if (state === 'answers' || state === 'ready') return paint('good', state)
  return paint(state === 'not asked yet' || state === 'starting' ? 'quiet' : 'error', state)
}
