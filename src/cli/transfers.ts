import { setTimeout as pause } from 'node:timers/promises'
import type { Transfers } from '#http/transfer.ts'
import type { Session } from '#media/sessions.ts'
import { type Command, type CommandInput, flagOption } from './command.ts'
import { print, printError, printJson } from './print.ts'
import { askRunning, NOT_RUNNING } from './running.ts'
import { drawAgain, isDrawable, type Size } from './screen.ts'
import { type TransfersView, transferLines, viewTransfers } from './transfers-view.ts'

/** `portico transfers` */
export const transfersCommand: Command = {
  name: 'transfers',
  summary: 'Show who receives what from a running Portico, how fast, and who has paused.',
  usage: '[--once] [--json] [--config FILE]',
  options: {
    once: { type: 'boolean', doc: 'Print it once, also on a terminal.' },
    json: { type: 'boolean', doc: 'As JSON.' },
  },
  examples: ['portico transfers', 'portico transfers --json'],
  async run(input) {
    const looker = await createLooker(input)
    if (looker === null) {
      printError(NOT_RUNNING)
      return 1
    }
    const isJson = flagOption(input, 'json')
    if (!isJson && !flagOption(input, 'once') && isDrawable()) return draw(looker)
    await pause(FIRST_MS)
    const view = await looker()
    if (view === null) {
      printError(NOT_RUNNING)
      return 1
    }
    if (isJson) printJson(view)
    else for (const line of transferLines(view, ONCE)) print(line)
    return 0
  },
}

/** Between the first two looks. */
const FIRST_MS = 1000
/** What is printed once may scroll. */
const ONCE: Size = { columns: process.stdout.columns || 120, rows: 48 }

type Seen = Transfers & { readonly sessions?: readonly Session[] }

type Looker = () => Promise<TransfersView | null>

/** Looks that each say what went since the one before; null when no Portico runs. */
async function createLooker(input: CommandInput): Promise<Looker | null> {
  const look = async (): Promise<{ transfers: Seen; at: number } | null> => {
    const transfers = (await askRunning(input, 'GET /transfers')) as Seen | null
    return transfers === null ? null : { transfers, at: performance.now() }
  }
  let before = await look()
  if (before === null) return null
  return async () => {
    const now = await look()
    if (now === null || before === null) return null
    const view = viewTransfers(before.transfers, now.transfers, (now.at - before.at) / 1000)
    before = now
    return view
  }
}

async function draw(looker: Looker): Promise<number> {
  let isFirst = true
  let isGone = false
  await drawAgain(async (size) => {
    if (isFirst) await pause(FIRST_MS)
    isFirst = false
    const view = await looker()
    isGone = view === null
    return view === null ? undefined : transferLines(view, size)
  })
  if (isGone) printError(NOT_RUNNING)
  return isGone ? 1 : 0
}
