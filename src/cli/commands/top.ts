import type { Command, CommandInput } from '#cli/command.ts'
import { askRunning } from '#cli/running.ts'
import { topLines, topOf } from '#cli/top-view.ts'
import { showView, viewOptions } from '#cli/view.ts'
import type { BusyKey } from '#metrics/busiest.ts'
import type { Status } from '#run/status.ts'

/** `portico top` */
export const topCommand: Command = {
  name: 'top',
  summary: 'Show the busiest hosts, routes and clients of a running Portico.',
  usage: '[--once] [--json] [--config FILE]',
  options: viewOptions,
  examples: ['portico top', 'portico top --json'],
  run: (input) =>
    showView(input, {
      look: () => look(input),
      compare(before, now) {
        const seconds = (Date.parse(now.status.at) - Date.parse(before.status.at)) / 1000
        return topOf(before.status.traffic, now.status.traffic, now.clients, Math.max(seconds, 0.001))
      },
      lines: topLines,
      firstMs: 2000,
    }),
}

/** Clients are counted from one look to the next, and not at all while nobody looks. */
async function look(
  input: CommandInput,
): Promise<{ readonly status: Status; readonly clients: readonly BusyKey[] } | null> {
  const clients = await askRunning(input, 'GET /clients')
  const status = await askRunning(input, 'GET /status')
  if (clients === null || status === null) return null
  return { status: status as Status, clients: clients as readonly BusyKey[] }
}
