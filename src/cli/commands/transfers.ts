import type { Command, CommandInput } from '#cli/command.ts'
import { askRunning } from '#cli/running.ts'
import { transferLines, viewTransfers } from '#cli/transfers-view.ts'
import { showView, viewOptions } from '#cli/view.ts'
import type { Transfers } from '#http/transfer.ts'
import type { Session } from '#media/sessions.ts'

/** `portico transfers` */
export const transfersCommand: Command = {
  name: 'transfers',
  summary: 'Show who receives what from a running Portico, how fast, and who has paused.',
  usage: '[--once] [--json] [--config FILE]',
  options: viewOptions,
  examples: ['portico transfers', 'portico transfers --json'],
  run: (input) =>
    showView(input, {
      look: () => look(input),
      compare: (before, now) => viewTransfers(before.transfers, now.transfers, (now.at - before.at) / 1000),
      lines: transferLines,
      firstMs: 1000,
    }),
}

type Seen = Transfers & { readonly sessions?: readonly Session[] }

async function look(input: CommandInput): Promise<{ readonly transfers: Seen; readonly at: number } | null> {
  const transfers = (await askRunning(input, 'GET /transfers')) as Seen | null
  return transfers === null ? null : { transfers, at: performance.now() }
}
