import { plural } from '#core/units.ts'
import { hasConflict, type PortRow, portRows } from '#run/listen/ports.ts'
import { planSource } from '#run/portico.ts'
import type { Status } from '#run/status.ts'
import { type CommandInput, findConfig, flagOption } from './command.ts'
import { paint, print, printError, printJson, printProblems, tableLines } from './print.ts'
import { askRunning } from './running.ts'

/** More names of one port say no more. */
const NAME_LIMIT = 4

/** `portico status --ports`: also without a running Portico, to see who is in the way. */
export async function showPorts(input: CommandInput): Promise<number> {
  const status = (await askRunning(input, 'GET /status')) as Status | null
  const { plan, problems } = await planSource({ file: findConfig(input) }, false)
  const running = status === null ? null : ((await askRunning(input, 'GET /plan')) as typeof plan)
  const shown = running ?? plan
  if (shown === null) {
    printProblems(problems, printError)
    return 1
  }
  const rows = await portRows(shown, status)
  if (flagOption(input, 'json')) printJson({ pid: status?.pid ?? null, ports: rows })
  else printRows(rows, status)
  return hasConflict(rows) ? 1 : 0
}

function printRows(rows: readonly PortRow[], status: Status | null): void {
  print(
    status === null
      ? 'No Portico serves this file now; this is what one would want.'
      : `Portico is process ${status.pid}.`,
  )
  for (const side of ['outside', 'inside'] as const) {
    const shown = rows.filter((row) => row.side === side)
    if (shown.length === 0) continue
    print(
      `\n${paint('strong', side === 'outside' ? 'Outside: clients connect here' : 'Inside: this machine only')}`,
    )
    for (const line of tableLines(shown.map(cellsOf))) print(`  ${line}`)
  }
  const taken = rows.filter(({ state }) => state === 'taken')
  if (taken.length === 0) return
  print('')
  for (const { transport, socket, use, holder } of taken)
    print(
      `${paint('error', 'taken')}: ${transport} ${socket}, which ${use} wants, belongs to ${holder}. Fix: stop it, or give "listen": { "${use}": … } another port`,
    )
}

function cellsOf({ transport, socket, use, names, state, holder }: PortRow): string[] {
  const told = names.slice(0, NAME_LIMIT).join(', ')
  const more = names.length > NAME_LIMIT ? ` and ${plural(names.length - NAME_LIMIT, 'other')}` : ''
  return [transport, socket, use, holder === null ? state : `${state}: ${holder}`, `${told}${more}`]
}
